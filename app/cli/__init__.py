"""The console script ``lockstep``: which commands there are and where each lives.

Law: nothing but typer is imported until a command is chosen, so that ``lockstep --help`` answers at once. A new command
is a function (or a ``typer.Typer``) in a module of its own and one line in ``COMMANDS``.

Exit status: 0 done, 1 the answer is no, 2 wrong use, 3 could not reach what it needs. Commands raise
``app.errors.OperatorError`` for 2 and 3, and ``typer.Exit(1)`` for a no.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, NamedTuple

import typer

from app.errors import OperatorError


class Command(NamedTuple):
    name: str
    target: str
    """``module:attribute`` of a function or a ``typer.Typer``."""
    summary: str


COMMANDS = (
    Command("config", "app.cli.config:config", "Check a config file; print its JSON Schema."),
    Command("demo", "app.cli.demo:demo", "See it work: a whole story on this machine, with a simulated GitHub."),
    Command("serve", "app.cli.serve:serve", "Serve webhooks, API and pages, with a worker in the same process."),
    Command("worker", "app.cli.worker:worker", "Run a worker alone; as many as wanted."),
    Command("run", "app.cli.client:run", "Run a change set, or build a plain branch, through the API."),
    Command("status", "app.cli.client:status", "Show change sets or one orchestration, through the API."),
    Command("cancel", "app.cli.client:cancel", "Stop an orchestration, through the API."),
    Command("retry", "app.cli.client:retry", "Build again what failed, through the API."),
    Command("fleet", "app.cli.fleet:fleet", "Run a fleet, through the API."),
    Command("token", "app.cli.token:token", "Create, list and revoke API tokens, in the database."),
    Command("deliveries", "app.cli.deliveries:deliveries", "List, show and replay deliveries, in the database."),
    Command("settings", "app.cli.settings:settings", "Show the settings in force, secrets masked."),
    Command("simulate-github", "app.simulator.cli:simulate_github", "Run the simulated GitHub alone."),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and end the process with its status."""
    try:
        build(COMMANDS)(args=arguments, prog_name="lockstep")
    except OperatorError as error:
        print(f"lockstep: {error}", file=sys.stderr)  # noqa: T201 - the answer to the person at the terminal
        sys.exit(error.exit_code)


def build(commands: Sequence[Command]) -> typer.Typer:
    """The top level: one entry per command, which hands all its arguments on to the command once it is imported."""
    summary = "Build, judge and merge pull requests of many repositories as one change set."
    top = _plain(typer.Typer(help=summary, add_completion=False))
    top.callback(no_args_is_help=True)(_top)
    for command in commands:
        _add(top, command)
    return top


def _add(top: typer.Typer, command: Command) -> None:
    everything = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}

    @top.command(command.name, help=command.summary, context_settings=everything)
    def hand_on(context: typer.Context) -> None:
        load(command)(args=context.args, prog_name=f"lockstep {command.name}")


def load(command: Command) -> typer.Typer:
    """Import what the command names; a plain function becomes an application of one command."""
    module, _, attribute = command.target.partition(":")
    found = getattr(import_module(module), attribute)
    if isinstance(found, typer.Typer):
        return _plain(found)
    single = typer.Typer(add_completion=False)
    single.command()(found)
    return _plain(single)


def _plain(application: typer.Typer) -> typer.Typer:
    """Pretty tracebacks stay off everywhere: they print local variables, and those may be secrets."""
    application.pretty_exceptions_enable = False
    application.rich_markup_mode = None
    return application


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"lockstep {version('lockstep')}")
        raise typer.Exit


def _top(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    """Nothing of its own: options of the top level act in their callbacks."""
