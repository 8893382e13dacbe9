"""Where GraphQL queries and mutations begin: nodes by global id, names, the rate limit, the merge queue."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLError

from app.simulator import merging, queue
from app.simulator.errors import Refusal
from app.simulator.gql.pulls import CommentView, EntryView, PullView
from app.simulator.gql.repositories import RepositoryView
from app.simulator.gql.shapes import AccountView, Reader, failure, page, unresolved
from app.simulator.ids import read_node_id
from app.simulator.model import Repository

Json = dict[str, Any]


def resolve_node(reader: Reader, node: str) -> Any:
    """The object of a global id; an error where it is not there or not for this caller."""
    kind, name = read_node_id(node) or ("", "")
    world = reader.world
    if kind == "Repository" and name.isdigit() and int(name) in world.repositories:
        return _repository(reader, world.repositories[int(name)], node)
    for repo in world.repositories.values():
        if not reader.sees(repo):
            continue
        if kind == "PullRequest":
            found = next((pull for pull in repo.pulls.values() if str(pull.id) == name), None)
            if found:
                return PullView(reader, repo, found)
        if kind == "IssueComment" and name.isdigit() and int(name) in repo.comments:
            return CommentView(reader, repo, repo.comments[int(name)])
    if kind in ("User", "Bot", "Organization"):
        account = next((one for one in world.accounts.values() if str(one.id) == name), None)
        if account:
            return AccountView(reader, account)
    raise unresolved(node)


def _repository(reader: Reader, repo: Repository, node: str) -> RepositoryView:
    nulled = reader.nulled
    if nulled is not None and str(nulled["graphql_null"]).lower() == repo.full_name.lower():
        kind = str(nulled.get("type", "NOT_FOUND"))
        default = (
            "Something went wrong while executing your query."
            if kind != "FORBIDDEN"
            else ("Resource not accessible by integration")
        )
        raise unresolved(node) if kind == "NOT_FOUND" else failure(kind, str(nulled.get("message", default)))
    if not reader.sees(repo):
        raise unresolved(node)
    return RepositoryView(reader, repo)


class OrganizationView(AccountView):
    """``Organization``, with what it owns."""

    def repositories(
        self,
        info: Any,
        isArchived: bool | None = None,
        isFork: bool | None = None,
        **arguments: Any,
    ) -> Json:
        """Its repositories that the caller sees."""
        found = [
            RepositoryView(self.reader, repo)
            for repo in self.reader.world.repositories.values()
            if repo.owner is self.account
            and self.reader.sees(repo)
            and isArchived in (None, repo.archived)
            and isFork in (None, repo.parent is not None)
        ]
        return page(found, arguments)

    def repository(self, info: Any, name: str, followRenames: bool = True) -> RepositoryView:
        """One of them."""
        return Query(self.reader).repository(info, self.account.login, name, followRenames)


class Query:
    """GraphQL's ``Query``."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    def node(self, info: Any, id: str) -> Any:
        """One object."""
        return resolve_node(self.reader, id)

    def nodes(self, info: Any, ids: list[str]) -> list[Any]:
        """Up to a hundred objects; each that fails is null with an error of its own."""
        if len(ids) > 100:
            raise failure("ARGUMENT_LIMIT", "You may not provide more than 100 node ids; you provided "
                          f"{len(ids)}.")  # fmt: skip
        found: list[Any] = []
        for node in ids:
            try:
                found.append(resolve_node(self.reader, node))
            except GraphQLError as error:  # graphql-core nulls this one node with it
                found.append(error)
        return found

    def repository(self, info: Any, owner: str, name: str, followRenames: bool = True) -> RepositoryView:
        """A repository by name, also by an old one."""
        world, full_name = self.reader.world, f"{owner}/{name}"
        repo = world.find_repository(full_name)
        if repo is None and followRenames:
            repo = world.repositories.get(world.old_names.get(full_name.lower(), 0))
        if repo is None or not self.reader.sees(repo):
            raise failure("NOT_FOUND", f"Could not resolve to a Repository with the name '{full_name}'.")
        return _repository(self.reader, repo, full_name)

    def organization(self, info: Any, login: str) -> AccountView:
        """An organisation."""
        found = self.reader.world.find_account(login)
        if found is None or found.kind != "Organization":
            raise failure("NOT_FOUND", f"Could not resolve to an Organization with the login of '{login}'.")
        return OrganizationView(self.reader, found)

    def repositoryOwner(self, info: Any, login: str) -> AccountView | None:
        """Anybody who owns repositories."""
        found = self.reader.world.find_account(login)
        return AccountView(self.reader, found) if found else None

    def rateLimit(self, info: Any, dryRun: bool = False) -> Json:
        """What this query cost and what is left."""
        window = self.reader.simulator.limits.window(self.reader.caller, "graphql")
        rate = self.reader.simulator.limits.rate(self.reader.caller, "graphql")
        return {
            "cost": self.reader.cost,
            "limit": rate["limit"],
            "remaining": rate["remaining"],
            "used": rate["used"],
            "nodeCount": self.reader.cost * 100,
            "resetAt": window.resets_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }


class Mutation:
    """GraphQL's ``Mutation``."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    def _need(self, repo: Repository, needs: str) -> None:
        if not self.reader.caller.sees(repo) or not self.reader.caller.may(needs):
            raise failure("FORBIDDEN", "Resource not accessible by integration")

    def enqueuePullRequest(self, info: Any, input: Json) -> Json:
        """Put a pull request in the merge queue (FACTS §6)."""
        view = resolve_node(self.reader, input["pullRequestId"])
        if not isinstance(view, PullView):
            raise unresolved(input["pullRequestId"])
        self._need(view.repo, "contents=write,pull_requests=write")
        bot = self.reader.world.app.bot
        wish = merging.Wish(sha=input.get("expectedHeadOid"))
        try:
            merging.check_ready(self.reader.world, view.repo, view.pull, wish, bot, by_app=False)
            entry = queue.join(self.reader.world, view.repo, view.pull, bot, bool(input.get("jump")))
        except Refusal as refusal:
            raise failure("UNPROCESSABLE", refusal.message.strip()) from refusal
        shape = EntryView(self.reader, view.repo, entry)
        return {"clientMutationId": input.get("clientMutationId"), "mergeQueueEntry": shape}

    def dequeuePullRequest(self, info: Any, input: Json) -> Json:
        """Take a pull request out of the merge queue."""
        view = resolve_node(self.reader, input["id"])
        if not isinstance(view, PullView):
            raise unresolved(input["id"])
        self._need(view.repo, "contents=write,pull_requests=write")
        entry = view.mergeQueueEntry(info)
        if entry is None:
            raise failure("UNPROCESSABLE", "Pull request is not in the queue")
        queue.leave(self.reader.world, view.repo, view.pull, self.reader.world.app.bot, "MANUAL")
        return {"clientMutationId": input.get("clientMutationId"), "mergeQueueEntry": entry}

    def minimizeComment(self, info: Any, input: Json) -> Json:
        """Fold a comment away."""
        view = resolve_node(self.reader, input["subjectId"])
        if not isinstance(view, CommentView):
            raise unresolved(input["subjectId"])
        self._need(view.repo, "issues=write;pull_requests=write")
        view.made.minimized = str(input["classifier"]).lower().replace("_", "-")
        shape = CommentView(self.reader, view.repo, view.made)
        return {"clientMutationId": input.get("clientMutationId"), "minimizedComment": shape}
