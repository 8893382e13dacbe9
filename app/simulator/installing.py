"""The App comes, goes, falls asleep, is given repositories and loses them; and GitHub tells it so (FACTS §7)."""

from __future__ import annotations

from typing import Any

from app.simulator.model import Account, Installation, Repository
from app.simulator.render import apps
from app.simulator.render.accounts import short_repository, user
from app.simulator.world import World, covers

Json = dict[str, Any]


def install(
    world: World,
    account: Account,
    actor: Account,
    repositories: set[int] | None = None,
    permissions: dict[str, str] | None = None,
    quietly: bool = False,
) -> Installation:
    """Install the App on an account, on all of its repositories or on some."""
    now = world.clock.now()
    granted = _granted(world.app.permissions if permissions is None else permissions)
    made = Installation(
        world.numbers.next("Installation"), account, granted,
        list(world.app.events), now, now, repositories,
    )  # fmt: skip
    world.installations[made.id] = made
    if not quietly:
        _tell(world, made, "created", actor)
    return made


def delete(world: World, made: Installation, actor: Account) -> None:
    """Uninstall; the tokens are worthless from now on."""
    _tell(world, made, "deleted", actor)
    made.deleted = True


def suspend(world: World, made: Installation, actor: Account) -> None:
    """Suspend; nothing but this is told until it ends."""
    made.suspended_at = world.clock.now()
    _tell(world, made, "suspend", actor)


def unsuspend(world: World, made: Installation, actor: Account) -> None:
    """End a suspension."""
    made.suspended_at = None
    _tell(world, made, "unsuspend", actor)


def accept_permissions(world: World, made: Installation, permissions: dict[str, str], actor: Account) -> None:
    """The owner agrees to other permissions."""
    made.permissions = _granted(permissions)
    _tell(world, made, "new_permissions_accepted", actor)


def change_repositories(
    world: World, made: Installation, added: list[Repository], removed: list[Repository], actor: Account
) -> None:
    """Give it repositories, or take them away. What was *all* becomes a selection when one is taken away."""
    if removed and made.repositories is None:
        made.repositories = {repo.id for repo in world.repositories.values() if repo.owner is made.account}
    if made.repositories is not None:
        made.repositories |= {repo.id for repo in added}
        made.repositories -= {repo.id for repo in removed}
    made.updated_at = world.clock.now()
    for action, repos in (("added", added), ("removed", removed)):
        if repos:
            _tell_repositories(world, made, action, repos, actor)


def _granted(permissions: dict[str, str]) -> dict[str, str]:
    """Nobody can be installed without reading metadata."""
    return {"metadata": "read", **permissions}


def _tell(world: World, made: Installation, action: str, actor: Account) -> None:
    payload: Json = {
        "action": action,
        "installation": apps.installation(world, made),
        "sender": user(world, actor),
        "_installation": made,
    }
    if action in ("created", "deleted", "new_permissions_accepted", "suspend", "unsuspend"):
        repos = [short_repository(repo) for repo in world.repositories.values() if covers(made, repo)]
        payload["repositories"] = repos
    if action == "created":
        payload["requester"] = None
    world.note("installation", action=action, account=made.account.login, installation_id=made.id)
    world.emit("installation", action, None, payload)


def _tell_repositories(world: World, made: Installation, action: str, repos: list[Repository], actor: Account) -> None:
    payload: Json = {
        "action": action,
        "installation": apps.installation(world, made),
        "repository_selection": "all" if made.repositories is None else "selected",
        "repositories_added": [short_repository(repo) for repo in repos] if action == "added" else [],
        "repositories_removed": [short_repository(repo) for repo in repos] if action == "removed" else [],
        "requester": None,
        "sender": user(world, actor),
        "_installation": made,
    }
    world.note("installation", action=action, account=made.account.login, installation_id=made.id,
               repositories=[repo.full_name for repo in repos])  # fmt: skip
    world.emit("installation_repositories", action, None, payload)
