"""Deliveries as nobody foresaw them: fields taken away, of another type, of another size, in another place.

Law: everything comes from the given dice, so that a seed tells it all again.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from app.inbox import payloads

Path = tuple[str | int, ...]

INFINITE = "@@infinite@@"
"""Stands for ``1e999``, which Python cannot write as JSON."""

TEXTS = [
    "", " ", "\x00", "a\x00b", "\n\r\n", "\x1b[31mred", "\u202egnp.exe", "\ufffd", "\U0001f680", "%", "%00", "../..",
    "'; --", "{}", "null", "-1", "0", "DPTA-1", "DPTA-1122", "main", "refs/heads/main", "refs/tags/v1", "open",
    "closed", "completed", "success", "created", "Bot", "User", "@everyone", "<script>alert(1)</script>", "a" * 300,
    "/orchestrate", "/orchestrate cancel\n" * 30, "b" * 20_000, "é" * 3000, "0" * 40, "a" * 40, "f" * 64,
    "2026-11-21T12:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00", "x/y", "acme/repoA", "/", "a/b/c",
    "ismenablement", "orchestrator", "orchestrate.yml", "opened", "synchronize", "removed", "suspend", "renamed",
]  # fmt: skip
NUMBERS: list[Any] = [0, 1, -1, 7, 2**31 - 1, 2**31, 2**53, 2**63 - 1, 2**63, -(2**63), 10**400, 0.5, -1e308]
OTHERS: list[Any] = [None, True, False, [], {}, [[]], [{}], {"id": 1}, {"": ""}, INFINITE]
EVENTS = [
    "pull_request", "push", "workflow_run", "issue_comment", "installation", "installation_repositories", "repository",
    "merge_group", "repository_dispatch", "workflow_dispatch",
]  # fmt: skip
ODD_EVENTS = ["ping", "nothing", "x" * 100, "PULL_REQUEST", "push,push", "../push", "a\tb", "é", "", "y" * 101, "a b"]


def _fields(model: type) -> Iterator[str]:
    if issubclass(model, BaseModel):
        yield from model.model_fields
        yield "login"


READ = frozenset(name for model in vars(payloads).values() if isinstance(model, type) for name in _fields(model))
"""Names of the fields that somebody reads."""


def at_edges(payload: dict[str, Any], dice: random.Random) -> Iterator[bytes]:
    """Each number that is read as large as a column holds or larger, each text longer than an index entry may be."""
    long = "DPTA-" + "".join(dice.choices("0123456789", k=9000))
    for path in _paths(payload):
        value = _at(payload, path)
        if not READ.issuperset(part for part in path if isinstance(part, str)) or isinstance(value, bool):
            continue
        edges: list[Any] = [2**63 - 1] if isinstance(value, int) else []
        if isinstance(value, str):
            before, slash, _ = value.rpartition("/")
            edges.append(f"{before}{slash}{long}")
        for edge in edges:
            changed = copy.deepcopy(payload)
            _at(changed, path[:-1])[path[-1]] = edge
            yield json.dumps(changed).encode()


def mutated(payload: dict[str, Any], dice: random.Random) -> bytes:
    """Up to four changes, mostly of what is read, now and then of the bytes themselves."""
    changed = copy.deepcopy(payload)
    for _ in range(dice.choice([0, 1, 1, 1, 1, 2, 4])):
        _change(changed, dice)
    text = json.dumps(changed, ensure_ascii=dice.random() < 0.8).replace(f'"{INFINITE}"', "1e999")
    body = text.encode("utf-8", "surrogatepass")
    return _damaged(body, dice) if dice.random() < 0.05 else body


def _change(payload: dict[str, Any], dice: random.Random) -> None:
    paths = list(_paths(payload))
    if not paths:
        return
    read = [path for path in paths if READ.issuperset(part for part in path if isinstance(part, str))]
    path = dice.choice(read if read and dice.random() < 0.8 else paths)
    holder = _at(payload, path[:-1])
    key = path[-1]
    match dice.choice([0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5, 5] * 2 + [6]):
        case 0:
            del holder[key]
        case 1:
            holder[key] = dice.choice(TEXTS)
        case 2:
            holder[key] = dice.choice(NUMBERS)
        case 3:
            holder[key] = copy.deepcopy(dice.choice(OTHERS))
        case 4:
            holder[key] = copy.deepcopy(_at(payload, dice.choice(paths)))
        case 5:
            holder[key] = _grown(holder[key], dice)
        case _:
            holder[key] = dice.choice(["\ud800", "\udfff\ud800", "\ufffe"])


def _grown(value: Any, dice: random.Random) -> Any:
    """The same, only more of it."""
    if isinstance(value, str):
        return value * dice.choice([2, 50, 2000])
    if isinstance(value, list):
        return value * dice.choice([2, 200])
    for _ in range(dice.choice([1, 30, 300])):
        value = [value] if dice.random() < 0.5 else {"a": value}
    return value


def _damaged(body: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(body) + 1)
    return dice.choice([body[:at], body[:at] + bytes([dice.randrange(256)]) + body[at + 1 :], body + body[at:]])


def _paths(value: Any, above: Path = ()) -> Iterator[Path]:
    pairs: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield (*above, key)
        yield from _paths(inner, (*above, key))


def _at(value: Any, path: Path) -> Any:
    for key in path:
        value = value[key]
    return value
