"""What a verdict says: the sentence for each reason. Pure; each says what to do next where somebody can do something.

Law: at most 140 characters (GitHub refuses more, FACTS §5), and nobody's repository is named where more people may
look than may look there (CONTRACT §4).
"""

from __future__ import annotations

from collections.abc import Sequence

from app.domain import messages
from app.domain.audience import Audience, may_know_all, may_name
from app.domain.build import Build, BuildState
from app.domain.change_set import ChangeSet
from app.domain.facts import Repository
from app.domain.reasons import Reason, Why

CONFIG_BROKEN = " (the config file is broken: its last good version is in force)"


def describe(reason: Reason, state: ChangeSet, audience: Audience) -> str:
    """The status description as ``audience`` may read it."""
    said = _SENTENCES[reason.why](reason, state, audience)
    hint = CONFIG_BROKEN if state.config_broken and len(said + CONFIG_BROKEN) <= messages.LIMIT else ""
    return messages.shortened(said + hint)


def _built(state: ChangeSet) -> int:
    builds = state.orchestration.builds if state.orchestration else ()
    return sum(build.state is not BuildState.SKIPPED for build in builds)


def _settling(reason: Reason, state: ChangeSet, audience: Audience) -> str:
    return f"Waiting for {state.title} to be quiet for {messages.duration(state.pipeline.settle)}"


def _on_command(reason: Reason, state: ChangeSet, audience: Audience) -> str:
    return "Comment /orchestrate to build"


def _github(reason: Reason, state: ChangeSet, audience: Audience) -> str:
    return f"Waiting for GitHub: {_public(reason, state, audience)}"


def _limit(reason: Reason, state: ChangeSet, audience: Audience) -> str:
    assert reason.until is not None
    return messages.rate_limit(reason.until)


def _building(reason: Reason, state: ChangeSet, audience: Audience) -> str:
    return f"Building {state.title} ({messages.counted(_built(state), 'build')}){messages.LIVE}"


def _approval(reason: Reason, state: ChangeSet, audience: Audience) -> str:
    name = _build_name(reason, state, audience)
    who = messages.approver(_build(reason, state))
    return f"{name} waits for {who} to approve its run on GitHub; the link leads to it"


def _passed(reason: Reason, state: ChangeSet, audience: Audience) -> str:
    failed = [build for build in state.orchestration or () if build.failed]
    said = f"{messages.counted(_built(state) - len(failed), 'build')} passed"
    spared = _spared(failed, state, audience)
    here = audience.id if isinstance(audience, Repository) else None
    siblings = [pull for pull in state.open_pulls if pull.repository_id != here]
    named = [(may_name(state, pull.repository_id, audience), pull.number) for pull in siblings]
    names = [f"{repository.name}#{number}" for repository, number in named if repository]
    hidden = len(named) - len(names)
    return said + _with(names, hidden, messages.LIMIT - len(said) - len(spared)) + spared


def _spared(failed: Sequence[Build], state: ChangeSet, audience: Audience) -> str:
    """What failed and may: ``; repoD failed, which is not required``."""
    if not failed:
        return ""
    shown = len(failed) == 1 and may_name(state, failed[0].repository_id, audience)
    return f"; {failed[0].name if shown else len(failed)} failed, which is not required"


def _with(names: list[str], hidden: int, room: int) -> str:
    """`` with a#1, b#2 and 3 more`` in at most ``room`` characters."""
    for shown in range(len(names), -1, -1):
        rest = hidden + len(names) - shown
        parts = [", ".join(names[:shown])] if shown else []
        parts += [f"{rest} more" if shown else messages.counted(rest, "other pull request")] if rest else []
        text = f" with {' and '.join(parts)}" if parts else ""
        if len(text) <= room:
            return text
    return ""


def _policy_pass(reason: Reason, state: ChangeSet, audience: Audience) -> str:
    return "Passed unbuilt: of no change set, and the config lets such pull requests pass"


def _policy_block(reason: Reason, state: ChangeSet, audience: Audience) -> str:
    return f"Blocked: the branch name fits no change set of {state.pipeline.name}. Rename the branch"


def _build_failed(reason: Reason, state: ChangeSet, audience: Audience) -> str:
    build = _build(reason, state)
    name = _build_name(reason, state, audience)
    workflow = f": {build.spec.workflow}" if build and may_name(state, build.repository_id, audience) else ""
    return f"{name} {_how(build)}{workflow}. Push a fix or comment /orchestrate retry"


def _how(build: Build | None) -> str:
    latest = build.latest if build else None
    if build is None or latest is None:
        return "failed"
    if latest.overdue:
        return latest.overdue
    return {"skipped": "ran no job", "cancelled": "was cancelled"}.get(latest.conclusion or "", "failed")


