"""Rulesets: which rules hold for a branch, and what they say about merging into it.

Law: a required context that is pinned to an App counts only if that App posted it; what is pending or absent blocks as
much as what failed (FACTS §5).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any

from app.simulator.access import RANKS, role
from app.simulator.globs import matches
from app.simulator.model import Account, Pull, Repository, Ruleset, Status
from app.simulator.world import World

Json = dict[str, Any]

Pin = tuple[str, int | None]  # a required context in lower case, and the App that must set it

_ROLE_IDS = {2: "maintain", 4: "write", 5: "admin"}  # GitHub's numbers of the built-in repository roles


@dataclass
class Verdict:
    """What stands between a pull request and its base."""

    reasons: list[str] = field(default_factory=list)
    queue: Json | None = None
    methods: set[str] = field(default_factory=lambda: {"merge", "squash", "rebase"})
    behind: bool = False
    unstable: bool = False

    @property
    def blocked(self) -> bool:
        """Whether a rule is unsatisfied (a merge queue alone does not block)."""
        return bool(self.reasons)


def applies(rules: Ruleset, repository: Repository, branch: str) -> bool:
    """Whether a ruleset is in force for this branch."""
    if rules.enforcement != "active" or rules.target != "branch":
        return False
    if rules.repository_id not in (None, repository.id):
        return False
    if rules.repository_id is None and not _names_repository(rules, repository):
        return False
    names: Json = rules.conditions.get("ref_name") or {"include": ["~ALL"], "exclude": []}
    return _named(names.get("include", []), repository, branch) and not _named(
        names.get("exclude", []), repository, branch
    )


def _names_repository(rules: Ruleset, repository: Repository) -> bool:
    if rules.source.lower() != repository.owner.login.lower():
        return False
    by_id: Json = rules.conditions.get("repository_id") or {}
    if by_id:
        return repository.id in by_id.get("repository_ids", [])
    names: Json = rules.conditions.get("repository_name") or {"include": ["~ALL"]}

    def listed(patterns: list[str]) -> bool:
        return any(p == "~ALL" or fnmatchcase(repository.name.lower(), p.lower()) for p in patterns)

    return listed(names.get("include", [])) and not listed(names.get("exclude", []))


def _named(patterns: list[str], repository: Repository, branch: str) -> bool:
    for pattern in patterns:
        if pattern == "~ALL" or (pattern == "~DEFAULT_BRANCH" and branch == repository.default_branch):
            return True
        if matches(pattern.removeprefix("refs/heads/"), branch):
            return True
    return False


def in_force(world: World, repository: Repository, branch: str) -> list[tuple[Ruleset, Json]]:
    """Every rule that holds for the branch, with the set it comes from."""
    return [
        (rules, rule) for rules in world.rulesets.values() if applies(rules, repository, branch) for rule in rules.rules
    ]


def bypassed(world: World, rules: Ruleset, repository: Repository, actor: Account | None, by_app: bool) -> bool:
    """Whether the actor may pass this set; GitHub then lets the merge through without a word (FACTS §6)."""
    for entry in rules.bypass_actors:
        kind, number = entry.get("actor_type"), entry.get("actor_id")
        if kind == "Integration" and by_app and number == world.app.id:
            return True
        if actor is None or by_app:
            continue
        if kind == "User" and number == actor.id:
            return True
        owner_key = (actor.login.lower(), repository.owner.login.lower())
        if kind == "OrganizationAdmin" and world.grants.get(owner_key) == "admin":
            return True
        wanted = _ROLE_IDS.get(number or 0)
        if kind == "RepositoryRole" and wanted and RANKS.get(role(world, actor.login, repository), 0) >= RANKS[wanted]:
            return True
    return False


def is_seen(world: World, status: Status) -> bool:
    """Whether readers see this status by now (``lag.statuses``)."""
    return status.created_at <= world.clock.now() - timedelta(seconds=world.lag.statuses)


def latest_statuses(world: World, repository: Repository, sha: str, lagging: bool = True) -> list[Status]:
    """The latest status of each context (in any case of letters), youngest first."""
    latest: dict[str, Status] = {}
    for status in repository.statuses.get(sha, []):
        if not lagging or is_seen(world, status):
            latest.pop(status.context.lower(), None)
            latest[status.context.lower()] = status
    return list(reversed(latest.values()))


def check_states(
    world: World, repository: Repository, sha: str, context: str, app_id: int | None, lagging: bool
) -> list[str]:
    """What the status and the check run of this name say: ``success``, ``pending`` or ``failure`` each."""
    said: list[str] = []
    for status in latest_statuses(world, repository, sha, lagging):
        if status.context.lower() == context.lower() and app_id in (None, status.app_id):
            said.append("failure" if status.state == "error" else status.state)
    runs = [run for run in repository.checks.values() if run.head_sha == sha and run.name.lower() == context.lower()]
    for run in runs[-1:]:
        if app_id in (None, run.app_id):
            done = run.status == "completed"
            good = run.conclusion in ("success", "neutral", "skipped")
            said.append("pending" if not done else "success" if good else "failure")
    return said


def judge(
    world: World,
    repository: Repository,
    pull: Pull,
    sha: str,
    lagging: bool = False,
    actor: Account | None = None,
    by_app: bool = False,
) -> Verdict:
    """Hold the rules of the base branch against the commit ``sha`` of a pull request."""
    verdict = Verdict(methods=set(repository.methods))
    required: dict[Pin, str] = {}
    tip = repository.branches.get(pull.base_ref, "")
    for rules, rule in in_force(world, repository, pull.base_ref):
        if bypassed(world, rules, repository, actor, by_app):
            continue
        parameters: Json = rule.get("parameters") or {}
        if rule["type"] == "required_status_checks":
            for check in parameters["required_status_checks"]:
                required.setdefault((check["context"].lower(), check.get("integration_id")), check["context"])
            if parameters.get("strict_required_status_checks_policy") and tip:
                verdict.behind |= not repository.store.contains(sha, tip)
        elif rule["type"] == "pull_request":
            _judge_reviews(world, repository, pull, parameters, verdict)
        elif rule["type"] == "merge_queue":
            verdict.queue = parameters
        elif rule["type"] == "required_linear_history":
            verdict.methods.discard("merge")
    _judge_checks(world, repository, sha, required, lagging, verdict)
    return verdict


def _judge_checks(
    world: World, repository: Repository, sha: str, required: dict[Pin, str], lagging: bool, verdict: Verdict
) -> None:
    """Each pin of a context must hold, also where two rules pin the same one to different Apps."""
    states = {pin: check_states(world, repository, sha, *pin, lagging) for pin in required}
    open_checks = {
        pin: "expected" if not said else "failing" if "failure" in said else "pending"
        for pin, said in states.items()
        if not said or set(said) != {"success"}
    }
    if len(open_checks) == 1:
        pin, how = next(iter(open_checks.items()))
        verdict.reasons.append(f'Required status check "{required[pin]}" is {how}.')
    elif open_checks:
        kinds = [f"{list(open_checks.values()).count(how)} {how}" for how in dict.fromkeys(open_checks.values())]
        verdict.reasons.append(
            f"{len(open_checks)} of {len(required)} required status checks have not succeeded: {' and '.join(kinds)}."
        )
    known = {context for context, _ in required}
    verdict.unstable = any(
        status.state != "success" and status.context.lower() not in known
        for status in latest_statuses(world, repository, sha, lagging)
    )


def _judge_reviews(world: World, repository: Repository, pull: Pull, parameters: Json, verdict: Verdict) -> None:
    allowed = parameters.get("allowed_merge_methods")
    if allowed:
        verdict.methods &= set(allowed)
    latest = {review.user.login: review.state for review in pull.reviews if review.state != "COMMENTED"}
    able = [state for login, state in latest.items() if RANKS.get(role(world, login, repository), 0) >= RANKS["write"]]
    wanted = int(parameters.get("required_approving_review_count", 0))
    if able.count("APPROVED") < wanted:
        noun = "review is" if wanted == 1 else "reviews are"
        verdict.reasons.append(f"At least {wanted} approving {noun} required by reviewers with write access.")
    if "CHANGES_REQUESTED" in able and wanted:
        verdict.reasons.append("Changes were requested by a reviewer with write access.")
