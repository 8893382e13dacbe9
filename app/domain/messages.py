"""Every sentence that people read of a verdict. Pure; each says what to do next where somebody can do something.

Law: at most 140 characters (GitHub refuses more, FACTS §5), and nobody's repository is named where more people may
look than may look there (CONTRACT §4).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from app.domain.build import Build, BuildState
from app.domain.change_set import ChangeSet
from app.domain.facts import Repository, Visibility
from app.domain.orchestration import OrchestrationState
from app.domain.pipeline import BuildSpec
from app.domain.reasons import Reason, Why

LIMIT = 140
CONFIG_BROKEN = " (the config file is broken: its last good version is in force)"


def describe(reason: Reason, state: ChangeSet, audience: Repository | None) -> str:
    """The status description for a pull request of ``audience``; None stands for a reader who may see everything."""
    said = _SENTENCES[reason.why](reason, state, audience)
    hint = CONFIG_BROKEN if state.config_broken and len(said + CONFIG_BROKEN) <= LIMIT else ""
    return shortened(said + hint)


def shortened(text: str, limit: int = LIMIT) -> str:
    """Cut at ``limit`` characters, with an ellipsis, and without control characters."""
    clean = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return clean if len(clean) <= limit else clean[: limit - 1].rstrip() + "…"


def duration(value: timedelta) -> str:
    """``90 s`` · ``10 m`` · ``2 h``: the largest unit that says it exactly."""
    seconds = int(value.total_seconds())
    for size, unit in ((3600, "h"), (60, "m")):
        if seconds and seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def may_name(state: ChangeSet, repository_id: int | None, audience: Repository | None) -> Repository | None:
    """The repository, where a reader of ``audience`` may learn its name."""
    repository = state.repository_by_id(repository_id) if repository_id is not None else None
    if repository is None or audience is None or repository.id == audience.id:
        return repository
    return repository if audience.visibility.width <= repository.visibility.width else None


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _built(state: ChangeSet) -> int:
    builds = state.orchestration.builds if state.orchestration else ()
    return sum(build.state is not BuildState.SKIPPED for build in builds)


def _settling(reason: Reason, state: ChangeSet, audience: Repository | None) -> str:
    return f"Waiting for {state.title} to be quiet for {duration(state.pipeline.settle)}"


def _on_command(reason: Reason, state: ChangeSet, audience: Repository | None) -> str:
    return "Comment /orchestrate to build"


def _github(reason: Reason, state: ChangeSet, audience: Repository | None) -> str:
    return f"Waiting for GitHub: {_public(reason, state, audience)}"


def _limit(reason: Reason, state: ChangeSet, audience: Repository | None) -> str:
    assert reason.until is not None
    return rate_limit(reason.until)


def _building(reason: Reason, state: ChangeSet, audience: Repository | None) -> str:
    return f"Building {state.title} ({_counted(_built(state), 'build')}); live at the link"


def _approval(reason: Reason, state: ChangeSet, audience: Repository | None) -> str:
    name = _build_name(reason, state, audience)
    return f"{name} waits for {approver(_build(reason, state))} to approve its run on GitHub; the link leads to it"


def approver(build: Build | None) -> str:
    """Who can let a run go on: those who write for ``action_required``, reviewers for ``waiting`` (FACTS §2)."""
    asked = build.latest.conclusion if build and build.latest else None
    return "someone with write access" if asked == "action_required" else "a reviewer of its environment"


def _passed(reason: Reason, state: ChangeSet, audience: Repository | None) -> str:
    failed = [build for build in state.orchestration or () if build.failed]
    said = f"{_counted(_built(state) - len(failed), 'build')} passed"
    spared = _spared(failed, state, audience)
    siblings = [pull for pull in state.open_pulls if audience is None or pull.repository_id != audience.id]
    named = [(may_name(state, pull.repository_id, audience), pull.number) for pull in siblings]
    names = [f"{repository.name}#{number}" for repository, number in named if repository]
    hidden = len(named) - len(names)
    return said + _with(names, hidden, LIMIT - len(said) - len(spared)) + spared


def _spared(failed: Sequence[Build], state: ChangeSet, audience: Repository | None) -> str:
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
        parts += [f"{rest} more" if shown else _counted(rest, "other pull request")] if rest else []
        text = f" with {' and '.join(parts)}" if parts else ""
        if len(text) <= room:
            return text
    return ""


def _policy_pass(reason: Reason, state: ChangeSet, audience: Repository | None) -> str:
    return "Passed unbuilt: of no change set, and the config lets such pull requests pass"


def _policy_block(reason: Reason, state: ChangeSet, audience: Repository | None) -> str:
    return f"Blocked: the branch name fits no change set of {state.pipeline.name}. Rename the branch"


def _build_failed(reason: Reason, state: ChangeSet, audience: Repository | None) -> str:
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


def _cancelled(reason: Reason, state: ChangeSet, audience: Repository | None) -> str:
    return f"Cancelled by {reason.text}. Comment /orchestrate to build"


def _fork(reason: Reason, state: ChangeSet, audience: Repository | None) -> str:
    return "Blocked: it comes from a fork. Someone with write access reviews it and comments /orchestrate adopt SHA"


def _unconfigured(reason: Reason, state: ChangeSet, audience: Repository | None) -> str:
    gone = not state.pipeline.builds
    name = state.pipeline.name
    what = f"The config has no {name} any more" if gone else f"{name} no longer builds {_own_name(audience)}"
    return f"{what}. Put it back, or take {state.pipeline.status} out of the rulesets"


def _own_name(audience: Repository | None) -> str:
    return audience.name if audience else "this repository"


def _crowded(reason: Reason, state: ChangeSet, audience: Repository | None) -> str:
    repository = may_name(state, reason.repository_id, audience)
    where = f"{repository.name} ({reason.text})" if repository else "a repository"
    return f"Two parts of {state.title} in {where}: close one, or retarget it"


def _unreadable(reason: Reason, state: ChangeSet, audience: Repository | None) -> str:
    return _public(reason, state, audience)


def _mute(reason: Reason, state: ChangeSet, audience: Repository | None) -> str:
    repository = may_name(state, reason.repository_id, audience)
    return f"Lockstep cannot set its status in {repository.name if repository else 'a member'}: {reason.text}"


def _refused(reason: Reason, state: ChangeSet, audience: Repository | None) -> str:
    name = _build_name(reason, state, audience)
    if not may_name(state, reason.repository_id, audience):
        return f"{name} was not started. Its own page says why"
    said, again = f"{name} was not started: {reason.text}", ". Mend that, then comment /orchestrate retry"
    return said + again if len(said + again) <= LIMIT and "/orchestrate" not in said else said


def _lost(reason: Reason, state: ChangeSet, audience: Repository | None) -> str:
    return f"{_build_name(reason, state, audience)}: GitHub never showed the run. Comment /orchestrate retry"


def _restless(reason: Reason, state: ChangeSet, audience: Repository | None) -> str:
    return "A branch moves faster than its build starts. Comment /orchestrate when it is quiet"


def _impossible(reason: Reason, state: ChangeSet, audience: Repository | None) -> str:
    return _public(reason, state, audience)


def _ungrounded(reason: Reason, state: ChangeSet, audience: Repository | None) -> str:
    return "Waiting for GitHub to tell of the merge group that this one is built upon"


def _left(reason: Reason, state: ChangeSet, audience: Repository | None) -> str:
    return f"No longer a head of {state.title}; what passed here has been withdrawn"


def _build(reason: Reason, state: ChangeSet) -> Build | None:
    builds = state.orchestration.builds if state.orchestration else ()
    return next((build for build in builds if build.name == reason.build), None)


def _build_name(reason: Reason, state: ChangeSet, audience: Repository | None) -> str:
    shown = may_name(state, reason.repository_id, audience)
    return reason.build if shown and reason.build else "A build in another repository"


def _public(reason: Reason, state: ChangeSet, audience: Repository | None) -> str:
    """A reason's own text may name a repository: said whole only where every name of the pipeline may be said."""
    text = reason.text or "it could not be told why"
    if audience is None or audience.visibility is Visibility.PRIVATE:
        return text
    unseen = state.pipeline.repositories - state.repositories.keys()
    narrower = (one for one in state.repositories.values() if one.visibility.width < audience.visibility.width)
    hidden = bool(unseen) or any(narrower)
    return "A repository of the pipeline cannot be read. The link says which, and why" if hidden else text


