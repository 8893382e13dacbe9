"""Domain values as JSON and back, through pydantic's adapters of the plain dataclasses.

Law: what is read equals what was written; a field that an older process did not know gets its default, one that only an
older process knew is dropped. So old and new processes can share rows during an upgrade.
"""

from __future__ import annotations

from typing import Any, TypeVar, cast

from pydantic import TypeAdapter

from app.domain.change_set import ChangeSet
from app.domain.effects import Effect
from app.domain.events import Event
from app.domain.facts import Run
from app.domain.orchestration import Orchestration

T = TypeVar("T")

ELSEWHERE = frozenset({"id", "kind", "key", "base_line", "pipeline", "repositories", "config_broken", "orchestration"})
"""Fields of a change set that are columns, other rows, or present config."""


_adapters: dict[type[Any], TypeAdapter[Any]] = {}
"""Made once per type: building one costs more than a thousand uses."""


def adapter(kind: type[Any]) -> TypeAdapter[Any]:
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]


def dump(value: Any) -> Any:
    """A dataclass as plain JSON values."""
    return adapter(type(value)).dump_python(value, mode="json")


def load(kind: type[T], value: Any) -> T:
    return cast(T, adapter(kind).validate_python(value))


def dump_set(state: ChangeSet) -> dict[str, Any]:
    """The document of a change set: everything that is kept neither in a column nor in a row of its own."""
    return adapter(ChangeSet).dump_python(state, mode="json", exclude=set(ELSEWHERE))  # type: ignore[no-any-return]


def load_set(document: dict[str, Any], **elsewhere: Any) -> ChangeSet:
    """The change set again; ``elsewhere`` holds all of ``ELSEWHERE`` as domain values."""
    return adapter(ChangeSet).validate_python({**document, **elsewhere})  # type: ignore[no-any-return]


def dump_orchestration(orchestration: Orchestration) -> Any:
    return dump(orchestration)


def load_orchestration(document: Any) -> Orchestration:
    return load(Orchestration, document)


def dump_named(value: Event | Effect) -> dict[str, Any]:
    """An event or effect with the name of its type under ``type``."""
    return {"type": type(value).__name__, **dump(value)}


def load_run(document: Any) -> Run:
    return load(Run, document)
