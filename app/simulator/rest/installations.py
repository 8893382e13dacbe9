"""Finding installations by account or repository, suspending and deleting them, as the App may."""

from __future__ import annotations

from app.simulator import installing
from app.simulator.errors import not_found
from app.simulator.model import Account
from app.simulator.render import apps as shapes
from app.simulator.render.versions import NEW
from app.simulator.rest.apps import find_installation
from app.simulator.rest.routing import Answer, Call, route


def _on(call: Call, account: Account | None) -> Answer:
    found = call.world.installation_on(account) if account else None
    if found is None:
        raise not_found()
    return Answer(200, shapes.installation(call.world, found))


@route("GET", "/orgs/{org}/installation", auth="app")
def of_organization(call: Call) -> Answer:
    """The installation on an organisation."""
    return _on(call, call.world.find_account(call.params["org"]))


@route("GET", "/users/{username}/installation", auth="app")
def of_user(call: Call) -> Answer:
    """The installation on an account."""
    return _on(call, call.world.find_account(call.params["username"]))


@route("GET", "/repos/{owner}/{repo}/installation", auth="app")
def of_repository(call: Call) -> Answer:
    """The installation that covers a repository."""
    found = call.world.installation_of(call.repo)
    if found is None:
        raise not_found()
    return Answer(200, shapes.installation(call.world, found))


@route("DELETE", "/app/installations/{installation_id}", auth="app")
def delete(call: Call) -> Answer:
    """Leave an account; 2026-03-10 does so in the background (FACTS §0)."""
    installing.delete(call.world, find_installation(call), call.actor)
    return Answer(202 if call.version == NEW else 204)


@route("PUT", "/app/installations/{installation_id}/suspended", auth="app")
def suspend(call: Call) -> Answer:
    """Fall asleep there."""
    installing.suspend(call.world, find_installation(call), call.actor)
    return Answer(204)


@route("DELETE", "/app/installations/{installation_id}/suspended", auth="app")
def unsuspend(call: Call) -> Answer:
    """Wake up there."""
    installing.unsuspend(call.world, find_installation(call), call.actor)
    return Answer(204)
