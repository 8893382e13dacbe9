"""What GitHub's answer to a set read says, repository by repository.

Law (DESIGN law 9): absent is a fact that was read. Something is absent only where GitHub answered null or an empty
list without an error at that path. An error at or below the repository's path, a missing field, another type of node,
a further page: ``Unreadable``, never absent.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError

from app.domain.facts import Pull, PullState
from app.github import errors
from app.github.answers import RepositoryAnswer, Unreadable
from app.github.errors import Failure, Kind
from app.github.payloads import visibility
from app.github.wire import Reply

MOST = 100
"""GitHub's largest page, and what the documents ask for."""


class _Target(BaseModel):
    oid: str


class RefNode(BaseModel):
    name: str
    target: _Target


class _PageInfo(BaseModel):
    has_next_page: bool = Field(alias="hasNextPage")


class _HeadRepository(BaseModel):
    id: int | None = Field(alias="databaseId")


class PullNode(BaseModel):
    number: int
    state: Literal["OPEN", "CLOSED", "MERGED"]
    draft: bool = Field(alias="isDraft")
    fork: bool = Field(alias="isCrossRepository")
    branch: str = Field(alias="headRefName")
    head: str = Field(alias="headRefOid")
    base: str = Field(alias="baseRefName")
    updated_at: datetime = Field(alias="updatedAt")
    head_repository: _HeadRepository | None = Field(alias="headRepository")


class _Pulls(BaseModel):
    page: _PageInfo = Field(alias="pageInfo")
    nodes: list[PullNode]


class _Merged(BaseModel):
    head: str = Field(alias="headRefOid")
    base: str = Field(alias="baseRefName")


class _MergedPulls(BaseModel):
    nodes: list[_Merged]


class RepositoryNode(BaseModel):
    """Every field is required: a missing one is no fact. Only what GitHub's schema lets be null may be None."""

    id: int = Field(alias="databaseId")
    full_name: str = Field(alias="nameWithOwner")
    archived: bool = Field(alias="isArchived")
    disabled: bool = Field(alias="isDisabled")
    visibility: str
    default: RefNode | None = Field(alias="defaultBranchRef")


class _Based(BaseModel):
    base: RefNode | None


class _ByBranch(BaseModel):
    head: RefNode | None
    open: _Pulls
    merged: _MergedPulls


class _Branch(RefNode):
    open: _Pulls
    merged: _MergedPulls


class _Branches(BaseModel):
    page: _PageInfo = Field(alias="pageInfo")
    nodes: list[_Branch]


class _Recent(_Merged):
    branch: str = Field(alias="headRefName")


class _RecentPulls(BaseModel):
    nodes: list[_Recent]


class _ByKey(BaseModel):
    refs: _Branches
    recent: _RecentPulls


class NodeError(BaseModel):
    message: str = ""
    type: str = ""
    path: list[str | int] = Field(default_factory=list)


class _Data(BaseModel):
    nodes: list[dict[str, Any] | None] = Field(default_factory=list)
    node: dict[str, Any] | None = None


class _Answer(BaseModel):
    data: _Data | None = None
    errors: list[NodeError] = Field(default_factory=list)


def repositories(
    reply: Reply, ids: Sequence[str], now: datetime, *, needle: str | None, named: bool
) -> dict[str, RepositoryAnswer | Unreadable] | Failure:
    """One answer per id, in GitHub's order (its ``id`` may be of a newer form than the one asked with).

    :param needle: what ``READ_KEY`` was asked for; None: the document was ``READ_BRANCH``.
    :param named: a base branch was asked for, so ``base`` is part of the answer.
    """
    answer = answered(reply, len(ids), now)
    if isinstance(answer, Failure):
        return answer
    nodes, faults = answer
    return {
        asked: unreadable_at(faults[at]) if at in faults else _repository(asked, node, needle, named)
        for at, (asked, node) in enumerate(zip(ids, nodes, strict=True))
    }


Answered = tuple[list[dict[str, Any] | None], dict[int, NodeError]]


