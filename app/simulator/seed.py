"""The seed file: the world as it stands when the simulator starts.

Law: a seed is read strictly; an unknown key is an error that names it. Repositories, branches and people come into
being without webhooks; the installation and the pull requests are told, as they would have been.
Beyond CONTRACT §8 it knows ``app``, ``installations``, ``lag``, ``limits``, ``rulesets`` and ``server``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from app.simulator import installing, making
from app.simulator.access import RANKS
from app.simulator.errors import ControlError
from app.simulator.faults import seconds_of
from app.simulator.limits import Settings
from app.simulator.model import Account
from app.simulator.rest.rulesets import from_body
from app.simulator.world import World

Json = dict[str, Any]

KEYS = {
    "owners", "people", "repositories", "scripts", "pulls", "app", "installations", "lag", "limits", "rulesets",
    "server",
}  # fmt: skip
EVENTS = [
    "create", "delete", "issue_comment", "merge_group", "pull_request",
    "pull_request_review", "push", "repository", "repository_dispatch", "workflow_dispatch", "workflow_run",
]  # fmt: skip
PERMISSIONS = {
    "actions": "write", "administration": "write", "checks": "write", "contents": "write", "issues": "write",
    "members": "read", "merge_queues": "write", "metadata": "read", "organization_administration": "write",
    "pull_requests": "write", "statuses": "write", "workflows": "write",
}  # fmt: skip

ALIASES = {"member": "read", "owner": "admin", "pull": "read", "push": "write"}


def read(path: Path) -> Json:
    """The file as a mapping."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ControlError(f"cannot read the seed {path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise ControlError(f"the seed {path} is no YAML: {error}") from error
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise ControlError(f"the seed {path} must be a mapping with keys such as owners and repositories")
    return document


def known(what: str, given: Any, keys: set[str]) -> Json:
    """``given`` as a mapping that has none but these keys."""
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise ControlError(f"{what} must be a mapping")
    unknown = sorted(str(key) for key in given if key not in keys)
    if unknown:
        raise ControlError(f"{what} does not know {', '.join(unknown)}; it knows {', '.join(sorted(keys))}")
    return given


def plant(world: World, settings: Settings, seed: Json) -> None:
    """Make the world that a seed describes."""
    known("the seed", seed, KEYS)
    for login, about in (seed.get("owners") or {}).items():
        said = known(f"owners.{login}", about, {"kind", "public_members"})
        kind = said.get("kind", "organization")
        if kind not in ("organization", "user"):
            raise ControlError(f'owners.{login}.kind is "{kind}"; say organization or user')
        world.account(login, kind.capitalize())
        world.public_members |= {(str(who).lower(), login.lower()) for who in said.get("public_members") or []}
    for login, grants in (seed.get("people") or {}).items():
        world.account(login)
        for where, level in (grants or {}).items():
            grant(world, login, where, level)
    _app(world, seed)
    for full_name, about in (seed.get("repositories") or {}).items():
        making.repository(world, full_name, about or {})
    _server(world, settings, seed)
    for repo in world.repositories.values():
        making.note_planted(world, repo)
    _install(world, seed.get("installations"))
    for body in seed.get("rulesets") or []:
        _ruleset(world, dict(body))
    for body in seed.get("scripts") or []:
        making.script(world, body)
    for body in seed.get("pulls") or []:
        making.pull(world, body)


def grant(world: World, login: str, where: str, level: str | None) -> None:
    """Give a person a role with an owner or in a repository; ``none`` (or null) takes it."""
    level = ALIASES.get(level or "none", level or "none")
    if level not in RANKS:
        raise ControlError(f'"{level}" is no permission; say one of {", ".join(RANKS)}')
    world.account(login)
    world.grants[(login.lower(), where.lower())] = level


def _app(world: World, seed: Json) -> None:
    about = known("app", seed.get("app"), {"slug", "name", "owner", "events", "permissions"})
    app = world.app
    slug = about.get("slug", app.slug)
    app.slug, app.name = slug, about.get("name", app.name)
    app.bot = world.account(f"{slug}[bot]", "Bot")
    app.events = list(about.get("events", EVENTS))
    app.permissions = dict(about.get("permissions", PERMISSIONS))
    organizations = (
        one.login for one in world.accounts.values() if one.kind == "Organization" and one is not app.owner
    )
    first_repository = next(iter(seed.get("repositories") or {}), "")
    owner = about.get("owner") or next(organizations, None) or str(first_repository).partition("/")[0]
    if owner:
        app.owner = world.account(owner, "Organization")


def _server(world: World, settings: Settings, seed: Json) -> None:
    about = known("server", seed.get("server"), {"ghes"})
    world.server.ghes = None if about.get("ghes") is None else str(about["ghes"])
    for name, value in known("lag", seed.get("lag"), set(vars(world.lag))).items():
        setattr(world.lag, name, seconds_of(value))
    for name, value in known("limits", seed.get("limits"), set(vars(settings))).items():
        setattr(settings, name, value)


def _install(world: World, about: Json | None) -> None:
    """By default everywhere, on everything. ``installations: {acme: false}`` leaves an owner out."""
    owners = {repo.owner.login.lower(): repo.owner for repo in world.repositories.values() if repo.parent is None}
    if world.app.owner.login != "github":
        owners.setdefault(world.app.owner.login.lower(), world.app.owner)
    given = {login.lower(): rest for login, rest in (about or {}).items()}
    for login, owner in sorted(owners.items()):
        wish = given.get(login, {})
        if wish is not False:
            wish = known(f"installations.{login}", wish or {}, {"repositories", "permissions", "suspended"})
            _install_on(world, owner, wish)


def _install_on(world: World, owner: Account, wish: Json) -> None:
    chosen = wish.get("repositories", "all")
    ids = None if chosen == "all" else {making.find(world, name, owner.login).id for name in chosen}
    made = installing.install(world, owner, owner, ids, wish.get("permissions"))
    if wish.get("suspended"):
        installing.suspend(world, made, owner)


def _ruleset(world: World, body: Json) -> None:
    name = body.pop("repository", None)
    if name is not None:
        repo = making.find(world, name)
        from_body(world, body, repo, repo.full_name)
    else:
        from_body(world, body, None, str(body.pop("organization", world.app.owner.login)))
