"""The merge queue: groups that are tried on top of each other, one for each pull request in line.

Law: what decides is the required contexts on the group's own commit, never those on the pull request's head (FACTS
§6). Each entry's group stands on the group before it, the first on the base; whoever falls out takes the groups behind
along.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from app.simulator import merging, pulls, refs, rules
from app.simulator.errors import Refusal
from app.simulator.model import Account, Pull, QueueEntry, Repository
from app.simulator.render.accounts import simple_commit, user
from app.simulator.world import World

Json = dict[str, Any]


def join(world: World, repository: Repository, pull: Pull, actor: Account, jump: bool = False) -> QueueEntry:
    """Put a pull request in line."""
    if any(entry.number == pull.number for entry in repository.queue):
        raise Refusal(422, "Pull request is already in the queue")
    if _parameters(world, repository, pull.base_ref) is None:
        raise Refusal(422, "Merge queue is not enabled for the base branch")
    entry = QueueEntry(world.numbers.next("Entry"), pull.number, pull.head_sha, world.clock.now(), actor)
    place = 0 if jump else len(repository.queue)
    for behind in repository.queue[place:]:
        _disband(world, repository, behind, "invalidated", actor)
    repository.queue.insert(place, entry)
    pulls.tell(world, repository, pull, "enqueued", actor)
    _form_groups(world, repository, actor)
    return entry


def leave(world: World, repository: Repository, pull: Pull, actor: Account, reason: str) -> None:
    """Take a pull request out of line; harmless where it is in none. The groups behind it are formed anew."""
    entry = next((entry for entry in repository.queue if entry.number == pull.number), None)
    if entry is None:
        return
    place = repository.queue.index(entry)
    _disband(world, repository, entry, "dequeued", actor)
    for behind in repository.queue[place + 1 :]:
        _disband(world, repository, behind, "invalidated", actor)
    repository.queue.remove(entry)
    pulls.tell(world, repository, pull, "dequeued", actor, reason=reason)
    _form_groups(world, repository, actor)


def base_moved(world: World, repository: Repository, branch: str, actor: Account) -> None:
    """Somebody moved the base otherwise: every group on it is worthless."""
    line = [entry for entry in repository.queue if repository.pulls[entry.number].base_ref == branch]
    tip = repository.branches[branch]
    if line and line[0].group_base not in (None, tip):
        for entry in line:
            _disband(world, repository, entry, "invalidated", actor)
        _form_groups(world, repository, actor)


def checked(world: World, repository: Repository, sha: str) -> None:
    """A status or check came in on ``sha``: merge what is now decided.

    Whoever failed is dropped a moment later: GitHub does not look in the instant of the status, and the first in line
    that failed takes the groups behind along, whatever has been said on them in the meantime.
    """
    while repository.queue and any(entry.group_sha == sha for entry in repository.queue):
        if any(_said(world, repository, entry) == "failure" for entry in repository.queue):
            world.clock.schedule(0, partial(_drop_failed, world, repository), "a merge queue drops what failed")
            return
        first = repository.queue[0]
        if _said(world, repository, first) != "success":
            return
        _land(world, repository, first)
        if not repository.queue:
            return
        sha = repository.queue[0].group_sha or ""


def _drop_failed(world: World, repository: Repository) -> None:
    failed = (entry for entry in repository.queue if _said(world, repository, entry) == "failure")
    if entry := next(failed, None):
        leave(world, repository, repository.pulls[entry.number], world.account("github"), "CI_FAILURE")
    if repository.queue:
        checked(world, repository, repository.queue[0].group_sha or "")


def _parameters(world: World, repository: Repository, branch: str) -> Json | None:
    for _, rule in rules.in_force(world, repository, branch):
        if rule["type"] == "merge_queue":
            return dict(rule.get("parameters") or {})
    return None


def _said(world: World, repository: Repository, entry: QueueEntry) -> str:
    """What the required contexts say of the entry's group, all together."""
    if entry.group_sha is None:
        return "pending"
    branch = repository.pulls[entry.number].base_ref
    said: set[str] = set()
    for _, rule in rules.in_force(world, repository, branch):
        if rule["type"] == "required_status_checks":
            for check in rule["parameters"]["required_status_checks"]:
                app_id = check.get("integration_id")
                said.update(
                    rules.check_states(world, repository, entry.group_sha, check["context"], app_id, False)
                    or ["pending"]
                )
    return next((word for word in ("failure", "pending") if word in said), "success")


