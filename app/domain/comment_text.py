"""The comment on a member, worded: the verdict, what is waited for and by whom, the builds, the likely end.

Law: pure, and written for the readers of one repository: what they may not know is counted. Nothing that people wrote
means anything in it (``markdown``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.domain import messages
from app.domain.audience import may_name
from app.domain.build import Build, BuildState
from app.domain.change_set import ChangeSet, Kind
from app.domain.expected import Lengths, expected_end
from app.domain.explain import explain, names_for
from app.domain.explain_build import BARE, explain_build
from app.domain.explanation import Explanation, WaitsFor
from app.domain.facts import Repository
from app.domain.judge import policy
from app.domain.markdown import link, plain, quoted
from app.domain.mermaid import Step, flowchart
from app.domain.orchestration import Orchestration
from app.domain.verdict import VerdictState

MARKS: Mapping[str, str] = {
    "pending": "🟡",
    "success": "✅",
    "failure": "❌",
    "error": "⚠️",
    "waiting": "⏳",
    "dispatching": "⏳",
    "queued": "⏳",
    "running": "🟡",
    "passed": "✅",
    "failed": "❌",
    "timed_out": "❌",
    "cancelled": "🚫",
    "skipped": "⏭️",
    "stopped": "⏹️",
    "lost": "⚠️",
}
COMMANDS: Mapping[VerdictState, tuple[str, ...]] = {
    VerdictState.PENDING: ("cancel", "invalidate", "status"),
    VerdictState.SUCCESS: ("run --fresh", "invalidate"),
    VerdictState.FAILURE: ("retry", "run", "explain"),
    VerdictState.ERROR: ("retry", "run", "explain"),
}
LONGEST = 60_000
"""Characters; GitHub takes 65,536 of a comment, and counts what we do not see."""
MOST_NAMES = 20
"""So many names in one line; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Room:
    """What there is room for: the chart, so many builds, so many tries of each."""

    chart: bool
    rows: int
    tries: int


ROOMS = (Room(True, 100, 3), Room(False, 100, 1), Room(False, 30, 1), Room(False, 0, 1))


@dataclass(frozen=True, slots=True)
class Around:
    """What a comment says that the set does not hold. ``page``: the set's; ``web``: GitHub's address for people."""

    now: datetime
    page: str | None = None
    web: str = ""
    lengths: Lengths = field(default_factory=dict)
    orchestration_pages: str | None = None
    """What an orchestration's id is appended to."""


def marker(pipeline: str) -> str:
    """What nobody sees, by which the comment is found again if GitHub's answer to it was lost."""
    return f"<!-- lockstep comment {pipeline.encode().hex()} -->"


def comment_text(state: ChangeSet, audience: Repository, around: Around) -> str:
    """As whole as GitHub takes it: of a very large set first the graph is left out, then older tries, then builds."""
    text = ""
    for room in ROOMS:
        text = _comment_text(state, audience, around, room)
        if len(text) <= LONGEST:
            break
    return text


def _comment_text(state: ChangeSet, audience: Repository, around: Around, room: Room) -> str:
    why = explain(state, audience)
    current = state.orchestration
    shown = current if current is not None and current.revision == state.revision and current.builds else None
    parts = [
        _headline(state, why),
        _members(state, audience, around),
        _waits(why),
        _end(shown, around) if shown else "",
        _table(state, shown, audience, around, room) if shown else "",
        _chart(state, shown, audience) if shown and room.chart else "",
        _commands(state, why),
        _foot(around),
        marker(state.pipeline.name),
    ]
    return "\n\n".join(part for part in parts if part)


def parted_text(pipeline: str, how: str | None) -> str:
    """The last words on a pull request that is in no set of the pipeline any more. ``how``: merged or closed."""
    why = f"This pull request was {how}" if how else "This pull request belongs to no change set"
    return f"{why}: {quoted(pipeline)} builds nothing for it any more.\n\n{marker(pipeline)}"


def _headline(state: ChangeSet, why: Explanation) -> str:
    about = f"{quoted(state.title)} in {quoted(state.pipeline.name)}" if state.kind is not Kind.ALONE else ""
    said = f"{MARKS.get(why.state, '')} **{why.state.capitalize()}**: {plain(why.text)}"
    return f"{said}{f'<br>Change set {about}' if about else ''}"


def _members(state: ChangeSet, audience: Repository, around: Around) -> str:
    """The others: whoever reads this knows where they are."""
    others = [pull for pull in state.open_pulls if pull.repository_id != audience.id]
    named = [(place, pull) for pull in others if (place := may_name(state, pull.repository_id, audience))]
    links = [link(plain(f"{one.name}#{p.number}"), f"{around.web}/{one.full_name}/pull/{p.number}") for one, p in named]
    hidden = len(others) - len(named)
    if len(links) > MOST_NAMES:
        links = [*links[:MOST_NAMES], f"{len(links) - MOST_NAMES} more"]
    if hidden:
        links.append(f"{messages.counted(hidden, 'pull request')} elsewhere")
    return f"Together with {', '.join(links)}" if links else ""


