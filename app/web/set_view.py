"""A change set as its page shows it, for one reader: the answer, the picture, the builds, the members, the history.

Law: the reasons are ``explain``'s; nothing here words one of its own. What the reader may not know is counted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from markupsafe import Markup
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.audience import Audience, may_know_all, may_look, may_name
from app.domain.build import Build, BuildState
from app.domain.change_set import ChangeSet
from app.domain.comment_text import lasted
from app.domain.events import Trigger, TriggerKind
from app.domain.expected import ExpectedEnd, Length, Lengths, expected_end, length_for
from app.domain.explain import explain, names_for
from app.domain.explain_build import BARE, explain_build
from app.domain.explanation import Explanation, WaitsFor
from app.domain.facts import Branch, Pull, PullState
from app.domain.manifest import manifest, specs_of
from app.domain.orchestration import Orchestration
from app.domain.pipeline import BuildSpec
from app.jobs.configs import Configs
from app.jobs.loading import attached
from app.store import views
from app.store.change_sets import PEOPLES, load_unlocked
from app.store.results import usual_lengths
from app.web import dag
from app.web.set_actions import Action, actions_of
from app.web.timeline import BuildNamed, Moment, timeline

MOMENTS = 40
"""So many of the latest decisions are shown."""
UNKNOWN = ""
"""The commit of a build that no manifest names yet."""
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class RunLink:
    text: str
    url: str | None


@dataclass(frozen=True, slots=True)
class BuildLine:
    """A node of the DAG, and a line of the table. ``name`` None: the reader may not know it."""

    name: str | None
    repository: str | None
    needs: str
    sha: str | None
    state: str
    why: str
    started_at: datetime | None
    took: str
    usual: str
    runs: tuple[RunLink, ...]


@dataclass(frozen=True, slots=True)
class MemberLine:
    repository: str | None
    number: int | None
    branch: str
    sha: str
    draft: bool
    state: str
    """Of its pull request; ``branch`` where it has none."""
    verdict: str | None


@dataclass(frozen=True, slots=True)
class SetPage:
    state: ChangeSet
    why: Explanation
    waits: tuple[Explanation, ...]
    """The leaves that wait for something, each once."""
    orchestration: Orchestration | None
    picture: Markup
    builds: tuple[BuildLine, ...]
    hidden: int
    """So many builds are in repositories that the reader may not know."""
    members: tuple[MemberLine, ...]
    end: ExpectedEnd | None
    moments: Sequence[Moment]
    actions: tuple[Action, ...]
    manifest: str | None
    """As JSON, of the builds that the reader may know."""


async def load_state(
    connection: AsyncConnection, configs: Configs, set_id: str, audience: Audience
) -> ChangeSet | None:
    """The set as it is, where this audience may look at it at all."""
    locked = await load_unlocked(connection, set_id)
    if locked is None or locked.address.kind.value not in PEOPLES:
        return None
    state = await attached(connection, configs, locked)
    return state if may_look(state, audience) else None


async def set_page(
    connection: AsyncConnection, state: ChangeSet, audience: Audience, now: datetime, *, past: bool
) -> SetPage:
    """``past``: whether former verdicts may be told, whatever they name."""
    current, shown = state.orchestration, drawn(state)
    places = {(b.repository_id, b.spec.workflow) for b in current or () if b.repository_id is not None}
    lengths = await usual_lengths(connection, places)
    why = explain(state, audience)
    history = await views.list_history(connection, MOMENTS, None, set_id=state.id)
    return SetPage(
        state=state,
        why=why,
        waits=tuple(waits_of(why)),
        orchestration=current,
        picture=_picture(state, shown, audience, lengths, now),
        builds=_lines(state, shown, audience, lengths),
        hidden=sum(not names_for(state, audience)(build) for build in shown),
        members=tuple(_members(state, audience)),
        end=expected_end(current, lengths, now) if current and current.revision == state.revision else None,
        moments=timeline(
            history,
            lambda one: _full_name(state, one, audience),
            _build_named(state, audience),
            whole=past and may_know_all(state, audience),
        ),
        actions=tuple(actions_of(state)),
        manifest=_manifest(current, state, audience) if current is not None and current.frozen else None,
    )


def _manifest(current: Orchestration, state: ChangeSet, audience: Audience) -> str:
    named = names_for(state, audience)
    shown = tuple(build for build in current if named(build))
    return json.dumps(manifest(current, shown, state.pipeline.owner), indent=2)


def waits_of(why: Explanation) -> Iterator[Explanation]:
    """What is waited for; builds that wait for other builds are told by the graph."""
    for one in dict.fromkeys(why.leaves()):
        of_builds = one.waits_for is WaitsFor.BUILD and one.state != BuildState.RUNNING
        if one.waits_for is not None and one is not why and not of_builds:
            yield one


def drawn(state: ChangeSet) -> Orchestration:
    """What is built, or what would be as the config stands, so that the graph is there from the beginning."""
    current = state.orchestration
    if current is not None and current.builds:
        return current
    builds = tuple(Build(spec, _place(state, spec), sha=UNKNOWN) for spec in specs_of(state))
    blank = current or Orchestration("", Trigger(TriggerKind.CHANGE), NEVER, state.revision)
    return replace(blank, pipeline=state.pipeline, builds=builds)


def _place(state: ChangeSet, spec: BuildSpec) -> int | None:
    found = state.repository_of(spec)
    return found.id if found else None


def _full_name(state: ChangeSet, repository_id: int, audience: Audience) -> str | None:
    found = may_name(state, repository_id, audience)
    return found.full_name if found else (f"repository {repository_id}" if audience is None else None)


def _build_named(state: ChangeSet, audience: Audience) -> BuildNamed:
    named, current = names_for(state, audience), state.orchestration
    shown = {build.name for build in current or () if named(build)}
    return lambda name: audience is None or name in shown


def _lines(state: ChangeSet, current: Orchestration, audience: Audience, lengths: Lengths) -> tuple[BuildLine, ...]:
    named = names_for(state, audience)
    titles = _titles(current, state, audience)
    return tuple(_line(state, current, build, titles, audience, lengths) for build in current if named(build))


def _titles(current: Orchestration, state: ChangeSet, audience: Audience) -> dict[str, str]:
    """What each build is called here, unlike any other."""
    named = names_for(state, audience)
    hidden = (build.name for build in current if not named(build))
    others = {name: f"another repository {number}" for number, name in enumerate(hidden, 1)}
    return {build.name: others.get(build.name, build.name) for build in current}


def _line(
    state: ChangeSet,
    current: Orchestration,
    build: Build,
    titles: dict[str, str],
    audience: Audience,
    lengths: Lengths,
) -> BuildLine:
    why, length = explain_build(current, build, names_for(state, audience)), length_for(build, lengths)
    place = may_name(state, build.repository_id, audience)
    latest = build.latest
    return BuildLine(
        name=build.name,
        repository=place.full_name if place else None,
        needs=", ".join(titles[need] for need in build.spec.needs),
        sha=build.sha if build.sha != UNKNOWN else None,
        state=why.state,
        why=_words(build, why),
        started_at=latest.started_at if latest and latest.finished_at is None else None,
        took=_took(build),
        usual=lasted(timedelta(seconds=length.median)) if length else "",
        runs=_runs(build),
    )


def _words(build: Build, why: Explanation) -> str:
    if build.sha == UNKNOWN or why.text in BARE:
        return ""
    return "neither pull request nor branch" if build.state is BuildState.SKIPPED else why.text


def _took(build: Build) -> str:
    latest = build.latest
    if latest is None or latest.started_at is None or latest.finished_at is None:
        return ""
    return lasted(latest.finished_at - latest.started_at)


def _runs(build: Build) -> tuple[RunLink, ...]:
    if build.reused is not None:
        whence = build.reused.orchestration_id
        return RunLink(f"reused from {whence}", f"/orchestrations/{whence}"), RunLink("its run", build.reused.url)
    return tuple(RunLink(f"attempt {one.number}", one.url) for one in build.attempts)


def _picture(state: ChangeSet, current: Orchestration, audience: Audience, lengths: Lengths, now: datetime) -> Markup:
    named, titles = names_for(state, audience), _titles(current, state, audience)
    nodes = []
    for build in current:
        if build.sha == UNKNOWN:
            nodes.append(dag.Node(titles[build.name], build.state))
            continue
        why = explain_build(current, build, named)
        length = length_for(build, lengths)
        detail, share = progress(build, length, now)
        node = dag.Node(titles[build.name], build.state, why.text, why.url, detail, share, word=why.state)
        nodes.append(replace(node, since=_runs_since(build), usual=length.median if length else None))
    needs = [(titles[need], titles[build.name]) for build in current for need in build.spec.needs]
    return dag.draw(nodes, needs)


def _runs_since(build: Build) -> datetime | None:
    latest = build.latest
    return latest.started_at if latest is not None and latest.finished_at is None else None


def progress(build: Build, length: Length | None, now: datetime) -> tuple[str, float | None]:
    """How long it took, or takes against what is usual."""
    latest = build.latest
    if latest is None or latest.started_at is None or latest.finished_at is not None:
        return _took(build), None
    gone = now - latest.started_at
    if length is None:
        return lasted(gone), None
    usual = lasted(timedelta(seconds=length.median))
    return f"{lasted(gone)} of about {usual}", gone.total_seconds() / max(length.median, 1.0)


def _members(state: ChangeSet, audience: Audience) -> Iterator[MemberLine]:
    for repository_id in state.concerned:
        name = _full_name(state, repository_id, audience)
        merged = [p for p in state.pulls if p.repository_id == repository_id and p.state is PullState.MERGED]
        for part in state.members(repository_id) or merged:
            yield _member(state, name, part)


def _member(state: ChangeSet, name: str | None, part: Pull | Branch) -> MemberLine:
    if isinstance(part, Branch):
        return MemberLine(name, None, part.branch, part.head, draft=False, state="branch", verdict=None)
    said = next((one.verdict.state.value for one in state.said if one.at == (part.repository_id, part.head)), None)
    return MemberLine(name, part.number, part.branch, part.head, part.draft, part.state.value, said)
