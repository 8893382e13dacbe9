"""What a comment's commands ask for, who may ask it (CONTRACT §5), and what to answer.

Law: a comment is accepted if all its commands are; each is judged on its own, and what is allowed is done.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from app.domain import messages
from app.domain.change_set import ChangeSet
from app.domain.events import CancelWanted, InvalidateWanted, RetryWanted, RunWanted, Trigger, TriggerKind
from app.domain.facts import Repository
from app.inbox import commands as c
from app.jobs import answers
from app.jobs.calls import Call, call, fleet_of
from app.jobs.context import Context
from app.jobs.fleets import Busy
from app.jobs.loading import attached
from app.jobs.refusals import Asked, names_of
from app.jobs.requests import ask
from app.jobs.river import River
from app.store.change_sets import lock_sets, sets_of_pull
from app.store.commands import Command
from app.store.history import Cause

WRITERS = frozenset({"admin", "maintain", "write"})
READERS = WRITERS | {"triage", "read"}


@dataclass(slots=True)
class Judgement:
    """What a comment is answered: what its commands asked to know, and why some of them were refused."""

    answers: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    def text(self, *, refusals: bool) -> str | None:
        """The one answer, with or without what was refused."""
        return "\n\n".join(dict.fromkeys([*self.answers, *(self.refusals if refusals else ())])) or None

    def refuse(self, sentence: str) -> None:
        self.refusals.append(sentence)


@dataclass(frozen=True, slots=True)
class Given:
    """A command, who gave it and where."""

    command: c.Command
    login: str
    permission: str
    repository: Repository
    states: tuple[ChangeSet, ...]
    """The sets that it goes to, as the commands before it have left them."""


async def judge(
    context: Context, river: River, repository: Repository, comment: Command, permission: str, cause: Cause
) -> Judgement:
    """Judge every command of the comment and do what is allowed."""
    ids = [set_id for set_id, _ in await sets_of_pull(river.connection, repository.id, comment.number)]
    judgement = Judgement()
    for command in c.parse_commands(comment.body):
        locked = await lock_sets(river.connection, ids)
        states = [await attached(river.connection, context.configs, one) for one in locked]
        chosen = [state for state in states if command.pipeline in (None, state.pipeline.name)]
        given = Given(command, comment.login, permission, repository, tuple(chosen))
        if isinstance(command, c.Fleet):
            await _run_fleet(context, river, judgement, given, command)
        elif isinstance(command, c.Run | c.Retry | c.Cancel | c.Invalidate):
            await _ask_sets(river, judgement, given, _event(command, given), cause)
        else:
            _judge_one(context, judgement, given)
    return judgement


async def _run_fleet(context: Context, river: River, judgement: Judgement, given: Given, command: c.Fleet) -> None:
    """From the config repository only, by who may write there (CONTRACT §5)."""
    if given.permission not in WRITERS:
        return judgement.refuse(answers.not_allowed("write", given.repository))
    if not context.place.is_in(given.repository.name):
        return judgement.refuse(answers.fleets_elsewhere(context.place.repository))
    found = await fleet_of(river, given.repository.owner, command.name)
    if isinstance(found, tuple):
        # A local file is the operator's: no repository says who may read it.
        return judgement.refuse(answers.no_fleet(command.name, None if context.configs.from_file else found))
    run = await call(river, found, Call(command.repositories), Trigger(TriggerKind.COMMAND, given.login))
    if isinstance(run, Busy):
        return judgement.refuse(answers.not_begun(messages.busy(found.name, run.run_id)))
    if isinstance(run, str):
        return judgement.refuse(answers.not_begun(run))
    judgement.answers.append(answers.fleet_begun(found.name, context.links.orchestration(run.id)))
    return None


async def _ask_sets(river: River, judgement: Judgement, given: Given, asked: Asked, cause: Cause) -> None:
    """Refused where nothing can come of it in any set."""
    if _if_allowed(judgement, given, WRITERS, None):
        answered = await ask(river, [state.id for state in given.states], asked, cause, given.repository)
        for why in () if answered.told else answered.refusals:
            judgement.refuse(answers.not_done(why.sentence))


def _judge_one(context: Context, judgement: Judgement, given: Given) -> None:
    match given.command:
        case c.Unknown() | c.Misused():
            judgement.refuse(answers.not_understood(given.command))
        case c.Help():
            _if_allowed(judgement, given, READERS, answers.HELP)
        case c.Explain():
            told = answers.explain(given.states, given.repository) if given.states else None
            _if_allowed(judgement, given, READERS, told)
        case c.Status():
            links = [context.links.change_set(state.id) for state in given.states]
            said = answers.status(given.states, given.repository, links) if given.states else None
            _if_allowed(judgement, given, READERS, said)
        case _:
            judgement.refuse(answers.not_yet(type(given.command).__name__.lower()))


def _if_allowed(judgement: Judgement, given: Given, who: frozenset[str], answer: str | None) -> bool:
    if given.permission not in who:
        judgement.refuse(answers.not_allowed("write" if who is WRITERS else "read", given.repository))
        return False
    if not given.states and not isinstance(given.command, c.Help):
        judgement.refuse(answers.in_no_set(given.command.pipeline))
        return False
    if answer is not None:
        judgement.answers.append(answer)
    return True


def _event(command: c.Run | c.Retry | c.Cancel | c.Invalidate, given: Given) -> Asked:
    by = Trigger(TriggerKind.COMMAND, given.login)
    match command:
        case c.Run():
            return RunWanted(by, command.fresh)
        case c.Retry():
            names = names_of(given.repository.owner, command.repositories)
            return RetryWanted(Trigger(TriggerKind.RETRY, given.login), names)
        case c.Cancel():
            return CancelWanted(by)
        case c.Invalidate():
            return InvalidateWanted(by)
