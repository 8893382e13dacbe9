"""Whether a call may go to GitHub now, and what its answer changes for the next. Pure; the ledgers keep the value.

Law: bursts are free, floods are paced, and after a refusal nothing is sent until GitHub said it may be, then gently.
A call counts from before it is sent until its span after its *answer*, since GitHub counts somewhere in between; one
whose process died counts as answered ``LOST`` after it was let go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.domain.budget import (
    EVERYTHING,
    Ask,
    Budget,
    Cost,
    Gate,
    Heard,
    Limits,
    Priority,
    Refusal,
    Told,
    UnderWay,
    Wait,
)

LOST = timedelta(minutes=1)
"""Longer than any call can take: each phase of a request has ten seconds."""
AHEAD = timedelta(minutes=15)
"""Further ahead of each other are no two clocks with which GitHub lets the App in: its JWT lives nine minutes."""
MOMENT = timedelta(seconds=1)
"""When to come back where only an answer of another call can make room."""
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DOUBLED = 6
"""A guess of one minute is doubled so often at most: to about an hour."""
FREE = 0.5
"""The part of an hour's allowance that may be used at once; the rest is let out evenly over the hour."""
OPEN_AGAIN = 16
"""A gate that admits so many calls at once is taken away."""


@dataclass(frozen=True, slots=True)
class _Window:
    """At most ``limit`` calls of these costs in any ``span``."""

    costs: tuple[Cost, ...]
    limit: int
    span: timedelta


def _windows(limits: Limits) -> tuple[_Window, ...]:
    return (
        _Window((Cost.READ,), limits.reads_per_minute, MINUTE),
        _Window((Cost.GRAPHQL,), limits.graphql_per_minute, MINUTE),
        _Window((Cost.WRITE, Cost.CONTENT), limits.writes_per_minute, MINUTE),
        _Window((Cost.CONTENT,), limits.content_per_minute, MINUTE),
        _Window((Cost.CONTENT,), limits.content_per_hour, HOUR),
    )


def reserve(budget: Budget, call_id: str, ask: Ask, limits: Limits, now: datetime) -> tuple[Budget, Wait | None]:
    """Let a call go, and count it from now on; or say when to come back, and count nothing."""
    present = aged(budget, now)
    waits = (
        _closed(present, ask, now),
        _crowded(present, ask, limits, now),
        _used_up(present, ask, now),
        _paced(present, ask, limits, now),
    )
    found = [wait for wait in waits if wait is not None]
    if found:
        longest = max(found, key=lambda wait: wait.retry_at)
        return present, replace(longest, mute=any(wait.mute for wait in found))
    return replace(present, under_way={**present.under_way, call_id: UnderWay(ask.cost, now)}), None


def settle(budget: Budget, call_id: str, cost: Cost, heard: Heard, now: datetime) -> tuple[Budget, Wait | None]:
    """Take in what came of a call. A ``Wait``: a limit refused it, and nothing is to be sent before."""
    present = aged(budget, now)
    call = present.under_way.get(call_id)
    after = replace(present, under_way={one: way for one, way in present.under_way.items() if one != call_id})
    if not heard.sent:
        return after, None
    after = _answered(after, {cost: [now]})
    after = _told(after, cost, heard)
    # One that was forgotten as lost began long ago: before whatever has been closed since.
    began_at = call.began_at if call else now - LOST
    if heard.refusal is not None:
        return _refused(after, cost, heard.refusal, began_at, now)
    return (_opened(after, cost, began_at) if heard.passed else after), None


def aged(budget: Budget, now: datetime) -> Budget:
    """Without what counts no more; calls that nobody can be waiting for any more are taken for answered.

    What a process wrote down while its clock was wrong is left out: it would count until that time has come.
    """
    latest = now + AHEAD
    lost = {one: call for one, call in budget.under_way.items() if call.began_at + LOST <= now}
    ended: dict[Cost, list[datetime]] = {}
    for call in lost.values():
        ended.setdefault(call.cost, []).append(call.began_at + LOST)
    young = {
        cost: tuple(at for at in moments if now - (HOUR if cost is Cost.CONTENT else MINUTE) < at <= latest)
        for cost, moments in budget.answered.items()
    }
    kept = Budget(
        under_way={one: call for one, call in budget.under_way.items() if one not in lost and call.began_at <= latest},
        answered={cost: moments for cost, moments in young.items() if moments},
        gates={
            name: gate for name, gate in budget.gates.items() if now < gate.until + HOUR and gate.closed_at <= latest
        },
        told={name: told for name, told in budget.told.items() if now < told.resets_at},
    )
    return _answered(kept, ended)


def _answered(budget: Budget, ended: Mapping[Cost, Iterable[datetime]]) -> Budget:
    if not ended:
        return budget
    more = {cost: tuple(sorted((*budget.answered.get(cost, ()), *moments))) for cost, moments in ended.items()}
    return replace(budget, answered={**budget.answered, **more})


