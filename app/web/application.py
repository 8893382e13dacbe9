"""The FastAPI application: the webhook door, health, the API and the pages, put together around one context."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.routing import Route

from app.inbox.door import Door, ShutDoor
from app.settings import Ingest
from app.web import (
    change_sets,
    config_pages,
    deliveries,
    delivery_pages,
    fleet_pages,
    fleets,
    forms,
    health,
    home_page,
    login,
    orchestration_pages,
    orchestrations,
    pages,
    problems,
    set_pages,
    status_page,
    stream,
    tokens,
)
from app.web.context import WebContext
from app.web.documents import document_of
from app.web.guard import DOOR, Guard
from app.web.sessions import Blind
from app.web.who import Stranger

DESCRIPTION = """\
Change sets, orchestrations, deliveries and tokens of Lockstep.

Errors are problem details (RFC 9457). Lists are `{items, next_cursor}`: pass `next_cursor` as `cursor` until it is
null. What belongs to an owner that the token may not see is answered with 404.
"""


def create_application(context: WebContext) -> FastAPI:
    """The web side on ``context``; opening and closing what that holds is its maker's business."""
    app = FastAPI(
        title="Lockstep",
        version=version("lockstep"),
        description=DESCRIPTION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.context = context
    # First and raw: a delivery passes through nothing that is made for requests of people.
    pulled = context.settings.ingest is Ingest.PULL
    door = ShutDoor() if pulled else Door(context.keeper, context.secrets, context.clock)
    app.router.routes.insert(0, Route(DOOR, door))
    api = (health, orchestrations, fleets, change_sets, deliveries, stream, tokens)
    for router in (
        *api,
        login,
        pages,
        home_page,
        set_pages,
        orchestration_pages,
        config_pages,
        delivery_pages,
        status_page,
        fleet_pages,
    ):
        app.include_router(router.router)
    app.include_router(_document(app))
    problems.install(app)
    app.add_exception_handler(Stranger, pages.strange)
    app.add_exception_handler(Blind, pages.blind)
    app.add_exception_handler(forms.NotOurs, pages.not_ours)
    app.add_middleware(Guard)
    return app


def _document(app: FastAPI) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/api/v1/openapi.json")
    async def openapi() -> dict[str, Any]:
        return document_of(app)

    return router
