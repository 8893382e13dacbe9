"""Every sentence that people read but the verdict's own (``descriptions``). Pure; each says what to do next where
somebody can do something.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from app.domain.audience import Audience, may_name
from app.domain.build import Build
from app.domain.change_set import ChangeSet
from app.domain.orchestration import OrchestrationState
from app.domain.pipeline import BuildSpec

LIMIT = 140
"""Characters that GitHub takes in a status description (FACTS §5)."""
LIVE = "; live at the link"
"""Of a status, whose link leads to the page that moves by itself."""


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


def approver(build: Build | None) -> str:
    """Who can let a run go on: those who write for ``action_required``, reviewers for ``waiting`` (FACTS §2)."""
    asked = build.latest.conclusion if build and build.latest else None
    return "someone with write access" if asked == "action_required" else "a reviewer of its environment"


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def elsewhere(number: int) -> str:
    """So many builds whose names may not be said."""
    return f"{counted(number, 'build')} in {'another repository' if number == 1 else 'other repositories'}"


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


def no_such_builds(state: ChangeSet, names: Sequence[str], specs: Sequence[BuildSpec], audience: Audience) -> str:
    shown = _named(state, specs, audience)
    return f"{state.title} has no such builds: {', '.join(names)}. Its builds: {shown or 'none'}."


def did_not_fail(state: ChangeSet, failed: Sequence[BuildSpec], audience: Audience) -> str:
    """Of what was to be tried again. ``failed``: what did."""
    if not failed:
        return f"Nothing of {state.title} has failed."
    return f"What was named has not failed. Of {state.title} failed: {_named(state, failed, audience)}."


def _named(state: ChangeSet, specs: Sequence[BuildSpec], audience: Audience) -> str:
    places = {spec.name: state.repository_of(spec) for spec in specs}
    seen = [n for n, place in places.items() if audience is None or (place and may_name(state, place.id, audience))]
    hidden = len(places) - len(seen)
    return ", ".join([*seen, *([elsewhere(hidden)] if hidden else [])])


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


def over(state: ChangeSet) -> str:
    """What becomes of a set without an open pull request."""
    return f"{state.title} is {state.state.value}: no verdict is wanted any more"


def to_be_read(state: ChangeSet) -> str:
    return f"Waiting for the repositories of {state.pipeline.name} to be read"


def in_queue(said: str) -> str:
    return f"In the merge queue: {said}"


def being_read(state: ChangeSet) -> str:
    return f"The repositories of {state.pipeline.name} are being read"


def next_read(state: ChangeSet, *, quiet: bool) -> str:
    """``quiet``: it is waited for that nothing changes any more."""
    when = "are read and built if nothing changes until then" if quiet else "are read next"
    return f"The repositories of {state.pipeline.name} {when}"


def unacknowledged(repository: str) -> str:
    return f"GitHub has not acknowledged yet what is said on a commit of {repository}"
