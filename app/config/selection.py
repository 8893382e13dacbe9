"""Which repositories a fleet names, and which of them somebody asks for.

Law: a fleet takes each repository once; one that it names by itself goes before one that a glob finds. Names and globs
compare without case. What is asked for and not there is told, never left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from app.config.patterns import PatternError, compile_glob, compile_globs
from app.domain.facts import Repository
from app.domain.pipeline import Discovery, Fleet, Listed

GLOB_MARKS = "*?["


@dataclass(frozen=True, slots=True)
class Candidate:
    """A repository that a fleet may run in. ``repository`` None: it is named, and the App does not see it."""

    name: str
    repository: Repository | None
    workflow: str
    ref: str
    inputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unknown:
    """What was asked for and means none of the fleet's repositories, as it was written."""

    names: tuple[str, ...]


def candidates(fleet: Fleet, repositories: Iterable[Repository]) -> tuple[Candidate, ...]:
    """In the order of the config, a glob's by name.

    :param repositories: those of the owner that the App sees.
    """
    seen = {one.name.lower(): one for one in repositories}
    listed = fleet.repositories
    return _discovered(fleet, listed, seen) if isinstance(listed, Discovery) else _listed(fleet, listed, seen)


def _listed(fleet: Fleet, listed: Sequence[Listed], seen: Mapping[str, Repository]) -> tuple[Candidate, ...]:
    named = {one.name.lower() for one in listed if not _is_glob(one.name)}
    found: dict[str, Candidate] = {}
    for one in listed:
        names = _matching(one.name, seen, named) if _is_glob(one.name) else [one.name.lower()]
        for name in names:
            repository = seen.get(name)
            shown = repository.name if repository else one.name
            found.setdefault(name, _candidate(fleet, shown, repository, one))
    return tuple(found.values())


def _matching(glob: str, seen: Mapping[str, Repository], named: set[str]) -> list[str]:
    fits = compile_glob(glob.lower())
    return sorted(name for name in seen if name not in named and fits.fullmatch(name))


def _discovered(fleet: Fleet, wanted: Discovery, seen: Mapping[str, Repository]) -> tuple[Candidate, ...]:
    """What is known without asking; topic and workflow file are read when a run selects."""
    excluded = compile_globs(tuple(glob.lower() for glob in wanted.exclude))
    return tuple(
        _candidate(fleet, one.name, one, Listed(one.name))
        for name, one in sorted(seen.items())
        if not one.archived and excluded.fullmatch(name) is None and wanted.visibility in (None, one.visibility.value)
    )


def _candidate(fleet: Fleet, name: str, repository: Repository | None, listed: Listed) -> Candidate:
    inputs = {**fleet.inputs, **listed.inputs}
    return Candidate(name, repository, listed.workflow or fleet.workflow, listed.ref or fleet.ref, inputs)


def chosen(owner: str, found: Sequence[Candidate], asked: Iterable[str]) -> tuple[Candidate, ...] | Unknown:
    """Those of ``found`` that were asked for, in their order; all of them where nothing was.

    :param asked: short or full names and globs, each text one or several with commas between, in any case.
    """
    wanted = [word for text in asked for word in (part.strip() for part in text.split(",")) if word]
    if not wanted:
        return tuple(found)
    names: set[str] = set()
    unknown: list[str] = []
    for word in dict.fromkeys(wanted):
        fitting = _meant(owner, found, word)
        names.update(fitting)
        unknown += [] if fitting else [word]
    return Unknown(tuple(unknown)) if unknown else tuple(one for one in found if one.name.lower() in names)


def _meant(owner: str, found: Sequence[Candidate], word: str) -> list[str]:
    prefix, _, short = word.lower().rpartition("/")
    known = [one.name.lower() for one in found]
    if prefix not in ("", owner.lower()):
        return []
    if not _is_glob(short):
        return [name for name in known if name == short]
    try:
        fits = compile_glob(short)
    except PatternError:
        return []
    return [name for name in known if fits.fullmatch(name)]


def _is_glob(name: str) -> bool:
    return any(mark in name for mark in GLOB_MARKS)
