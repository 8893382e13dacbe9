"""Repositories are made, renamed, transferred, archived, shown, hidden and deleted; and GitHub tells the App."""

from __future__ import annotations

from typing import Any

from app.simulator import runs
from app.simulator.errors import ControlError
from app.simulator.model import Account, Repository
from app.simulator.render.accounts import user
from app.simulator.world import World

Json = dict[str, Any]


def tell_created(world: World, repo: Repository, actor: Account) -> None:
    """A new repository; an installation on all repositories has it at once."""
    _tell(world, repo, "created", actor)


def change(world: World, repo: Repository, wish: Json, actor: Account) -> None:
    """Carry out what the control surface asks for, one webhook for each change."""
    if wish.get("visibility") not in (None, "public", "private", "internal"):
        raise ControlError(f'visibility is "{wish["visibility"]}"; say public, private or internal')
    if wish.get("name"):
        old = repo.name
        if world.find_repository(f"{repo.owner.login}/{wish['name']}") not in (None, repo):
            raise ControlError(f'{repo.owner.login} has a repository "{wish["name"]}" already')
        world.rename(repo, repo.owner, str(wish["name"]))
        _tell(world, repo, "renamed", actor, changes={"repository": {"name": {"from": old}}})
    if wish.get("owner"):
        _transfer(world, repo, str(wish["owner"]), actor)
    if wish.get("archived") is not None and bool(wish["archived"]) != repo.archived:
        repo.archived = bool(wish["archived"])
        _tell(world, repo, "archived" if repo.archived else "unarchived", actor)
    if wish.get("visibility") not in (None, repo.visibility):
        repo.visibility = str(wish["visibility"])
        _tell(world, repo, "privatized" if repo.private else "publicized", actor)
    if wish.get("default_branch") not in (None, repo.default_branch):
        if wish["default_branch"] not in repo.branches:
            raise ControlError(f'{repo.full_name} has no branch "{wish["default_branch"]}"')
        old, repo.default_branch = repo.default_branch, str(wish["default_branch"])
        _tell(world, repo, "edited", actor, changes={"default_branch": {"from": old}})
    _quiet(repo, wish)
    if wish.get("deleted"):
        for run in repo.runs.values():
            runs.hold(run)
        world.note("repository", repository=repo.full_name, action="deleted")
        world.remove_repository(repo)


def _quiet(repo: Repository, wish: Json) -> None:
    if wish.get("disabled") is not None:
        repo.disabled = bool(wish["disabled"])
    if wish.get("topics") is not None:
        repo.topics = [str(topic) for topic in wish["topics"]]
    for file, state in (wish.get("workflows") or {}).items():
        found = next((made for made in repo.workflows.values() if made.file == file), None)
        if found is None:
            raise ControlError(f'{repo.full_name} has no workflow "{file}"')
        found.state = str(state)


def _transfer(world: World, repo: Repository, login: str, actor: Account) -> None:
    old = repo.owner
    world.rename(repo, world.account(login, "Organization"), repo.name)
    for made in world.installations.values():
        if made.repositories is not None:
            made.repositories.discard(repo.id)
    for rules in world.rulesets.values():
        if rules.repository_id == repo.id:
            rules.source = repo.full_name
    origin = {"organization" if old.kind == "Organization" else "user": user(world, old)}
    _tell(world, repo, "transferred", actor, changes={"owner": {"from": origin}})


def _tell(world: World, repo: Repository, action: str, actor: Account, **more: Any) -> None:
    repo.updated_at = world.clock.now()
    world.note("repository", repository=repo.full_name, repository_id=repo.id, action=action)
    payload: Json = {"action": action, **more, "sender": user(world, actor)}
    world.emit("repository", action, repo, payload)