def answered(reply: Reply, count: int | None, now: datetime) -> Answered | Failure:
    """The nodes of an answer and the first error at each, by index.

    :param count: so many were asked for by ``nodes``; None: one, by ``node``.
    """
    try:
        answer = _Answer.model_validate_json(reply.content)
    except ValidationError as error:
        return errors.unreadable(reply, f"not a GraphQL answer ({error.error_count()} faults)")
    general = [error for error in answer.errors if _index(error) is None]
    if general:
        return errors.of_graphql(reply, general[0].type, general[0].message, now)
    nodes = answer.data.nodes if answer.data else []
    if count is None:
        nodes = [answer.data.node] if answer.data else []
    if len(nodes) != (count or 1):
        return errors.unreadable(reply, f"not one node for each of the {count or 1} asked for")
    return nodes, {index: error for error in reversed(answer.errors) if (index := _index(error)) is not None}


def _index(error: NodeError) -> int | None:
    """Which node an error belongs to; None: it concerns the whole answer."""
    match error.path:
        case ["nodes", int(index), *_]:
            return index
        case ["node", *_]:
            return 0
    return None


def unreadable_at(error: NodeError) -> Unreadable:
    if error.type in ("NOT_FOUND", "FORBIDDEN"):
        return Unreadable(f"GitHub does not show it: {error.message}", Kind.ASK_A_PERSON, hidden=True)
    return Unreadable(f"GitHub could not read it: {error.message or error.type}", Kind.TRY_AGAIN)


NOTHING = Unreadable("GitHub answered nothing for it, and no error", Kind.TRY_AGAIN)


def misplaced(node: dict[str, Any]) -> Unreadable:
    return Unreadable(f"GitHub says that it is a {node.get('__typename')}, not a repository", Kind.ASK_A_PERSON)


def lacking(error: ValidationError) -> Unreadable:
    wrong = ", ".join(".".join(map(str, one["loc"])) for one in error.errors()[:3])
    return Unreadable(f"GitHub's answer lacks what was asked for: {wrong}", Kind.TRY_AGAIN)


def _repository(
    asked: str, node: dict[str, Any] | None, needle: str | None, named: bool
) -> RepositoryAnswer | Unreadable:
    if node is None:
        return NOTHING
    if node.get("__typename") != "Repository":
        return misplaced(node)
    try:
        plain = RepositoryNode.model_validate(node)
        based = _Based.model_validate(node).base if named else plain.default
        branches, pages, pulls, merged = _by_branch(node) if needle is None else _by_key(node, needle)
    except ValidationError as error:
        return lacking(error)
    if any(page.has_next_page for page in pages):
        return Unreadable(_crowded(needle), Kind.ASK_A_PERSON)
    return RepositoryAnswer(
        id=plain.id,
        node_id=asked,
        full_name=plain.full_name,
        archived=plain.archived,
        disabled=plain.disabled,
        visibility=visibility(plain.visibility),
        default_branch=plain.default.name if plain.default else None,
        default_tip=plain.default.target.oid if plain.default else None,
        base_branch=based.name if based else None,
        base_tip=based.target.oid if based else None,
        branches=tuple((branch.name, branch.target.oid) for branch in branches),
        open_pulls=tuple(fact_of(plain.id, pull) for pull in pulls),
        merged=tuple(dict.fromkeys((pull.head, pull.base) for pull in merged)),
    )


def _crowded(needle: str | None) -> str:
    """A second page would cost each read a request more (CONTRACT §4, budget), for branches that nobody needs."""
    named = "of one branch are open" if needle is None else f"have {needle} in their name"
    return f"more than {MOST} branches or pull requests {named}. Delete old ones, then comment /orchestrate"


_Found = tuple[Sequence[RefNode], list[_PageInfo], list[PullNode], Sequence[_Merged]]


def _by_branch(node: dict[str, Any]) -> _Found:
    found = _ByBranch.model_validate(node)
    branches = [found.head] if found.head else []
    return branches, [found.open.page], found.open.nodes, found.merged.nodes


def _by_key(node: dict[str, Any], needle: str) -> _Found:
    found = _ByKey.model_validate(node)
    branches = found.refs.nodes
    pages = [found.refs.page, *(branch.open.page for branch in branches)]
    pulls = [pull for branch in branches for pull in branch.open.nodes]
    merged = [pull for branch in branches for pull in branch.merged.nodes]
    gone = [pull for pull in found.recent.nodes if needle in pull.branch]
    return branches, pages, pulls, [*merged, *gone]


def fact_of(repository_id: int, pull: PullNode) -> Pull:
    fork = pull.fork or pull.head_repository is None or pull.head_repository.id != repository_id
    state = PullState(pull.state.lower())
    return Pull(repository_id, pull.number, pull.branch, pull.head, pull.base, pull.updated_at, state, pull.draft, fork)
