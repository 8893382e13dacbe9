"""``python -m tests.bench.lists``: how long the list of change sets takes with 100 of them and with 10,000.

Law: nothing is asserted. Each figure is the median and the 95th percentile of ``TIMES`` requests through the whole
application in this process, on an embedded Postgres.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable

import httpx
from sqlalchemy import text

from app.domain.audience import Person
from app.postgres import EmbeddedPostgres
from app.store.migrate import upgrade
from app.store.transaction import transaction
from app.web.who import Who, looking
from tests.web.office import Office, office, repository_id

SIZES = (100, 10_000)
TIMES = 60
COPIES = text(
    """
    INSERT INTO change_sets (id, owner, pipeline, kind, key, base_line, doc, orchestration_id, state, verdict_state,
        description, created_at, updated_at)
    SELECT lpad(n::text, 13, 'a'), owner, pipeline, kind, 'DPTA-' || n, base_line, doc, NULL, state, verdict_state,
        description, created_at + n * interval '1 s', updated_at
    FROM change_sets, generate_series(CAST(:first AS integer), CAST(:last AS integer)) n WHERE id = :id
    """
)
PULLS = text(
    """
    INSERT INTO set_pulls (set_id, repository_id, number)
    SELECT lpad(n::text, 13, 'a'), repository_id, n
    FROM set_pulls, generate_series(CAST(:first AS integer), CAST(:last AS integer)) n WHERE set_id = :id
    """
)
Get = Callable[[], Awaitable[httpx.Response]]
ANN = Who("ann", Person(frozenset({repository_id("acme", "repoA"), *range(10_000, 10_500)})))
"""She can read the repository of all sets, and many that have no part in any."""


async def main() -> None:
    with EmbeddedPostgres(fast=True) as url:
        upgrade(url)
        async with office(url) as made:
            await made.call("GET", f"/login?token={made.web.visitors.token}")
            token, pattern = await made.token("read"), await made.opened(key="DPTA-0")
            present = 1
            for size in SIZES:
                await _fill(made, pattern, present, size)
                present = size
                await _show(size, "page /", lambda: made.call("GET", "/"))
                await _show(size, "GET /api/v1/change-sets", lambda: made.call("GET", "/api/v1/change-sets", token))
                made.app.dependency_overrides[looking] = lambda: ANN
                await _show(size, "page /, for a person", lambda: made.call("GET", "/"))
                made.app.dependency_overrides.clear()


async def _fill(made: Office, pattern: str, present: int, size: int) -> None:
    given = {"first": present, "last": size - 1, "id": pattern}
    async with transaction(made.web.engine) as connection:
        await connection.execute(COPIES, given)
        await connection.execute(PULLS, given)
    async with made.web.engine.connect() as connection:
        await (await connection.execution_options(isolation_level="AUTOCOMMIT")).execute(text("ANALYZE"))


async def _show(size: int, what: str, get: Get) -> None:
    took: list[float] = []
    for _ in range(TIMES + 5):
        began = time.perf_counter()
        answer = await get()
        took.append(1000 * (time.perf_counter() - began))
        answer.raise_for_status()
    took = sorted(took[5:])
    median, high = took[len(took) // 2], took[len(took) * 95 // 100]
    sys.stdout.write(f"{size:>6} sets  {what:<24} {median:6.1f} ms median, {high:6.1f} ms p95\n")


if __name__ == "__main__":
    asyncio.run(main())
