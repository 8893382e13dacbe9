"""``lockstep serve``: web and worker in one process."""

from __future__ import annotations

from typing import Annotated

import typer


def serve(
    no_worker: Annotated[bool, typer.Option("--no-worker", help="Serve only; lockstep worker does the work.")] = False,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8000,
) -> None:
    """Serve webhooks, API and pages, and work off what they bring, until SIGTERM or Ctrl-C.

    Migrates the database first. Without LOCKSTEP_DATABASE_URL an embedded Postgres in LOCKSTEP_DATA_DIR is used, for
    trying. Without the App's credentials it starts too: /readyz and the log say what to set.
    """
    from app import logs
    from app.main import serve as run
    from app.settings import load

    settings = load()
    logs.configure(settings.secrets())
    run(settings, host=host, port=port, with_worker=not no_worker)