def _cancelled(reason: Reason, state: ChangeSet, audience: Audience) -> str:
    return f"Cancelled by {reason.text}. Comment /orchestrate to build"


def _fork(reason: Reason, state: ChangeSet, audience: Audience) -> str:
    return "Blocked: it comes from a fork. Someone with write access reviews it and comments /orchestrate adopt SHA"


def _unconfigured(reason: Reason, state: ChangeSet, audience: Audience) -> str:
    gone = not state.pipeline.builds
    name = state.pipeline.name
    what = f"The config has no {name} any more" if gone else f"{name} no longer builds {_own_name(audience)}"
    return f"{what}. Put it back, or take {state.pipeline.status} out of the rulesets"


def _own_name(audience: Audience) -> str:
    return audience.name if isinstance(audience, Repository) else "this repository"


def _crowded(reason: Reason, state: ChangeSet, audience: Audience) -> str:
    repository = may_name(state, reason.repository_id, audience)
    where = f"{repository.name} ({reason.text})" if repository else "a repository"
    return f"Two parts of {state.title} in {where}: close one, or retarget it"


def _unreadable(reason: Reason, state: ChangeSet, audience: Audience) -> str:
    return _public(reason, state, audience)


def _mute(reason: Reason, state: ChangeSet, audience: Audience) -> str:
    repository = may_name(state, reason.repository_id, audience)
    if repository is None and not may_know_all(state, audience):
        return "Lockstep cannot set its status in a member. Its own page says why"
    return f"Lockstep cannot set its status in {repository.name if repository else 'a member'}: {reason.text}"


def _refused(reason: Reason, state: ChangeSet, audience: Audience) -> str:
    name = _build_name(reason, state, audience)
    if not may_name(state, reason.repository_id, audience):
        return f"{name} was not started. Its own page says why"
    said, again = f"{name} was not started: {reason.text}", ". Mend that, then comment /orchestrate retry"
    return said + again if len(said + again) <= messages.LIMIT and "/orchestrate" not in said else said


def _lost(reason: Reason, state: ChangeSet, audience: Audience) -> str:
    return f"{_build_name(reason, state, audience)}: GitHub never showed the run. Comment /orchestrate retry"


def _restless(reason: Reason, state: ChangeSet, audience: Audience) -> str:
    return "A branch moves faster than its build starts. Comment /orchestrate when it is quiet"


def _impossible(reason: Reason, state: ChangeSet, audience: Audience) -> str:
    return _public(reason, state, audience)


def _ungrounded(reason: Reason, state: ChangeSet, audience: Audience) -> str:
    return "Waiting for GitHub to tell of the merge group that this one is built upon"


def _unread(reason: Reason, state: ChangeSet, audience: Audience) -> str:
    return f"{messages.counted(_built(state), 'build')} passed; reading once more before the merge group may pass"


def _left(reason: Reason, state: ChangeSet, audience: Audience) -> str:
    return f"No longer a head of {state.title}; what passed here has been withdrawn"


def _build(reason: Reason, state: ChangeSet) -> Build | None:
    builds = state.orchestration.builds if state.orchestration else ()
    return next((build for build in builds if build.name == reason.build), None)


def _build_name(reason: Reason, state: ChangeSet, audience: Audience) -> str:
    shown = may_name(state, reason.repository_id, audience)
    return reason.build if shown and reason.build else "A build in another repository"


def _public(reason: Reason, state: ChangeSet, audience: Audience) -> str:
    """A reason's own text may name a repository: said whole only where every name of the pipeline may be said."""
    if may_know_all(state, audience):
        return reason.text or "it could not be told why"
    whom = "The link says which, and why" if isinstance(audience, Repository) else "Ask somebody who may read it"
    return f"A repository of the pipeline cannot be read. {whom}"


_SENTENCES = {
    Why.SETTLING: _settling,
    Why.ON_COMMAND: _on_command,
    Why.GITHUB: _github,
    Why.LIMIT: _limit,
    Why.BUILDING: _building,
    Why.APPROVAL: _approval,
    Why.UNGROUNDED: _ungrounded,
    Why.UNREAD: _unread,
    Why.PASSED: _passed,
    Why.POLICY_PASS: _policy_pass,
    Why.POLICY_BLOCK: _policy_block,
    Why.BUILD_FAILED: _build_failed,
    Why.CANCELLED: _cancelled,
    Why.FORK: _fork,
    Why.UNCONFIGURED: _unconfigured,
    Why.CROWDED: _crowded,
    Why.UNREADABLE: _unreadable,
    Why.MUTE: _mute,
    Why.REFUSED: _refused,
    Why.LOST: _lost,
    Why.RESTLESS: _restless,
    Why.IMPOSSIBLE: _impossible,
    Why.LEFT: _left,
}
