"""The targets of a fleet's run: which repositories, on which commit, and why one of them cannot begin.

Law: a repository that was listed or asked for by name is a target of the run whatever is wrong with it, with the
reason; none is left out. What could not be read for a passing cause is read again, and the run waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from app.config.selection import Candidate, candidates
from app.domain import messages
from app.domain.fleet import THEN, Barred, FleetRun, Target
from app.domain.pipeline import DEFAULT_BASE, Discovery, Then
from app.github import Failure, InstallationClient, Unreadable
from app.github import Kind as FailureKind
from app.github.answers import TargetAnswer
from app.jobs.context import Context
from app.jobs.fleets import selected, spoilt
from app.jobs.perform.common import close
from app.jobs.perform.outcome import Closed, Done, Later, Outcome
from app.jobs.river import River
from app.store.effects import Kept
from app.store.fleets import load_run, lock_run
from app.store.installations import Placed, installation_of_owner, repositories_of_owner
from app.store.transaction import transaction

Answers = Mapping[str, TargetAnswer | Unreadable]


PATIENT = 6
"""So often one repository that cannot be read just now is waited for, some minutes in all; then the others begin."""


@dataclass(frozen=True, slots=True)
class Chosen:
    candidates: tuple[Candidate, ...]
    then: Candidate | None


async def select_targets(context: Context, kept: Kept) -> Outcome:
    """Read what the run's repositories are like, and tell the run."""
    run_id = str(kept.args["run_id"])
    async with transaction(context.engine) as connection:
        run = await load_run(connection, run_id)
        owner = run.fleet.owner if run else ""
        installation = await installation_of_owner(connection, owner)
        placed = await repositories_of_owner(connection, owner)
    if run is None or run.selected_at is not None or run.finished_at is not None:
        return Done()
    if installation is None or not installation.serves:
        return await _end(context, kept, run_id, messages.not_served(owner))
    picked = _picked(run, placed)
    client = context.github.on(installation.id)
    wanted = [*picked.candidates, *([picked.then] if picked.then else [])]
    answers = await _read(client, run, wanted, patient=kept.tries < PATIENT)
    if isinstance(answers, Failure):
        waits = answers.again
        return Later(answers.reason, answers.retry_at) if waits else await _end(context, kept, run_id, answers.reason)
    if isinstance(answers, str):
        return Later(answers)
    strangers = [one.name for one in picked.candidates if not _looked_for(run, one, answers)]
    if run.asked and len(strangers) == len(picked.candidates):
        return await _end(context, kept, run_id, messages.none_looked_for(run.fleet.name, strangers))
    targets = [
        _target(one, answers) if one.name not in strangers else _stranger(one)
        for one in picked.candidates
        if one.name in run.written or one.name not in strangers
    ]
    then = _target(picked.then, answers, THEN) if picked.then else None
    return await _end(context, kept, run_id, None, targets, then)


def _picked(run: FleetRun, placed: Sequence[Placed]) -> Chosen:
    """What was asked for and has vanished since is a target that cannot begin."""
    every = candidates(run.fleet, [one.repository for one in placed])
    asked = {name.lower() for name in run.asked}
    found = [one for one in every if not asked or one.name.lower() in asked]
    gone = asked - {one.name.lower() for one in found}
    found += [Candidate(name, None, run.fleet.workflow, run.fleet.ref) for name in run.asked if name.lower() in gone]
    wanted = tuple(replace(one, ref=run.ref or one.ref, inputs={**one.inputs, **run.inputs}) for one in found)
    return Chosen(wanted, _collector(run.fleet.then, placed) if run.fleet.then else None)


def _collector(then: Then, placed: Iterable[Placed]) -> Candidate:
    name = then.repository.lower()
    repository = next((one.repository for one in placed if one.repository.name.lower() == name), None)
    shown = repository.name if repository else then.repository
    return Candidate(shown, repository, then.workflow, then.ref, then.inputs)


