"""``lockstep config``: judge a config file before it is pushed, and print its JSON Schema.

Law: reads one file and nothing else. Exit status 0: good; 1: there are problems; 2: there is no such file.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from app.config import Parsed
    from app.domain.pipeline import Pipeline

config = typer.Typer(
    name="config", help="Check a config file; print its JSON Schema.", no_args_is_help=True, add_completion=False
)


@config.command()
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The config file, such as orchestrator.yml.")],
    owner: Annotated[
        str, typer.Option(metavar="NAME", help="Whose config it is; without it, names of owners are not compared.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object instead of lines.")] = False,
) -> None:
    """Say everything that is wrong with a config file, or how its pipelines are understood.

    Each problem is a line FILE:LINE:COLUMN: what is wrong. How to mend it.
    Exit status 0 good, 1 problems, 2 the file cannot be read.
    """
    from app.config import read_config
    from app.errors import OperatorError

    try:
        text = file.read_bytes().decode("utf-8", errors="surrogateescape")
    except OSError as error:
        reason = error.strerror or "unknown reason"
        raise OperatorError(f"{file} cannot be read: {reason}. Name the path of a config file.") from error
    parsed = read_config(text, owner=owner, file=str(file))
    typer.echo(json.dumps(_as_json(file, parsed), indent=2) if as_json else _as_lines(file, parsed))
    raise typer.Exit(1 if parsed.problems else 0)


@config.command()
def schema() -> None:
    """Print the JSON Schema (draft 2020-12) of the config file, for editors."""
    from app.config import schema as schema_of_file

    typer.echo(json.dumps(schema_of_file(), indent=2, ensure_ascii=False))


def _as_lines(file: Path, parsed: Parsed) -> str:
    if parsed.config is None:
        return "\n".join(map(str, parsed.problems))
    lines = [f"{file}: good"]
    for pipeline in parsed.config.pipelines:
        lines.append(f"pipeline {pipeline.name}, status {pipeline.status}:")
        lines.extend(_builds(pipeline))
    return "\n".join(lines)


def _builds(pipeline: Pipeline) -> list[str]:
    return [
        f"  {build.name}: {build.workflow} of {build.repository}"
        + (f", after {', '.join(build.needs)}" if build.needs else "")
        for build in pipeline.builds
    ]


def _as_json(file: Path, parsed: Parsed) -> dict[str, object]:
    return {
        "file": str(file),
        "good": parsed.config is not None,
        "problems": [asdict(problem) for problem in parsed.problems],
        "pipelines": [_pipeline_as_json(pipeline) for pipeline in (parsed.config.pipelines if parsed.config else ())],
    }


def _pipeline_as_json(pipeline: Pipeline) -> dict[str, object]:
    builds = [
        {"name": build.name, "repository": build.repository, "workflow": build.workflow, "needs": list(build.needs)}
        for build in pipeline.builds
    ]
    return {"name": pipeline.name, "status": pipeline.status, "builds": builds}
