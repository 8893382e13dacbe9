"""That something changed, told by Postgres to whoever listens: if and only if the transaction commits.

Law: the word rides on the statement that writes the row (``RETURNING``), so it costs no round trip, and nothing is told
of what was not written. It holds ids alone, never what changed: who hears it reads. Equal words of one transaction are
told once (Postgres sees to that).
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection
from sqlalchemy import URL, ColumnElement, func

from app.domain.change_set import ChangeSet, Kind
from app.domain.orchestration import Orchestration

CHANNEL = "lockstep_changes"
APPLICATION = "lockstep-stream"
"""What the listening connection is called in ``pg_stat_activity``."""
CONNECTING: dict[str, Any] = {
    "application_name": APPLICATION,
    "connect_timeout": 10,
    # It only ever listens, so nothing else would tell it that the machine at the other end is gone.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}


@dataclass(frozen=True, slots=True)
class Change:
    """``set_id``: None for a plain branch and for a fleet, which are no change sets for people (see ``views``).

    Whatever changes in a fleet's run bears the run's id as its orchestration. ``owner`` is in lower case.
    """

    set_id: str | None
    orchestration_id: str | None
    kind: Kind
    owner: str

    def told(self) -> ColumnElement[None]:
        """To be returned by the statement that writes it."""
        word = {"set": self.set_id, "orchestration": self.orchestration_id, "kind": self.kind, "owner": self.owner}
        return func.pg_notify(CHANNEL, json.dumps(word))


def of_set(owner: str, state: ChangeSet, before: Orchestration | None) -> list[ColumnElement[None]]:
    """A set is saved. ``before``: its orchestration until now, which changes too where another one takes its place."""
    if state.kind is Kind.FLEET:
        return [of_run(owner, state.base_line)]
    set_id = None if state.kind is Kind.BRANCH else state.id
    current = [state.orchestration.id if state.orchestration else None]
    ids = dict.fromkeys([*current, *([before.id] if before else [])])
    return [Change(set_id, one, state.kind, owner).told() for one in ids]


def of_run(owner: str, run_id: str) -> ColumnElement[None]:
    """A fleet's run is saved, or one of its targets."""
    return Change(None, run_id, Kind.FLEET, owner).told()


async def listen(url: URL) -> AsyncGenerator[Change | None, None]:
    """What changes from now on. None: any may have been missed, as before the first and where a word is none of ours.

    :raises psycopg.Error: Postgres cannot be reached, or not any more.
    """
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    async with await AsyncConnection.connect(address, autocommit=True, **CONNECTING) as connection:
        await connection.execute(f"LISTEN {CHANNEL}")
        yield None
        async for word in connection.notifies():
            yield heard(word.payload)


def heard(word: str) -> Change | None:
    """None: a newer version of us may say what this one cannot read."""
    try:
        told = json.loads(word)
        return Change(told["set"], told["orchestration"], Kind(told["kind"]), told["owner"])
    except (ValueError, KeyError, TypeError):
        return None
