"""``lockstep simulate-github``: the pretend GitHub alone, for trying things out and for checks from outside."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from app.simulator import seed
from app.simulator.errors import ControlError, Refusal
from app.simulator.model import CLIENT_SECRET
from app.simulator.server import Options, Simulator, running


def simulate_github(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.")] = 0,
    webhook_url: Annotated[str | None, typer.Option(help="Where the App's webhooks go; none: kept in its log.")] = None,
    webhook_secret: Annotated[str | None, typer.Option(help="What webhooks are signed with.")] = None,
    app_id: Annotated[int, typer.Option(help="The App's number.")] = 1,
    client_id: Annotated[
        str | None,
        typer.Option(help="What people log in through the App with; by default Iv23simulator and its number."),
    ] = None,
    client_secret: Annotated[str, typer.Option(help="What the App exchanges their codes with.")] = CLIENT_SECRET,
    callback_url: Annotated[
        list[str] | None,
        typer.Option(help="Where people may go back to; may be repeated. None: any loopback address."),
    ] = None,
    public_key_file: Annotated[
        Path | None, typer.Option(help="PEM of the public key that the App's JWTs are checked with.")
    ] = None,
    seed_file: Annotated[
        Path | None, typer.Option("--seed", help="YAML that describes the world to begin with.")
    ] = None,
) -> None:
    """Run a simulated GitHub: REST, GraphQL and webhooks at /, its own controls at /_simulator."""
    try:
        key = public_key_file.read_text(encoding="ascii") if public_key_file else None
        planted = seed.read(seed_file) if seed_file else {}
        options = Options(
            app_id, webhook_url, webhook_secret, key, client_id=client_id, client_secret=client_secret,
            callback_urls=tuple(callback_url or ()),
        )  # fmt: skip
        simulator = Simulator(options, planted)
    except (ControlError, Refusal) as error:
        typer.echo(f"simulate-github: {error}", err=True)
        raise typer.Exit(2) from error
    except OSError as error:
        typer.echo(f"simulate-github: cannot read {error.filename}: {error.strerror}", err=True)
        raise typer.Exit(2) from error
    try:
        asyncio.run(_serve(simulator, port))
    except KeyboardInterrupt:
        return
    except OSError as error:
        typer.echo(f"simulate-github: cannot listen on port {port}: {error.strerror}", err=True)
        raise typer.Exit(3) from error


async def _serve(simulator: Simulator, port: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    if sys.platform != "win32":
        import signal

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
    if simulator.world.app.public_key is None:
        typer.echo("No --public-key-file: every JWT will be refused until one is registered.", err=True)
    async with running(simulator, port) as address:
        typer.echo(f"Simulated GitHub at {address}; its controls at {address}/_simulator")
        await stop.wait()
