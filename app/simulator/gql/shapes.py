"""What stands behind GraphQL's objects: small views of the world that resolvers read by attribute name.

Law: a view's public attributes bear GraphQL's names (fields without arguments are properties), so graphql-core finds
them itself; fields with arguments are methods that take ``info`` first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError

from app.simulator import pulls
from app.simulator.access import Caller
from app.simulator.model import Account, Pull, Repository
from app.simulator.render.accounts import account_node
from app.simulator.world import World

if TYPE_CHECKING:
    from app.simulator.server import Simulator

Json = dict[str, Any]


@dataclass
class Reader:
    """Who reads: the world through the eyes of a caller."""

    simulator: Simulator
    caller: Caller
    cost: int = 1
    nulled: Json | None = None  # the fault that reads a repository as null
    mergeable: dict[int, tuple[bool | None, str]] = field(default_factory=dict)  # what one query sees, by pull request

    @property
    def world(self) -> World:
        """The world read."""
        return self.simulator.world

    def sees(self, repository: Repository) -> bool:
        """Whether the repository exists for this caller."""
        return self.caller.sees(repository) or not repository.private

    def mergeability(self, repository: Repository, pull: Pull) -> tuple[bool | None, str]:
        """What is known of it by now: one answer throughout one query."""
        if pull.id not in self.mergeable:
            self.mergeable[pull.id] = pulls.seen_mergeability(self.world, repository, pull)
        return self.mergeable[pull.id]

    def need(self, repository: Repository, needs: str) -> None:
        """Refuse what the token's permissions do not reach, as REST does."""
        if repository.private and not self.caller.may(needs):
            raise failure("FORBIDDEN", "Resource not accessible by integration")


def failure(kind: str, message: str) -> GraphQLError:
    """An error with GitHub's ``type``."""
    return GraphQLError(message, extensions={"type": kind})


def unresolved(node: str) -> GraphQLError:
    """A node that is not there, or not for this caller."""
    return failure("NOT_FOUND", f"Could not resolve to a node with the global id of '{node}'.")


@dataclass
class AccountView:
    """User, Bot or Organization."""

    reader: Reader
    account: Account

    def __post_init__(self) -> None:
        self.typename = self.account.kind
        self.id = account_node(self.account)
        self.databaseId = self.account.id
        self.login = self.account.login.removesuffix("[bot]")
        self.url = f"{self.reader.world.base_url}/{self.account.login}"


def page(items: list[Any], arguments: Json) -> Json:
    """A connection: the slice that ``first``/``after`` or ``last``/``before`` name; a cursor is a place in the list."""
    first, last = arguments.get("first"), arguments.get("last")
    if first is None and last is None:
        raise failure("MISSING_PAGINATION_BOUNDARIES", "You must provide a `first` or `last` value to properly "
                      "paginate the connection.")  # fmt: skip
    for name, value in (("first", first), ("last", last)):
        if value is not None and not 0 <= value <= 100:
            raise failure("EXCESSIVE_PAGINATION", f"Requesting {value} records on the connection exceeds the `{name}` "
                          "limit of 100 records.")  # fmt: skip
    start = int(arguments["after"]) if str(arguments.get("after") or "").isdigit() else 0
    stop = int(arguments["before"]) - 1 if str(arguments.get("before") or "").isdigit() else len(items)
    if first is not None:
        stop = min(stop, start + first)
    else:
        start = max(start, stop - (last or 0))
    chosen = items[start:stop]
    info = {
        "hasNextPage": stop < len(items),
        "hasPreviousPage": start > 0,
        "startCursor": str(start + 1) if chosen else None,
        "endCursor": str(start + len(chosen)) if chosen else None,
    }
    return {"nodes": chosen, "totalCount": len(items), "pageInfo": info}
