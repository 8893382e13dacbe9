"""Runs of fleets that people ask for, by whatever way: the fleet by its name, the repositories as they write them.

Law: expected outcomes are values; a sentence says why nothing was started.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.config.selection import GLOB_MARKS, Candidate, Unknown, candidates, chosen
from app.domain import messages
from app.domain.events import Trigger
from app.domain.fleet import FleetRun, failed_targets
from app.domain.manifest import INPUTS_LIMIT
from app.domain.pipeline import Fleet
from app.jobs.fleets import Busy, Wish, states_of, wish
from app.jobs.river import River
from app.store.fleets import last_run
from app.store.installations import repositories_of_owner

FAILED = "failed"
"""Asks for those that did not pass in the last run."""
MOST_INPUTS = 25
"""GitHub's limit for a dispatch (FACTS §1)."""
LONGEST_REF = 250


@dataclass(frozen=True, slots=True)
class Call:
    """What somebody asks for: the body of CONTRACT §2."""

    repositories: tuple[str, ...] = ()
    ref: str | None = None
    inputs: Mapping[str, str] | None = None
    run_id: str | None = None
    """What the run is to be called: asked for again, it is the same run."""


async def fleet_of(river: River, owner: str, name: str) -> Fleet | tuple[str, ...]:
    """The fleet of this name, whatever its case; else the names of those that the owner has."""
    config = await river.configs.of(river.connection, owner)
    fleets = config.fleets if config else ()
    found = next((one for one in fleets if one.name.lower() == name.lower()), None)
    return found or tuple(one.name for one in fleets)


async def call(river: River, fleet: Fleet, asked: Call, trigger: Trigger) -> FleetRun | Busy | str:
    """Start a run; a sentence: what was asked for that the fleet does not have."""
    length = sum(len(name) + len(value) for name, value in (asked.inputs or {}).items())
    if length > INPUTS_LIMIT:
        return messages.too_long_inputs(fleet.name, length, INPUTS_LIMIT)
    words = [part for text in asked.repositories for word in text.split(",") if (part := word.strip())]
    names = await names_asked(river, fleet, words)
    if isinstance(names, str):
        return names
    wanted = Wish(trigger, names, _written(words, names), asked.ref, asked.inputs, asked.run_id)
    return await wish(river, fleet, wanted)


async def names_asked(river: River, fleet: Fleet, words: Sequence[str]) -> tuple[str, ...] | str:
    """The repositories that are meant, by name; none: all that the fleet has."""
    if _of_last_run(words):
        return await _failed_last(river, fleet)
    if not words:
        return ()
    found = chosen(fleet.owner, await _candidates(river, fleet), words)
    if isinstance(found, Unknown):
        return messages.no_such_targets(fleet.name, found.names)
    return tuple(one.name for one in found)


def _of_last_run(words: Sequence[str]) -> bool:
    return [word.lower() for word in words] == [FAILED]


def _written(words: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    """Those that were written out: one that turns out to be none of the fleet's was asked for in error."""
    if _of_last_run(words):
        return ()
    plain = {word.rpartition("/")[2].lower() for word in words if not any(mark in word for mark in GLOB_MARKS)}
    return tuple(name for name in names if name.lower() in plain)


async def still_there(river: River, fleet: Fleet, names: Iterable[str]) -> tuple[str, ...]:
    """Those of the names of an earlier run that the fleet has now."""
    known = {one.name.lower() for one in await _candidates(river, fleet)}
    return tuple(name for name in names if name.lower() in known)


async def _candidates(river: River, fleet: Fleet) -> tuple[Candidate, ...]:
    placed = await repositories_of_owner(river.connection, fleet.owner)
    return candidates(fleet, [one.repository for one in placed])


async def _failed_last(river: River, fleet: Fleet) -> tuple[str, ...] | str:
    last = await last_run(river.connection, fleet.owner, fleet.name)
    if last is None:
        return messages.never_ended(fleet.name)
    names = await still_there(river, fleet, failed_targets(last, await states_of(river.connection, last.id)))
    return names or messages.nothing_failed(fleet.name, last.id)


def call_of(given: Mapping[str, Any]) -> Call | str:
    """A call as a payload or a form gives it, where inputs may be the text of an object; a sentence: what is wrong."""
    repositories, ref = given.get("repositories"), given.get("ref") or None
    words = [repositories] if isinstance(repositories, str) else repositories or []
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        return "repositories must be a text or a list of texts"
    if not isinstance(ref, str | None) or (ref is not None and len(ref) > LONGEST_REF):
        return "ref must be the name of a branch or tag"
    inputs = _inputs(given.get("inputs"))
    if isinstance(inputs, str):
        return inputs
    if not all(_can_be_kept(text) for text in (*words, ref or "", *inputs, *inputs.values())):
        return "what is asked for must be text, without NUL"
    return Call(tuple(words), ref, inputs)


def _can_be_kept(text: str) -> bool:
    """JSON can spell what no database takes: NUL, and halves of characters."""
    return "\0" not in text and text == text.encode("utf-8", "replace").decode()


def _inputs(given: Any) -> dict[str, str] | str:
    if isinstance(given, str):
        try:
            given = json.loads(given) if given.strip() else {}
        except (ValueError, RecursionError):
            return "inputs must be the text of a JSON object"
    given = {} if given is None else given
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        return "inputs must be an object of texts"
    return given if len(given) <= MOST_INPUTS else f"inputs may be {MOST_INPUTS} at most"
