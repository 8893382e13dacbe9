"""What GitHub's answer to a sweep says, repository by repository; the law is that of ``set_answers``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from app.domain.facts import Pull
from app.github.answers import SweptRepository, Unreadable
from app.github.errors import Failure
from app.github.payloads import visibility
from app.github.set_answers import (
    NOTHING,
    PullNode,
    RefNode,
    RepositoryNode,
    answered,
    fact_of,
    lacking,
    misplaced,
    unreadable_at,
)
from app.github.wire import Reply


class _Context(BaseModel):
    context: str
    state: str


class _Status(BaseModel):
    contexts: list[_Context]


class _Commit(BaseModel):
    oid: str
    status: _Status | None


class _PageInfo(BaseModel):
    has_next_page: bool = Field(alias="hasNextPage")
    end_cursor: str | None = Field(alias="endCursor")


class _Recent(BaseModel):
    page: _PageInfo = Field(alias="pageInfo")
    nodes: list[PullNode]


class _WithRecent(BaseModel):
    recent: _Recent


class _Blob(BaseModel):
    oid: str


class _Swept(RepositoryNode):
    config: _Blob | None


class _Ref(BaseModel):
    ref: RefNode | None


class _Object(BaseModel):
    object: _Commit | None


@dataclass(frozen=True, slots=True)
class Part:
    """What one request of a sweep asks of each of its repositories."""

    names: Sequence[str]
    commits: Sequence[str]
    pulls: bool


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a repository's pull requests; ``next``: the cursor of the one after it, if there is one."""

    repository_id: int
    pulls: tuple[Pull, ...]
    next: str | None


def swept(
    reply: Reply, ids: Sequence[str], part: Part, now: datetime
) -> dict[str, tuple[SweptRepository | Unreadable, Page | None]] | Failure:
    """One answer per id; its pull requests as a page of their own, where they were asked for."""
    answer = answered(reply, len(ids), now)
    if isinstance(answer, Failure):
        return answer
    nodes, faults = answer
    return {
        asked: (unreadable_at(faults[at]), None) if at in faults else _repository(asked, node, part)
        for at, (asked, node) in enumerate(zip(ids, nodes, strict=True))
    }


def more(reply: Reply, repository_id: int, now: datetime) -> Page | Unreadable | Failure:
    """The next page of one repository."""
    answer = answered(reply, None, now)
    if isinstance(answer, Failure):
        return answer
    [node], faults = answer
    if 0 in faults:
        return unreadable_at(faults[0])
    try:
        return _page(repository_id, node or {})
    except ValidationError as error:
        return lacking(error)


def _repository(
    asked: str, node: dict[str, Any] | None, part: Part
) -> tuple[SweptRepository | Unreadable, Page | None]:
    if node is None:
        return NOTHING, None
    if node.get("__typename") != "Repository":
        return misplaced(node), None
    try:
        plain = _Swept.model_validate(node)
        heads = {name: _head(node, f"b{index}") for index, name in enumerate(part.names)}
        said = {sha: _statuses(node, f"c{index}") for index, sha in enumerate(part.commits)}
        page = _page(plain.id, node) if part.pulls else None
    except ValidationError as error:
        return lacking(error), None
    found = SweptRepository(
        id=plain.id,
        node_id=asked,
        full_name=plain.full_name,
        archived=plain.archived,
        disabled=plain.disabled,
        visibility=visibility(plain.visibility),
        default_branch=plain.default.name if plain.default else None,
        default_tip=plain.default.target.oid if plain.default else None,
        config=plain.config.oid if plain.config else None,
        pulls=page.pulls if page else (),
        branches=heads,
        statuses={sha: contexts for sha, contexts in said.items() if contexts is not None},
    )
    return found, page


def _head(node: dict[str, Any], alias: str) -> str | None:
    """A missing alias is a fault, null is an absent branch."""
    ref = _Ref.model_validate({"ref": node[alias]} if alias in node else {}).ref
    return ref.target.oid if ref else None


def _page(repository_id: int, node: dict[str, Any]) -> Page:
    recent = _WithRecent.model_validate(node).recent
    pulls = tuple(fact_of(repository_id, one) for one in recent.nodes)
    return Page(repository_id, pulls, recent.page.end_cursor if recent.page.has_next_page else None)


def _statuses(node: dict[str, Any], alias: str) -> dict[str, str] | None:
    """None: the repository has no such commit. A missing alias is a fault here, too."""
    commit = _Object.model_validate({"object": node[alias]} if alias in node else {}).object
    if commit is None:
        return None
    contexts = commit.status.contexts if commit.status else []
    return {one.context.lower(): one.state.lower() for one in contexts}
