"""Workflow files as GitHub Actions reads them: triggers, inputs, run names.

Law: a workflow is what its file says on the ref in question; only its number, its state and its being known at all
belong to the repository. YAML 1.1 reads ``on`` as true, so both are looked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from app.simulator.errors import unprocessable
from app.simulator.model import Repository, Run, Workflow
from app.simulator.world import World

Json = dict[str, Any]

FOLDER = ".github/workflows/"
MAX_INPUTS = 25
MAX_INPUT_CHARACTERS = 65_535
_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


def is_workflow(path: str) -> bool:
    """Whether Actions looks at this file."""
    return path.startswith(FOLDER) and path.endswith((".yml", ".yaml")) and path.count("/") == 2


def parse(text: str) -> Json | None:
    """The file as a mapping, ``None`` where it is no workflow at all."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError:
        return None
    return document if isinstance(document, dict) else None


def triggers(document: Json) -> Json:
    """Event name to its settings."""
    declared: Any = document.get("on", document.get(True))  # type: ignore[call-overload]
    if isinstance(declared, str):
        return {declared: {}}
    if isinstance(declared, list):
        return {str(name): {} for name in declared}
    return {str(name): settings or {} for name, settings in declared.items()} if isinstance(declared, dict) else {}


def discover(world: World, repository: Repository, sha: str) -> None:
    """Learn the workflow files of a commit, so that they have numbers."""
    for path, text in repository.store.commits[sha].files.items():
        if is_workflow(path) and path not in repository.workflows:
            name = str((parse(text) or {}).get("name") or path)
            number = world.numbers.next("Workflow")
            repository.workflows[path] = Workflow(number, path, name, world.clock.now())


def find(repository: Repository, name: str) -> Workflow | None:
    """A workflow by number or file name, if its file is on the default branch (FACTS §1) or it has runs."""
    for workflow in repository.workflows.values():
        if name in (str(workflow.id), workflow.file) and (
            on_default_branch(repository, workflow) or any(run.workflow is workflow for run in repository.runs.values())
        ):
            return workflow
    return None


def on_default_branch(repository: Repository, workflow: Workflow) -> bool:
    """Whether the default branch has the file now."""
    tip = repository.branches.get(repository.default_branch)
    return tip is not None and workflow.path in repository.store.commits[tip].files


def check_inputs(document: Json, given: Mapping[str, Any]) -> dict[str, str]:
    """What the run gets: the inputs given, in strings, and the defaults; refuse what Actions refuses (FACTS §1)."""
    settings = triggers(document)["workflow_dispatch"]
    declared: Json = (settings.get("inputs") if isinstance(settings, dict) else None) or {}
    if len(given) > MAX_INPUTS:
        raise unprocessable(f"you may only define up to {MAX_INPUTS} properties in a `workflow_dispatch` event")
    unexpected = [name for name in given if name not in declared]
    if unexpected:
        raise unprocessable("Unexpected inputs provided: " + str(unexpected).replace("'", '"'))
    if sum(len(name) + len(str(value)) for name, value in given.items()) > MAX_INPUT_CHARACTERS:
        raise unprocessable("inputs are too large.")
    return {name: _input(name, rules or {}, given) for name, rules in declared.items()}


def _input(name: str, rules: Json, given: Mapping[str, Any]) -> str:
    default = rules.get("default")
    value = _text(given[name]) if given.get(name) is not None else _text(default)
    kind = rules.get("type", "string")
    if rules.get("required") and value == "" and name not in given:
        raise unprocessable(f"Required input '{name}' not provided")
    if kind == "choice" and value and value not in [_text(option) for option in rules.get("options") or []]:
        raise unprocessable(f"Provided value '{value}' for input '{name}' not in the list of allowed values")
    if kind == "boolean" and value not in ("", "true", "false"):
        raise unprocessable(f"Provided value '{value}' for input '{name}' is not a valid boolean")
    return value


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def display_title(document: Json, run: Run) -> str:
    """``run-name`` with its expressions filled in from ``inputs`` and ``github``; else the workflow's name."""
    pattern = document.get("run-name")
    if not pattern:
        return run.workflow.name
    values = {
        "github.ref_name": run.head_branch,
        "github.ref": f"refs/heads/{run.head_branch}",
        "github.sha": run.head_sha,
        "github.actor": run.actor.login,
        "github.event_name": run.event,
        "github.run_id": str(run.id),
        "github.run_number": str(run.number),
        **{f"inputs.{name}": value for name, value in run.inputs.items()},
        **{f"github.event.inputs.{name}": value for name, value in run.inputs.items()},
    }
    return _EXPRESSION.sub(lambda found: values.get(found.group(1), ""), str(pattern)).strip() or run.workflow.name
