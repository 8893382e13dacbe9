"""``lockstep token``: tokens for the API, made by whoever can reach the database."""

from __future__ import annotations

import json
import re
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.errors import OperatorError

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from app.store.access import ApiToken

token = typer.Typer(
    name="token",
    help="Create, list and revoke API tokens, in the database.",
    no_args_is_help=True,
    add_completion=False,
)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_OWNER = re.compile(r"[A-Za-z0-9_-]{1,39}")

Name = Annotated[str, typer.Argument(metavar="NAME", help="What it is for: letters, digits, '.', '_' and '-'.")]


class Scope(StrEnum):
    READ = "read"
    RUN = "run"
    ADMIN = "admin"


@token.command()
def create(
    name: Name,
    scope: Annotated[list[Scope], typer.Option(help="read, run or admin; each includes the ones before. Repeatable.")],
    owner: Annotated[str | None, typer.Option(help="The only owner it is for; without it, all owners.")] = None,
) -> None:
    """Make a token and print it alone. It is not kept, so it cannot be shown again.

    Example: LOCKSTEP_TOKEN=$(lockstep token create ci --scope run --owner acme)
    """
    from app.cli.database import in_database
    from app.composition import utc_now
    from app.store.access import create_token
    from app.web.access import new_token, sha256_of

    if not _NAME.fullmatch(name):
        raise OperatorError(f"{name!r} is no name for a token. Use letters, digits, '.', '_' and '-', at most 100.")
    if owner is not None and not _OWNER.fullmatch(owner):
        raise OperatorError(f"{owner!r} is no GitHub login. Give the owner as it stands in addresses, such as acme.")
    made = new_token()
    scopes = frozenset(one.value for one in scope)

    async def work(connection: AsyncConnection, _url: str) -> bool:
        return await create_token(connection, name, sha256_of(made), scopes, owner, utc_now())

    if not in_database(work):
        text = f"A token named {name} exists. Choose another name, or revoke it: lockstep token revoke {name}"
        raise OperatorError(text)
    typer.echo(made)


@token.command("list")
def list_(as_json: Annotated[bool, typer.Option("--json", help="Print a JSON array.")] = False) -> None:
    """List all tokens, revoked ones too; never the tokens themselves."""
    from app.cli.database import in_database
    from app.store.access import list_tokens

    async def work(connection: AsyncConnection, _url: str) -> list[ApiToken]:
        return await list_tokens(connection)

    rows = [_row(one) for one in in_database(work)]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        ended = f"  revoked {row['revoked_at']}" if row["revoked_at"] else ""
        owner = row["owner"] or "all owners"
        typer.echo(f"{row['name']:<24}  {','.join(row['scopes']):<14}  {owner:<20}  {row['created_at']}{ended}")


def _row(one: ApiToken) -> dict[str, Any]:
    return {
        "name": one.name,
        "scopes": sorted(one.scopes),
        "owner": one.owner,
        "created_at": one.created_at.isoformat(timespec="seconds"),
        "revoked_at": one.revoked_at.isoformat(timespec="seconds") if one.revoked_at else None,
    }


@token.command()
def revoke(name: Name) -> None:
    """Revoke a token: from now on it is unknown. Status 1 where no live token bears the name."""
    from app.cli.database import in_database
    from app.composition import utc_now
    from app.store.access import revoke_token

    async def work(connection: AsyncConnection, _url: str) -> bool:
        return await revoke_token(connection, name, utc_now())

    if not in_database(work):
        typer.echo(f"lockstep: there is no live token {name}", err=True)
        raise typer.Exit(1)
