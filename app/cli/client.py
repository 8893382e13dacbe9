"""``lockstep run``, ``status``, ``cancel``, ``retry``: the API from a terminal, at LOCKSTEP_URL with LOCKSTEP_TOKEN.

Law: the commands know the API and nothing else of Lockstep. Exit status: 0 done or still going on, 1 it failed, 2 the
request was wrong, 3 Lockstep could not be reached or refused the token.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.errors import OperatorError

if TYPE_CHECKING:
    from app.cli.api import Api

BAD = frozenset({"failed", "error", "cancelled", "superseded", "failure"})

Owner = Annotated[str | None, typer.Option(help="Whose it is; or write it as OWNER/NAME.")]
Watch = Annotated[bool, typer.Option("--watch", help="Show live progress until it is over.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print what the API answered, as JSON.")]
Subject = Annotated[str, typer.Argument(metavar="KEY|ID", help="A key, or the id of a change set or orchestration.")]


def run(
    pipeline: Annotated[str, typer.Argument(metavar="PIPELINE", help="Its name, or OWNER/PIPELINE.")],
    branch: Annotated[
        str, typer.Argument(metavar="BRANCH", help="A branch; one of no change set is built wherever it exists.")
    ],
    owner: Owner = None,
    key: Annotated[bool, typer.Option("--key", help="BRANCH is the key of a change set.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Reuse no result.")] = False,
    watch: Watch = False,
    as_json: AsJson = False,
) -> None:
    """Run a change set now, or build a plain branch wherever it exists.

    Needs a token with the scope run. With --watch the exit status is 1 if it failed.
    """
    from app.cli.api import Api

    named, _, name = pipeline.rpartition("/")
    whose = owner or named
    if not whose:
        raise OperatorError("Whose pipeline is it? Give --owner, or write OWNER/PIPELINE.")
    with Api.from_environment() as api:
        body = {"key" if key else "branch": branch, "fresh": fresh}
        started = api.post(f"/pipelines/{api.quoted(whose)}/{api.quoted(name)}/orchestrations", body)
        follow(api, started, watch=watch, as_json=as_json)


def status(
    subject: Annotated[
        str | None,
        typer.Argument(metavar="KEY|ID", help="A key, or the id of a change set or orchestration; none: all open."),
    ] = None,
    watch: Watch = False,
    as_json: AsJson = False,
) -> None:
    """Show the open change sets, or one with its builds, or one orchestration.

    Exit status 1 if what was asked for has failed.
    """
    from app.cli import shown
    from app.cli.api import Api

    with Api.from_environment() as api:
        if subject is None:
            sets = api.items("/change-sets", {"state": "open"})
            typer.echo(json.dumps(sets, indent=2) if as_json else shown.change_sets(sets))
            return
        set_, orchestration = api.find(subject)
        if set_ is not None and not as_json:
            typer.echo(shown.change_set(set_))
        if orchestration is not None:
            follow(api, orchestration, watch=watch, as_json=as_json, beside=set_)
        elif set_ is not None and as_json:
            typer.echo(json.dumps(set_, indent=2))
        verdict = (set_ or {}).get("verdict") or {}
        raise typer.Exit(1 if verdict.get("state") in BAD else 0)


def cancel(subject: Subject, as_json: AsJson = False) -> None:
    """Stop the builds that wait or run. Needs a token with the scope run."""
    from app.cli.api import Api

    with Api.from_environment() as api:
        orchestration = api.orchestration_of(subject)
        ended = api.post(f"/orchestrations/{orchestration['id']}/cancel")
        _say(ended, as_json=as_json)


def retry(
    subject: Subject,
    repositories: Annotated[
        list[str] | None, typer.Argument(metavar="[REPO]…", help="Only these builds or repositories.")
    ] = None,
    watch: Watch = False,
    as_json: AsJson = False,
) -> None:
    """Build again what failed, and what stands on it. Needs a token with the scope run.

    With --watch the exit status is 1 if it failed again.
    """
    from app.cli.api import Api

    with Api.from_environment() as api:
        orchestration = api.orchestration_of(subject)
        body = {"repositories": repositories or []}
        again = api.post(f"/orchestrations/{orchestration['id']}/retry", body)
        follow(api, again, watch=watch, as_json=as_json)


def follow(
    api: Api, orchestration: dict[str, Any], *, watch: bool, as_json: bool, beside: dict[str, Any] | None = None
) -> None:
    """Show it, with ``watch`` until it is over; end with 1 if it went badly."""
    from app.cli import shown

    if watch and not as_json:
        orchestration = shown.live(orchestration, api.changes(orchestration))
    elif watch:
        orchestration = [orchestration, *api.changes(orchestration)][-1]
    if as_json:
        found = {**beside, "orchestration": orchestration} if beside else orchestration
        typer.echo(json.dumps(found, indent=2))
    elif not watch:
        typer.echo(shown.orchestration(orchestration))
    if orchestration["state"] in BAD:
        raise typer.Exit(1)


def _say(orchestration: dict[str, Any], *, as_json: bool) -> None:
    from app.cli import shown

    typer.echo(json.dumps(orchestration, indent=2) if as_json else shown.orchestration(orchestration))
