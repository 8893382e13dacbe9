"""``lockstep deliveries``: the inbox from the terminal, on the database."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.errors import OperatorError

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from app.store.deliveries import Summary

deliveries = typer.Typer(
    name="deliveries",
    help="List, show and replay deliveries, in the database.",
    no_args_is_help=True,
    add_completion=False,
)

Guid = Annotated[str, typer.Argument(metavar="ID", help="GitHub's X-GitHub-Delivery.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@deliveries.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="So many of the latest.")] = 20, as_json: AsJson = False
) -> None:
    """List the latest deliveries and what became of them."""
    from app.cli.database import in_database
    from app.store.deliveries import page

    async def work(connection: AsyncConnection, _url: str) -> list[Summary]:
        return (await page(connection, limit))[0]

    rows = [_row(one) for one in in_database(work)]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        what = f"{row['event']}.{row['action']}" if row["action"] else row["event"]
        outcome = row["outcome"] or "open"
        typer.echo(f"{row['received_at']}  {row['id']:<36}  {what:<34}  {outcome:<8}  {row['reason'] or ''}".rstrip())


def _row(one: Summary) -> dict[str, Any]:
    return {
        "id": one.guid,
        "event": one.event,
        "action": one.action,
        "received_at": one.received_at.isoformat(timespec="seconds"),
        "handled_at": one.handled_at.isoformat(timespec="seconds") if one.handled_at else None,
        "outcome": one.outcome.value if one.outcome else None,
        "reason": one.reason,
    }


@deliveries.command()
def show(guid: Guid, as_json: AsJson = False) -> None:
    """Show a delivery with its payload."""
    from app.cli.database import in_database
    from app.store.deliveries import load

    async def work(connection: AsyncConnection, _url: str) -> tuple[Summary, bytes] | None:
        return await load(connection, _known(guid))

    found = in_database(work)
    if found is None:
        raise _unknown(guid)
    row, payload = _row(found[0]), json.loads(found[1])
    if as_json:
        typer.echo(json.dumps({**row, "payload": payload}, indent=2))
        return
    for name, value in row.items():
        typer.echo(f"{name:<12}  {'' if value is None else value}".rstrip())
    typer.echo(json.dumps(payload, indent=2))


@deliveries.command()
def replay(guid: Guid) -> None:
    """Have a delivery processed again by the next free worker. What it told before changes nothing."""
    from app.cli.database import in_database
    from app.jobs.queue import Queue
    from app.store.deliveries import reopen

    async def work(connection: AsyncConnection, url: str) -> bool:
        if not await reopen(connection, _known(guid)):
            return False
        await Queue(url).promise_deliveries(connection, [guid])
        return True

    if not in_database(work):
        raise _unknown(guid)
    typer.echo(f"{guid} will be processed again")


def _known(guid: str) -> str:
    if not guid.isprintable() or len(guid) > 100:
        raise _unknown(guid)
    return guid


def _unknown(guid: str) -> OperatorError:
    return OperatorError(f"There is no delivery {guid[:100]!r}. lockstep deliveries list shows the latest.")
