"""The App and its installations in GitHub's JSON."""

from __future__ import annotations

from typing import Any

from app.simulator.clock import iso, iso_or_none
from app.simulator.ids import node_id
from app.simulator.model import Installation
from app.simulator.render.accounts import user
from app.simulator.world import World

Json = dict[str, Any]


def app(world: World) -> Json:
    """GitHub's ``integration``."""
    it = world.app
    return {
        "id": it.id,
        "slug": it.slug,
        "client_id": it.client_id,
        "node_id": node_id("App", it.id),
        "owner": user(world, it.owner),
        "name": it.name,
        "description": "The App under trial",
        "external_url": f"{world.base_url}/apps/{it.slug}",
        "html_url": f"{world.base_url}/apps/{it.slug}",
        "created_at": iso(it.created_at),
        "updated_at": iso(it.created_at),
        "permissions": dict(it.permissions),
        "events": list(it.events),
    }


def actions(world: World) -> Json:
    """GitHub Actions, the App that makes the checks of workflow runs."""
    url = f"{world.base_url}/apps/github-actions"
    return {
        "id": 15368,
        "slug": "github-actions",
        "client_id": "Iv1.05c79e9ad1f6bdfa",
        "node_id": node_id("App", 15368),
        "owner": user(world, world.account("github", "Organization")),
        "name": "GitHub Actions",
        "description": "Automate your workflow from idea to production",
        "external_url": url,
        "html_url": url,
        "created_at": iso(world.app.created_at),
        "updated_at": iso(world.app.created_at),
        "permissions": {"actions": "write", "checks": "write", "metadata": "read"},
        "events": [],
    }


def installation(world: World, made: Installation) -> Json:
    """GitHub's ``installation``."""
    return {
        "id": made.id,
        "client_id": world.app.client_id,
        "account": user(world, made.account) | _enterprise_keys(world, made),
        "repository_selection": "all" if made.repositories is None else "selected",
        "access_tokens_url": f"{world.base_url}/app/installations/{made.id}/access_tokens",
        "repositories_url": f"{world.base_url}/installation/repositories",
        "html_url": f"{world.base_url}/organizations/{made.account.login}/settings/installations/{made.id}",
        "app_id": world.app.id,
        "app_slug": world.app.slug,
        "target_id": made.account.id,
        "target_type": made.account.kind,
        "permissions": dict(made.permissions),
        "events": list(made.events),
        "created_at": iso(made.created_at),
        "updated_at": iso(made.updated_at),
        "single_file_name": None,
        "has_multiple_single_files": False,
        "single_file_paths": [],
        "suspended_by": user(world, made.account) if made.suspended_at else None,
        "suspended_at": iso_or_none(made.suspended_at),
    }


def _enterprise_keys(world: World, made: Installation) -> Json:
    """GitHub's description of the list wants an account to be a user *and* an enterprise at once."""
    login = made.account.login
    return {
        "name": login,
        "slug": login.lower(),
        "created_at": iso(made.created_at),
        "updated_at": iso(made.updated_at),
    }
