"""The whole file: text in, ``Parsed`` out; and the JSON Schema of the same keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from app.config.assemble import assemble
from app.config.fleets import FLEETS, assemble_fleets, check_fleets
from app.config.kinds import TOP, JsonSchema, Place, Wrong, wrong_type
from app.config.notify import NOTIFY, assemble_receivers
from app.config.pipelines import DEFAULTS, PIPELINES
from app.config.problems import Mark, Problem, Report
from app.config.sections import Entry, Key, Section
from app.config.tree import Node, Scalar, read_tree
from app.domain.pipeline import Config


class Version:
    """The number of this format."""

    @property
    def schema(self) -> JsonSchema:
        return {"const": 1}

    def read(self, node: Node, place: Place) -> int | Wrong:
        if isinstance(node, Scalar) and node.plain and node.text == "1":
            return 1
        return wrong_type(node, place, "1", "This Lockstep reads version 1 of the format.")


FILE: Final = Section(
    {
        "version": Key(Version(), "Version of this format.", example="version: 1"),
        "defaults": Key(DEFAULTS, "Values for builds that do not say otherwise."),
        "pipelines": Key(
            PIPELINES, "Pipelines by name: which repositories are built, in which order, for which branches."
        ),
        "fleets": Key(FLEETS, "Fleets by name: one workflow in many repositories, on a clock or on call."),
        "notify": Key(NOTIFY, "Who is told, and when."),
    },
    nullable=False,
)


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a file holds: a config, or else at least one problem."""

    config: Config | None
    problems: tuple[Problem, ...]


def read_config(text: str, *, owner: str, file: str = "orchestrator.yml") -> Parsed:
    """Read a config file of ``owner``; never raises, whatever the text. All problems are found at once.

    ``file`` is what problems call it. An empty ``owner`` means that it is not known: names of owners are then not
    compared. Bytes that are no UTF-8 are reported with their place if decoded with ``errors="surrogateescape"``.
    """
    report = Report(file)
    config = _read(text, owner, report)
    return Parsed(None if report.any else config, report.problems())


def _read(text: str, owner: str, report: Report) -> Config | None:
    root = read_tree(text, report)
    if root is None or (isinstance(root, Scalar) and root.is_null):
        if not report.any:
            report.add(Mark(1, 1), "the file is empty", 'Begin with "version: 1".')
        return None
    entry = FILE.read(root, Place(report, owner, TOP))
    if not isinstance(entry, Entry):
        return None
    values = entry.values
    defaults: Any = values["defaults"].values if "defaults" in values else {}
    check_fleets(values.get("fleets", ()), report)
    pipelines = assemble(owner, values.get("pipelines", ()), defaults, report)
    if report.any:
        return None
    fleets = assemble_fleets(owner, values.get("fleets", ()))
    return Config(owner, pipelines, fleets, assemble_receivers(values.get("notify")))


def schema() -> JsonSchema:
    """JSON Schema (draft 2020-12) of the file, for editors. It knows forms; cycles and owners it cannot know."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Lockstep configuration",
        "description": "Pipelines and fleets of one owner, read from the config repository's default branch.",
        **FILE.schema,
    }
