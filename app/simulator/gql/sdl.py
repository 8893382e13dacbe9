"""The GraphQL schema of the simulator: what an App like this reads, a true subset of GitHub's.

Law: every type, field, argument and enum value stands in GitHub's own schema with the same type; a test compares them.
"""

SDL = """
scalar BigInt
scalar DateTime
scalar GitObjectID
scalar URI

enum CheckConclusionState { ACTION_REQUIRED CANCELLED FAILURE NEUTRAL SKIPPED STALE STARTUP_FAILURE SUCCESS TIMED_OUT }
enum CheckStatusState { COMPLETED IN_PROGRESS PENDING QUEUED REQUESTED WAITING }
enum IssueOrderField { COMMENTS CREATED_AT UPDATED_AT }
enum MergeQueueEntryState { AWAITING_CHECKS LOCKED MERGEABLE QUEUED UNMERGEABLE }
enum MergeStateStatus { BEHIND BLOCKED CLEAN DIRTY DRAFT HAS_HOOKS UNKNOWN UNSTABLE }
enum MergeableState { CONFLICTING MERGEABLE UNKNOWN }
enum OrderDirection { ASC DESC }
enum PullRequestReviewDecision { APPROVED CHANGES_REQUESTED REVIEW_REQUIRED }
enum PullRequestState { CLOSED MERGED OPEN }
enum RefOrderField { ALPHABETICAL TAG_COMMIT_DATE }
enum ReportedContentClassifiers { ABUSE DUPLICATE OFF_TOPIC OUTDATED RESOLVED SPAM }
enum RepositoryVisibility { INTERNAL PRIVATE PUBLIC }
enum StatusState { ERROR EXPECTED FAILURE PENDING SUCCESS }

input IssueOrder { direction: OrderDirection! field: IssueOrderField! }
input RefOrder { direction: OrderDirection! field: RefOrderField! }
input DequeuePullRequestInput { clientMutationId: String id: ID! }
input EnqueuePullRequestInput { clientMutationId: String expectedHeadOid: GitObjectID jump: Boolean pullRequestId: ID! }
input MinimizeCommentInput { classifier: ReportedContentClassifiers! clientMutationId: String subjectId: ID! }

interface Node { id: ID! }
interface Actor { login: String! url: URI! }
interface RepositoryOwner { id: ID! login: String! url: URI! }
interface GitObject { abbreviatedOid: String! id: ID! oid: GitObjectID! repository: Repository! }
interface Minimizable { isMinimized: Boolean! minimizedReason: String }
union StatusCheckRollupContext = CheckRun | StatusContext

type User implements Actor & Node & RepositoryOwner { databaseId: Int id: ID! login: String! url: URI! }
type Bot implements Actor & Node { databaseId: Int id: ID! login: String! url: URI! }
type Organization implements Actor & Node & RepositoryOwner {
  databaseId: Int id: ID! login: String! url: URI!
  repositories(
    after: String, before: String, first: Int, last: Int, isArchived: Boolean, isFork: Boolean
  ): RepositoryConnection!
  repository(followRenames: Boolean = true, name: String!): Repository
}
type RepositoryConnection { nodes: [Repository] pageInfo: PageInfo! totalCount: Int! }
type RepositoryTopicConnection { nodes: [RepositoryTopic] pageInfo: PageInfo! totalCount: Int! }
type RepositoryTopic implements Node { id: ID! topic: Topic! }
type Topic implements Node { id: ID! name: String! }

type PageInfo { endCursor: String hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String }
type RateLimit { cost: Int! limit: Int! nodeCount: Int! remaining: Int! resetAt: DateTime! used: Int! }

type Repository implements Node {
  databaseId: Int
  defaultBranchRef: Ref
  id: ID!
  isArchived: Boolean!
  isDisabled: Boolean!
  isFork: Boolean!
  isPrivate: Boolean!
  name: String!
  nameWithOwner: String!
  object(expression: String, oid: GitObjectID): GitObject
  owner: RepositoryOwner!
  pullRequest(number: Int!): PullRequest
  pullRequests(
    after: String, before: String, first: Int, last: Int, baseRefName: String, headRefName: String,
    orderBy: IssueOrder, states: [PullRequestState!]
  ): PullRequestConnection!
  ref(qualifiedName: String!): Ref
  refs(
    after: String, before: String, first: Int, last: Int, direction: OrderDirection, orderBy: RefOrder,
    query: String, refPrefix: String!
  ): RefConnection
  repositoryTopics(after: String, before: String, first: Int, last: Int): RepositoryTopicConnection!
  url: URI!
  visibility: RepositoryVisibility!
}

type Ref implements Node {
  associatedPullRequests(
    after: String, before: String, first: Int, last: Int, baseRefName: String, headRefName: String,
    orderBy: IssueOrder, states: [PullRequestState!]
  ): PullRequestConnection!
  id: ID! name: String! prefix: String! repository: Repository! target: GitObject
}
type RefConnection { nodes: [Ref] pageInfo: PageInfo! totalCount: Int! }

type Commit implements GitObject & Node {
  abbreviatedOid: String! committedDate: DateTime! id: ID! message: String! messageHeadline: String!
  oid: GitObjectID! repository: Repository! status: Status statusCheckRollup: StatusCheckRollup url: URI!
}
type Blob implements GitObject & Node {
  abbreviatedOid: String! byteSize: Int! id: ID! isBinary: Boolean oid: GitObjectID! repository: Repository!
  text: String
}
type Status implements Node {
  context(name: String!): StatusContext contexts: [StatusContext!]! id: ID! state: StatusState!
}
type StatusContext implements Node {
  context: String! createdAt: DateTime! creator: Actor description: String id: ID!
  isRequired(pullRequestId: ID, pullRequestNumber: Int): Boolean! state: StatusState! targetUrl: URI
}
type CheckRun implements Node {
  conclusion: CheckConclusionState databaseId: Int id: ID!
  isRequired(pullRequestId: ID, pullRequestNumber: Int): Boolean! name: String! status: CheckStatusState!
}
type StatusCheckRollup implements Node {
  contexts(after: String, before: String, first: Int, last: Int): StatusCheckRollupContextConnection!
  id: ID! state: StatusState!
}
type StatusCheckRollupContextConnection { nodes: [StatusCheckRollupContext] pageInfo: PageInfo! totalCount: Int! }

type PullRequest implements Node {
  author: Actor baseRef: Ref baseRefName: String! baseRefOid: GitObjectID! baseRepository: Repository body: String!
  closed: Boolean! closedAt: DateTime createdAt: DateTime! databaseId: Int fullDatabaseId: BigInt
  headRef: Ref headRefName: String! headRefOid: GitObjectID! headRepository: Repository
  headRepositoryOwner: RepositoryOwner id: ID! isCrossRepository: Boolean! isDraft: Boolean! isInMergeQueue: Boolean!
  mergeCommit: Commit mergeQueueEntry: MergeQueueEntry mergeStateStatus: MergeStateStatus! mergeable: MergeableState!
  merged: Boolean! mergedAt: DateTime mergedBy: Actor number: Int! repository: Repository!
  reviewDecision: PullRequestReviewDecision state: PullRequestState! statusCheckRollup: StatusCheckRollup
  title: String! updatedAt: DateTime! url: URI!
}
type PullRequestConnection { nodes: [PullRequest] pageInfo: PageInfo! totalCount: Int! }

type MergeQueueEntry implements Node {
  baseCommit: Commit enqueuedAt: DateTime! headCommit: Commit id: ID! position: Int! pullRequest: PullRequest
  state: MergeQueueEntryState!
}
type IssueComment implements Minimizable & Node {
  author: Actor body: String! createdAt: DateTime! databaseId: Int id: ID! isMinimized: Boolean!
  minimizedReason: String url: URI! viewerDidAuthor: Boolean!
}

type DequeuePullRequestPayload { clientMutationId: String mergeQueueEntry: MergeQueueEntry }
type EnqueuePullRequestPayload { clientMutationId: String mergeQueueEntry: MergeQueueEntry }
type MinimizeCommentPayload { clientMutationId: String minimizedComment: Minimizable }

type Query {
  node(id: ID!): Node
  nodes(ids: [ID!]!): [Node]!
  organization(login: String!): Organization
  rateLimit(dryRun: Boolean = false): RateLimit
  repository(followRenames: Boolean = true, name: String!, owner: String!): Repository
  repositoryOwner(login: String!): RepositoryOwner
}
type Mutation {
  dequeuePullRequest(input: DequeuePullRequestInput!): DequeuePullRequestPayload
  enqueuePullRequest(input: EnqueuePullRequestInput!): EnqueuePullRequestPayload
  minimizeComment(input: MinimizeCommentInput!): MinimizeCommentPayload
}
"""
