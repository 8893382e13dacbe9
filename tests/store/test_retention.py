"""Old rows are forgotten, young ones and those that something depends on stay."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Table, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.store import retention
from app.store.access import api_tokens, create_token
from app.store.change_sets import change_sets, create_set
from app.store.deliveries import deliveries
from app.store.effects import effects
from app.store.history import history
from app.store.orchestrations import attempts, orchestrations
from app.store.retention import RULES, forget
from app.store.signs import contributions, signs
from app.store.transaction import transaction
from tests.store.conftest import NOW, address

OLD = NOW - timedelta(days=400)
PLACE = {"repository_id": 1, "sha": "a" * 40, "context": "build"}


def rows(set_id: str, token_id: int, at: datetime, number: int) -> dict[str, dict[str, Any]]:
    """One row of each table that may be forgotten, made at this moment."""
    guid = f"guid-{number}"
    attempt = {"repository_id": 1, "workflow": "b", "ref": "r", "sha": "s", "awaited": False, "unclear": False}
    return {
        "deliveries": {"guid": guid, "event": "push", "received_at": at, "body": b"{}", "handled_at": at}
        | {"outcome": "handled"},
        "effects": {
            "kind": "K",
            "args": {},
            "priority": 1,
            "tries": 0,
            "state": "done",
            "created_at": at,
            "done_at": at,
        },
        "history": {"at": at, "cause_kind": "scan", "changed": {}, "effects": [], "request_ids": []},
        "orchestrations": {"id": guid, "set_id": set_id, "kind": "branch", "doc": {}, "state": "passed"}
        | {"trigger": {}, "created_at": at},
        "attempts": {"id": guid, "set_id": set_id, "orchestration_id": guid, "build": "b", "planned_at": at} | attempt,
        "signs": {**PLACE, "sha": guid, "name": "build", "version": 1, "calls": 1, "shown_state": "pending"}
        | {"shown_description": "d", "shown_version": 1, "shown_at": at},
        "results": {"fingerprint": guid, "passed": True, "orchestration_id": guid, "attempt_id": guid, "run_id": number}
        | {"url": "u", "finished_at": at},
        "build_times": {"attempt_id": guid, "repository_id": 1, "workflow": "b", "seconds": 1.0, "finished_at": at},
        "idempotency_keys": {"token_id": token_id, "key": guid, "request_sha256": "x", "created_at": at},
        "sightings": {"run_id": number, "run_attempt": 1, "status": "queued", "repository_id": 1, "workflow": "b"}
        | {"branch": "r", "head_sha": "s", "doc": {}, "seen_at": at},
        "merge_groups": {"repository_id": 1, "head_sha": guid, "base_sha": "b", "base_ref": "main", "pulls": [number]}
        | {"grounded": True, "merged": False, "heard_at": at},
        "config_statuses": {"repository_id": 1, "sha": guid, "state": "success", "description": "d", "said_at": at},
        "installation_tokens": {"installation_id": number, "token_class": "read", "changed_at": at},
        "sessions": {"sha256": guid, "user_id": 1, "login": "ann", "sealed": b"s", "readable": [1], "writable": []}
        | {"read_at": at, "created_at": at, "expires_at": at},
        "budgets": {"installation_id": number, "doc": {}, "changed_at": at},
        "fleet_runs": {"id": guid, "owner": "acme", "fleet": "ort", "doc": {}, "state": "passed", "created_at": at}
        | {"finished_at": at},
        "change_sets": {"id": guid, "owner": "acme", "pipeline": "ort", "kind": "fleet", "key": "a", "base_line": guid}
        | {"doc": {}, "state": "closed", "created_at": at, "updated_at": at},
    }


async def count(connection: AsyncConnection, table: Table) -> int:
    return int((await connection.execute(select(func.count()).select_from(table))).scalar_one())


async def forget_all(connection: AsyncConnection) -> None:
    for rule in RULES:
        await forget(connection, rule, NOW)


async def test_old_rows_go_and_young_ones_stay(engine: AsyncEngine) -> None:
    tables = {rule.table.name: rule.table for rule in RULES}
    async with transaction(engine) as connection:
        set_id = await create_set(connection, address(), NOW)
        await create_token(connection, "n", "x" * 40, frozenset({"run"}), None, NOW)
        token = (await connection.execute(select(api_tokens.c.id))).scalar_one()
        for number, at in enumerate((OLD, NOW)):
            made = rows(set_id, token, at, number)
            assert made.keys() == tables.keys()
            for name, row in made.items():
                await connection.execute(insert(tables[name]).values(row))
        await forget_all(connection)
        left = {name: await count(connection, table) for name, table in tables.items()}
    assert left == {**dict.fromkeys(tables, 1), "change_sets": 2}, "the set of the first lines is no fleet's target"


async def test_a_target_goes_when_nothing_of_it_is_left(engine: AsyncEngine) -> None:
    """Its orchestration is the current one, and goes all the same."""
    async with transaction(engine) as connection:
        made = rows("guid-1", 0, OLD, 1)
        await connection.execute(insert(change_sets).values(made["change_sets"] | {"orchestration_id": "guid-1"}))
        await connection.execute(insert(orchestrations).values(made["orchestrations"] | {"kind": "fleet"}))
        await connection.execute(insert(history).values(made["history"] | {"set_id": "guid-1", "at": NOW}))
        await forget_all(connection)
        assert (await count(connection, orchestrations), await count(connection, change_sets)) == (0, 1)
        await connection.execute(history.update().values(at=OLD))
        await forget_all(connection)
        await forget_all(connection)
        assert await count(connection, change_sets) == 0


@pytest.mark.parametrize("name", ["deliveries", "effects", "attempts", "orchestrations", "signs"])
async def test_what_something_depends_on_stays_whatever_its_age(engine: AsyncEngine, name: str) -> None:
    unended: dict[str, tuple[Table, dict[str, Any]]] = {
        "deliveries": (deliveries, {"handled_at": None, "outcome": None}),
        "effects": (effects, {"done_at": None, "state": "waiting"}),
        "attempts": (attempts, {"awaited": True, "sent_at": OLD}),
        "orchestrations": (orchestrations, {}),
        "signs": (signs, {"sha": PLACE["sha"]}),
    }
    table, changed = unended[name]
    async with transaction(engine) as connection:
        set_id = await create_set(connection, address(), OLD)
        await connection.execute(insert(table).values({**rows(set_id, 0, OLD, 1)[name], **changed}))
        await connection.execute(change_sets.update().values(orchestration_id="guid-1"))
        said = {"set_id": set_id, "state": "pending", "cause": "c", "description": "d"}
        await connection.execute(insert(contributions).values({**PLACE, **said}))
        await forget_all(connection)
        assert await count(connection, table) == 1


async def test_an_orchestration_outlives_what_is_told_of_it(engine: AsyncEngine) -> None:
    """It says whom its verdicts may name: its end may have been said long after it began."""
    async with transaction(engine) as connection:
        set_id = await create_set(connection, address(), OLD)
        made = rows(set_id, 0, OLD, 1)
        await connection.execute(insert(orchestrations).values(made["orchestrations"]))
        await connection.execute(
            insert(history).values(made["history"] | {"set_id": set_id, "orchestration_id": "guid-1", "at": NOW})
        )
        await forget_all(connection)
        assert await count(connection, orchestrations) == 1
        await connection.execute(history.update().values(at=OLD))
        await forget_all(connection)
        assert await count(connection, orchestrations) == 0


async def test_a_statement_takes_no_more_than_a_batch(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    rule = next(rule for rule in RULES if rule.table is history)
    async with transaction(engine) as connection:
        for number in range(3):
            await connection.execute(insert(history).values(rows("", 0, OLD, number)["history"]))
        assert [await forget(connection, rule, NOW) for _ in range(3)] == [2, 1, 0]
