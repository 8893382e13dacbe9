"""Whether the process lives, whether it can work, and its numbers for Prometheus.

Law: each answer comes within seconds, also where the database does not; nothing secret is in any of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.jobs.worker import heartbeat_age
from app.settings import Ingest
from app.store import views
from app.store.budgets import Closed, closed_ways
from app.store.delivery_log import LogPosition, log_position
from app.store.migrate import is_current
from app.store.transaction import transaction
from app.web.context import Web, WebContext

PATIENCE = 4.0
"""Seconds for all questions to the database."""
LOG_SILENCE = 600.0
"""Seconds after which the App's delivery log counts as unread where there is no other way in."""
WORKER_SILENCE = 45.0
"""Seconds without a heartbeat after which no worker lives: procrastinate sends one every ten."""

router = APIRouter(include_in_schema=False)


@router.api_route("/healthz", methods=["GET", "HEAD"])
async def healthz() -> dict[str, str]:
    return {"status": "alive"}


@router.api_route("/readyz", methods=["GET", "HEAD"])
async def readyz(web: Web) -> Response:
    parts = await readiness(web)
    ready = all(part["ready"] for part in parts.values())
    return JSONResponse({"ready": ready, **parts}, 200 if ready else 503)


async def readiness(web: WebContext) -> dict[str, dict[str, Any]]:
    """Each part that has to work, whether it does, and if not, how to mend it."""
    return {"set_up": _set_up(web), **await _database_parts(web)}


def missing_settings(web: WebContext) -> list[str]:
    """The variables without which nothing can be done on GitHub."""
    settings = web.settings
    needed = {
        "LOCKSTEP_APP_ID": settings.app_id is not None,
        "LOCKSTEP_PRIVATE_KEY": settings.private_key is not None,
        "LOCKSTEP_WEBHOOK_SECRET": bool(settings.webhook_secret) or settings.ingest == "pull",
    }
    return [name for name, given in needed.items() if not given]


def _set_up(web: WebContext) -> dict[str, Any]:
    missing = missing_settings(web)
    return _part(None if not missing else f"set {', '.join(missing)} and start again")


def _part(problem: str | None, **more: Any) -> dict[str, Any]:
    return {"ready": problem is None, **({"reason": problem} if problem else {}), **more}


async def _database_parts(web: WebContext) -> dict[str, Any]:
    away = _part("the database cannot be reached")
    parts = {"database": away, "migrations": away, "worker": away, "delivery_log": away, "github_limits": away}
    try:
        async with asyncio.timeout(PATIENCE):
            async with transaction(web.engine) as connection:
                await connection.execute(text("SELECT 1"))
                parts["database"] = _part(None)
            parts["migrations"] = _part(None if await _migrated(web) else "run lockstep serve once to migrate")
            if parts["migrations"]["ready"]:
                parts["worker"] = await _worker(web)
                parts["delivery_log"] = await _delivery_log(web)
                parts["github_limits"] = await _limits(web)
    except (SQLAlchemyError, OSError, TimeoutError):
        return parts
    return parts


async def _migrated(web: WebContext) -> bool:
    """Once it was true it stays so: during an upgrade a newer process may be ahead of what this one knows."""
    if not web.migrated.is_set():
        url = web.engine.url.render_as_string(hide_password=False)
        if await asyncio.to_thread(is_current, url):
            web.migrated.set()
    return web.migrated.is_set()


async def _worker(web: WebContext) -> dict[str, Any]:
    async with transaction(web.engine) as connection:
        age = await heartbeat_age(connection)
    if age is None:
        return _part("no worker runs; start lockstep worker, or serve without --no-worker")
    silent = f"no worker has been heard of for {age:.0f} s" if age > WORKER_SILENCE else None
    return _part(silent, heartbeat_age_seconds=round(age, 1))