def _form_groups(world: World, repository: Repository, actor: Account) -> None:
    """Give a group to each entry that has none, each on top of the one before it."""
    for place, entry in enumerate(list(repository.queue)):
        if entry.group_ref is not None or entry not in repository.queue:
            continue
        pull = repository.pulls[entry.number]
        before = repository.queue[place - 1].group_sha if place else None
        base = before or repository.branches[pull.base_ref]
        parameters = _parameters(world, repository, pull.base_ref) or {}
        if repository.store.merged_files(base, pull.head_sha) is None:
            leave(world, repository, pull, actor, "MERGE_CONFLICT")
            return
        wish = merging.Wish(str(parameters.get("merge_method", "MERGE")).lower())
        entry.group_base = base
        entry.group_sha = merging.combine(world, repository, base, pull, wish, world.account("github"))
        entry.group_ref = f"gh-readonly-queue/{pull.base_ref}/pr-{pull.number}-{base}"
        refs.move(world, repository, entry.group_ref, entry.group_sha, world.account("github"))
        _tell(world, repository, entry, "checks_requested", actor)
        minutes = float(parameters.get("check_response_timeout_minutes", 60))
        _await_checks(world, repository, entry, entry.group_sha, minutes)
        if _said(world, repository, entry) == "success":
            world.clock.schedule(0, partial(checked, world, repository, entry.group_sha), "a merge queue moves on")


def _await_checks(world: World, repository: Repository, entry: QueueEntry, group_sha: str, minutes: float) -> None:
    def evict() -> None:
        if entry in repository.queue and entry.group_sha == group_sha:
            leave(world, repository, repository.pulls[entry.number], world.account("github"), "CI_TIMEOUT")

    world.clock.schedule(minutes * 60, evict, f"merge queue of {repository.full_name} gives up waiting")


def _land(world: World, repository: Repository, entry: QueueEntry) -> None:
    pull, tip, actor = repository.pulls[entry.number], entry.group_sha or "", world.account("github")
    _disband(world, repository, entry, "merged", actor, forget=False)
    repository.queue.remove(entry)
    pulls.tell(world, repository, pull, "dequeued", actor, reason="MERGE")
    pulls.mark_merged(world, repository, pull, tip, actor)
    refs.move(world, repository, pull.base_ref, tip, actor)


def _disband(
    world: World, repository: Repository, entry: QueueEntry, reason: str, actor: Account, forget: bool = True
) -> None:
    if entry.group_ref is None:
        return
    _tell(world, repository, entry, "destroyed", actor, reason=reason)
    if entry.group_ref in repository.branches:
        refs.delete(world, repository, entry.group_ref, actor)
    if forget:
        entry.group_ref = entry.group_sha = entry.group_base = None


def _tell(world: World, repository: Repository, entry: QueueEntry, action: str, actor: Account, **more: Any) -> None:
    pull = repository.pulls[entry.number]
    payload = {
        "action": action,
        **more,
        "merge_group": {
            "head_sha": entry.group_sha,
            "head_ref": f"refs/heads/{entry.group_ref}",
            "base_sha": entry.group_base,
            "base_ref": f"refs/heads/{pull.base_ref}",
            "head_commit": simple_commit(repository.store.commits[entry.group_sha or ""]),
        },
        "sender": user(world, actor),
    }
    world.note("queue", repository=repository.full_name, number=pull.number, action=action,
               head_sha=entry.group_sha, **more)  # fmt: skip
    world.emit("merge_group", action, repository, payload)
