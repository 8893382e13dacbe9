"""Repositories, their branches and the people in them."""

from __future__ import annotations

import json
from typing import Any

from app.simulator import access, rules
from app.simulator.errors import Refusal, not_found
from app.simulator.model import Repository
from app.simulator.render import accounts, commits
from app.simulator.rest.routing import Answer, Call, of_type, route, wants

Json = dict[str, Any]

MAX_PAYLOAD = 64 * 1024  # characters of JSON that ``repository_dispatch`` does not reach (FACTS §10)


@route("GET", "/repos/{owner}/{repo}", auth="either")
def get_repository(call: Call) -> Answer:
    """A repository, with what the caller may do in it."""
    return Answer(200, accounts.full_repository(call.world, call.repo) | {"permissions": _abilities(call)})


def _abilities(call: Call) -> dict[str, bool]:
    if call.caller.user is not None:
        return access.abilities(call.world, call.user.login, call.repo)
    level = (call.caller.permissions or {}).get("contents", "none") if call.caller.sees(call.repo) else "read"
    return {"admin": False, "maintain": False, "push": level == "write", "triage": False, "pull": True}


@route("GET", "/orgs/{org}/repos")
def list_repositories(call: Call) -> Answer:
    """What the caller sees of an organisation's repositories."""
    owner = call.world.find_account(call.params["org"])
    if owner is None or owner.kind != "Organization":
        raise not_found()
    repos = [
        repo
        for repo in call.world.repositories.values()
        if repo.owner is owner and (call.caller.sees(repo) or not repo.private)
    ]
    return call.page(repos, render=lambda repo: accounts.repository(call.world, repo))


@route("GET", "/users/{username}", auth="none")
def get_user(call: Call) -> Answer:
    """Anybody."""
    found = call.world.find_account(call.params["username"])
    if found is None:
        raise not_found()
    return Answer(200, accounts.public_user(call.world, found))


@route("GET", "/repos/{owner}/{repo}/collaborators/{username}/permission")
def get_permission(call: Call) -> Answer:
    """What a person may do here. In public repositories everybody reads; who does not exist is not found (FACTS §8)."""
    login = call.params["username"]
    account = call.world.find_account(login)
    if account is None:
        raise Refusal(404, f"{login} is not a user")
    granted = access.role(call.world, login, call.repo)
    coarse = access.permission(call.world, login, call.repo)
    person = accounts.user(call.world, account) | {
        "permissions": access.abilities(call.world, login, call.repo),
        "role_name": granted,
    }
    return Answer(200, {"permission": coarse, "role_name": granted, "user": person})


def _branch(call: Call, name: str) -> tuple[str, bool]:
    sha = call.repo.branches.get(name)
    if sha is None:
        raise Refusal(404, "Branch not found")
    return sha, bool(rules.in_force(call.world, call.repo, name))


@route("GET", "/repos/{owner}/{repo}/branches", needs="contents=read")
def list_branches(call: Call) -> Answer:
    """All branches, by name."""
    repo = call.repo

    def shape(name: str) -> Json:
        url = f"{accounts.api_url(call.world, repo)}/commits/{repo.branches[name]}"
        protected = bool(rules.in_force(call.world, repo, name))
        return {"name": name, "commit": {"sha": repo.branches[name], "url": url}, "protected": protected}

    return call.page(sorted(repo.branches), render=shape)


@route("GET", "/repos/{owner}/{repo}/branches/{branch+}", needs="contents=read")
def get_branch(call: Call) -> Answer:
    """One branch with its tip."""
    name = call.params["branch"]
    sha, protected = _branch(call, name)
    link = commits.branch_link(call.world, call.repo, name)
    checks: Json = {"enforcement_level": "off", "contexts": [], "checks": []}
    return Answer(
        200,
        {
            "name": name,
            "commit": commits.commit(call.world, call.repo, call.repo.store.commits[sha]),
            "_links": {"self": link, "html": f"{accounts.html_url(call.world, call.repo)}/tree/{name}"},
            "protected": protected,
            "protection": {"enabled": False, "required_status_checks": checks},
            "protection_url": f"{link}/protection",
        },
    )


@route("GET", "/repos/{owner}/{repo}/branches/{branch+}/protection/required_status_checks", needs="administration=read")
def get_protection(call: Call) -> Answer:
    """Classic protection: nobody here has it, rulesets do its work."""
    _branch(call, call.params["branch"])
    raise Refusal(404, "Branch not protected")


@route("POST", "/repos/{owner}/{repo}/dispatches", needs="contents=write")
def repository_dispatch(call: Call) -> Answer:
    """Tell the repository something: ``repository_dispatch`` (FACTS §10)."""
    body = call.body
    kind = wants(body, "event_type", str, "Dispatch")
    payload = of_type(body, "client_payload", dict, "Dispatch", {})
    if not kind or len(kind) > 100:
        raise Refusal(422, "Invalid request.\n\nevent_type must be between 1 and 100 characters.")
    if len(payload) > 10:
        raise Refusal(
            422,
            f"Invalid request.\n\nNo more than 10 properties are allowed; {len(payload)} were supplied.",
        )
    if len(json.dumps(payload)) >= MAX_PAYLOAD:
        raise Refusal(422, "Invalid request.\n\nclient_payload is too large.")
    send_dispatch(call, call.repo, kind, payload)
    return Answer(204)


def send_dispatch(call: Call, repo: Repository, kind: str, payload: Json) -> None:
    """Emit the event as the App's doing."""
    call.world.emit(
        "repository_dispatch", kind, repo,
        {"action": kind, "branch": repo.default_branch, "client_payload": payload,
         "sender": accounts.user(call.world, call.actor)},
    )  # fmt: skip
