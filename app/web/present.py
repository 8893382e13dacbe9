"""Views become the JSON of the API. Pure but for the look-up of repositories' names."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.attempt import Attempt
from app.domain.build import Build
from app.domain.change_set import Kind
from app.domain.explain_build import BARE, explain_build
from app.domain.explanation import Explanation
from app.domain.facts import Branch, Pull, PullState
from app.domain.fleet import FleetRun, States, Target, came_to, run_state, why_not
from app.domain.fleet_summary import summary
from app.domain.manifest import manifest as manifest_of
from app.domain.orchestration import Orchestration
from app.domain.verdict import VerdictState
from app.jobs.fleets import passed_before
from app.store.fleets import runs_before, target_orchestrations
from app.store.views import OrchestrationView, SetView, repository_names, spelt_owners
from app.web import shapes
from app.web.context import WebContext
from app.web.inputs import SetStateName

Names = Mapping[int, str]
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](?::[0-9]{1,5})?")


def base_url(web: WebContext, request: Request) -> str:
    """Where the caller reaches us: the public address, else the one it used, if that is one."""
    if web.settings.public_url:
        return web.settings.public_url
    host = request.headers.get("host", "")
    return f"{request.scope['scheme']}://{host}" if _HOST.fullmatch(host) else ""


async def orchestration(
    connection: AsyncConnection, view: OrchestrationView, base: str, seen: Collection[int] | None = None
) -> shapes.Orchestration:
    """``seen``: ids of the repositories that may be named, the others' builds are left out; None: all."""
    one = view.orchestration
    named = {build.name for build in one if seen is None or build.repository_id in seen}
    names = await repository_names(connection, (build.repository_id for build in one if build.repository_id))
    owner = await _spelt(connection, view.owner)
    return shapes.Orchestration(
        id=one.id,
        kind="branch" if view.set_kind is Kind.BRANCH else "change_set",
        owner=owner,
        pipeline=view.pipeline,
        fleet=None,
        change_set_id=None if view.set_kind is Kind.BRANCH else view.set_id,
        state=one.state,
        trigger=shapes.Trigger(kind=one.trigger.kind.value, actor=one.trigger.actor),
        created_at=one.created_at,
        finished_at=one.finished_at,
        url=f"{base}/orchestrations/{one.id}",
        manifest_url=f"{base}/api/v1/orchestrations/{one.id}/manifest",
        reason=one.problem if len(named) == len(one.builds) else None,
        builds=[_build(build, one, owner, names, named) for build in one if build.name in named],
        summary=None,
    )


async def fleet_run(
    connection: AsyncConnection, run: FleetRun, base: str, seen: Collection[int] | None = None
) -> shapes.Orchestration:
    """A fleet's run, with a build for each of its targets; the collecting one comes last. ``seen``: as above."""
    shown = [one for one in run.all_targets() if seen is None or one.repository_id in seen]
    whole = len(shown) == len(list(run.all_targets()))
    begun = await target_orchestrations(connection, run.id)
    states = {name: one.builds[0].state for name, one in begun.items() if one.builds}
    names = await repository_names(connection, (one.repository_id for one in run.all_targets() if one.repository_id))
    return shapes.Orchestration(
        id=run.id,
        kind="fleet",
        owner=await _spelt(connection, run.fleet.owner),
        pipeline=None,
        fleet=run.fleet.name,
        change_set_id=None,
        state=run_state(run, states),
        trigger=shapes.Trigger(kind=run.trigger.kind.value, actor=run.trigger.actor),
        created_at=run.created_at,
        finished_at=run.finished_at,
        url=f"{base}/orchestrations/{run.id}",
        manifest_url=f"{base}/api/v1/orchestrations/{run.id}/manifest",
        reason=run.problem or run.halted if whole else None,
        builds=[_target(one, run, begun.get(one.id), names) for one in shown],
        summary=await _summary(connection, run, states, {one.repository for one in shown}),
    )


async def _spelt(connection: AsyncConnection, owner: str) -> str:
    return (await spelt_owners(connection, [owner])).get(owner.lower(), owner)


async def _summary(
    connection: AsyncConnection, run: FleetRun, states: States, named: Collection[str]
) -> shapes.FleetSummary:
    last = next(iter(await runs_before(connection, run, 1)), None)
    come = summary(run, states, await passed_before(connection, run))
    return shapes.FleetSummary(
        total=come.total,
        triggered=come.triggered,
        passed=come.passed,
        failed=come.failed,
        skipped=come.skipped,
        compared_with=last.id if last else None,
        newly_failing=[name for name in come.newly_failing if name in named],
        fixed=[name for name in come.fixed if name in named],
        still_failing=[name for name in come.still_failing if name in named],
        links=dict(run.fleet.links),
    )


