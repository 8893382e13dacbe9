"""Signs: what one status context says on one SHA, as the weakest of what the sets contribute there.

Law: a set contributes; only ``recompute`` turns contributions into what is wanted, and each change of it gets a number.
What GitHub shows of it is told by ``store.posts``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    Row,
    Table,
    Text,
    and_,
    delete,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.reasons import Why
from app.domain.verdict import Verdict, VerdictState, weakest
from app.store.metadata import Time, metadata

STATES = "('pending', 'success', 'failure', 'error')"

contributions = Table(
    "contributions",
    metadata,
    Column("set_id", Text, ForeignKey("change_sets.id", ondelete="CASCADE"), primary_key=True),
    Column("repository_id", BigInteger, primary_key=True),
    Column("sha", Text, primary_key=True),
    Column("context", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("target_url", Text),
    CheckConstraint(f"state IN {STATES}", name="state"),
    Index("ix_contributions_sign", "repository_id", "sha", "context"),
)

signs = Table(
    "signs",
    metadata,
    Column("repository_id", BigInteger, primary_key=True),
    Column("sha", Text, primary_key=True),
    # In lower case: GitHub compares contexts without case (FACTS §5). ``name`` is what is posted.
    Column("context", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("wanted_state", Text),
    Column("wanted_cause", Text),
    Column("wanted_description", Text),
    Column("wanted_url", Text),
    Column("version", Integer, nullable=False),
    Column("shown_state", Text),
    Column("shown_description", Text),
    Column("shown_url", Text),
    Column("shown_version", Integer),
    Column("shown_at", Time),
    Column("calls", Integer, nullable=False),
    Column("refused", Text),
    CheckConstraint("context = lower(name)", name="context_is_name"),
    CheckConstraint(f"wanted_state IN {STATES}", name="wanted_state"),
    CheckConstraint(f"shown_state IN {STATES}", name="shown_state"),
    CheckConstraint(
        "num_nulls(wanted_state, wanted_cause, wanted_description) IN (0, 3)",
        name="wanted_is_whole",
    ),
    CheckConstraint(
        "num_nulls(shown_state, shown_description, shown_version, shown_at) IN (0, 4)", name="shown_is_whole"
    ),
    CheckConstraint("shown_version <= version", name="shown_was_wanted"),
    Index("ix_signs_shown_at", "shown_at"),
)


@dataclass(frozen=True, slots=True)
class SignKey:
    repository_id: int
    sha: str
    context: str
    """In lower case."""


@dataclass(frozen=True, slots=True)
class Post:
    """What a status says."""

    state: VerdictState
    description: str
    url: str | None


@dataclass(frozen=True, slots=True)
class Sign:
    key: SignKey
    name: str
    """The context as it is spelled on GitHub."""
    wanted: Post | None
    """None: no set has anything to say here any more, and nothing is posted."""
    version: int
    shown: Post | None
    """None: nothing was posted yet, or nobody knows what GitHub shows."""
    calls: int
    refused: str | None

    @property
    def settled(self) -> bool:
        return self.wanted is None or self.wanted == self.shown


async def contribute(
    connection: AsyncConnection, set_id: str, key: SignKey, name: str, verdict: Verdict, url: str | None
) -> SignKey | None:
    """Record what a set says. Returns the sign it said it on before, if its context has another name now."""
    at = {"set_id": set_id, "repository_id": key.repository_id, "sha": key.sha}
    former = (await connection.execute(select(contributions.c.context).filter_by(**at).with_for_update())).scalar()
    new = insert(contributions).values(
        **at,
        context=key.context,
        state=verdict.state.value,
        cause=verdict.cause,
        description=verdict.description,
        target_url=url,
    )
    names = ("context", "state", "cause", "description", "target_url")
    await connection.execute(
        new.on_conflict_do_update(
            index_elements=["set_id", "repository_id", "sha"],
            set_={name: new.excluded[name] for name in names},
        )
    )
    fresh = insert(signs).values(
        repository_id=key.repository_id, sha=key.sha, context=key.context, name=name, version=0, calls=0
    )
    # Not "do nothing": that would lock no row, and the forgetting of old signs could take it before it is recomputed.
    await connection.execute(
        fresh.on_conflict_do_update(index_elements=["repository_id", "sha", "context"], set_={"name": signs.c.name})
    )
    return SignKey(key.repository_id, key.sha, former) if former and former != key.context else None


async def contexts_of(connection: AsyncConnection, set_id: str) -> set[str]:
    """The contexts, in lower case, on which a set says anything: more or another than its pipeline's after a rename."""
    query = select(contributions.c.context).filter_by(set_id=set_id).distinct()
    return set((await connection.execute(query)).scalars())


async def status_of(connection: AsyncConnection, set_id: str) -> str | None:
    """The name, as it is spelled, of the status by which a set speaks; None: it says nothing."""
    same = (signs.c[name] == contributions.c[name] for name in ("repository_id", "sha", "context"))
    query = select(signs.c.name).join(contributions, and_(*same)).where(contributions.c.set_id == set_id)
    return (await connection.execute(query.order_by(signs.c.name).limit(1))).scalar_one_or_none()


