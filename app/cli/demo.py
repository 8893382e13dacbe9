"""``lockstep demo``: see it work before anything is set up."""

from __future__ import annotations

from typing import Annotated

import typer


def demo(
    story: Annotated[str, typer.Option(help="together, five, failure, push, stranger, or all.")] = "together",
    keep: Annotated[bool, typer.Option("--keep", help="Leave all running at the end, until Ctrl-C.")] = False,
) -> None:
    """Play a change set through its life, with a simulated GitHub, on this machine only.

    Brings an embedded Postgres, a simulated GitHub, the service and its worker, and removes them at the end. Exit
    status 0: the story ended as told; 1: it did not; 2: there is no such story; 3: something did not start.
    """
    from rich.console import Console

    from app.demo.show import show
    from app.demo.stories import STORIES
    from app.errors import OperatorError

    names = list(STORIES) if story == "all" else [story]
    unknown = [name for name in names if name not in STORIES]
    if unknown:
        raise OperatorError(f"there is no story {unknown[0]}. There are {', '.join(STORIES)}, and all")
    console = Console(highlight=False)
    as_told = [show(name, keep, console) for name in names]
    raise typer.Exit(0 if all(as_told) else 1)
