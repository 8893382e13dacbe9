"""Merge groups as GitHub's merge queues told of them (FACTS §6): the row at which word of a group and of its end meet.

Law: a group that has ended does not begin again, whichever of the two is heard first. A group holds its own pull
request and those of the groups below it in line. It is *grounded* where all that it was built upon is known: the
commit at its base is the base branch's, or that of a grounded group, or of one that was merged. Whoever reads or
changes a line holds its repository's row (``line_of``): one after the other, so that nobody acts on what is past.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Integer, Table, Text, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.facts import MergeGroup
from app.store.installations import repositories
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


_LINE = """
    SELECT * FROM merge_groups upper WHERE repository_id = :repository_id AND (ended_at IS NULL OR EXISTS (
        SELECT FROM merge_groups waiting WHERE waiting.repository_id = :repository_id
        AND waiting.ended_at IS NULL AND waiting.base_sha = upper.head_sha))
"""


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
    """Keep word of a group; what is known of it already, such as its end, stays."""
    await connection.execute(insert(merge_groups).values(_row(group)).on_conflict_do_nothing())


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
    """A repository's queue: the groups that wait, and those that they stand upon. Its row is ours until we commit."""
    await hold_line(connection, repository_id)
    rows = await connection.execute(text(_LINE), {"repository_id": repository_id})
    return Line({row.head_sha: QueuedGroup(**{**row._mapping, "pulls": tuple(row.pulls)}) for row in rows})


async def hold_line(connection: AsyncConnection, repository_id: int) -> None:
    await connection.execute(
        select(repositories.c.id).where(repositories.c.id == repository_id).with_for_update(key_share=True)
    )


async def ungrounded(connection: AsyncConnection, since: datetime) -> list[tuple[int, str]]:
    """Repository and commit of the groups that wait, and of which no read has shown what they stand on."""
    query = select(merge_groups.c.repository_id, merge_groups.c.head_sha).where(
        merge_groups.c.ended_at.is_(None), ~merge_groups.c.grounded, merge_groups.c.heard_at > since
    )
    return [(row.repository_id, row.head_sha) for row in await connection.execute(query)]


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
        grounded = grounded and all(one.pulls for one in stack)
        numbers = tuple(sorted({number for one in stack for number in one.pulls}))
        return MergeGroup(group.repository_id, group.head_sha, numbers, group.base_sha, grounded)
