"""Merging a pull request, by a person or the App, under the rules of the base branch.

Law: nothing is merged that the rules block; the head is compared with the SHA the caller names before anything moves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.simulator import pulls, queue, refs, rules
from app.simulator.access import at_least
from app.simulator.errors import Refusal
from app.simulator.model import Account, Pull, Repository
from app.simulator.world import World

Json = dict[str, Any]


@dataclass(frozen=True)
class Wish:
    """How somebody wants a pull request merged."""

    method: str = "merge"
    sha: str | None = None
    title: str | None = None
    message: str | None = None


def check_ready(
    world: World, repository: Repository, pull: Pull, wish: Wish, actor: Account, by_app: bool, lagging: bool = True
) -> rules.Verdict:
    """Refuse what ``PUT …/merge`` refuses (FACTS §6); the answer is what the rules say."""
    if repository.archived:
        raise Refusal(403, "Repository was archived so is read-only.")
    if pull.merged or pull.state == "closed":
        raise Refusal(405, "Pull Request is not mergeable")
    if wish.sha is not None and wish.sha != pull.head_sha:
        raise Refusal(409, "Head branch was modified. Review and try the merge again.")
    if pull.draft:
        raise Refusal(405, "Pull Request is still a draft")
    if not pulls.conflict_free(repository, pull):
        raise Refusal(405, "Pull Request is not mergeable")
    verdict = rules.judge(world, repository, pull, pull.head_sha, lagging, actor, by_app)
    if verdict.reasons:
        raise Refusal(405, "Repository rule violations found\n\n" + "\n".join(verdict.reasons) + "\n\n")
    if verdict.behind:
        raise Refusal(405, "Repository rule violations found\n\nHead branch is out of date with the base branch.\n\n")
    return verdict


def merge(
    world: World,
    repository: Repository,
    pull: Pull,
    wish: Wish,
    actor: Account,
    by_app: bool = False,
    lagging: bool = True,
) -> str:
    """Merge at once and answer the new tip of the base; refuse where a queue is required."""
    verdict = check_ready(world, repository, pull, wish, actor, by_app, lagging)
    if verdict.queue is not None:
        raise Refusal(405, "Repository rule violations found\n\nChanges must be made through the merge queue\n\n")
    if wish.method not in verdict.methods:
        names = {"merge": "Merge commits", "squash": "Squash merges", "rebase": "Rebase merges"}
        raise Refusal(405, f"{names[wish.method]} are not allowed on this repository.")
    tip = combine(world, repository, repository.branches[pull.base_ref], pull, wish, actor)
    pulls.mark_merged(world, repository, pull, tip, actor)
    refs.move(world, repository, pull.base_ref, tip, actor)
    queue.leave(world, repository, pull, actor, "ALREADY_MERGED")
    source = world.repositories.get(pull.head_repository or 0)
    if repository.delete_branch_on_merge and source is repository and pull.head_ref in repository.branches:
        refs.delete(world, repository, pull.head_ref, actor)
    return tip


def combine(world: World, repository: Repository, base: str, pull: Pull, wish: Wish, actor: Account) -> str:
    """Make the commit (or commits) that bring a pull request onto ``base``; answers the last one."""
    store = repository.store
    files = store.merged_files(base, pull.head_sha)
    if files is None:
        raise Refusal(405, "Pull Request is not mergeable")
    title = wish.title or f"{pull.title} (#{pull.number})"
    if wish.method == "merge":
        title = wish.title or f"Merge pull request #{pull.number} from {pull.head_owner}/{pull.head_ref}"
    text = f"{title}\n\n{wish.message or pull.title}"
    parents = (base, pull.head_sha) if wish.method == "merge" else (base,)
    if wish.method == "rebase":
        *earlier, last = store.between(base, pull.head_sha)
        for commit in earlier:
            base = store.commit(store.commits[base].files, (base,), commit.message, commit.author, commit.date).sha
        text, parents = last.message, (base,)
    return store.commit(files, parents, text, actor.login, world.clock.now()).sha


def merge_as_person(world: World, repository: Repository, pull: Pull, wish: Wish, actor: Account) -> tuple[int, Json]:
    """The green button: merges, or enqueues where a queue is required. Needs the right to write."""
    if not at_least(world, actor.login, repository, "write"):
        raise Refusal(403, f"{actor.login} may not merge in {repository.full_name}: write access is needed")
    verdict = check_ready(world, repository, pull, wish, actor, False)
    if verdict.queue is not None:
        entry = queue.join(world, repository, pull, actor)
        return 202, {"enqueued": True, "entry": entry.id, "message": "Pull Request added to the merge queue"}
    sha = merge(world, repository, pull, wish, actor)
    return 200, {"sha": sha, "merged": True, "message": "Pull Request successfully merged"}