_SENTENCES = {
    Why.SETTLING: _settling,
    Why.ON_COMMAND: _on_command,
    Why.GITHUB: _github,
    Why.LIMIT: _limit,
    Why.BUILDING: _building,
    Why.APPROVAL: _approval,
    Why.UNGROUNDED: _ungrounded,
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


def unseen(name: str) -> str:
    """Why a repository that the config names cannot be read."""
    return f"Lockstep cannot see {name}. Install the App there or take it out of the pipeline"


def archived(name: str) -> str:
    return f"{name} is archived. Unarchive it or take it out of the pipeline"


def not_started(limit: timedelta) -> str:
    return f"did not start within {duration(limit)}"


def not_finished(limit: timedelta) -> str:
    return f"did not end within {duration(limit)}"


RUN_GONE = "has no run any more: somebody deleted it"


def nowhere(branch: str, pipeline: str) -> str:
    return f"No repository of {pipeline} has a branch {branch}"


def renamed(name: str) -> str:
    """On a status context that the config has given up."""
    return shortened(f"This status is now called {name}. Require that one in the rulesets")


def restless(branch: str) -> str:
    return f"{branch} moves faster than its builds start. Run it again when it is quiet"


def unseen_target(name: str) -> str:
    """Why a repository of a fleet cannot begin, as those below."""
    return f"Lockstep cannot see {name}. Install the App there or take it out of the fleet"


def not_looked_for(name: str) -> str:
    return f"{name} is not what the fleet looks for"


def none_looked_for(fleet: str, names: Sequence[str]) -> str:
    return f"none of what was asked for is what {fleet} looks for: {', '.join(names)}"


def archived_target(name: str) -> str:
    return f"{name} is archived, so nothing can run there"


def disabled_target(name: str) -> str:
    return f"{name} is disabled by GitHub. Its owner has to ask GitHub why"


def no_ref(name: str, ref: str | None) -> str:
    """``ref`` None: not even a default branch."""
    if ref is None:
        return f"{name} has no commit yet. Push one or take it out of the fleet"
    return f"{name} has no branch or tag {ref}. Make it or name another one in the fleet"


def no_workflow(name: str, workflow: str, ref: str) -> str:
    return f"{name} has no .github/workflows/{workflow} on {ref}. Add it there or take {name} out of the fleet"


def nothing_to_cancel(what: str, state: OrchestrationState) -> str:
    """Why nothing comes of what somebody asks for, as those below; ``state`` is that of what is over."""
    how = {OrchestrationState.SUPERSEDED: "was superseded", OrchestrationState.ERROR: "met an error"}
    return f"{what} is over: it {how.get(state, state.value)}. Nothing is left to cancel."


def nothing_open(state: ChangeSet) -> str:
    return f"{state.title} is {state.state.value}: there is nothing to build, and no verdict to withdraw."


def cannot_be_built(why: str) -> str:
    return f"Nothing can be built: {why}"


def nothing_to_retry(what: str) -> str:
    return f"{what} passed: nothing of it failed. Run it with fresh to build it anew."


def no_such_builds(
    state: ChangeSet, names: Sequence[str], specs: Sequence[BuildSpec], audience: Repository | None
) -> str:
    places = {spec.name: state.repository_of(spec) for spec in specs}
    seen = [n for n, place in places.items() if audience is None or (place and may_name(state, place.id, audience))]
    hidden = len(places) - len(seen)
    shown = ", ".join([*seen, *([f"{_counted(hidden, 'build')} in other repositories"] if hidden else [])])
    return f"{state.title} has no such builds: {', '.join(names)}. Its builds: {shown or 'none'}."


def no_such_key(pipeline: str, key: str) -> str:
    return f'No open change set of {pipeline} has the key {key}. "branch" builds a branch of no set.'


def sentence(words: str) -> str:
    """``words``, which may stand within another sentence, as one of their own."""
    return f"{words[:1].upper()}{words[1:]}."


def no_such_targets(fleet: str, names: Sequence[str]) -> str:
    """What was asked for is not, or not any more, among the fleet's repositories."""
    return f"the fleet {fleet} has none of these repositories: {', '.join(names)}"


def never_ended(fleet: str) -> str:
    return f"the fleet {fleet} has no run that has ended, so nothing of it failed"


def nothing_failed(fleet: str, run: str) -> str:
    return f"nothing failed in {run}, the last run of {fleet}"


def busy(fleet: str, run: str) -> str:
    return f"the fleet {fleet} is running: {run}. Its overlap is skip; cancel that run or wait for its end"


def empty_fleet(fleet: str) -> str:
    return f"no repository that Lockstep can see is what {fleet} looks for"


def not_served(owner: str) -> str:
    return f"the App is not installed for {owner}, or suspended there"


def halted_by(target: str) -> str:
    """Why a fleet's run begins nothing more, as the one below."""
    return f"{target} failed"


def not_begun(why: str) -> str:
    return f"Not started: {why}"


def too_many_failed(failed: int, tried: int) -> str:
    return f"{failed} of {tried} failed"


def too_long_inputs(build: str, length: int, limit: int) -> str:
    return (
        f"the inputs of {build} have {length:,} characters, GitHub takes {limit:,}. Pass fewer or use {{manifest.url}}"
    )


def rate_limit(until: datetime) -> str:
    """Why something waits; the minute is the one after which it goes on."""
    return f"Waiting for GitHub's rate limit until {until + timedelta(seconds=59, microseconds=999_999):%H:%M} UTC"


CONFIG_CHANGED = "the config has changed while the repositories were read"


def stale_read(name: str) -> str:
    return f"it still shows an older state of {name} than it told us of"
