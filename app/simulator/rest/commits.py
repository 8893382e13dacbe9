"""Commits, what is said of them (statuses), and how they compare."""

from __future__ import annotations

from typing import Any

from app.simulator import refs, rules, statuses
from app.simulator.errors import Refusal, not_found
from app.simulator.model import Pull
from app.simulator.render import accounts, commits, pulls
from app.simulator.rest.routing import Answer, Call, of_type, route, wants

Json = dict[str, Any]

MOST_FILES = 300
"""A comparison lists no more, on whichever page."""


@route("POST", "/repos/{owner}/{repo}/statuses/{sha}", needs="statuses=write")
def create_status(call: Call) -> Answer:
    """Post a status (FACTS §5)."""
    body = call.body
    wants(body, "state", str, "Status")
    for name in ("context", "description", "target_url"):
        of_type(body, name, str, "Status")
    made = statuses.create(call.world, call.repo, call.params["sha"], body, call.actor, call.world.app.id)
    return Answer(201, commits.status(call.world, call.repo, made))


def _resolve(call: Call) -> str:
    ref = call.params["ref"]
    sha = refs.resolve(call.repo, ref)
    if sha is None:
        raise Refusal(422, f"No commit found for SHA: {ref}")
    return sha


@route("GET", "/repos/{owner}/{repo}/commits/{ref+}/status", needs="statuses=read")
def combined_status(call: Call) -> Answer:
    """The latest status of each context, and all of them together."""
    sha = _resolve(call)
    latest = rules.latest_statuses(call.world, call.repo, sha)
    page = call.page(latest)
    return Answer(200, commits.combined_status(call.world, call.repo, sha, latest, page.body), page.headers)


@route("GET", "/repos/{owner}/{repo}/commits/{ref+}/statuses", needs="statuses=read")
def list_statuses(call: Call) -> Answer:
    """Every status ever posted, youngest first."""
    history = [made for made in call.repo.statuses.get(_resolve(call), []) if rules.is_seen(call.world, made)]
    history.reverse()
    return call.page(history, render=lambda made: commits.status(call.world, call.repo, made))


@route("GET", "/repos/{owner}/{repo}/commits/{commit_sha}/pulls", needs="pull_requests=read;contents=read")
def list_pulls(call: Call) -> Answer:
    """The pull requests a commit belongs to."""
    sha, store = call.params["commit_sha"], call.repo.store
    if sha not in store.commits:
        raise Refusal(422, f"No commit found for SHA: {sha}")

    def holds(pull: Pull) -> bool:
        return sha == pull.merge_commit_sha or (
            store.contains(pull.head_sha, sha) and not store.contains(pull.base_sha, sha)
        )

    found = [pull for pull in call.repo.pulls.values() if holds(pull)]
    return call.page(found, render=lambda pull: pulls.pull_simple(call.world, call.repo, pull))


@route("GET", "/repos/{owner}/{repo}/commits/{ref+}", needs="contents=read")
def get_commit(call: Call) -> Answer:
    """A commit with what it changed; ``Accept: …sha`` answers its name alone."""
    sha = _resolve(call)
    if "vnd.github.sha" in call.headers.get("accept", ""):
        return Answer(200, sha, {"content-type": "application/vnd.github.sha; charset=utf-8"})
    return Answer(200, commits.commit(call.world, call.repo, call.repo.store.commits[sha], with_files=True))


@route("GET", "/repos/{owner}/{repo}/commits", needs="contents=read")
def list_commits(call: Call) -> Answer:
    """The history of a branch, youngest first."""
    sha = refs.resolve(call.repo, call.query.get("sha") or call.repo.default_branch)
    if sha is None:
        raise not_found()
    store = call.repo.store
    history = sorted(store.ancestors(sha), key=lambda name: -store.commits[name].generation)
    return call.page(history, render=lambda name: commits.commit(call.world, call.repo, store.commits[name]))


@route("GET", "/repos/{owner}/{repo}/compare/{basehead+}", needs="contents=read")
def compare(call: Call) -> Answer:
    """Two commits: what the second has and the first has not."""
    base_name, _, head_name = call.params["basehead"].partition("...")
    store = call.repo.store
    base, head = refs.resolve(call.repo, base_name), refs.resolve(call.repo, head_name)
    fork = store.merge_base(base, head) if base and head else None
    if base is None or head is None or fork is None:
        raise not_found()
    ahead, behind = store.between(base, head), store.between(head, base)
    status = {(True, True): "diverged", (True, False): "ahead", (False, True): "behind"}
    html = f"{accounts.html_url(call.world, call.repo)}/compare/{call.params['basehead']}"

    def shape(sha: str) -> Json:
        return commits.commit(call.world, call.repo, store.commits[sha])

    return Answer(
        200,
        {
            "url": f"{accounts.api_url(call.world, call.repo)}/compare/{call.params['basehead']}",
            "html_url": html,
            "permalink_url": html,
            "diff_url": f"{html}.diff",
            "patch_url": f"{html}.patch",
            "base_commit": shape(base),
            "merge_base_commit": shape(fork),
            "status": status.get((bool(ahead), bool(behind)), "identical"),
            "ahead_by": len(ahead),
            "behind_by": len(behind),
            "total_commits": len(ahead),
            "commits": [shape(made.sha) for made in ahead],
            "files": commits.diff(call.world, call.repo, fork, head)[:MOST_FILES],
        },
    )


@route("POST", "/repos/{owner}/{repo}/merges", needs="contents=write")
def merge_branches(call: Call) -> Answer:
    """Merge one branch into another without a pull request."""
    body, store = call.body, call.repo.store
    base, head = wants(body, "base", str, "Merge"), wants(body, "head", str, "Merge")
    tip, sha = call.repo.branches.get(base), refs.resolve(call.repo, head)
    if tip is None:
        raise Refusal(404, "Base does not exist")
    if sha is None:
        raise Refusal(404, "Head does not exist")
    if store.contains(tip, sha):
        return Answer(204)
    files = store.merged_files(tip, sha)
    if files is None:
        raise Refusal(409, "Merge conflict")
    message = body.get("commit_message") or f"Merge {head} into {base}"
    made = store.commit(files, (tip, sha), message, call.actor.login, call.world.clock.now())
    refs.move(call.world, call.repo, base, made.sha, call.actor)
    return Answer(201, commits.commit(call.world, call.repo, made, with_files=True))