def _waits(why: Explanation) -> str:
    """Who or what can end the wait, one line each; builds that wait for builds are told by the table."""
    leaves = [one for one in why.leaves() if one.waits_for is not None and one is not why]
    told = [one for one in leaves if one.waits_for is not WaitsFor.BUILD or one.state == "running"]
    lines = [_wait(one) for one in told[:10]]
    more = [f"- and {len(told) - 10} more"] if len(told) > 10 else []
    title = "Waiting for:" if why.state == VerdictState.PENDING else "Still going on:"
    return "\n".join([title, "", *dict.fromkeys(lines), *more]) if lines else ""


def _wait(leaf: Explanation) -> str:
    by = f"{quoted(leaf.build)}: " if leaf.build else ""
    return f"- {by}{plain(leaf.text)}{_until(leaf)}"


def _until(leaf: Explanation) -> str:
    """A limit's sentence names its moment; what a build waits for is given up then; the rest begins then."""
    if leaf.until is None or leaf.waits_for is WaitsFor.LIMIT:
        return ""
    given_up = leaf.state != VerdictState.PENDING
    return f" (until {clock(leaf.until)} at the most)" if given_up else f" (at {leaf.until:%H:%M:%S} UTC)"


def clock(moment: datetime) -> str:
    return f"{moment:%H:%M} UTC"


def _end(current: Orchestration, around: Around) -> str:
    end = expected_end(current, around.lengths, around.now)
    if end is None:
        return ""
    return f"Usually ends about {clock(end.median)}; nine times in ten by {clock(end.high)}."


def _table(state: ChangeSet, current: Orchestration, audience: Repository, around: Around, room: Room) -> str:
    named = names_for(state, audience)
    every = [build for build in current if named(build)]
    shown = [build for build in every if build.state is not BuildState.SKIPPED][: room.rows]
    rows = [_row(build, explain_build(current, build, named), around, room) for build in shown]
    skipped = [quoted(build.name) for build in every if build.state is BuildState.SKIPPED]
    hidden = len(current.builds) - len(shown) - len(skipped)
    if len(skipped) > MOST_NAMES:
        skipped = [*skipped[:MOST_NAMES], f"{len(skipped) - MOST_NAMES} more"]
    rows += [f"| {messages.counted(hidden, 'other build')} | | | |"] if hidden else []
    table = "\n".join(["| build | state | run | took |", "|---|---|---|--:|", *rows])
    why = f"{MARKS['skipped']} skipped, with neither pull request nor branch: {', '.join(skipped)}" if skipped else ""
    return "\n\n".join(part for part in (table, why) if part)


def _row(build: Build, why: Explanation, around: Around, room: Room) -> str:
    said = "" if why.text in BARE else f": {plain(why.text)}"
    state = f"{MARKS[why.state]} {why.state.replace('_', ' ')}{said}"
    return f"| {quoted(build.name)} | {state} | {', '.join(_runs(build, around, room.tries))} | {took(build)} |"


def _runs(build: Build, around: Around, tries: int) -> Iterator[str]:
    if build.reused is not None:
        pages = around.orchestration_pages
        whence = build.reused.orchestration_id
        yield f"reused from {link(quoted(whence), f'{pages}{whence}' if pages else None)}"
        yield link("its run", build.reused.url)
        return
    for attempt in build.attempts[-tries:]:
        if attempt.url:
            yield link(f"attempt {attempt.number}", attempt.url)


def took(build: Build) -> str:
    latest = build.latest
    if latest is None or latest.started_at is None or latest.finished_at is None:
        return ""
    return lasted(latest.finished_at - latest.started_at)


def lasted(span: timedelta) -> str:
    """``1 h 2 m`` · ``2 m 5 s`` · ``9 s``: two units at most."""
    seconds = max(int(span.total_seconds()), 0)
    hours, minutes, rest = seconds // 3600, seconds % 3600 // 60, seconds % 60
    if hours:
        return f"{hours} h {minutes} m"
    return f"{minutes} m {rest} s" if minutes else f"{rest} s"


def _chart(state: ChangeSet, current: Orchestration, audience: Repository) -> str:
    """What stands on what, as GitHub draws it; of one build there is nothing to draw."""
    named = names_for(state, audience)
    hidden = (build.name for build in current if not named(build))
    names = {name: f"another repository {number}" for number, name in enumerate(hidden, 1)}
    words = {build.name: explain_build(current, build, named).state for build in current}
    steps = [Step(names.get(one.name, one.name), one.state, took(one), words[one.name]) for one in current]
    needs = [(names.get(n, n), names.get(build.name, build.name)) for build in current for n in build.spec.needs]
    chart = flowchart(steps, needs) if len(steps) > 1 else None
    return f"```mermaid\n{chart}\n```" if chart else ""


def _commands(state: ChangeSet, why: Explanation) -> str:
    names = _helping(state, why)
    if not names:
        return ""
    return "Commands: " + " · ".join(f"`/orchestrate {name}`" for name in names)


def _helping(state: ChangeSet, why: Explanation) -> tuple[str, ...]:
    """Where something decides before any build, no build helps."""
    if why.state not in tuple(VerdictState) or policy(state) is not None:
        return ()
    begun = state.orchestration is not None and state.orchestration.frozen
    return COMMANDS[VerdictState(why.state)] if begun or why.state != VerdictState.PENDING else ("run", "status")


def _foot(around: Around) -> str:
    live = f", {link('live at the link', around.page)}" if around.page else ""
    return f"<sub>As of {clock(around.now)}{live}</sub>"
