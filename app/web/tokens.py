"""Routes of API tokens, for admins. An admin of one owner makes, sees and revokes tokens of that owner only."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import Field

from app.jobs.river import River
from app.store.access import ApiToken, create_token, list_tokens, revoke_token
from app.store.history import Entry, write_history
from app.store.transaction import transaction
from app.web import cursors, inputs, shapes
from app.web.access import Admin, Caller, Scope, new_token, sha256_of
from app.web.context import Web
from app.web.documents import documented
from app.web.once import Answer, cause, once
from app.web.problems import Problem

router = APIRouter(prefix="/api/v1", tags=["tokens"])


class TokenRequest(inputs.Body):
    """`owner` left out or null: all owners."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
    scopes: Annotated[list[Annotated[Scope, Field(strict=False)]], Field(min_length=1, max_length=3)]
    owner: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9_-]{1,39}$")] = None


@router.get("/tokens", response_model=shapes.Page[shapes.Token], responses=documented(401, 403, 422))
async def list_api_tokens(
    web: Web, caller: Admin, limit: inputs.Limit = 50, cursor: inputs.Cursor = None
) -> shapes.Page[shapes.Token]:
    """Tokens, the oldest first, revoked ones too. Scope: `admin`."""
    after = cursors.number(cursor)
    async with transaction(web.engine) as connection:
        known = [one for one in await list_tokens(connection) if _manages(caller, one)]
    due = [one for one in known if after is None or one.id > after]
    following = cursors.packed(due[limit - 1].id) if len(due) > limit else None
    return shapes.Page(items=[_shape(one) for one in due[:limit]], next_cursor=following)


@router.post("/tokens", status_code=201, response_model=shapes.NewToken, responses=documented(401, 403, 409, 422))
async def create_api_token(
    body: TokenRequest, request: Request, web: Web, caller: Admin, key: inputs.IdempotencyKey = None
) -> Response:
    """Make a token; it is shown in this answer and never again. Scope: `admin`."""
    scopes = frozenset(scope.value for scope in body.scopes)
    if caller.owner is not None and (body.owner or "").lower() != caller.owner:
        raise Problem(403, f"This token may only make tokens for {caller.owner}: name it as owner.")

    async def act(river: River) -> Answer:
        token = new_token()
        if not await create_token(river.connection, body.name, sha256_of(token), scopes, body.owner, river.now):
            raise Problem(409, f"A token named {body.name} exists. Choose another name, or revoke that one.")
        await _note(river, caller, "TokenCreated", body.name)
        kept = shapes.NewToken(
            name=body.name,
            scopes=sorted(scopes),  # type: ignore[arg-type]
            owner=body.owner.lower() if body.owner else None,
            created_at=river.now,
            revoked_at=None,
            token=None,
        )
        return Answer(201, kept.model_copy(update={"token": token}), kept=kept)

    return await once(web, request, caller, key, act)


@router.delete("/tokens/{name}", status_code=204, responses=documented(401, 403, 404, 422))
async def revoke_api_token(name: inputs.TokenPath, web: Web, caller: Admin) -> Response:
    """Revoke a token: from now on it is unknown. Scope: `admin`."""
    async with transaction(web.engine) as connection:
        river = web.river(connection)
        live = [one for one in await list_tokens(connection) if one.name == name and one.revoked_at is None]
        if not any(_manages(caller, one) for one in live) or not await revoke_token(connection, name, river.now):
            raise Problem(404, f"There is no live token {name}.")
        await _note(river, caller, "TokenRevoked", name)
    return Response(status_code=204)


async def _note(river: River, caller: Caller, kind: str, name: str) -> None:
    entry = Entry(None, None, {"type": kind, "token": name}, {}, [])
    await write_history(river.connection, cause(caller), entry, river.now)


def _manages(caller: Caller, token: ApiToken) -> bool:
    return caller.owner is None or caller.owner == token.owner


def _shape(token: ApiToken) -> shapes.Token:
    return shapes.Token(
        name=token.name,
        scopes=sorted(token.scopes),  # type: ignore[arg-type]
        owner=token.owner,
        created_at=token.created_at,
        revoked_at=token.revoked_at,
    )
