"""Merge groups as GitHub's merge queues told of them (FACTS §6): the row at which word of a group and of its end meet.

Law: a group that was merged does not begin again, whichever of the two is heard first. A group holds its own pull
request and those of the groups below it in line. It is *grounded* where all that it was built upon is known: the
commit at its base is the base branch's, or that of a grounded group, or of one that was merged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Integer, Table, Text, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.facts import MergeGroup
from app.store.metadata import Time, metadata

merge_groups = Table(
    "merge_groups",
    metadata,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("head_sha", Text, primary_key=True),
    Column("base_sha", Text, nullable=False),
    Column("base_ref", Text, nullable=False),
    Column("pulls", ARRAY(Integer), nullable=False),
    Column("grounded", Boolean, nullable=False),
    Column("merged", Boolean, nullable=False),
    Column("heard_at", Time, nullable=False),
    Column("ended_at", Time),
    CheckConstraint("ended_at IS NOT NULL OR NOT merged", name="merged_is_end"),
)


@dataclass(frozen=True, slots=True)
class QueuedGroup:
    """A row. ``pulls``: those that its branch names; ``grounded``: a read has shown that it stands on ``base_ref``."""

    repository_id: int
    head_sha: str
    base_sha: str
    base_ref: str
    pulls: tuple[int, ...]
    heard_at: datetime
    grounded: bool = False
    merged: bool = False
    ended_at: datetime | None = None


async def hear_of_group(connection: AsyncConnection, group: QueuedGroup) -> None:
    """Keep word of a group, unless it was merged. The caller holds its repository's row.

    One that was disbanded may have been formed anew with the same commit: a word too many on a commit that nobody
    asks about any more does no harm, one too few would hold up a queue.
    """
    await connection.execute(
        insert(merge_groups)
        .values(_row(group))
        .on_conflict_do_update(
            index_elements=["repository_id", "head_sha"], set_={"ended_at": None}, where=~merge_groups.c.merged
        )
    )


async def end_group(connection: AsyncConnection, group: QueuedGroup) -> None:
    """Keep word of its end, also where that is the first that is heard of it."""
    new = insert(merge_groups).values(_row(group))
    ended = {"merged": new.excluded.merged, "ended_at": new.excluded.ended_at}
    await connection.execute(
        new.on_conflict_do_update(
            index_elements=["repository_id", "head_sha"], set_=ended, where=merge_groups.c.ended_at.is_(None)
        )
    )


async def ground_group(connection: AsyncConnection, repository_id: int, head_sha: str) -> None:
    """A read has shown that its base is the base branch's tip."""
    row = update(merge_groups).filter_by(repository_id=repository_id, head_sha=head_sha)
    await connection.execute(row.values(grounded=True))


def _row(group: QueuedGroup) -> dict[str, object]:
    return {column.name: getattr(group, column.name) for column in merge_groups.columns} | {"pulls": list(group.pulls)}


async def line_of(connection: AsyncConnection, repository_id: int) -> Line:
    """All that is known of a repository's queue."""
    rows = await connection.execute(select(merge_groups).filter_by(repository_id=repository_id))
    return Line({row.head_sha: QueuedGroup(**{**row._mapping, "pulls": tuple(row.pulls)}) for row in rows})


@dataclass(frozen=True, slots=True)
class Line:
    """A repository's groups by their commits, those that have ended among them."""

    groups: Mapping[str, QueuedGroup]

    def upon(self, head_sha: str) -> list[MergeGroup]:
        """The group of this commit and all that stand upon it, as far as they have not ended; the lower ones first."""
        stacks = (self._below(one) for one in self._waiting())
        found = [s for s in stacks if head_sha == s[-1].base_sha or any(one.head_sha == head_sha for one in s)]
        return [self._whole(stack[0]) for stack in sorted(found, key=len)]

    def holding(self, number: int) -> list[MergeGroup]:
        """Those that hold a pull request; the lower ones first."""
        waiting = sorted(self._waiting(), key=lambda one: len(self._below(one)))
        return [whole for one in waiting if number in (whole := self._whole(one)).pulls]

    def get(self, head_sha: str) -> QueuedGroup | None:
        return self.groups.get(head_sha)

    def _waiting(self) -> Iterable[QueuedGroup]:
        return [one for one in self.groups.values() if one.ended_at is None]

    def _below(self, group: QueuedGroup) -> list[QueuedGroup]:
        """The group itself and those that it stands upon, down to one that has ended or is not known."""
        found = [group]
        while (lower := self.groups.get(found[-1].base_sha)) and lower.ended_at is None and lower not in found:
            found.append(lower)
        return found

    def _whole(self, group: QueuedGroup) -> MergeGroup:
        stack = self._below(group)
        ground = self.groups.get(stack[-1].base_sha)
        grounded = any(one.grounded for one in stack) or (ground is not None and ground.merged)
        numbers = tuple(sorted({number for one in stack for number in one.pulls}))
        return MergeGroup(group.repository_id, group.head_sha, numbers, group.base_sha, grounded)
