"""Readiness part by part, and the metrics."""

from __future__ import annotations

from datetime import timedelta

from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from app.domain.budget import Ask, Cost, Heard, Priority, Refusal, Ticket
from app.settings import Ingest, Settings
from app.store.budgets import Budgets
from app.store.delivery_log import begin_log, end_reading, fail_reading
from app.store.transaction import transaction
from app.web.health import missing_settings
from tests.web.office import Office, office


async def test_readiness_names_what_is_missing(office: Office) -> None:
    answer = await office.call("GET", "/readyz")
    shown = answer.json()
    assert (answer.status_code, shown["ready"]) == (503, False)
    assert shown["set_up"]["reason"].startswith("set LOCKSTEP_APP_ID, LOCKSTEP_PRIVATE_KEY and")
    assert shown["database"] == {"ready": True}
    assert shown["migrations"] == {"ready": True}
    assert shown["worker"]["reason"].startswith("no worker runs")


async def test_a_worker_counts_while_its_heart_beats(office: Office) -> None:
    for age, alive in ((1, True), (300, False)):
        async with transaction(office.web.engine) as connection:
            await connection.execute(text("DELETE FROM procrastinate_workers"))
            beat = "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - make_interval(secs => :age))"
            await connection.execute(text(beat), {"age": age})
        worker = (await office.call("GET", "/readyz")).json()["worker"]
        assert worker["ready"] is alive
        assert abs(worker["heartbeat_age_seconds"] - age) < 60


async def test_a_database_that_nobody_migrated_is_not_ready(empty_database_url: str) -> None:
    from app.main import without_app
    from app.web.application import create_application
    from app.web.health import readyz

    async with without_app(Settings(), empty_database_url) as web:
        create_application(web)
        answer = bytes((await readyz(web)).body).decode()
    assert '"migrations":{"ready":false' in answer


async def test_metrics_count_what_is_there(office: Office) -> None:
    await office.opened()
    await office.delivered("guid-1")
    office.clock.forward(seconds=90)
    answer = await office.call("GET", "/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert samples["lockstep_deliveries", "open"] == 1
    assert samples["lockstep_open_verdicts", "pending"] == 1
    assert samples["lockstep_oldest_pending_verdict_seconds",] == 90
    assert samples["lockstep_oldest_open_delivery_seconds",] == 90
    assert samples["lockstep_effects", "PostSign", "promised"] == 1
    assert samples["lockstep_jobs", "perform", "todo"] == 1


async def stuck(office: Office) -> float:
    for family in text_string_to_metric_families((await office.call("GET", "/metrics")).text):
        for sample in family.samples:
            if sample.name == "lockstep_oldest_stuck_verdict_seconds":
                return float(sample.value)
    raise AssertionError("no such metric")


async def test_a_pending_verdict_that_nothing_will_ever_end_is_told(office: Office) -> None:
    await office.opened()
    office.clock.forward(minutes=10)
    assert await stuck(office) == 0, "a post is under way"
    async with transaction(office.web.engine) as connection:
        await connection.execute(text("UPDATE effects SET state = 'done', done_at = created_at"))
    assert await stuck(office) == 600, "its timer is overdue, and nobody was woken"
    async with transaction(office.web.engine) as connection:
        await connection.execute(
            text("UPDATE timers SET due_at = :soon"), {"soon": office.clock() + timedelta(hours=1)}
        )
    assert await stuck(office) == 0, "a clock"
    async with transaction(office.web.engine) as connection:
        await connection.execute(text("DELETE FROM timers"))
        await connection.execute(text("UPDATE contributions SET cause = 'approval:repoA'"))
    assert await stuck(office) == 0, "a person"


async def test_waiting_for_githubs_limits_is_shown_and_is_no_fault(office: Office) -> None:
    web = office.web
    ledger = Budgets(web.engine, web.clock)
    until = web.clock() + timedelta(minutes=3)
    for one in (7, None):
        ticket = await ledger.reserve(one, Ask(Priority.READ, Cost.READ))
        assert isinstance(ticket, Ticket)
        await ledger.settle(ticket, Heard(refusal=Refusal(primary=one is None, retry_at=until)))
    shown = (await office.call("GET", "/readyz")).json()["github_limits"]
    assert shown == {
        "ready": True,
        "waiting": [
            {"installation_id": None, "resource": "core", "until": until.isoformat()},
            {"installation_id": 7, "resource": "all", "until": until.isoformat()},
        ],
    }
    metrics = (await office.call("GET", "/metrics")).text
    assert 'lockstep_github_limit_seconds{installation="app",resource="core"} 180.0' in metrics
    assert 'lockstep_github_limit_seconds{installation="7",resource="all"} 180.0' in metrics
    office.clock.forward(minutes=3)
    assert (await office.call("GET", "/readyz")).json()["github_limits"] == {"ready": True, "waiting": []}
    assert "lockstep_github_limit_seconds{" not in (await office.call("GET", "/metrics")).text


async def test_the_set_up_is_complete_with_credentials(database_url: str) -> None:
    async with office(database_url, Settings()) as made:
        assert missing_settings(made.web)[-1] == "LOCKSTEP_WEBHOOK_SECRET"


async def log_is(made: Office, *, read: bool, problem: str | None = None) -> None:
    async with transaction(made.web.engine) as connection:
        await begin_log(connection, made.clock.now)
        if read:
            await end_reading(connection, made.clock.now)
        if problem is not None:
            await fail_reading(connection, problem)


async def test_an_unread_delivery_log_counts_where_nothing_else_comes_in(database_url: str) -> None:
    async with office(database_url, Settings(ingest=Ingest.PULL)) as made:
        never = (await made.call("GET", "/readyz")).json()["delivery_log"]
        assert never["reason"].startswith("the App's delivery log was never read: look whether a worker runs")
        await log_is(made, read=True)
        made.clock.forward(seconds=30)
        assert (await made.call("GET", "/readyz")).json()["delivery_log"] == {"ready": True, "read_age_seconds": 30.0}
        made.clock.forward(minutes=10)
        await log_is(made, read=False, problem="GitHub could not answer (502)")
        silent = (await made.call("GET", "/readyz")).json()["delivery_log"]
        assert silent["ready"] is False
        assert silent["reason"] == "the App's delivery log has not been read for 630 s: GitHub could not answer (502)"


async def test_beside_webhooks_an_unread_delivery_log_is_only_shown(office: Office) -> None:
    assert (await office.call("GET", "/readyz")).json()["delivery_log"] == {"ready": True, "read_age_seconds": None}
    await log_is(office, read=True, problem="refused")
    office.clock.forward(hours=2)
    shown = (await office.call("GET", "/readyz")).json()["delivery_log"]
    assert shown == {"ready": True, "read_age_seconds": 7200.0, "last_problem": "refused"}
    told = (await office.call("GET", "/metrics")).text
    assert "lockstep_delivery_log_read_age_seconds 7200.0" in told
    assert "lockstep_delivery_log_taken_total 0.0" in told


async def test_the_door_is_shut_where_the_log_is_all_there_is(database_url: str) -> None:
    async with office(database_url, Settings(ingest=Ingest.PULL)) as made:
        answer = await made.call("POST", "/webhooks/github", content=b"{}")
        assert answer.status_code == 404
        assert "LOCKSTEP_INGEST=pull" in answer.json()["message"]
        assert missing_settings(made.web) == ["LOCKSTEP_APP_ID", "LOCKSTEP_PRIVATE_KEY"]
