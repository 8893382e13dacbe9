"""GitHub's budgets, one row per installation, shared by all processes.

Law: a budget is replaced only by what was computed from it: whoever finds that another process has written since then
reads again. No lock is held while anybody thinks or GitHub is asked; the injected clock decides, never Postgres'. Where
Postgres is away nothing is let go, and what was heard meanwhile is written down with the next call of this process: no
answer of GitHub's is lost for it.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import structlog
from sqlalchemy import BigInteger, Column, Table, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.domain.budget import Ask, Budget, Cost, Gate, Heard, Limits, Ticket, Told, UnderWay, Wait
from app.domain.rationing import reserve, settle
from app.store.metadata import Time, metadata
from app.store.transaction import alone, to_json

budgets = Table(
    "budgets",
    metadata,
    # 0: the App as itself.
    Column("installation_id", BigInteger, primary_key=True, autoincrement=False),
    Column("doc", JSONB, nullable=False),
    Column("changed_at", Time, nullable=False),
)

THE_APP = 0
AWAY = (SQLAlchemyError, OSError)
"""What a Postgres that is away or restarting raises here."""
SOON = timedelta(seconds=5)
"""When to come back to a Postgres that is away."""
UNASKED = "The database that keeps GitHub's budget could not be asked"

READ = text("SELECT doc, xmin::text AS version FROM budgets WHERE installation_id = :row")
BEGIN = text("INSERT INTO budgets (installation_id, doc, changed_at) VALUES (:row, '{}', :now) ON CONFLICT DO NOTHING")
REPLACE = text(
    "UPDATE budgets SET doc = CAST(:doc AS jsonb), changed_at = :now WHERE installation_id = :row"
    " AND xmin::text = :version RETURNING xmin::text"
)
# What a crash of Postgres takes with it of this is within the margins; not waiting for the disk is most of the speed.
REPLACE_HASTILY = text(
    "UPDATE budgets SET doc = CAST(:doc AS jsonb), changed_at = :now"
    " FROM (SELECT set_config('synchronous_commit', 'off', true)) hasty"
    " WHERE installation_id = :row AND budgets.xmin::text = :version RETURNING budgets.xmin::text"
)
"""``xmin`` is the transaction that wrote the row: another one has written where it is another."""
TRIES = 100
"""Somebody gets through each time, so this many are never needed."""

Change = Callable[[Budget, datetime], tuple[Budget, Wait | None]]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Closed:
    """Nothing is sent to a resource (``core``, ``graphql``, ``all``) before ``until``; installation None: the App."""

    installation_id: int | None
    resource: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Seen:
    """A row as it was read or written last."""

    version: str
    budget: Budget


class Budgets:
    """The ledger of ``app.github`` on Postgres."""

    def __init__(self, engine: AsyncEngine, clock: Callable[[], datetime], limits: Limits | None = None) -> None:
        self._engine = engine
        self._clock = clock
        self._limits = limits or Limits()
        self._seen: dict[int, Seen] = {}
        self._lanes: dict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._unsaid: dict[int, list[tuple[Ticket, Heard]]] = defaultdict(list)

    async def reserve(self, installation_id: int | None, ask: Ask) -> Ticket | Wait:
        """Whether a call may be sent now; a ``Wait`` with a ``problem`` where Postgres cannot be asked."""
        ticket = Ticket(installation_id, uuid4().hex[:12], ask)
        try:
            return await self._reserve(ticket)
        except AWAY as error:
            _log.warning("budget not asked", why=str(error).partition("\n")[0])
            return Wait(self._clock() + SOON, problem=UNASKED)

    async def settle(self, ticket: Ticket, heard: Heard) -> Wait | None:
        """Take in what came of a call; a ``Wait`` where a limit refused it."""
        try:
            return await self._settle(ticket, heard)
        except AWAY as error:
            _log.warning("answer not counted yet", why=str(error).partition("\n")[0])
            self._unsaid[_row_of(ticket)].append((ticket, heard))
            return settle(Budget(), ticket.call_id, ticket.ask.cost, heard, self._clock())[1]

    async def _reserve(self, ticket: Ticket) -> Ticket | Wait:
        row = _row_of(ticket)
        # Taken off the list before anything is awaited: two calls must not both write it down.
        unsaid, said = self._unsaid.pop(row, []), False
        try:
            wait = await self._let_go(row, ticket, unsaid)
            said = True
        finally:
            if not said:
                self._unsaid[row][:0] = unsaid
        return wait or ticket

    async def _let_go(self, row: int, ticket: Ticket, unsaid: list[tuple[Ticket, Heard]]) -> Wait | None:
        def change(budget: Budget, now: datetime) -> tuple[Budget, Wait | None]:
            for known, heard in unsaid:
                budget, _ = settle(budget, known.call_id, known.ask.cost, heard, now)
            return reserve(budget, ticket.call_id, ticket.ask, self._limits, now)

        return await self._change(row, change, durable=bool(unsaid))

    async def _settle(self, ticket: Ticket, heard: Heard) -> Wait | None:
        def change(budget: Budget, now: datetime) -> tuple[Budget, Wait | None]:
            return settle(budget, ticket.call_id, ticket.ask.cost, heard, now)

        return await self._change(_row_of(ticket), change, durable=heard.refusal is not None)

    async def _change(self, row: int, change: Change, *, durable: bool) -> Wait | None:
        """Replace the budget by what ``change`` makes of it. ``durable``: the disk has it when this returns.

        :raises TimeoutError: other processes wrote each time while this one computed.
        """
        # In this process one at a time: of two that begin with the same version, the second would have to begin again.
        async with self._lanes[row], alone(self._engine) as connection:
            seen, fresh = self._seen.pop(row, None), False
            for _ in range(TRIES):
                if seen is None:
                    seen, fresh = await _read(connection, row, self._clock()), True
                now = self._clock()
                after, wait = change(seen.budget, now)
                if wait is not None and not durable:
                    # Nothing to write. But one who only remembers may wait for what others have given back long since.
                    if fresh:
                        self._seen[row] = seen
                        return wait
                    seen = None
                    continue
                version = await _replace(connection, row, seen.version, after, now, durable=durable)
                if version is not None:
                    self._seen[row] = Seen(version, after)
                    return wait
                seen = None
        raise TimeoutError(f"other processes have written budget {row} {TRIES} times meanwhile")


async def closed_ways(connection: AsyncConnection, now: datetime) -> list[Closed]:
    """Everything that GitHub's limits have closed at this moment, for health and metrics."""
    return [
        Closed(installation_id, resource, until)
        for installation_id, budget in await all_budgets(connection)
        for resource, until in sorted(budget.closed(now).items())
    ]