def fleet_manifest(run: FleetRun) -> shapes.Manifest:
    """The commits at which the targets stood when they were selected."""
    entries = {
        one.repository: shapes.ManifestEntry(
            repository=f"{run.fleet.owner}/{one.repository}", repository_id=one.repository_id, sha=one.sha
        )
        for one in run.targets
        if one.repository_id is not None and one.sha is not None
    }
    return shapes.Manifest(orchestration=run.id, builds=entries)


def _target(target: Target, run: FleetRun, begun: Orchestration | None, names: Names) -> shapes.Build:
    if begun is not None and begun.builds:
        return _build(begun.builds[0], begun, run.fleet.owner, names, {begun.builds[0].name})
    return shapes.Build(
        name=target.repository,
        repository=names.get(target.repository_id or 0, f"{run.fleet.owner}/{target.repository}"),
        workflow=target.workflow,
        needs=[],
        sha=target.sha,
        state=came_to(run, target, {}),
        reason=why_not(run, target),
        reused_from=None,
        attempts=[],
    )


def _build(build: Build, one: Orchestration, owner: str, names: Names, named: Collection[str]) -> shapes.Build:
    why = explain_build(one, build, lambda other: other.name in named).text
    return shapes.Build(
        name=build.name,
        repository=names.get(build.repository_id or 0, f"{owner}/{build.spec.repository}"),
        workflow=build.spec.workflow,
        needs=[need for need in build.spec.needs if need in named],
        sha=build.sha,
        state=build.state,
        reason=None if why in BARE else why,
        reused_from=build.reused.orchestration_id if build.reused else None,
        attempts=[_attempt(attempt) for attempt in build.attempts],
    )


def _attempt(attempt: Attempt) -> shapes.Attempt:
    return shapes.Attempt(
        number=attempt.number,
        run_id=attempt.run_id,
        run_attempt=attempt.run_attempt or None,
        url=attempt.url,
        state=attempt.state,
        conclusion=attempt.conclusion,
        started_at=attempt.started_at,
        finished_at=attempt.finished_at,
    )


def manifest(view: OrchestrationView) -> shapes.Manifest:
    one = view.orchestration
    owner = one.pipeline.owner if one.pipeline else view.owner
    return shapes.Manifest.model_validate(manifest_of(one, one.builds, owner))


async def change_sets(connection: AsyncConnection, views: Sequence[SetView]) -> list[shapes.ChangeSet]:
    """One look-up of names for all of them."""
    spelt = await spelt_owners(connection, (view.owner for view in views))
    found = [replace(view, owner=spelt.get(view.owner, view.owner)) for view in views]
    ids = {one for view in found for one in _repositories(view)}
    names = await repository_names(connection, ids) if ids else {}
    return [_change_set(view, names) for view in found]


def _change_set(view: SetView, names: Names) -> shapes.ChangeSet:
    state = view.state
    return shapes.ChangeSet(
        id=state.id,
        owner=view.owner,
        pipeline=state.pipeline.name,
        key=state.key,
        base_line=state.base_line,
        state=SetStateName(view.summary),
        verdict=_verdict(*view.verdict) if view.verdict else None,
        members=[_member(part, view, names) for part in _parts(view)],
        orchestration_id=view.orchestration_id,
    )


def _parts(view: SetView) -> list[Pull | Branch]:
    """What the set is made of; a pull request that was merged still stands in it (DESIGN §4)."""
    state = view.state
    parts: list[Pull | Branch] = []
    for one in sorted(_repositories(view)):
        merged = [p for p in state.pulls if p.repository_id == one and p.state is PullState.MERGED]
        parts += state.members(one) or merged
    return parts


def _repositories(view: SetView) -> set[int]:
    pulls = {pull.repository_id for pull in view.state.pulls}
    return pulls | {branch.repository_id for branch in view.state.branches}


def _member(part: Pull | Branch, view: SetView, names: Names) -> shapes.Member:
    said = next((said.verdict for said in view.state.said if said.at == (part.repository_id, part.head)), None)
    pull = part if isinstance(part, Pull) else None
    return shapes.Member(
        repository=names.get(part.repository_id, f"{view.owner}/{part.repository_id}"),
        pull_request=pull.number if pull else None,
        branch=part.branch,
        head_sha=part.head,
        draft=pull.draft if pull else False,
        verdict=_verdict(said.state.value, said.description) if pull and said else None,
    )


def _verdict(state: str, description: str) -> shapes.Verdict:
    return shapes.Verdict(state=VerdictState(state), description=description)


def explanation(node: Explanation) -> shapes.Explanation:
    return shapes.Explanation(
        state=node.state,
        text=node.text,
        waits_for=node.waits_for,
        until=node.until,
        build=node.build,
        url=node.url,
        because=[explanation(one) for one in node.because],
    )
