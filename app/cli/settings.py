"""``lockstep settings``: what is in force, as the service would read it at this place."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def settings(
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object with one key per variable.")] = False,
) -> None:
    """Show the settings in force, secrets masked.

    They come from the environment and from the env file (LOCKSTEP_ENV_FILE, else .env in the working directory).
    If one is missing or malformed, the command ends with status 2 and the line that would stop the service.
    """
    from app.settings import load, unknown_variables

    loaded = load()
    shown = loaded.masked()
    if as_json:
        typer.echo(json.dumps(shown, indent=2))
    else:
        width = max(map(len, shown))
        for variable, value in shown.items():
            typer.echo(f"{variable:<{width}}  {_in_words(value)}")
    for sentence in loaded.idle():
        typer.echo(f"lockstep: {sentence}", err=True)
    for name in unknown_variables():
        typer.echo(f"lockstep: {name} is no setting of Lockstep and does nothing; is it misspelt?", err=True)


def _in_words(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "(not set)"
    return "(not set)" if value is None else str(value)
