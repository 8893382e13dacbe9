"""Pull requests over the API: listing, opening, changing, merging."""

from __future__ import annotations

from typing import Any

from app.simulator import merging, pulls, refs
from app.simulator.errors import Refusal, invalid
from app.simulator.model import Pull
from app.simulator.render import commits
from app.simulator.render import pulls as shapes
from app.simulator.rest.routing import Answer, Call, of_type, route, wants

Json = dict[str, Any]

METHODS = ("merge", "squash", "rebase")


def find(call: Call) -> Pull:
    """The pull request in the path."""
    return pulls.find(call.repo, call.number("pull_number"))


def shape(call: Call, pull: Pull, ask: bool = True) -> Json:
    """The whole pull request; asking for it starts the computing of its mergeability."""
    known = pulls.seen_mergeability(call.world, call.repo, pull, ask)
    return shapes.pull(call.world, call.repo, pull, *known)


@route("GET", "/repos/{owner}/{repo}/pulls", needs="pull_requests=read")
def list_pulls(call: Call) -> Answer:
    """By state, base, and head. A head without ``owner:`` is ignored, and everything comes back (FACTS §6)."""
    state, head, base = call.query.get("state", "open"), call.query.get("head", ""), call.query.get("base")
    owner, _, branch = head.partition(":")
    found = [
        pull
        for pull in call.repo.pulls.values()
        if state in ("all", pull.state)
        and (base is None or pull.base_ref == base)
        and (not branch or (pull.head_ref == branch and pull.head_owner.lower() == owner.lower()))
    ]
    key = "updated_at" if call.query.get("sort") == "updated" else "created_at"
    found.sort(
        key=lambda pull: (getattr(pull, key), pull.number), reverse=call.query.get("direction", "desc") == "desc"
    )
    return call.page(found, render=lambda pull: shapes.pull_simple(call.world, call.repo, pull))


@route("POST", "/repos/{owner}/{repo}/pulls", needs="pull_requests=write")
def open_pull(call: Call) -> Answer:
    """Open one."""
    body = call.body
    head, base = wants(body, "head", str, "PullRequest"), wants(body, "base", str, "PullRequest")
    owner, _, branch = head.rpartition(":")
    source = call.repo
    if owner and owner.lower() != call.repo.owner.login.lower():
        forks = [repo for repo in call.world.repositories.values() if repo.parent == call.repo.id]
        found = next((repo for repo in forks if repo.owner.login.lower() == owner.lower()), None)
        if found is None:
            raise invalid("PullRequest", "head")
        source = found
    title = of_type(body, "title", str, "PullRequest")
    if not title:
        raise invalid("PullRequest", "title", "missing_field")
    text, draft = of_type(body, "body", str, "PullRequest"), of_type(body, "draft", bool, "PullRequest", False)
    pull = pulls.open_pull(call.world, call.repo, (source, branch), base, title, text, call.actor, draft)
    return Answer(201, shape(call, pull))


@route("GET", "/repos/{owner}/{repo}/pulls/{pull_number}", needs="pull_requests=read;contents=read")
def get_pull(call: Call) -> Answer:
    """One, with its mergeability as far as it is known."""
    return Answer(200, shape(call, find(call)))


@route("PATCH", "/repos/{owner}/{repo}/pulls/{pull_number}", needs="pull_requests=write")
def edit_pull(call: Call) -> Answer:
    """Change its words, base or state."""
    body, pull, world = call.body, find(call), call.world
    state = of_type(body, "state", str, "PullRequest")
    if state not in (None, "open", "closed"):
        raise invalid("PullRequest", "state")
    title, text = of_type(body, "title", str, "PullRequest"), of_type(body, "body", str, "PullRequest")
    base = of_type(body, "base", str, "PullRequest")
    if base is not None:
        pulls.retarget(world, call.repo, pull, base, call.actor)
    pulls.edit(world, call.repo, pull, call.actor, title, text)
    if state == "closed":
        pulls.close(world, call.repo, pull, call.actor)
    elif state == "open":
        pulls.reopen(world, call.repo, pull, call.actor)
    return Answer(200, shape(call, pull))


