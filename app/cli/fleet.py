"""``lockstep fleet run``: a fleet's run from a terminal; the law is that of ``lockstep run``."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.client import AsJson, Owner, Watch, follow
from app.errors import OperatorError

fleet = typer.Typer(no_args_is_help=True, help="Run one workflow over many repositories, through the API.")


@fleet.callback()
def _fleet() -> None:
    """Keeps ``run`` a command of its own while it is the only one."""


@fleet.command()
def run(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The fleet's name, or OWNER/NAME.")],
    repositories: Annotated[
        list[str] | None,
        typer.Argument(metavar="[REPO]…", help='Only these: names, globs, or "failed" for those of the last run.'),
    ] = None,
    owner: Owner = None,
    ref: Annotated[str | None, typer.Option(help="Branch or tag, in the place of the config's.")] = None,
    given: Annotated[
        list[str] | None, typer.Option("--input", metavar="KEY=VALUE", help="Added to the config's inputs.")
    ] = None,
    watch: Watch = False,
    as_json: AsJson = False,
) -> None:
    """Run the fleet's workflow in all of its repositories, or in some.

    Needs a token with the scope run. With --watch the exit status is 1 if anything failed.
    """
    from app.cli.api import Api

    named, _, short = name.rpartition("/")
    whose = owner or named
    if not whose:
        raise OperatorError("Whose fleet is it? Give --owner, or write OWNER/NAME.")
    body = {"repositories": repositories or [], "ref": ref, "inputs": _inputs(given or [])}
    with Api.from_environment() as api:
        started = api.post(f"/fleets/{api.quoted(whose)}/{api.quoted(short)}/runs", body)
        follow(api, started, watch=watch, as_json=as_json)


def _inputs(given: list[str]) -> dict[str, str]:
    """:raises OperatorError: one is no KEY=VALUE."""
    pairs = [one.partition("=") for one in given]
    wrong = [key for key, sign, _ in pairs if not key or not sign]
    if wrong:
        raise OperatorError(f"--input {wrong[0] or '='} must be KEY=VALUE.")
    return {key: value for key, _, value in pairs}