async def _read(
    client: InstallationClient, run: FleetRun, wanted: Iterable[Candidate], *, patient: bool
) -> Answers | Failure | str:
    """One answer for each node id, workflow and ref; a sentence, where ``patient``: a passing trouble with one."""
    places: dict[tuple[str, str], list[str]] = {}
    for one in wanted:
        if one.repository is not None:
            places.setdefault((one.workflow, one.ref), []).append(one.repository.node_id)
    found: dict[str, TargetAnswer | Unreadable] = {}
    discovered = run.fleet.repositories
    topics = isinstance(discovered, Discovery) and discovered.topic is not None
    for (workflow, ref), ids in places.items():
        part = await client.read_targets(ids, workflow, None if ref == DEFAULT_BASE else ref, topics=topics)
        if isinstance(part, Failure):
            return part
        for node_id, answer in part.items():
            if patient and isinstance(answer, Unreadable) and answer.kind is FailureKind.TRY_AGAIN:
                return answer.reason
            found[_key(node_id, workflow, ref)] = answer
    return found


def _key(node_id: str, workflow: str, ref: str) -> str:
    return f"{node_id} {workflow} {ref}"


def _target(one: Candidate, answers: Answers, target_id: str | None = None) -> Target:
    target = Target(target_id or one.name, one.name, one.workflow, inputs=one.inputs)
    barred, reason = Barred.ERROR, messages.unseen_target(one.name)
    if one.repository is not None:
        answer = answers[_key(one.repository.node_id, one.workflow, one.ref)]
        if isinstance(answer, TargetAnswer):
            fault = _fault(answer, one)
            if fault is None:
                return replace(target, ref=answer.ref, repository_id=answer.id, sha=answer.tip)
            barred, reason = fault
        elif not answer.hidden:
            reason = answer.reason
    return replace(target, barred=barred, reason=reason)


def _stranger(one: Candidate) -> Target:
    """It was asked for by name, and is not what the fleet looks for."""
    return Target(one.name, one.name, one.workflow, barred=Barred.ERROR, reason=messages.not_looked_for(one.name))


def _looked_for(run: FleetRun, one: Candidate, answers: Answers) -> bool:
    """What cannot be read is not known to be another."""
    wanted = run.fleet.repositories
    if not isinstance(wanted, Discovery) or one.repository is None:
        return True
    answer = answers[_key(one.repository.node_id, one.workflow, one.ref)]
    if not isinstance(answer, TargetAnswer):
        return True
    if wanted.topic is not None and wanted.topic.lower() not in answer.topics:
        return False
    return not answer.archived and (answer.has_workflow or not wanted.having_workflow)


def _fault(answer: TargetAnswer, wanted: Candidate) -> tuple[Barred, str] | None:
    if answer.archived:
        return Barred.SKIPPED, messages.archived_target(wanted.name)
    if answer.disabled:
        return Barred.ERROR, messages.disabled_target(wanted.name)
    if answer.ref is None or answer.tip is None:
        return Barred.ERROR, messages.no_ref(wanted.name, None if wanted.ref == DEFAULT_BASE else wanted.ref)
    if not answer.has_workflow:
        return Barred.ERROR, messages.no_workflow(wanted.name, wanted.workflow, answer.ref)
    return None


async def _end(
    context: Context,
    kept: Kept,
    run_id: str,
    problem: str | None,
    targets: Sequence[Target] = (),
    then: Target | None = None,
) -> Outcome:
    async with transaction(context.engine) as connection:
        river = River.of(context, connection)
        run = await lock_run(connection, run_id)
        if run is not None and run.selected_at is None and run.finished_at is None:
            if problem is None and not targets:
                problem = messages.empty_fleet(run.fleet.name)
            if problem is None:
                await selected(river, run, targets, then)
            else:
                await spoilt(river, run, problem)
        await close(connection, river, kept)
    return Closed()
