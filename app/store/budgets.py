"""GitHub's budgets, one row per installation, shared by all processes.

Law: one row lock per installation, held for a read and a write and never while GitHub is asked; the injected clock
decides, never Postgres'. Where Postgres is away nothing is let go, and what was heard meanwhile is written down with
the next call of this process: no answer of GitHub's is lost for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import structlog
from sqlalchemy import BigInteger, Column, Table, func, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.domain.budget import Ask, Budget, Cost, Gate, Heard, Limits, Ticket, Told, UnderWay, Wait
from app.domain.rationing import reserve, settle
from app.store.metadata import Time, metadata
from app.store.transaction import transaction

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

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Closed:
    """Nothing is sent to a resource (``core``, ``graphql``, ``all``) before ``until``; installation None: the App."""

    installation_id: int | None
    resource: str
    until: datetime


class Budgets:
    """The ledger of ``app.github`` on Postgres."""

    def __init__(self, engine: AsyncEngine, clock: Callable[[], datetime], limits: Limits | None = None) -> None:
        self._engine = engine
        self._clock = clock
        self._limits = limits or Limits()
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
        async with transaction(self._engine) as connection:
            # What a crash of Postgres takes with it of this is within the margins, and not waiting for the disk is
            # most of the speed.
            budget = await _locked(connection, row, self._clock(), durable=bool(unsaid))
            now = self._clock()
            for known, heard in unsaid:
                budget, _ = settle(budget, known.call_id, known.ask.cost, heard, now)
            after, wait = reserve(budget, ticket.call_id, ticket.ask, self._limits, now)
            if wait is None or unsaid:
                await _save(connection, row, after, now)
        return wait

    async def _settle(self, ticket: Ticket, heard: Heard) -> Wait | None:
        row = _row_of(ticket)
        async with transaction(self._engine) as connection:
            budget = await _locked(connection, row, self._clock(), durable=heard.refusal is not None)
            now = self._clock()
            after, wait = settle(budget, ticket.call_id, ticket.ask.cost, heard, now)
            await _save(connection, row, after, now)
        return wait


async def closed_ways(connection: AsyncConnection, now: datetime) -> list[Closed]:
    """Everything that GitHub's limits have closed at this moment, for health and metrics."""
    rows = await connection.execute(select(budgets).order_by(budgets.c.installation_id))
    return [
        Closed(row.installation_id or None, resource, until)
        for row in rows
        for resource, until in sorted(_budget(row.doc).closed(now).items())
    ]


def _row_of(ticket: Ticket) -> int:
    return THE_APP if ticket.installation_id is None else ticket.installation_id


async def _locked(connection: AsyncConnection, row: int, now: datetime, *, durable: bool) -> Budget:
    """The budget, its row locked until the transaction ends. ``durable``: the commit waits for the disk."""
    hasty = () if durable else (func.set_config("synchronous_commit", "off", True),)
    query = select(budgets.c.doc, *hasty).where(budgets.c.installation_id == row).with_for_update()
    found = (await connection.execute(query)).first()
    if found is None:
        new = insert(budgets).values(installation_id=row, doc={}, changed_at=now)
        await connection.execute(new.on_conflict_do_nothing())
        found = (await connection.execute(query)).one()
    return _budget(found.doc)


async def _save(connection: AsyncConnection, row: int, budget: Budget, now: datetime) -> None:
    await connection.execute(
        update(budgets).where(budgets.c.installation_id == row).values(doc=_document(budget), changed_at=now)
    )


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
