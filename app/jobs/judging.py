"""What a comment's commands ask for, who may ask it (CONTRACT §5), and what to answer.

Law: a comment is accepted if all its commands are; each is judged on its own, and what is allowed is done.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from app.domain import messages
from app.domain.change_set import ChangeSet
from app.domain.events import (
    CancelWanted,
    Event,
    InvalidateWanted,
    RetryWanted,
    RunWanted,
    Trigger,
    TriggerKind,
)
from app.domain.facts import Repository
from app.inbox import commands as c
from app.jobs import answers
from app.jobs.calls import Call, call, fleet_of
from app.jobs.context import Context
from app.jobs.fleets import Busy
from app.jobs.loading import attached
from app.jobs.river import River
from app.store.change_sets import lock_sets, sets_of_pull
from app.store.commands import Command

WRITERS = frozenset({"admin", "maintain", "write"})
READERS = WRITERS | {"triage", "read"}


@dataclass(slots=True)
class Judgement:
    events: dict[str, list[Event | None]] = field(default_factory=dict)
    sentences: list[str] = field(default_factory=list)
    accepted: bool = True
    refusal: bool = False

    @property
    def answer(self) -> str | None:
        return "\n\n".join(dict.fromkeys(self.sentences)) or None

    def refuse(self, sentence: str) -> None:
        self.accepted = False
        self.refusal = True
        self.sentences.append(sentence)


@dataclass(frozen=True, slots=True)
class Asked:
    """A command, who gave it and where."""

    command: c.Command
    login: str
    permission: str
    repository: Repository
    states: tuple[ChangeSet, ...]
    """The sets that it goes to."""


async def judge(context: Context, river: River, repository: Repository, comment: Command, permission: str) -> Judgement:
    """Judge every command of the comment; the events are fed by the caller, in the same transaction."""
    ids = [set_id for set_id, _ in await sets_of_pull(river.connection, repository.id, comment.number)]
    states = [
        await attached(river.connection, context.configs, locked) for locked in await lock_sets(river.connection, ids)
    ]
    judgement = Judgement()
    for command in c.parse_commands(comment.body):
        chosen = [state for state in states if command.pipeline in (None, state.pipeline.name)]
        asked = Asked(command, comment.login, permission, repository, tuple(chosen))
        if isinstance(command, c.Fleet):
            await _run_fleet(context, river, judgement, asked, command)
        else:
            _judge_one(context, judgement, asked)
    return judgement


async def _run_fleet(context: Context, river: River, judgement: Judgement, asked: Asked, command: c.Fleet) -> None:
    """From the config repository only, by who may write there (CONTRACT §5)."""
    if asked.permission not in WRITERS:
        return judgement.refuse(answers.not_allowed("write", asked.repository))
    if not context.place.is_in(asked.repository.name):
        return judgement.refuse(answers.fleets_elsewhere(context.place.repository))
    found = await fleet_of(river, asked.repository.owner, command.name)
    if isinstance(found, tuple):
        return judgement.refuse(answers.no_fleet(command.name, found))
    run = await call(river, found, Call(command.repositories), Trigger(TriggerKind.COMMAND, asked.login))
    if isinstance(run, Busy):
        return judgement.refuse(answers.not_begun(messages.busy(found.name, run.run_id)))
    if isinstance(run, str):
        return judgement.refuse(answers.not_begun(run))
    judgement.sentences.append(answers.fleet_begun(found.name, context.links.orchestration(run.id)))
    return None


def _judge_one(context: Context, judgement: Judgement, asked: Asked) -> None:
    match asked.command:
        case c.Unknown() | c.Misused():
            judgement.refuse(answers.not_understood(asked.command))
        case c.Help():
            _if_allowed(judgement, asked, READERS, answers.HELP)
        case c.Status() | c.Explain():
            links = [context.links.change_set(state.id) for state in asked.states]
            said = answers.status(asked.states, asked.repository, links) if asked.states else None
            _if_allowed(judgement, asked, READERS, said)
        case c.Run() | c.Retry() | c.Cancel() | c.Invalidate():
            if _if_allowed(judgement, asked, WRITERS, None):
                event = _event(asked.command, asked.login)
                for state in asked.states:
                    judgement.events.setdefault(state.id, []).append(event)
        case _:
            judgement.refuse(answers.not_yet(type(asked.command).__name__.lower()))


def _if_allowed(judgement: Judgement, asked: Asked, who: frozenset[str], answer: str | None) -> bool:
    if asked.permission not in who:
        judgement.refuse(answers.not_allowed("write" if who is WRITERS else "read", asked.repository))
        return False
    if not asked.states and not isinstance(asked.command, c.Help):
        judgement.refuse(answers.in_no_set(asked.command.pipeline))
        return False
    if answer is not None:
        judgement.sentences.append(answer)
    return True


def _event(command: c.Run | c.Retry | c.Cancel | c.Invalidate, login: str) -> Event:
    by = Trigger(TriggerKind.COMMAND, login)
    match command:
        case c.Run():
            return RunWanted(by, command.fresh)
        case c.Retry():
            return RetryWanted(Trigger(TriggerKind.RETRY, login), frozenset(command.repositories))
        case c.Cancel():
            return CancelWanted(by)
        case c.Invalidate():
            return InvalidateWanted(by)
