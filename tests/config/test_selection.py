"""Which repositories a fleet names, and what people may write to mean some of them (issue 4, must show 4)."""

from __future__ import annotations

import pytest

from app.config.selection import Candidate, Unknown, candidates, chosen
from app.domain.facts import Repository, Visibility
from app.domain.pipeline import Discovery, Fleet, Listed, Looks


def repository(name: str, **more: object) -> Repository:
    return Repository(sum(name.encode()), "acme", name, f"node-{name}", "main", **more)  # type: ignore[arg-type]


SEEN = [
    repository("scipy"),
    repository("NumPy"),
    repository("team-a"),
    repository("team-b", archived=True),
    repository("team-c", visibility=Visibility.PUBLIC),
    repository("other"),
]


def fleet(*listed: str | Listed, **more: object) -> Fleet:
    names = tuple(one if isinstance(one, Listed) else Listed(one) for one in listed)
    return Fleet("acme", "ort", "ort.yml", **{"repositories": names, **more})  # type: ignore[arg-type]


def names(found: tuple[Candidate, ...] | Unknown) -> list[str]:
    assert isinstance(found, tuple), found
    return [one.name for one in found]


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        (["scipy", "numpy"], ["scipy", "NumPy"]),
        (["team-*"], ["team-a", "team-b", "team-c"]),
        (["TEAM-*", "team-b"], ["team-a", "team-c", "team-b"]),
        (["team-?", "*"], ["team-a", "team-b", "team-c", "NumPy", "other", "scipy"]),
        (["gone", "scipy"], ["gone", "scipy"]),
        (["none-*"], []),
        (["team-[ab]"], ["team-a", "team-b"]),
    ],
)
def test_what_a_list_names(listed: list[str], expected: list[str]) -> None:
    assert names(candidates(fleet(*listed), SEEN)) == expected


def test_one_that_is_named_keeps_its_own_keys_though_a_glob_comes_first() -> None:
    own = Listed("team-a", "own.yml", "stable", {"level": "2"})
    found = {one.name: one for one in candidates(fleet("team-*", own, inputs={"level": "1", "x": "y"}), SEEN)}
    assert (found["team-a"].workflow, found["team-a"].ref) == ("own.yml", "stable")
    assert found["team-a"].inputs == {"level": "2", "x": "y"}
    assert (found["team-c"].workflow, found["team-c"].ref, found["team-c"].inputs["level"]) == (
        "ort.yml",
        "default",
        "1",
    )


def test_one_that_is_not_seen_is_there_without_a_place() -> None:
    [gone] = candidates(fleet("gone"), SEEN)
    assert (gone.name, gone.repository) == ("gone", None)


@pytest.mark.parametrize(
    ("discovery", "expected"),
    [
        (Discovery(), ["NumPy", "other", "scipy", "team-a", "team-c"]),
        (Discovery(visibility=Looks.PUBLIC), ["team-c"]),
        (Discovery(exclude=("TEAM-*", "scipy")), ["NumPy", "other"]),
    ],
)
def test_what_is_looked_for(discovery: Discovery, expected: list[str]) -> None:
    assert names(candidates(fleet(repositories=discovery), SEEN)) == expected


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ([], ["scipy", "NumPy", "team-a", "team-b", "team-c"]),
        ([""], ["scipy", "NumPy", "team-a", "team-b", "team-c"]),
        ([" , "], ["scipy", "NumPy", "team-a", "team-b", "team-c"]),
        (["scipy"], ["scipy"]),
        (["numpy", "SciPy"], ["scipy", "NumPy"]),
        (["acme/numpy"], ["NumPy"]),
        (["ACME/NUMPY, scipy"], ["scipy", "NumPy"]),
        (["  numpy ", "numpy", "NumPy,numpy"], ["NumPy"]),
        (["team-*"], ["team-a", "team-b", "team-c"]),
        (["acme/team-?", "team-a"], ["team-a", "team-b", "team-c"]),
        (["*"], ["scipy", "NumPy", "team-a", "team-b", "team-c"]),
    ],
)
def test_what_people_write(asked: list[str], expected: list[str]) -> None:
    assert names(chosen("acme", candidates(fleet("scipy", "numpy", "team-*"), SEEN), asked)) == expected


@pytest.mark.parametrize(
    ("asked", "unknown"),
    [
        (["other"], ["other"]),
        (["beyond/scipy"], ["beyond/scipy"]),
        (["acme/", "scipy"], ["acme/"]),
        (["zzz*", "nope", "scipy", "nope"], ["zzz*", "nope"]),
        (["team-[", "scipy"], ["team-["]),
        (["sci py"], ["sci py"]),
    ],
)
def test_what_is_not_there_is_named_as_it_was_written(asked: list[str], unknown: list[str]) -> None:
    found = chosen("acme", candidates(fleet("scipy", "numpy", "team-*"), SEEN), asked)
    assert found == Unknown(tuple(unknown))


def test_two_thousand_repositories() -> None:
    many = [repository(f"part-{number:04}") for number in range(2000)]
    found = candidates(fleet("part-*"), many)
    assert len(found) == 2000
    asked = [",".join(one.name.upper() for one in found[::2]), "part-000?"]
    assert len(names(chosen("acme", found, asked))) == 1005
