"""Pull requests: opened, moved, retargeted, closed; and whether they merge, known late.

Law: a pull request follows its head branch; what it says of its mergeability is null until GitHub has had time to
compute it, and only being asked starts that (FACTS §6).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from app.simulator import queue, rules
from app.simulator.errors import Refusal, invalid, unprocessable
from app.simulator.model import Account, Pull, Repository
from app.simulator.render import pulls as shapes
from app.simulator.render.accounts import user
from app.simulator.world import World

Json = dict[str, Any]


def open_pull(
    world: World,
    repository: Repository,
    head: tuple[Repository, str],
    base: str,
    title: str,
    body: str | None,
    actor: Account,
    draft: bool = False,
) -> Pull:
    """Open a pull request, or refuse as ``POST …/pulls`` does."""
    source, branch = head
    if base not in repository.branches:
        raise invalid("PullRequest", "base")
    if branch not in source.branches:
        raise invalid("PullRequest", "head")
    label = f"{source.owner.login}:{branch}"
    if any(_is(pull, source, branch) and pull.base_ref == base for pull in open_pulls(repository)):
        raise invalid("PullRequest", "", "custom", f"A pull request already exists for {label}.")
    if not repository.store.between(repository.branches[base], source.branches[branch]):
        raise invalid("PullRequest", "", "custom", f"No commits between {base} and {branch}")
    now = world.clock.now()
    pull = Pull(
        id=world.numbers.next("Pull"), number=repository.number(), title=title, body=body, user=actor,
        head_repository=source.id, head_owner=source.owner.login, head_ref=branch, head_sha=source.branches[branch],
        base_ref=base, base_sha=repository.branches[base], created_at=now, updated_at=now, draft=draft,
    )  # fmt: skip
    repository.pulls[pull.number] = pull
    _note(world, repository, pull, "opened")
    tell(world, repository, pull, "opened", actor)
    return pull


def open_pulls(repository: Repository) -> list[Pull]:
    """What is open, oldest first."""
    return [pull for pull in repository.pulls.values() if pull.state == "open"]


def _is(pull: Pull, repository: Repository, branch: str) -> bool:
    return pull.head_repository == repository.id and pull.head_ref == branch


def tell(world: World, repository: Repository, pull: Pull, action: str, actor: Account, **more: Any) -> None:
    """Send ``pull_request`` with this action."""
    mergeable, state = seen_mergeability(world, repository, pull, ask=False)
    payload = {
        "action": action,
        "number": pull.number,
        "pull_request": shapes.pull(world, repository, pull, mergeable, state),
        **more,
        "sender": user(world, actor),
    }
    world.emit("pull_request", action, repository, payload)


def _note(world: World, repository: Repository, pull: Pull, action: str) -> None:
    world.note(
        "pull", repository=repository.full_name, number=pull.number, action=action, head_ref=pull.head_ref,
        head_sha=pull.head_sha, base_ref=pull.base_ref, draft=pull.draft, state=pull.state, merged=pull.merged,
        head_repository=pull.head_repository,
    )  # fmt: skip


def head_moved(world: World, source: Repository, branch: str, before: str | None, after: str, actor: Account) -> None:
    """The branch was pushed to: its open pull requests follow."""
    for repository in list(world.repositories.values()):
        for pull in open_pulls(repository):
            if _is(pull, source, branch) and pull.head_sha != after:
                pull.head_sha, pull.updated_at = after, world.clock.now()
                pull.base_sha = repository.branches.get(pull.base_ref, pull.base_sha)
                _note(world, repository, pull, "synchronize")
                tell(world, repository, pull, "synchronize", actor, before=before, after=after)
                queue.leave(world, repository, pull, actor, "MANUAL")


def base_moved(world: World, repository: Repository, branch: str, tip: str, actor: Account) -> None:
    """The base got commits: pull requests whose head is now in it count as merged, as after a push by hand."""
    history: set[str] | None = None
    for pull in open_pulls(repository):
        if pull.base_ref == branch and pull.base_sha != tip:
            history = history or repository.store.ancestors(tip)
            if pull.head_sha in history:
                mark_merged(world, repository, pull, tip, actor)
    queue.base_moved(world, repository, branch, actor)


def branch_deleted(world: World, source: Repository, branch: str, actor: Account) -> None:
    """Close what came from the branch; retarget or close what was to go into it (FACTS §6)."""
    for repository in list(world.repositories.values()):
        for pull in open_pulls(repository):
            if _is(pull, source, branch):
                close(world, repository, pull, actor)
            elif repository is source and pull.base_ref == branch:
                merged_into = [p.base_ref for p in repository.pulls.values() if p.merged and _is(p, source, branch)]
                if merged_into:
                    retarget(world, repository, pull, merged_into[-1], actor)
                else:
                    close(world, repository, pull, actor)


def close(world: World, repository: Repository, pull: Pull, actor: Account) -> None:
    """Close without merging."""
    if pull.state == "closed":
        return
    pull.state, pull.closed_at = "closed", world.clock.now()
    pull.updated_at = pull.closed_at
    _note(world, repository, pull, "closed")
    queue.leave(world, repository, pull, actor, "MANUAL")
    tell(world, repository, pull, "closed", actor)


def reopen(world: World, repository: Repository, pull: Pull, actor: Account) -> None:
    """Open again, unless its branch is gone or was rewritten meanwhile (FACTS §6)."""
    if pull.state == "open":
        return
    source = world.repositories.get(pull.head_repository or 0)
    tip = source.branches.get(pull.head_ref) if source else None
    if pull.merged:
        raise invalid("PullRequest", "state", "invalid", "state cannot be changed. The pull request is merged.")
    if tip is None:
        text = f"state cannot be changed. The {pull.head_ref} branch has been deleted."
        raise invalid("PullRequest", "state", "invalid", text)
    if source is None or not source.store.contains(tip, pull.head_sha):
        text = f"state cannot be changed. The {pull.head_ref} branch was force-pushed or recreated."
        raise invalid("PullRequest", "state", "invalid", text)
    pull.state, pull.closed_at, pull.updated_at = "open", None, world.clock.now()
    pull.head_sha = tip
    _note(world, repository, pull, "reopened")
    tell(world, repository, pull, "reopened", actor)


def retarget(world: World, repository: Repository, pull: Pull, base: str, actor: Account) -> None:
    """Let it go into another branch: ``edited`` with the base it had."""
    if base == pull.base_ref:
        return
    if base not in repository.branches:
        raise invalid("PullRequest", "base")
    if pull.state == "closed":
        raise unprocessable("Cannot change the base branch of a closed pull request.")
    source = world.repositories.get(pull.head_repository or 0)
    if source and any(_is(one, source, pull.head_ref) and one.base_ref == base for one in open_pulls(repository)):
        text = f"A pull request already exists for base branch '{base}' and head branch '{pull.head_ref}'"
        raise invalid("PullRequest", "base", "invalid", text)
    changes = {"base": {"ref": {"from": pull.base_ref}, "sha": {"from": pull.base_sha}}}
    pull.base_ref, pull.base_sha, pull.updated_at = base, repository.branches[base], world.clock.now()
    _note(world, repository, pull, "edited")
    queue.leave(world, repository, pull, actor, "MANUAL")
    tell(world, repository, pull, "edited", actor, changes=changes)


def edit(world: World, repository: Repository, pull: Pull, actor: Account, title: str | None, body: str | None) -> None:
    """Change its words."""
    changes: Json = {}
    if title is not None and title != pull.title:
        changes["title"] = {"from": pull.title}
        pull.title = title
    if body is not None and body != pull.body:
        changes["body"] = {"from": pull.body or ""}
        pull.body = body
    if changes:
        pull.updated_at = world.clock.now()
        tell(world, repository, pull, "edited", actor, changes=changes)


def set_draft(world: World, repository: Repository, pull: Pull, draft: bool, actor: Account) -> None:
    """Make it a draft, or ready for review."""
    if pull.draft != draft:
        pull.draft, pull.updated_at = draft, world.clock.now()
        action = "converted_to_draft" if draft else "ready_for_review"
        _note(world, repository, pull, action)
        tell(world, repository, pull, action, actor)


def mark_merged(world: World, repository: Repository, pull: Pull, sha: str, actor: Account) -> None:
    """It went in as ``sha``."""
    now = world.clock.now()
    pull.state, pull.closed_at, pull.merged_at, pull.updated_at = "closed", now, now, now
    pull.merged_by, pull.merge_commit_sha = actor, sha
    _note(world, repository, pull, "merged")
    tell(world, repository, pull, "closed", actor)


def find(repository: Repository, number: int) -> Pull:
    """The pull request of this number."""
    if number not in repository.pulls:
        raise Refusal(404, "Not Found")
    return repository.pulls[number]


def conflict_free(repository: Repository, pull: Pull) -> bool:
    """Whether head and base can be merged, as it truly is."""
    base = repository.branches.get(pull.base_ref)
    return base is not None and repository.store.merged_files(base, pull.head_sha) is not None


def true_state(world: World, repository: Repository, pull: Pull, lagging: bool = False) -> str:
    """GitHub's ``mergeable_state``; ``lagging`` judges by the statuses that are seen by now."""
    if pull.state == "closed":
        return "unknown"
    if not conflict_free(repository, pull):
        return "dirty"
    if pull.draft:
        return "draft"
    verdict = rules.judge(world, repository, pull, pull.head_sha, lagging)
    if verdict.blocked:
        return "blocked"
    if verdict.behind:
        return "behind"
    return "unstable" if verdict.unstable else "clean"


def being_computed(world: World, repository: Repository, pull: Pull) -> bool:
    """Whether GitHub still works out if it can be merged. Being asked to merge starts that too."""
    unknown = seen_mergeability(world, repository, pull)[0] is None
    return pull.state == "open" and world.lag.mergeability > 0 and unknown


def seen_mergeability(world: World, repository: Repository, pull: Pull, ask: bool = True) -> tuple[bool | None, str]:
    """What GitHub says of it now: null the first time it is asked about this head and base, the truth later."""
    if pull.state == "closed":
        return None, "unknown"
    subject = (pull.head_sha, repository.branches.get(pull.base_ref, ""))
    asked_at = pull.asked_at if pull.asked == subject else None
    if asked_at is None:
        if ask:
            pull.asked, pull.asked_at = subject, world.clock.now()
        return None, "unknown"
    if world.clock.now() < asked_at + timedelta(seconds=world.lag.mergeability):
        return None, "unknown"
    return conflict_free(repository, pull), true_state(world, repository, pull, lagging=True)