@route("GET", "/repos/{owner}/{repo}/pulls/{pull_number}/commits", needs="pull_requests=read;contents=read")
def list_commits(call: Call) -> Answer:
    """What it brings."""
    pull = find(call)
    made = call.repo.store.between(pull.base_sha, pull.head_sha)
    return call.page(made, render=lambda commit: commits.commit(call.world, call.repo, commit))


@route("GET", "/repos/{owner}/{repo}/pulls/{pull_number}/files", needs="pull_requests=read;contents=read")
def list_files(call: Call) -> Answer:
    """What it changes."""
    pull = find(call)
    fork = call.repo.store.merge_base(pull.base_sha, pull.head_sha)
    return call.page(commits.diff(call.world, call.repo, fork, pull.head_sha))


@route("GET", "/repos/{owner}/{repo}/pulls/{pull_number}/reviews", needs="pull_requests=read")
def list_reviews(call: Call) -> Answer:
    """What reviewers said."""
    pull = find(call)
    return call.page(pull.reviews, render=lambda given: shapes.review(call.world, call.repo, pull, given))


@route("GET", "/repos/{owner}/{repo}/pulls/{pull_number}/merge", needs="contents=read")
def is_merged(call: Call) -> Answer:
    """204 where it is merged."""
    if not find(call).merged:
        raise Refusal(404, "Not Found")
    return Answer(204)


@route("PUT", "/repos/{owner}/{repo}/pulls/{pull_number}/merge", needs="contents=write")
def merge_pull(call: Call) -> Answer:
    """Merge it now (FACTS §6)."""
    body, pull = call.body, find(call)
    method = of_type(body, "merge_method", str, "PullRequest", "merge")
    if method not in METHODS:
        raise invalid("PullRequest", "merge_method")
    refs.check_workflow_files(
        call.repo, call.repo.store.merge_base(pull.base_sha, pull.head_sha), pull.head_sha,
        call.caller.may("workflows=write"),
    )  # fmt: skip
    wish = merging.Wish(method, body.get("sha"), body.get("commit_title"), body.get("commit_message"))
    if wish.sha in (None, pull.head_sha) and pulls.being_computed(call.world, call.repo, pull):
        raise Refusal(405, "Pull Request is not mergeable")
    sha = merging.merge(call.world, call.repo, pull, wish, call.actor, by_app=True)
    return Answer(200, {"sha": sha, "merged": True, "message": "Pull Request successfully merged"})


@route("PUT", "/repos/{owner}/{repo}/pulls/{pull_number}/update-branch", needs="pull_requests=write,contents=write")
def update_branch(call: Call) -> Answer:
    """Merge the base into the head."""
    body, pull = call.body, find(call)
    expected = of_type(body, "expected_head_sha", str, "PullRequest")
    if expected not in (None, pull.head_sha):
        raise Refusal(422, "expected head sha didn’t match current head ref.")
    source = call.world.repositories.get(pull.head_repository or 0)
    base = call.repo.branches.get(pull.base_ref)
    if source is None or base is None:
        raise Refusal(422, "There are no new commits on the base branch.")
    files = call.repo.store.merged_files(pull.head_sha, base)
    if files is None:
        raise Refusal(422, "merge conflict between base and head")
    if call.repo.store.contains(pull.head_sha, base):
        raise Refusal(422, "There are no new commits on the base branch.")
    fork_point = call.repo.store.merge_base(pull.head_sha, base)
    refs.check_workflow_files(call.repo, fork_point, base, call.caller.may("workflows=write"))
    message = f"Merge branch '{pull.base_ref}' into {pull.head_ref}"
    now = call.world.clock.now()
    made = call.repo.store.commit(files, (pull.head_sha, base), message, call.actor.login, now)
    refs.move(call.world, source, pull.head_ref, made.sha, call.actor)
    url = f"{call.world.base_url}/repos/{call.repo.full_name}/pulls/{pull.number}"
    return Answer(202, {"message": "Updating pull request branch.", "url": url})
