"""The migrations and the part of the queue's schema that is ours."""

from __future__ import annotations

import threading

import psycopg
import pytest

from app.store.migrate import is_current, upgrade

JOB = "INSERT INTO procrastinate_jobs (task_name, queue_name, lock, status) VALUES ('t', 'q', %s, %s) RETURNING id"


def connect(url: str) -> psycopg.Connection[tuple[int]]:
    return psycopg.connect(url.replace("+psycopg", "", 1), autocommit=True)


def test_an_empty_database_is_brought_to_the_newest_revision_and_stays_there(empty_database_url: str) -> None:
    assert not is_current(empty_database_url)
    upgrade(empty_database_url)
    assert is_current(empty_database_url)
    upgrade(empty_database_url)
    assert is_current(empty_database_url)


def test_processes_that_start_at_once_migrate_one_after_the_other(empty_database_url: str) -> None:
    failures: list[BaseException] = []

    def migrate() -> None:
        try:
            upgrade(empty_database_url)
        except Exception as error:  # noqa: BLE001 - carried to the main thread, which asserts on it
            failures.append(error)

    threads = [threading.Thread(target=migrate) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert is_current(empty_database_url)


@pytest.mark.parametrize(
    "ending", ["UPDATE procrastinate_jobs SET status = 'succeeded'", "DELETE FROM procrastinate_jobs"]
)
def test_the_end_of_a_job_that_held_a_lock_wakes_the_workers(database_url: str, ending: str) -> None:
    with connect(database_url) as connection:
        [job] = connection.execute(JOB, ("a-lock", "doing")).fetchall()
        connection.execute('LISTEN "procrastinate_queue_v1#q"')
        connection.execute("LISTEN procrastinate_any_queue_v1")
        connection.execute(ending)
        announced = [(each.channel, each.payload) for each in connection.notifies(timeout=5, stop_after=2)]
    payload = f'{{"type" : "job_inserted", "job_id" : {job[0]}}}'
    assert announced == [("procrastinate_queue_v1#q", payload), ("procrastinate_any_queue_v1", payload)]


@pytest.mark.parametrize(("lock", "status"), [(None, "doing"), ("a-lock", "todo")])
def test_a_job_that_held_no_lock_wakes_nobody(database_url: str, lock: str | None, status: str) -> None:
    with connect(database_url) as connection:
        connection.execute(JOB, (lock, status))
        connection.execute("LISTEN procrastinate_any_queue_v1")
        connection.execute("UPDATE procrastinate_jobs SET status = 'cancelled'")
        connection.execute("NOTIFY procrastinate_any_queue_v1, 'nothing before this'")
        [announced] = connection.notifies(timeout=5, stop_after=1)
    assert announced.payload == "nothing before this"