def _told(budget: Budget, cost: Cost, heard: Heard) -> Budget:
    """What GitHub said is left; where it said nothing, one less than before."""
    name = heard.resource or cost.resource
    known = budget.told.get(name)
    if heard.told is not None:
        return replace(budget, told={**budget.told, name: _newer(known, heard.told)})
    return budget if known is None else replace(budget, told={**budget.told, name: replace(known, left=known.left - 1)})


def _newer(known: Told | None, told: Told) -> Told:
    """Answers overtake each other: within one hour the smaller rest is the later word."""
    if known is None or told.resets_at > known.resets_at + MOMENT:
        return told
    if told.resets_at < known.resets_at - MOMENT:
        return known
    return replace(told, left=min(told.left, known.left))


def _closed(budget: Budget, ask: Ask, now: datetime) -> Wait | None:
    """A gate that is shut, or that was shut and lets no more through at once."""
    for name in (EVERYTHING, ask.cost.resource):
        gate = budget.gates.get(name)
        if gate is None:
            continue
        if now < gate.until:
            return Wait(gate.until, mute=name in (EVERYTHING, Cost.WRITE.resource))
        if _under_way(budget, name) >= gate.admits:
            return Wait(now + MOMENT)
    return None


def _under_way(budget: Budget, resource: str) -> int:
    return sum(resource in (EVERYTHING, call.cost.resource) for call in budget.under_way.values())


def _crowded(budget: Budget, ask: Ask, limits: Limits, now: datetime) -> Wait | None:
    full = len(budget.under_way) >= int(limits.concurrent * ask.priority.share)
    return Wait(now + MOMENT) if full else None


def _used_up(budget: Budget, ask: Ask, now: datetime) -> Wait | None:
    """The hour's allowance: nothing is left, or what is left is for others, or for later."""
    told = budget.told.get(ask.cost.resource)
    if told is None:
        return None
    left = told.left - _under_way(budget, ask.cost.resource)
    if left <= 0:
        return Wait(told.resets_at, mute=ask.cost is not Cost.GRAPHQL)
    if ask.priority.urgent:
        return None
    most, used = told.limit * ask.priority.share, told.limit - left
    if used >= most:
        return Wait(told.resets_at)
    if ask.priority is Priority.SUCCESS or used < most * FREE:
        return None
    free_at = told.resets_at - HOUR + HOUR * ((used / most - FREE) / (1 - FREE))
    return None if free_at < now else Wait(min(max(free_at, now + MOMENT), told.resets_at))


def _paced(budget: Budget, ask: Ask, limits: Limits, now: datetime) -> Wait | None:
    windows = (window for window in _windows(limits) if ask.cost in window.costs)
    moments = [moment for window in windows if (moment := _free_at(budget, window, ask, now)) is not None]
    return Wait(max(moments)) if moments else None


def _free_at(budget: Budget, window: _Window, ask: Ask, now: datetime) -> datetime | None:
    """None: free now."""
    spent = [at for cost in window.costs for at in budget.answered.get(cost, ()) if at + window.span > now]
    under_way = sum(call.cost in window.costs for call in budget.under_way.values())
    over = len(spent) + under_way - int(window.limit * ask.priority.share)
    if over < 0:
        return None
    return sorted(spent)[over] + window.span if over < len(spent) else now + MOMENT


def _refused(budget: Budget, cost: Cost, refusal: Refusal, began_at: datetime, now: datetime) -> tuple[Budget, Wait]:
    """Shut the gate. Without a word of GitHub's: for a minute, doubled with each refusal in a row (FACTS §4)."""
    name = cost.resource if refusal.primary else EVERYTHING
    known = budget.gates.get(name)
    same = known is not None and began_at <= known.closed_at
    refusals = (known.refusals if known else 0) + (0 if same else 1)
    guess = now + MINUTE * 2 ** min(refusals - 1, DOUBLED)
    named = refusal.retry_at
    if named is None or (refusals > 1 and not refusal.primary):
        # GitHub named too short a wait before, or none.
        named = max(guess, named or guess)
    until = max(named, now + MOMENT, known.until if known else now)
    gate = Gate(until, known.closed_at if known and same else now, refusals)
    return replace(budget, gates={**budget.gates, name: gate}), Wait(until, mute=name != Cost.GRAPHQL.resource)


def _opened(budget: Budget, cost: Cost, began_at: datetime) -> Budget:
    """An answer to a call that passed a gate lets twice as many through."""
    gates = dict(budget.gates)
    for name in (EVERYTHING, cost.resource):
        gate = gates.get(name)
        if gate is not None and began_at >= gate.until:
            gates[name] = replace(gate, admits=gate.admits * 2, refusals=0)
            if gates[name].admits >= OPEN_AGAIN:
                del gates[name]
    return replace(budget, gates=gates)
