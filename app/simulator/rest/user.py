"""A person about themselves, through the App: who they are, and what they and the App have in common.

Law: what is listed is what was explicitly given: that a repository is public lists it for nobody.
Sources: GitHub's REST pages "Get the authenticated user", "List app installations accessible to the user access token"
and "List repositories accessible to the user access token". Not documented there, and so this simulator's: an
installation that sleeps is listed, with ``suspended_at``, and its repositories are refused as to the App itself.
"""

from __future__ import annotations

from app.simulator import access
from app.simulator.errors import Refusal, not_found
from app.simulator.model import Account, Installation, Repository
from app.simulator.render import accounts, apps
from app.simulator.rest.routing import Answer, Call, route
from app.simulator.world import World, covers


@route("GET", "/user", auth="user")
def get_user(call: Call) -> Answer:
    """The profile; a GitHub App sees of it what everybody sees."""
    return Answer(200, accounts.public_user(call.world, call.user) | {"user_view_type": "public"})


@route("GET", "/user/installations", auth="user")
def list_installations(call: Call) -> Answer:
    """Where the App is installed and the person was given something."""
    found = [made for made in call.world.installations.values() if _belongs(call.world, call.user, made)]
    return call.page(found, "installations", lambda made: apps.installation(call.world, made))


@route("GET", "/user/installations/{installation_id}/repositories", auth="user")
def list_repositories(call: Call) -> Answer:
    """What the person was given of what the installation covers, each with what the person may do there."""
    made = call.world.installations.get(call.number("installation_id"))
    if made is None or not _belongs(call.world, call.user, made):
        raise not_found()
    if made.suspended_at is not None:
        raise Refusal(403, "This installation has been suspended")
    answer = call.page(_common(call.world, call.user, made), "repositories", lambda repo: _shape(call, repo))
    answer.body["repository_selection"] = "all" if made.repositories is None else "selected"
    return answer


def _shape(call: Call, repo: Repository) -> dict[str, object]:
    may = access.abilities(call.world, call.user.login, repo)
    return accounts.repository(call.world, repo) | {"permissions": may}


def _belongs(world: World, user: Account, made: Installation) -> bool:
    """Whether the person has a part in the account of an installation, or in a repository that it covers."""
    if made.deleted:
        return False
    everywhere = world.grants.get((user.login.lower(), made.account.login.lower()), "none")
    return made.account is user or everywhere != "none" or bool(_common(world, user, made))


def _common(world: World, user: Account, made: Installation) -> list[Repository]:
    return [
        repo
        for repo in world.repositories.values()
        if covers(made, repo) and access.explicit_role(world, user.login, repo) != "none"
    ]
