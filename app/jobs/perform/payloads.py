"""Asking GitHub for the payloads of deliveries that are missing here, and keeping what it shows.

Law: a payload that GitHub cannot show keeps no other from being asked for: it is asked for again after a growing pause,
behind what is new. It is given up, and told as lost, when GitHub has it no more or was asked again and again; never at
the first try. Where nothing at all is shown, GitHub is away, and the rest waits for the next reading.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from app.github import Acted, Failure, Kind, LogEntry, Missing
from app.jobs.context import Context
from app.store.deliveries import LONGEST_NAME, Delivery, insert
from app.store.delivery_log import count_taken, keep_gaps
from app.store.transaction import transaction
from app.store.unread_payloads import Unread, keep_unread

GONE_AFTER = timedelta(minutes=2)
"""A listed payload that is not found is too new for one of GitHub's replicas, or, after that time, gone."""
AT_ONCE = 16
"""Payloads that are read at a time, and kept in one transaction."""
MOST_UNREAD = 4
"""So many times :data:`AT_ONCE` in a row in which no payload could be read: GitHub is away."""
LONGEST_PAUSE = timedelta(minutes=5)
MOST_TRIES = 78
"""With the pauses between them, about six hours. Then it is told as lost."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Asked:
    """What asking has come to.

    ``left``: to be asked for again. ``problem``: why something could not be shown. ``stopped``: the rest was not asked
    for. ``shown``: anything was.
    """

    left: list[Unread] = field(default_factory=list)
    problem: Failure | None = None
    stopped: bool = False
    shown: bool = False

    @property
    def away(self) -> Failure | None:
        """GitHub is, or its limit is reached: it is not about single payloads."""
        if self.problem is not None and (self.problem.of_all or (self.stopped and not self.shown)):
            return self.problem
        return None


async def take_in(context: Context, wanted: Sequence[LogEntry], remembered: Iterable[Unread]) -> Asked:
    """Ask for what is new, in the order in which it was to come, then for what was asked for longest ago."""
    now = context.clock()
    before = {one.id: one for one in remembered}  # a redelivery is another attempt, and new
    turns = [before.get(entry.id) or _new(entry, now) for entry in wanted]
    asked = Asked([one for one in turns if one.ask_at > now])
    due = sorted((one for one in turns if one.ask_at <= now), key=_turn)
    unread = 0
    for start in range(0, len(due), AT_ONCE):
        unread = 0 if await _ask(context, due[start : start + AT_ONCE], asked) else unread + 1
        if asked.away or unread == MOST_UNREAD:
            asked.stopped = True
            asked.left.extend(due[start + AT_ONCE :])
            break
    return asked


def _new(entry: LogEntry, now: datetime) -> Unread:
    action = None if entry.action is None else entry.action.replace("\x00", "\ufffd")[:LONGEST_NAME]
    return Unread(**{**asdict(entry), "action": action}, tries=0, ask_at=now)


def _turn(one: Unread) -> tuple[bool, datetime]:
    return one.tries > 0, one.ask_at if one.tries else one.delivered_at


async def _ask(context: Context, batch: Sequence[Unread], asked: Asked) -> bool:
    """Whether anything was shown, or is told as lost."""
    answers = await asyncio.gather(*(context.github.delivery_payload(one.id) for one in batch))
    now = context.clock()
    told = list[tuple[Unread, bytes | Missing]]()
    left = list[Unread]()
    for one, said in zip(batch, answers, strict=True):
        answer = _final(one, said, now)
        if not isinstance(answer, Failure):
            told.append((one, answer))
        elif answer.of_all:
            asked.problem = answer
            left.append(one)
        else:
            asked.problem = asked.problem or answer
            left.append(replace(one, tries=one.tries + 1, ask_at=now + _pause(one.tries)))
    asked.left.extend(left)
    asked.shown |= any(isinstance(answer, bytes) for _, answer in told)
    await _keep(context, told, left, now)
    return bool(told)


def _final(one: Unread, answer: bytes | Missing | Failure, now: datetime) -> bytes | Missing | Failure:
    """``Missing`` where it is not asked for again, ``Failure`` where it is."""
    if isinstance(answer, Missing) and now < one.delivered_at + GONE_AFTER:
        return Failure(Kind.TRY_AGAIN, answer.reason, Acted.REFUSED)
    if isinstance(answer, Failure) and not answer.of_all and one.tries + 1 >= MOST_TRIES:
        return Missing(answer.reason)
    return answer


def _pause(tries: int) -> timedelta:
    return min(timedelta(seconds=2 ** min(tries, 20)), LONGEST_PAUSE)


async def _keep(
    context: Context, told: Sequence[tuple[Unread, bytes | Missing]], left: Sequence[Unread], now: datetime
) -> None:
    """The inbox and the jobs in one transaction, together with what is left: a command may have to wait for that."""
    # Jobs are promised in the order of receipt: a microsecond each keeps the log's.
    moments = [now + timedelta(microseconds=number) for number in range(len(told))]
    fresh = [
        _delivery(one, body, at) for (one, body), at in zip(told, moments, strict=True) if not isinstance(body, Missing)
    ]
    gaps = [
        (_delivery(one, b"{}", now), f"GitHub's delivery log names it, but what it said cannot be read: {why.reason}")
        for one, why in told
        if isinstance(why, Missing)
    ]
    async with transaction(context.engine) as connection:
        due = await insert(connection, fresh)
        if due:
            await context.queue.promise_deliveries(connection, due)
            await count_taken(connection, len(due))
        await keep_gaps(connection, gaps, now)
        await keep_unread(connection, left)
    if due:
        _log.info("deliveries taken from the App's log", deliveries=len(due), first=due[0])
    for gap, _ in gaps:
        _log.warning("a delivery is lost: GitHub no longer shows its payload", delivery=gap.guid)


def _delivery(one: Unread, body: bytes, received_at: datetime) -> Delivery:
    said = {name: getattr(one, name) for name in ("guid", "event", "action", "installation_id", "repository_id")}
    return Delivery(**said, received_at=received_at, body=body)
