"""The page of one change set, and its buttons.

Law: a button asks the same as the command of its name, by the same way; whether somebody may is asked at the time of
the act (P8). A form that comes twice asks once: its number is the cause in the history.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from app.domain import messages
from app.domain.change_set import ChangeSet
from app.jobs.requests import ask
from app.store.change_sets import lock_sets
from app.store.history import Cause, was_decided
from app.store.transaction import transaction
from app.web import inputs
from app.web.context import Web
from app.web.forms import new_form, sent
from app.web.pages import HEADERS, VISITOR, page
from app.web.rights import IN_A_MEMBER, barred_from_members
from app.web.set_actions import asked_for
from app.web.set_view import load_state, set_page
from app.web.sight import may_know_past
from app.web.who import Looking, Who

router = APIRouter(include_in_schema=False)


@router.get("/change-sets/{id}", dependencies=[VISITOR])
async def change_set_page(set_id: inputs.IdPath, request: Request, web: Web, who: Looking) -> Response:
    return await _page(request, web, who, set_id)


async def _page(request: Request, web: Web, who: Who, set_id: str, problem: str | None = None) -> Response:
    """``problem``: why what a button asked for was not done."""
    now = web.clock()
    async with transaction(web.engine) as connection:
        state = await load_state(connection, web.configs, set_id, who.audience)
        if state is None:
            return page(request, "missing.html", 404, what=f"change set {set_id}")
        past = await may_know_past(connection, web, who, state)
        shown = await set_page(connection, state, who.audience, now, past=past)
    form, status = new_form(request, web), 409 if problem else 200
    may = who.writes_in_one_of(_members(shown.state))
    return page(
        request,
        "change_set.html",
        status,
        shown=shown if may else replace(shown, actions=()),
        needs=None if may else IN_A_MEMBER,
        now=now,
        github=web.settings.github_url,
        problem=problem,
        form=form,
    )


@router.post("/change-sets/{id}", dependencies=[VISITOR])
async def act_on_change_set(set_id: inputs.IdPath, request: Request, web: Web, who: Looking) -> Response:
    fields = await sent(request, web)
    asked = asked_for(fields.get("ask", ""), who.login)
    if asked is None:
        return await _page(request, web, who, set_id, "This page has no such button.")
    async with transaction(web.engine) as connection:
        state = await load_state(connection, web.configs, set_id, who.audience)
    if state is None:
        return page(request, "missing.html", 404, what=f"change set {set_id}")
    barred = await barred_from_members(web, who, _members(state))
    if barred is not None:
        return await _page(request, web, who, set_id, barred)
    cause = Cause("page", fields["number"], who.login)
    async with transaction(web.engine) as connection:
        river = web.river(connection)
        await lock_sets(connection, [set_id])
        done = await was_decided(connection, set_id, cause)
        answered = None if done else await ask(river, [set_id], asked, cause)
    if answered is not None and answered.refusals:
        return await _page(request, web, who, set_id, messages.sentence(answered.refusals[0].sentence.rstrip(".")))
    return RedirectResponse(f"/change-sets/{set_id}", 303, HEADERS)


def _members(state: ChangeSet) -> Iterable[int]:
    """Where a command of the set could be commented."""
    return state.standing()