async def withdraw(connection: AsyncConnection, set_id: str, repository_id: int, sha: str) -> SignKey | None:
    """The set says nothing there any more; the sign it contributed to, if any."""
    gone = await connection.execute(
        delete(contributions)
        .filter_by(set_id=set_id, repository_id=repository_id, sha=sha)
        .returning(contributions.c.context)
    )
    context = gone.scalar_one_or_none()
    return SignKey(repository_id, sha, context) if context is not None else None


async def lock_sign(connection: AsyncConnection, key: SignKey) -> Sign | None:
    query = select(signs).where(at(key)).with_for_update()
    row = (await connection.execute(query)).first()
    return sign_of(row) if row else None


def at(key: SignKey) -> ColumnElement[bool]:
    columns = signs.c
    return (columns.repository_id == key.repository_id) & (columns.sha == key.sha) & (columns.context == key.context)


def sign_of(row: Row[Any]) -> Sign:
    wanted = Post(VerdictState(row.wanted_state), row.wanted_description, row.wanted_url) if row.wanted_state else None
    shown = Post(VerdictState(row.shown_state), row.shown_description, row.shown_url) if row.shown_state else None
    key = SignKey(row.repository_id, row.sha, row.context)
    return Sign(key, row.name, wanted, row.version, shown, row.calls, row.refused)


async def recompute(connection: AsyncConnection, key: SignKey) -> tuple[Sign, bool] | None:
    """Lock the sign, derive what is wanted from the contributions, and say whether that is now something else.

    While state and cause stay, and the set whose they are, the words stay too: a status is not rewritten for its
    description (CONTRACT §4). What GitHub refused is something else all the same: whoever says it again, or joins in,
    has to learn what comes of it.
    """
    row = (await connection.execute(select(signs).where(at(key)).with_for_update())).first()
    if row is None:
        return None
    chosen = await _weakest(connection, key, row.wanted_cause)
    state, cause = (chosen.state, _mark(chosen)) if chosen else (None, None)
    if (row.wanted_state, row.wanted_cause) == (state, cause) and (row.refused is None or chosen is None):
        return sign_of(row), False
    values = {
        "wanted_state": state,
        "wanted_cause": cause,
        "wanted_description": chosen.description if chosen else None,
        "wanted_url": chosen.target_url if chosen else None,
        "version": row.version + 1,
        "refused": None,
    }
    changed = (await connection.execute(update(signs).where(at(key)).values(values).returning(signs))).one()
    return sign_of(changed), True


async def retire(connection: AsyncConnection, key: SignKey, cause: str, sentence: str) -> Sign | None:
    """Want ``pending`` on a context that nobody says anything on any more; None where somebody still does."""
    if await _weakest(connection, key) is not None:
        return None
    values = {
        "wanted_state": VerdictState.PENDING.value,
        "wanted_cause": cause,
        "wanted_description": sentence,
        "wanted_url": None,
        "version": signs.c.version + 1,
        "refused": None,
    }
    row = (await connection.execute(update(signs).where(at(key)).values(values).returning(signs))).first()
    return sign_of(row) if row else None


def _mark(chosen: Row[Any]) -> str:
    """What the words of a sign stand on. Two sets may say the same for the same cause, and not about the same."""
    waits = chosen.state == VerdictState.PENDING.value
    return f"{chosen.set_id} {chosen.cause}" if waits else str(chosen.cause)


async def _weakest(connection: AsyncConnection, key: SignKey, said_before: str | None = None) -> Row[Any] | None:
    """The contribution that decides; among equally weak ones the one that did before.

    That a fork's pull request is blocked is said on its head only where nobody else has this commit for a head: anybody
    can open one, and would block whose commit it is (P8).
    """
    query = (
        select(contributions)
        .filter_by(repository_id=key.repository_id, sha=key.sha, context=key.context)
        .order_by(contributions.c.set_id)
    )
    rows = list(await connection.execute(query))
    rows = [row for row in rows if row.cause != Why.FORK.value] or rows
    said = [Verdict(VerdictState(row.state), row.cause, row.description) for row in rows]
    chosen = weakest(said)
    if chosen is None:
        return None
    still = (row for row in rows if row.state == chosen.state.value and _mark(row) == said_before)
    return next(still, rows[said.index(chosen)])


async def contributors(connection: AsyncConnection, key: SignKey) -> list[str]:
    """The sets that say something here, in the order of their ids."""
    query = (
        select(contributions.c.set_id)
        .filter_by(repository_id=key.repository_id, sha=key.sha, context=key.context)
        .order_by(contributions.c.set_id)
    )
    return list((await connection.execute(query)).scalars())


async def speakers(connection: AsyncConnection, repository_id: int, sha: str) -> list[str]:
    """The sets that say something on a SHA, in whichever context."""
    query = select(contributions.c.set_id).filter_by(repository_id=repository_id, sha=sha).distinct()
    return sorted((await connection.execute(query)).scalars())
