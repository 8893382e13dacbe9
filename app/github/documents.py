"""The GraphQL documents that Lockstep sends, fixed texts all.

Law: a document is never put together at run time, so that each is proved against GitHub's schema by a test; what
varies is a variable. Those of a set read answer for up to 100 repositories in one request (CONTRACT §4, budget).
"""

from __future__ import annotations

MOST_IDS = 100
"""GitHub's own maximum for ``nodes(ids:)``."""

_PULL = """
fragment pull on PullRequest {
  number
  state
  isDraft
  isCrossRepository
  headRefName
  headRefOid
  baseRefName
  updatedAt
  headRepository { databaseId }
}
"""

_REPOSITORY = """
fragment repository on Repository {
  databaseId
  nameWithOwner
  isArchived
  isDisabled
  visibility
  defaultBranchRef { name target { oid } }
  base: ref(qualifiedName: $base) @include(if: $named) { name target { oid } }
}
"""

READ_BRANCH = (
    """
query ReadBranch($ids: [ID!]!, $named: Boolean!, $base: String!, $ref: String!, $branch: String!) {
  nodes(ids: $ids) {
    __typename
    id
    ... on Repository {
      ...repository
      head: ref(qualifiedName: $ref) { name target { oid } }
      open: pullRequests(states: [OPEN], headRefName: $branch, first: 100) {
        pageInfo { hasNextPage }
        nodes { ...pull }
      }
      merged: pullRequests(
        states: [MERGED], headRefName: $branch, first: 5, orderBy: {field: UPDATED_AT, direction: DESC}
      ) {
        nodes { headRefOid baseRefName }
      }
    }
  }
}
"""
    + _REPOSITORY
    + _PULL
)
"""The set whose branch is known exactly. ``$base`` is read where ``$named`` is true."""

READ_KEY = (
    """
query ReadKey($ids: [ID!]!, $named: Boolean!, $base: String!, $needle: String!) {
  nodes(ids: $ids) {
    __typename
    id
    ... on Repository {
      ...repository
      recent: pullRequests(states: [MERGED], first: 50, orderBy: {field: UPDATED_AT, direction: DESC}) {
        nodes { headRefName headRefOid baseRefName }
      }
      refs(refPrefix: "refs/heads/", query: $needle, first: 100) {
        pageInfo { hasNextPage }
        nodes {
          name
          target { oid }
          open: associatedPullRequests(states: [OPEN], first: 20) {
            pageInfo { hasNextPage }
            nodes { ...pull }
          }
          merged: associatedPullRequests(
            states: [MERGED], first: 5, orderBy: {field: UPDATED_AT, direction: DESC}
          ) {
            nodes { headRefOid baseRefName }
          }
        }
      }
    }
  }
}
"""
    + _REPOSITORY
    + _PULL
)
"""The set that is known by a key in the branch name: all branches whose name holds the needle, with their pulls.

``recent`` is for those that were merged and whose branch is gone: no ref leads to them any more.
"""

SWEPT_IDS = 20
"""Repositories in one request of a sweep: GitHub gives an answer ten seconds (FACTS §4), and each has many pulls."""

SWEPT_PULLS = 50
SWEPT_BRANCHES = 20
"""Branches looked up by name in one request of a sweep; a shorter list is filled up with its first name."""
SWEPT_COMMITS = 20
"""Commits whose statuses are looked up in one request of a sweep, filled up likewise."""

_SWEPT = """
fragment swept on PullRequestConnection {
  pageInfo { hasNextPage endCursor }
  nodes { ...pull }
}
"""

_SAID = """
fragment said on Commit {
  oid
  status { contexts { context state } }
}
"""

_HEAD = "b{0}: ref(qualifiedName: $b{0}) {{ name target {{ oid }} }}"
_HEADS = "\n      ".join(_HEAD.format(n) for n in range(SWEPT_BRANCHES))
_NAMES = " ".join(f"$b{n}: String!" for n in range(SWEPT_BRANCHES))
_COMMIT = "c{0}: object(oid: $c{0}) @include(if: $commits) {{ ...said }}"
_COMMITS = "\n      ".join(_COMMIT.format(n) for n in range(SWEPT_COMMITS))
_OIDS = " ".join(f"$c{n}: GitObjectID!" for n in range(SWEPT_COMMITS))

SWEEP = (
    f"""
query Sweep($ids: [ID!]!, $config: String!, $pulls: Boolean!, $commits: Boolean!, {_NAMES} {_OIDS}) {{
  nodes(ids: $ids) {{
    __typename
    id
    ... on Repository {{
      databaseId
      nameWithOwner
      isArchived
      isDisabled
      visibility
      defaultBranchRef {{ name target {{ oid }} }}
      config: object(expression: $config) {{ oid }}
      recent: pullRequests(
        first: {SWEPT_PULLS}, orderBy: {{field: UPDATED_AT, direction: DESC}}
      ) @include(if: $pulls) {{ ...swept }}
      {_HEADS}
      {_COMMITS}
    }}
  }}
}}
"""
    + _SAID
    + _SWEPT
    + _PULL
)
"""What a sweep compares: the pull requests that changed last, branches by name, and what statuses say on commits.

Each commit is looked for in each of the repositories: those that have it not answer null.
"""

SWEEP_MORE = (
    f"""
query SweepMore($id: ID!, $after: String!) {{
  node(id: $id) {{
    __typename
    ... on Repository {{
      recent: pullRequests(first: {SWEPT_PULLS}, after: $after, orderBy: {{field: UPDATED_AT, direction: DESC}}) {{
        ...swept
      }}
    }}
  }}
}}
"""
    + _SWEPT
    + _PULL
)
"""The next page of one repository's pull requests, where more changed than fit into one."""

READ_TARGETS = """
query ReadTargets(
  $ids: [ID!]!, $file: String!, $named: Boolean!, $branch: String!, $tag: String!, $topics: Boolean!
) {
  nodes(ids: $ids) {
    __typename
    id
    ... on Repository {
      databaseId
      nameWithOwner
      isArchived
      isDisabled
      visibility
      defaultBranchRef { name target { oid } }
      branch: ref(qualifiedName: $branch) @include(if: $named) { name target { oid } }
      tag: ref(qualifiedName: $tag) @include(if: $named) { name target { oid } }
      file: object(expression: $file) { oid }
      repositoryTopics(first: 100) @include(if: $topics) { nodes { topic { name } } }
    }
  }
}
"""
"""Whether a fleet can run in each repository: ref and workflow file. ``$named``: not on the default branch."""