async def _delivery_log(web: WebContext) -> dict[str, Any]:
    """Beside webhooks the log is a second way in: then its silence is shown, and stops nothing."""
    async with transaction(web.engine) as connection:
        position = await log_position(connection)
    age = _age(position, web.clock())
    told = position.problem if position else None
    shown = {"read_age_seconds": None if age is None else round(age, 1), **({"last_problem": told} if told else {})}
    if web.settings.ingest is not Ingest.PULL or (age is not None and age <= LOG_SILENCE):
        return _part(None, **shown)
    since = "was never read" if age is None else f"has not been read for {age:.0f} s"
    return _part(f"the App's delivery log {since}: {told or 'look whether a worker runs'}", **shown)


async def _limits(web: WebContext) -> dict[str, Any]:
    """Waiting for GitHub's limits is no fault: it is shown, and stops nothing."""
    async with transaction(web.engine) as connection:
        closed = await closed_ways(connection, web.clock())
    waiting = [
        {"installation_id": one.installation_id, "resource": one.resource, "until": one.until.isoformat()}
        for one in closed
    ]
    return _part(None, waiting=waiting)


def _age(position: LogPosition | None, now: datetime) -> float | None:
    read_at = position.read_at if position else None
    return None if read_at is None else max(0.0, (now - read_at).total_seconds())


@router.get("/metrics")
async def metrics(web: Web) -> Response:
    async with asyncio.timeout(PATIENCE), transaction(web.engine) as connection:
        found = await views.numbers(connection, web.clock())
        age = await heartbeat_age(connection)
        position = await log_position(connection)
        closed = await closed_ways(connection, web.clock())
    registry = CollectorRegistry(auto_describe=False)
    now = web.clock()
    registry.register(_Families([*_families(found, age, now), *_of_the_log(position, now), _of_limits(closed, now)]))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)


class _Families:
    """What prometheus-client asks: families that are known already."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _families(found: views.Numbers, worker_age: float | None, now: datetime) -> Iterable[Metric]:
    kept, verdicts = "lockstep_deliveries", "lockstep_open_verdicts"
    yield _labelled(kept, "Deliveries that are kept, by outcome.", ("outcome",), found.deliveries)
    yield _labelled("lockstep_jobs", "Jobs in the queue, by task and status.", ("task", "status"), found.jobs)
    effects = "What was wanted on GitHub, by kind and state."
    yield _labelled("lockstep_effects", effects, ("kind", "state"), found.effects)
    yield _labelled(verdicts, "Open change sets, by state of the verdict.", ("state",), found.verdicts)
    posts = CounterMetricFamily("lockstep_github_status_posts", "Statuses that were sent to GitHub.")
    posts.add_metric([], found.status_posts)
    yield posts
    oldest = {
        "lockstep_oldest_pending_verdict_seconds": found.oldest_pending,
        "lockstep_oldest_stuck_verdict_seconds": found.oldest_stuck,
        "lockstep_oldest_open_delivery_seconds": found.oldest_delivery,
    }
    for name, since in oldest.items():
        age = max(0.0, (now - since).total_seconds()) if since else 0.0
        yield GaugeMetricFamily(name, "Age of the oldest one; 0: there is none.", value=age)
    if worker_age is not None:
        yield GaugeMetricFamily("lockstep_worker_heartbeat_age_seconds", "Since a worker was heard of.", worker_age)


def _of_the_log(position: LogPosition | None, now: datetime) -> Iterable[Metric]:
    taken = CounterMetricFamily("lockstep_delivery_log_taken", "Deliveries that came by the App's delivery log alone.")
    taken.add_metric([], position.taken if position else 0)
    yield taken
    age = _age(position, now)
    if age is not None:
        told = "Since the App's delivery log was read to its end."
        yield GaugeMetricFamily("lockstep_delivery_log_read_age_seconds", told, value=age)


def _of_limits(closed: Iterable[Closed], now: datetime) -> Metric:
    about = "Until something may be sent to GitHub again, by installation (app: as itself) and resource."
    waits = ((one.installation_id or "app", one.resource, (one.until - now).total_seconds()) for one in closed)
    return _labelled("lockstep_github_limit_seconds", about, ("installation", "resource"), waits)


def _labelled(name: str, text_: str, labels: tuple[str, ...], counts: Iterable[tuple[Any, ...]]) -> Metric:
    family = GaugeMetricFamily(name, text_, labels=labels)
    for *values, count in counts:
        family.add_metric([str(value) for value in values], count)
    return family
