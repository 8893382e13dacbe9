"""Every sentence with which a slash command is answered. Pure; each refusal says what would work.

Law: what people wrote is repeated only as code and cut short, so that it mentions nobody and means nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.domain import explain as why
from app.domain.build import Build
from app.domain.change_set import ChangeSet
from app.domain.descriptions import describe
from app.domain.explain_build import BARE, explain_build
from app.domain.explanation import Explanation
from app.domain.facts import Repository
from app.domain.judge import judge
from app.domain.markdown import link, plain, quoted
from app.domain.messages import LIMIT
from app.domain.orchestration import Orchestration
from app.inbox import commands as c
from app.store.change_sets import verdict_of

MOST_REASONS = 60
"""So many reasons on one level of an answer: GitHub takes 65,536 characters of a comment."""
WORKING = "`run [--fresh]`, `retry [repo…]`, `cancel`, `invalidate`, `status`, `explain`, `fleet NAME [repo…]`, `help`"

HELP = """\
| command | does | who |
|---|---|---|
| `/orchestrate`, `/orchestrate run [--fresh]` | builds now; `--fresh` without reusing results | write here |
| `/orchestrate retry [repo…]` | builds what failed again, and what stands on it | write here |
| `/orchestrate cancel` | stops the builds that are going on | write here |
| `/orchestrate invalidate` | withdraws the verdict and starts over | write here |
| `/orchestrate status` | says where the change set stands | read here |
| `/orchestrate explain` | says why, and what or whom it waits for | read here |
| `/orchestrate fleet NAME [repo…]` | runs a fleet, in the repository of the config | write there |

A pull request in two sets: `--pipeline NAME` chooses one."""


def marked(text: str, comment_id: int) -> str:
    """The answer with a mark that nobody sees, by which it is found again if GitHub's answer to it was lost."""
    return f"{text}\n\n{marker(comment_id)}"


def marker(comment_id: int) -> str:
    return f"<!-- lockstep answers {comment_id} -->"


def not_allowed(needed: str, repository: Repository) -> str:
    return f"That needs {needed} access to {repository.full_name}. Ask somebody who has it to comment the command."


def not_understood(command: c.Unknown | c.Misused) -> str:
    if isinstance(command, c.Misused):
        return f"Not understood. What would work: `{command.usage}`."
    meant = f" Did you mean `{command.suggestion}`?" if command.suggestion else ""
    return f"Lockstep knows no {quoted(command.word)}.{meant} These work: {WORKING}."


def not_yet(name: str) -> str:
    return f"`{name}` is not available in this version. These work: {WORKING}."


def fleets_elsewhere(place: str) -> str:
    return f"Fleets are run from issues and pull requests of the repository `{place}`. Comment there."


def no_fleet(name: str, known: Sequence[str] | None) -> str:
    """``known``: the fleets that there are; None: they are not for everybody who reads the answer."""
    has = "" if known is None else f" It has {', '.join(quoted(one) for one in known) or 'none'}."
    return f"The config has no fleet {quoted(name)}.{has}"


def not_done(why: str) -> str:
    """Why nothing comes of a command. The sentence may repeat branches, keys and words of the command."""
    return f"Not done: {quoted(why, 500)}"


def not_begun(why: str) -> str:
    """Why a fleet was not run. What it names was written by a person."""
    return f"Not started: {quoted(why, 500)}"


def fleet_begun(name: str, link: str | None) -> str:
    return f"Started {quoted(name)}{f': {link}' if link else ''}."


def in_no_set(pipeline: str | None) -> str:
    if pipeline is not None:
        return f"This pull request is in no change set of a pipeline {quoted(pipeline)}. Leave out `--pipeline`."
    return "This pull request is in no change set: it is closed, or no pipeline of the config builds this repository."


def status(states: Sequence[ChangeSet], audience: Repository, links: Sequence[str | None]) -> str:
    return "\n\n".join(_status(state, audience, link) for state, link in zip(states, links, strict=True))


def _status(state: ChangeSet, audience: Repository, page: str | None) -> str:
    verdict = verdict_of(state)
    # Worded anew: what the set says on another member's head may name repositories that readers here may not know.
    said = f"{verdict.state.value}: {describe(judge(state), state, audience)}" if verdict else "no verdict yet"
    title = f"**{quoted(state.title)}** in {quoted(state.pipeline.name)}"
    # As code too: it holds branch names, logins and repositories, which GitHub would make mentions and links of.
    head = f"{title}: {quoted(said, LIMIT + 10)}" + (f" ({link('live', page)})" if page else "")
    current = state.orchestration
    rows = [_row(state, current, build, audience) for build in current] if current else []
    return "\n".join([head, "", "| build | state |", "|---|---|", *rows]) if rows else head


def _row(state: ChangeSet, current: Orchestration, build: Build, audience: Repository) -> str:
    reason = explain_build(current, build, why.names_for(state, audience))
    word = reason.state.replace("_", " ")
    if reason.build is None:
        return f"| a build in another repository | {word} |"
    said = "reused" if build.reused else "" if reason.text in BARE else plain(reason.text)
    return f"| {quoted(build.name)} | {link(word, reason.url)}{f' ({said})' if said else ''} |"


def explain(states: Sequence[ChangeSet], audience: Repository) -> str:
    """The whole tree of reasons, as a nested list."""
    return "\n\n".join("\n".join(_branch(why.explain(state, audience), 0)) for state in states)


def _branch(node: Explanation, depth: int) -> Iterator[str]:
    build = f"{quoted(node.build)} " if node.build else ""
    waits = f" → waits for a {node.waits_for.value}" if node.waits_for else ""
    until = f" until {node.until:%H:%M} UTC" if node.until else ""
    yield f"{'  ' * depth}- {build}{node.state.replace('_', ' ')}: {plain(node.text)}{waits}{until}"
    for one in node.because[:MOST_REASONS]:
        yield from _branch(one, depth + 1)
    left_out = len(node.because) - MOST_REASONS
    if left_out > 0:
        yield f"{'  ' * (depth + 1)}- and {left_out} more"
