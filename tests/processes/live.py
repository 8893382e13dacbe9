"""The stage of a story in real time: the simulated GitHub in this process, the service in processes of its own.

Law: nothing sleeps and hopes. What a test waits for is seen in the simulator or in an answer, and has a deadline.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import httpx
import psycopg

from app.jobs.promises import TAKE_FROM_LOG
from app.simulator.server import running
from tests.harness import measure, worlds
from tests.harness import service as services
from tests.harness.control import Control, Json
from tests.harness.credentials import Credentials
from tests.harness.looks import Sign
from tests.harness.stage import DEAD_JOBS, Stage
from tests.harness.story import Story
from tests.processes.programs import ROOT, Program

POLL = 0.1
DEADLINE = 90.0
"""Real seconds for anything; so many only because others may use the machine too."""
QUICK = [{"queue": 0.05, "length": None}]
"""Runs begin at once, and end when the story says so."""
NOW = "UPDATE timers SET due_at = now() WHERE kind = 'upkeep' AND subject = %s RETURNING subject"
AGE = "UPDATE procrastinate_workers SET last_heartbeat = last_heartbeat - interval '1 hour' WHERE id = %s"
UPKEEP = "INSERT INTO procrastinate_jobs (task_name, queue_name, args) VALUES ('upkeep', 'lockstep', %s)"


class LiveStage(Stage):
    """As ``Stage``, for a story that programs play. Between two verbs GitHub stands still, and the programs do not."""

    def __init__(self, database_url: str, credentials: Credentials, seed: Json, printed: Path) -> None:
        super().__init__(database_url, credentials, seed)
        self._simulator.clock.thaw()
        self._listener.close()
        self._database = database_url.replace("+psycopg", "", 1)
        self._printed = printed
        self._programs: list[Program] = []
        self._addresses: dict[Program, str] = {}

    def open(self) -> None:
        self.run(self._open_github())

    async def _open_github(self) -> None:
        self.control = Control(await self._github.enter_async_context(running(self._simulator)))
        self._github.push_async_callback(self.control.close)

    def close(self) -> None:
        for one in self._programs:
            one.is_gone()
        super().close()

    def pump(self) -> None:
        """Time passes by itself."""

    def wait(self, seconds: float) -> NoReturn:
        raise NotImplementedError("in real time nothing is waited for but an event: see until")

    def until(self, what: str, reached: Callable[[], bool], within: float = DEADLINE) -> None:
        end = time.monotonic() + min(within, DEADLINE)
        while not reached():
            if time.monotonic() > end:
                self.fail(f"within {min(within, DEADLINE):g} s it did not come about that {what}")
            self.run(asyncio.sleep(POLL))

    def starts(self, *arguments: str, cwd: Path = ROOT, **settings: str) -> Program:
        """A program with the settings of this stage."""
        file = self._printed / f"program-{len(self._programs)}.log"
        given = {
            "LOCKSTEP_DATABASE_URL": self._database_url,
            "LOCKSTEP_APP_ID": str(self._credentials.app_id),
            "LOCKSTEP_PRIVATE_KEY": self._credentials.private_key,
            "LOCKSTEP_WEBHOOK_SECRET": self._credentials.webhook_secret,
            "LOCKSTEP_GITHUB_API_URL": self.control.url,
        }
        self._programs.append(Program([*arguments], {**given, **settings}, file, cwd))
        return self._programs[-1]

    def web(self, **more: Any) -> Program:
        """``lockstep serve --no-worker``, to be heard by GitHub after ``hears``."""
        return self.starts("serve", "--no-worker", "--port", "0", **more)

    def worker(self, **more: Any) -> Program:
        return self.starts("worker", **more)

    def hears(self, web: Program) -> None:
        """From now on deliveries go to this one, which serves."""
        self.until("the web serves", lambda: self._alive(web).said("serving") is not None)
        self._addresses[web] = str((web.said("serving") or {})["address"])
        self.until("the web answers", lambda: self.readiness(web)[0] is not None)
        self.call("POST", "/server", {"webhook_url": self._addresses[web] + services.HOOK})

    def is_ready(self, web: Program) -> None:
        """/readyz says that all is there; a program that has ended meanwhile fails the story."""
        self.until("all is ready", lambda: self.readiness(self._alive(web))[0] == 200)

    def readiness(self, web: Program) -> tuple[int | None, Any]:
        """Status and body of /readyz; None: nobody answers."""
        return self.run(self._readiness(self._addresses[web]))

    async def _readiness(self, address: str) -> tuple[int | None, Any]:
        async with httpx.AsyncClient(base_url=address, trust_env=False, verify=False, timeout=20) as client:
            try:
                answer = await client.get("/readyz")
            except httpx.TransportError:
                return None, None
        return answer.status_code, answer.json()

    def has_ended(self, one: Program, within: float = DEADLINE) -> None:
        """It ends by itself, with status 0."""
        self.until("the program ends", lambda: one.status is not None, within)
        if one.status != 0:
            self.fail(f"the program ended with status {one.status}:\n{one.printed()[-3000:]}")

    def _alive(self, one: Program) -> Program:
        if one.status is not None:
            self.fail(f"the program ended with status {one.status}:\n{one.printed()[-3000:]}")
        return one

    def says(self, sign: Callable[[], Sign], state: str) -> None:
        """In a while the status that ``sign`` looks at is ``state``."""
        self.until(f"a status says {state}", lambda: sign().states()[-1:] == [state])

    def delivery_log_is_due(self) -> None:
        """The minute between two readings is over."""
        assert self.execute(NOW, TAKE_FROM_LOG), "no worker has set the timer of that round"

    def workers(self) -> set[int]:
        """Numbers of those that have said that they work."""
        return {int(str(row[0])) for row in self.execute("SELECT id FROM procrastinate_workers")}

    def count_as_dead(self, workers: set[int]) -> None:
        """They have been silent for so long that the others take up what they left."""
        for one in workers:
            self.execute(AGE, one)
        self.execute(UPKEEP, '{"timestamp": 0}')

    def connect(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self._database, autocommit=True)

    def execute(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        with self.connect() as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def dead_jobs(self) -> list[str]:
        return [f"{task} {args}" for task, args in self.execute(DEAD_JOBS.text)]


class Played(NamedTuple):
    """The story, and the stage on which its programs are."""

    story: Story
    stage: LiveStage

    def ends_well(self, *repositories: str) -> None:
        """Whatever runs passes, until the verdict is success on each; then each head was built once."""
        stage, story = self.stage, self.story

        def green() -> bool:
            story.finishes()
            return all(sign.states()[-1:] == ["success"] for sign in story.signs(*repositories))

        stage.until("all are green", green)

    def built_once(self, *repositories: str) -> None:
        """Each head by one run and no more."""
        for name in repositories:
            head = self.story.head(name)
            runs = [run for run in self.story.repository(name)["runs"] if run["head_sha"] == head]
            if len(runs) != 1:
                self.stage.fail(f"{name} should have one run on {head}; it has {runs}")


@contextmanager
def playing(database_url: str, credentials: Credentials, printed: Path) -> Iterator[Played]:
    """CONTRACT §7's world in real time. At the end what holds of every story is checked, and no program is left."""
    told = {"inputs": {"id": "{attempt.id}"}}
    config = worlds.config({"settle": "0s", "builds": worlds.builds(**dict.fromkeys(worlds.REPOSITORIES, told))})
    seed = worlds.seed(config, workflow=worlds.NAMED, scripts=QUICK)
    stage = LiveStage(database_url, credentials, seed, printed)
    try:
        stage.open()
        story = Story(stage)
        yield Played(story, stage)
        measure.check(stage)
        sent = [one["body"]["inputs"]["id"] for one in story.requests("POST", "*/dispatches")]
        assert len(sent) == len(set(sent)), f"an attempt was sent twice: {sent}"
    finally:
        stage.close()