async def all_budgets(connection: AsyncConnection) -> list[tuple[int | None, Budget]]:
    """Each installation's budget as it is now; None: the App's own. To look at."""
    rows = await connection.execute(select(budgets).order_by(budgets.c.installation_id))
    return [(row.installation_id or None, _budget(row.doc)) for row in rows]


def _row_of(ticket: Ticket) -> int:
    return THE_APP if ticket.installation_id is None else ticket.installation_id


async def _read(connection: AsyncConnection, row: int, now: datetime) -> Seen:
    found = (await connection.execute(READ, {"row": row})).first()
    if found is None:
        await connection.execute(BEGIN, {"row": row, "now": now})
        found = (await connection.execute(READ, {"row": row})).one()
    return Seen(found.version, _budget(found.doc))


async def _replace(
    connection: AsyncConnection, row: int, version: str, budget: Budget, now: datetime, *, durable: bool
) -> str | None:
    """Its new version; None: it is another one by now."""
    given = {"row": row, "version": version, "doc": to_json(_document(budget)), "now": now}
    written = await connection.execute(REPLACE if durable else REPLACE_HASTILY, given)
    new_version: str | None = written.scalar_one_or_none()
    return new_version


def _document(budget: Budget) -> dict[str, Any]:
    """Short, because it is written with each call: moments are microseconds since 1970."""
    return {
        "under_way": {one: [call.cost.value, _number(call.began_at)] for one, call in budget.under_way.items()},
        "answered": {cost.value: [_number(at) for at in moments] for cost, moments in budget.answered.items()},
        "gates": {
            name: [_number(gate.until), _number(gate.closed_at), gate.refusals, gate.admits]
            for name, gate in budget.gates.items()
        },
        "told": {name: [told.limit, told.left, _number(told.resets_at)] for name, told in budget.told.items()},
    }


def _budget(doc: dict[str, Any]) -> Budget:
    return Budget(
        under_way={one: UnderWay(Cost(cost), _moment(at)) for one, (cost, at) in doc.get("under_way", {}).items()},
        answered={Cost(cost): tuple(map(_moment, numbers)) for cost, numbers in doc.get("answered", {}).items()},
        gates={
            name: Gate(_moment(until), _moment(closed_at), refusals, admits)
            for name, (until, closed_at, refusals, admits) in doc.get("gates", {}).items()
        },
        told={name: Told(limit, left, _moment(at)) for name, (limit, left, at) in doc.get("told", {}).items()},
    )


def _number(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _moment(number: int) -> datetime:
    return _EPOCH + number * _MICROSECOND
