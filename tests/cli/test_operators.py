"""``token`` and ``deliveries`` on the database itself."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from app.cli import main
from app.store.deliveries import Delivery, insert, mark_handled
from app.store.transaction import open_engine, transaction
from app.web.access import sha256_of

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def lockstep(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    return int(end.value.code or 0)


@pytest.fixture(autouse=True)
def _database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCKSTEP_DATABASE_URL", database_url)


@pytest.mark.shows("API token")
def test_a_token_is_printed_alone_and_kept_as_a_hash(database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert lockstep("token", "create", "ci", "--scope", "run", "--owner", "Acme") == 0
    token = capsys.readouterr().out
    assert token == f"{token.strip()}\n"
    assert token.startswith("lockstep_")
    assert _rows(database_url, "SELECT name, sha256, scopes, owner FROM api_tokens") == [
        ("ci", sha256_of(token.strip()), ["run"], "acme")
    ]
    assert lockstep("token", "create", "ci", "--scope", "read") == 2
    assert "revoke" in capsys.readouterr().err
    assert lockstep("token", "list") == 0
    said = capsys.readouterr().out
    assert said.startswith("ci ")
    assert token.strip() not in said
    assert lockstep("token", "revoke", "ci") == 0
    assert lockstep("token", "revoke", "ci") == 1
    capsys.readouterr()
    assert lockstep("token", "list", "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["revoked_at"] is not None


@pytest.mark.parametrize(
    "arguments",
    [
        ["a b", "--scope", "run"],
        ["", "--scope", "run"],
        ["ci"],
        ["ci", "--scope", "all"],
        ["ci", "--scope", "run", "--owner", "a/b"],
    ],
    ids=" ".join,
)
def test_odd_tokens_are_wrong_use(arguments: list[str]) -> None:
    assert lockstep("token", "create", *arguments) == 2


def test_deliveries_are_listed_shown_and_replayed(database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(_keep(database_url))
    assert lockstep("deliveries", "list") == 0
    assert capsys.readouterr().out.split() == ["2026-11-21T12:00:00+00:00", "guid-1", "push", "handled"]
    assert lockstep("deliveries", "show", "guid-1") == 0
    assert '"zen": "Keep it simple"' in capsys.readouterr().out
    assert lockstep("deliveries", "show", "guid-1", "--json") == 0
    assert json.loads(capsys.readouterr().out)["payload"]["zen"] == "Keep it simple"
    assert lockstep("deliveries", "replay", "guid-1") == 0
    assert _rows(database_url, "SELECT outcome FROM deliveries") == [(None,)]
    assert _rows(database_url, "SELECT task_name, args->>'guid' FROM procrastinate_jobs") == [("take", "guid-1")]
    for command in ("show", "replay"):
        assert lockstep("deliveries", command, "guid-2") == 2
        assert "There is no delivery 'guid-2'" in capsys.readouterr().err


def test_a_database_that_is_away_is_status_3(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOCKSTEP_DATABASE_URL", "postgresql://nobody:hidden@127.0.0.1:1/none")
    assert lockstep("token", "list") == 3
    said = capsys.readouterr().err
    assert "could not be used" in said
    assert "hidden" not in said


async def _keep(url: str) -> None:
    engine = open_engine(url)
    async with transaction(engine) as connection:
        await insert(connection, [Delivery("guid-1", "push", None, 1, 2, NOON, b'{"zen": "Keep it simple"}')])
        await mark_handled(connection, "guid-1", NOON)
    await engine.dispose()


def _rows(url: str, query: str) -> list[tuple[object, ...]]:
    async def read() -> list[tuple[object, ...]]:
        engine = open_engine(url)
        async with transaction(engine) as connection:
            found = [tuple(row) for row in await connection.execute(text(query))]
        await engine.dispose()
        return found

    return asyncio.run(read())
