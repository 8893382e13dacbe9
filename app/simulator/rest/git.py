"""The git data API: refs and commits."""

from __future__ import annotations

from typing import Any

from app.simulator import refs, rules
from app.simulator.errors import Refusal, not_found, unprocessable
from app.simulator.render import commits
from app.simulator.rest.routing import Answer, Call, of_type, route, wants

Json = dict[str, Any]


def _tables(call: Call) -> dict[str, str]:
    repo = call.repo
    heads = {f"heads/{name}": sha for name, sha in repo.branches.items()}
    return heads | {f"tags/{name}": sha for name, sha in repo.tags.items()}


@route("GET", "/repos/{owner}/{repo}/git/ref/{ref+}", needs="contents=read")
def get_ref(call: Call) -> Answer:
    """One ref by its exact name; absent is 404."""
    name = call.params["ref"]
    sha = _tables(call).get(name)
    if sha is None:
        raise not_found()
    return Answer(200, commits.git_ref(call.world, call.repo, name, sha))


@route("GET", "/repos/{owner}/{repo}/git/matching-refs/{ref+}", needs="contents=read")
def matching_refs(call: Call) -> Answer:
    """All refs that begin so."""
    found = sorted(item for item in _tables(call).items() if item[0].startswith(call.params["ref"]))
    return call.page(found, render=lambda item: commits.git_ref(call.world, call.repo, *item))


@route("POST", "/repos/{owner}/{repo}/git/refs", needs="contents=write")
def create_ref(call: Call) -> Answer:
    """Make a branch (or tag)."""
    body = call.body
    ref, sha = wants(body, "ref", str, "Reference"), wants(body, "sha", str, "Reference")
    if not ref.startswith("refs/") or ref.count("/") < 2:
        raise unprocessable("Reference name must start with 'refs' and have at least two slashes.")
    kind, _, name = ref.removeprefix("refs/").partition("/")
    if kind == "tags":
        if name in call.repo.tags:
            raise unprocessable("Reference already exists")
        if sha not in call.repo.store.commits:
            raise unprocessable("Object does not exist")
        call.repo.tags[name] = sha
    elif kind == "heads":
        _check_rules(call, name, "creation")
        _check_workflows(call, call.repo.branches.get(call.repo.default_branch), sha)
        refs.create(call.world, call.repo, name, sha, call.actor)
    else:
        raise unprocessable(f"{ref} is not a valid ref name.")
    return Answer(201, commits.git_ref(call.world, call.repo, f"{kind}/{name}", sha))


@route("PATCH", "/repos/{owner}/{repo}/git/refs/{ref+}", needs="contents=write")
def update_ref(call: Call) -> Answer:
    """Move a branch, forward or (``force``) anywhere."""
    body = call.body
    sha, force = wants(body, "sha", str, "Reference"), of_type(body, "force", bool, "Reference", False)
    name = _branch_name(call)
    old = call.repo.branches.get(name)
    if old and force and sha in call.repo.store.commits and not call.repo.store.contains(sha, old):
        _check_rules(call, name, "non_fast_forward")
    _check_rules(call, name, "update")
    _check_workflows(call, old, sha)
    refs.update(call.world, call.repo, name, sha, call.actor, force)
    return Answer(200, commits.git_ref(call.world, call.repo, f"heads/{name}", sha))


@route("DELETE", "/repos/{owner}/{repo}/git/refs/{ref+}", needs="contents=write")
def delete_ref(call: Call) -> Answer:
    """Delete a branch; one that is gone already is 422 (FACTS §6)."""
    name = _branch_name(call)
    _check_rules(call, name, "deletion")
    refs.delete(call.world, call.repo, name, call.actor)
    return Answer(204)


@route("GET", "/repos/{owner}/{repo}/git/commits/{commit_sha}", needs="contents=read")
def get_commit(call: Call) -> Answer:
    """A commit by its full sha."""
    made = call.repo.store.commits.get(call.params["commit_sha"])
    if made is None:
        raise not_found()
    return Answer(200, commits.git_commit(call.world, call.repo, made))


def _branch_name(call: Call) -> str:
    kind, _, name = call.params["ref"].partition("/")
    if kind != "heads" or not name:
        raise unprocessable("Reference does not exist")
    return name


def _check_rules(call: Call, branch: str, kind: str) -> None:
    words = {
        "creation": "Cannot create ref due to creations being restricted.",
        "deletion": "Cannot delete this branch",
        "non_fast_forward": "Cannot force-push to this branch",
        "update": "Cannot update this protected ref.",
    }
    for rules_, rule in rules.in_force(call.world, call.repo, branch):
        if rule["type"] == kind and not rules.bypassed(call.world, rules_, call.repo, None, True):
            raise Refusal(422, f"Repository rule violations found\n\n{words[kind]}\n\n")


def _check_workflows(call: Call, old: str | None, sha: str) -> None:
    if sha in call.repo.store.commits:
        refs.check_workflow_files(call.repo, old, sha, call.caller.may("workflows=write"))
