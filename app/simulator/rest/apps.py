"""The App about itself: who it is, where it is installed, and the tokens it gets there (FACTS §7)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from app.simulator.access import RANKS
from app.simulator.clock import iso
from app.simulator.errors import Refusal, not_found, unprocessable
from app.simulator.model import Installation, Token
from app.simulator.render import apps as shapes
from app.simulator.render.accounts import repository as repository_shape
from app.simulator.rest.routing import Answer, Call, of_type, route
from app.simulator.world import covers

Json = dict[str, Any]

MAX_REPOSITORIES = 500


@route("GET", "/app", auth="app")
def get_app(call: Call) -> Answer:
    """The App itself."""
    alive = [made for made in call.world.installations.values() if not made.deleted]
    return Answer(200, shapes.app(call.world) | {"installations_count": len(alive)})


@route("GET", "/apps/{slug}", auth="none")
def get_app_by_slug(call: Call) -> Answer:
    """The App as everybody sees it."""
    if call.params["slug"].lower() != call.world.app.slug.lower():
        raise not_found()
    return Answer(200, shapes.app(call.world))


@route("GET", "/app/installations", auth="app")
def list_installations(call: Call) -> Answer:
    """Everywhere it is installed."""
    alive = [made for made in call.world.installations.values() if not made.deleted]
    return call.page(alive, render=lambda made: shapes.installation(call.world, made))


@route("GET", "/app/installation-requests", auth="app")
def list_installation_requests(call: Call) -> Answer:
    """Nobody ever has to ask here."""
    return call.page([])


def find_installation(call: Call) -> Installation:
    """The installation in the path."""
    found = call.world.installations.get(call.number("installation_id"))
    if found is None or found.deleted:
        raise not_found()
    return found


@route("GET", "/app/installations/{installation_id}", auth="app")
def get_installation(call: Call) -> Answer:
    """One installation."""
    return Answer(200, shapes.installation(call.world, find_installation(call)))


@route("POST", "/app/installations/{installation_id}/access_tokens", auth="app")
def create_token(call: Call) -> Answer:
    """A token for an hour, for all the installation may do or less."""
    installation = find_installation(call)
    if installation.suspended_at is not None:
        raise Refusal(403, "This installation has been suspended")
    body = call.body
    permissions = _permissions(of_type(body, "permissions", dict, "Token"), installation)
    chosen = _repositories(call, body, installation)
    now = call.world.clock.now()
    seen_from = now + timedelta(seconds=call.world.lag.tokens)
    token = Token(installation.id, permissions, chosen, now + timedelta(hours=1), seen_from)
    answer: Json = {
        "token": call.world.new_token(token, call.headers.get("x-github-stateless-s2s-token") != "disabled"),
        "expires_at": iso(token.expires_at),
        "permissions": permissions,
        "repository_selection": "all" if installation.repositories is None and chosen is None else "selected",
    }
    if chosen is not None:
        known = call.world.repositories
        answer["repositories"] = [repository_shape(call.world, known[number]) for number in sorted(chosen)]
    return Answer(201, answer)


def _permissions(wanted: Json | None, installation: Installation) -> dict[str, str]:
    if wanted is None:
        return dict(installation.permissions)
    for name, level in wanted.items():
        if RANKS.get(installation.permissions.get(name, "none"), 0) < RANKS.get(str(level), 99):
            raise unprocessable("The permissions requested are not granted to this installation.")
    return {**{name: str(level) for name, level in wanted.items()}, "metadata": "read"}


def _repositories(call: Call, body: Json, installation: Installation) -> set[int] | None:
    names = of_type(body, "repositories", list, "Token")
    numbers = of_type(body, "repository_ids", list, "Token")
    if names is None and numbers is None:
        return None
    if len(names or []) + len(numbers or []) > MAX_REPOSITORIES:
        raise unprocessable(f"A maximum of {MAX_REPOSITORIES} repositories can be listed.")
    reach = [repo for repo in call.world.repositories.values() if covers(installation, repo)]
    by_name = {repo.name.lower(): repo.id for repo in reach}
    chosen = {by_name.get(str(name).lower(), 0) for name in names or []} | set(numbers or [])
    if not chosen <= {repo.id for repo in reach}:
        raise unprocessable(
            "There is at least one repository that does not exist or is not accessible to the parent installation."
        )
    return chosen


@route("GET", "/installation/repositories")
def list_repositories(call: Call) -> Answer:
    """What the token reaches."""
    repos = [repo for repo in call.world.repositories.values() if call.caller.sees(repo)]
    answer = call.page(repos, "repositories", lambda repo: repository_shape(call.world, repo))
    chosen = call.caller.repositories is not None or (
        call.caller.installation is not None and call.caller.installation.repositories is not None
    )
    answer.body["repository_selection"] = "selected" if chosen else "all"
    return answer


@route("DELETE", "/installation/token")
def revoke_token(call: Call) -> Answer:
    """Give a token back."""
    text = call.headers.get("authorization", "").partition(" ")[2].strip()
    call.world.tokens[text].revoked = True
    return Answer(204)
