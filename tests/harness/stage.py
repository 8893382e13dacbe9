"""The stage of one story: an event loop, the simulator and the service on loopback, a database, and time that passes.

Law: time is the simulator's and moves only by ``Stage``, from one moment at which something is due to the next; before
each step everything that can happen at the present moment has happened. What never comes to rest fails with a timeline.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import Any, NoReturn, TypeVar
from uuid import uuid4

import httpx
from sqlalchemy import text

from app.composition import Service
from app.jobs.queue import QUEUE
from app.simulator.server import Options, Simulator, running
from tests.harness import service as services
from tests.harness.control import Control, Json
from tests.harness.credentials import Credentials
from tests.harness.process import WorkerProcess
from tests.harness.timeline import timeline

T = TypeVar("T")

ROUNDS = 60
"""So often deliveries may cause requests that cause deliveries within one moment."""
STEPS = 500
"""So many moments at which something is due may pass within one wait."""
PATIENCE = 120.0
"""Real seconds after which work that does not end, though nothing holds it up, has failed."""
NEXT_TIMER = text("SELECT min(greatest(due_at, leased_until)) FROM timers")
SLEEP = text(
    "UPDATE timers SET due_at = due_at + interval '100 years' WHERE kind = 'upkeep' AND subject <> ALL(:awake)"
)
LOCK_SETS = text("SELECT id FROM change_sets FOR UPDATE")
BLOCKED = text("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
AGE_WORKERS = text("UPDATE procrastinate_workers SET last_heartbeat = last_heartbeat - interval '1 hour'")
DEAD_JOBS = text("SELECT task_name, args FROM procrastinate_jobs WHERE status NOT IN ('todo', 'doing', 'succeeded')")


class Stage:
    """One service and one GitHub. Verbs are synchronous: between two of them nothing moves."""

    def __init__(
        self,
        database_url: str,
        credentials: Credentials,
        seed: Json,
        *,
        rounds: Sequence[str] = (),
        start: datetime | None = None,
        **settings: object,
    ) -> None:
        """``rounds``: those of the service's that are awake; the others sleep all through the story.

        :param start: the moment at which it begins; None: now.
        """
        self._rounds = rounds
        self._runner = asyncio.Runner()
        self._database_url = database_url
        self._credentials = credentials
        self._settings = settings
        self._parked: list[asyncio.Task[None]] = []
        self._held = 0
        self._token: str | None = None
        self._process: WorkerProcess | None = None
        self._github, self._lockstep = AsyncExitStack(), AsyncExitStack()
        self._listener = services.listening()
        self._away = False
        hook = None if settings.get("ingest") == "pull" else services.address(self._listener) + services.HOOK
        options = Options(credentials.app_id, hook, credentials.webhook_secret, credentials.public_key)
        self._simulator = Simulator(options, seed)
        self._simulator.clock.freeze(start)
        self.control: Control
        self.service: Service

    def open(self) -> None:
        """Raise the curtain; afterwards the service knows what was there when it started, and nothing is in flight."""
        self._simulator.faults.add("delivery", {"event": "installation"}, "drop")
        self.run(self._open())
        self.pump()
        self.end_faults()

    async def _open(self) -> None:
        url = await self._github.enter_async_context(running(self._simulator))
        self.control = Control(url)
        self._github.push_async_callback(self.control.close)
        await self._start_service(url)
        await self._let_rounds_sleep()

    async def _let_rounds_sleep(self) -> None:
        await self.service.worker.introduce()
        async with self.service.engine.begin() as connection:
            await connection.execute(SLEEP, {"awake": list(self._rounds)})

    async def _start_service(self, url: str) -> None:
        clock = self._simulator.clock.now
        settings = services.settings(self._credentials, url, **self._settings)
        service = services.composed(settings, self._database_url, clock)
        self.service = await self._lockstep.enter_async_context(service)
        await self._lockstep.enter_async_context(services.served(service, self._listener))

    def close(self) -> None:
        """Let go of everything; what a fault still held back is let go first, or nobody would answer."""
        try:
            self.run(self._close())
        finally:
            self._listener.close()
            self._runner.close()

    async def _close(self) -> None:
        try:
            if self._process is not None:
                self._process.kill()
            await self.control.call("DELETE", "/faults")
            await asyncio.gather(*self._parked, return_exceptions=True)
        finally:
            await asyncio.gather(self._lockstep.aclose(), self._github.aclose())

    def run(self, work: Awaitable[T]) -> T:
        """Let the loop run until ``work`` is done."""

        async def awaited() -> T:
            return await work

        return self._runner.run(awaited())

    def call(self, method: str, path: str, body: Json | None = None) -> Any:
        """One call of the control surface."""
        return self.run(self.control.call(method, path, body))

    def state(self) -> Json:
        return self.run(self.control.state())

    @property
    def log(self) -> list[Json]:
        """All entries so far."""
        self.run(self.control.read_log())
        return self.control.log

    def deliver(self, event: str | None, payload: Any, guid: str | None, *, secret: str | None = None) -> int:
        """Send a webhook as GitHub would, the body as it is where it is bytes; the status of the answer.

        :param secret: the one to sign with; None: the App's; empty: no signature.
        """
        body = payload if isinstance(payload, bytes) else json.dumps(payload, ensure_ascii=False).encode()
        key = self._credentials.webhook_secret if secret is None else secret
        headers = {"content-type": "application/json"}
        if key:
            headers["x-hub-signature-256"] = "sha256=" + hmac.digest(key.encode(), body, "sha256").hex()
        headers |= {"x-github-event": event} if event else {}
        headers |= {"x-github-delivery": guid} if guid else {}
        return self.run(self._send(body, headers))

    def deliver_escaped(self, event: str, payload: Any) -> int:
        """As ``deliver``, with everything beyond ASCII escaped, so that the JSON can say what no text can hold."""
        status = self.deliver(event, json.dumps(payload).encode(), uuid4().hex)
        self.pump()
        return status

    def api(self, method: str, path: str, body: Json | None = None) -> tuple[int, Any]:
        """Call the service's own API with a token that may do everything; status and decoded answer."""
        answer = self.call_service(method, f"/api/v1{path}", body)
        return answer.status_code, answer.json()

    def call_service(self, method: str, path: str, body: Json | None = None) -> httpx.Response:
        """Any call of the service's web side, with that token; the whole answer."""
        return self.run(self._call_service(method, path, body))

    async def _call_service(self, method: str, path: str, body: Json | None) -> httpx.Response:
        if self._token is None:
            self._token = await services.api_token(self.service)
        address, headers = services.address(self._listener), {"authorization": f"Bearer {self._token}"}
        async with httpx.AsyncClient(base_url=address, headers=headers, trust_env=False, verify=False) as client:
            return await client.request(method, path, json=body)

    async def _send(self, body: bytes, headers: dict[str, str]) -> int:
        async with httpx.AsyncClient(trust_env=False, verify=False) as client:
            address = services.address(self._listener) + services.HOOK
            return (await client.post(address, content=body, headers=headers)).status_code

    def now(self) -> datetime:
        return self._simulator.clock.now()

    def pump(self) -> None:
        """Let everything happen that can happen without time passing."""
        self.run(self._pump())

    async def _pump(self) -> None:
        for _ in range(ROUNDS):
            delivered = await self._simulator.advance(0)
            before = self._happened()
            await self._work()
            if self._happened() == before and not delivered:
                return
        self.fail(f"GitHub and the service keep each other busy: {ROUNDS} rounds in one moment")

    def _happened(self) -> int:
        """How many entries the log has. Like the clock it is asked for thousands of times, so not by HTTP."""
        return len(self._simulator.log.entries)

    async def _work(self) -> None:
        """Let the worker work until it is idle, or until all it waits for is an answer that a fault holds back.

        What is held back stays parked; meanwhile another worker does the rest, as in a process of its own.
        """
        if self._away:
            return
        held = await self.control.held() if self._held else 0
        parked, known = (self._parked, 0) if held < self._held else ([], self._held)
        tasks = list(parked)
        if self._process is None:
            tasks.append(asyncio.create_task(self.service.worker.run_until_idle()))
        elif not self._parked:
            tasks.append(asyncio.create_task(self._process.work()))
        undone = await self._done_or_held(tasks, known)
        self._parked = [*undone, *(task for task in self._parked if task not in parked)]
        self._held = await self.control.held() if undone or self._held else 0

    async def _done_or_held(self, tasks: list[asyncio.Task[None]], known: int) -> list[asyncio.Task[None]]:
        """Those that wait for more than the ``known`` answers that are held back, once nothing moves any more."""
        waited, quiet, undone, seen = 0.0, 0, set(tasks), self._happened()
        while undone and quiet < 3:
            done, undone = await asyncio.wait(undone, timeout=0.1)
            for task in done:
                task.result()
            if not undone:
                break
            waited += 0.1
            moved, seen, held = self._happened() > seen, self._happened(), await self.control.held()
            quiet = quiet + 1 if held > known and not moved else 0
            if waited > PATIENCE:
                self.fail(f"the worker was not idle after {PATIENCE:g} s of real time")
        return list(undone)

    def end_faults(self) -> None:
        """What was held back goes on."""
        self.call("DELETE", "/faults")

    def hire(self) -> None:
        """From now on the work is done by a process that can be killed."""
        self._process = WorkerProcess(self._credentials, self.control.url, self._database_url)

    def kill(self) -> None:
        """``kill -9`` of that process in the middle of whatever it does; from now on another worker is there."""
        process, self._process = self._process, None
        assert process is not None, "no process was hired"
        process.kill()
        self.run(self._bury())

    def kill_before_commit(self) -> None:
        """Let go what is held, keep the process from writing down what it learns, and kill it there."""
        self.run(self._until_it_cannot_commit())

    async def _until_it_cannot_commit(self) -> None:
        async with self.service.engine.begin() as connection:
            await connection.execute(LOCK_SETS)
            await self.control.call("DELETE", "/faults")
            async with asyncio.timeout(PATIENCE):
                while not (await connection.execute(BLOCKED)).scalar_one():
                    await asyncio.wait(self._parked, timeout=0.02)
            assert self._process is not None, "no process was hired"
            self._process.kill()
            self._process = None
        await self._bury()

    async def _bury(self) -> None:
        """The minute passes after which a worker that is silent counts as dead. It is a minute of Postgres' clock."""
        await asyncio.gather(*self._parked, return_exceptions=True)
        self._parked.clear()
        self._held = await self.control.held()
        async with self.service.engine.begin() as connection:
            await connection.execute(AGE_WORKERS)
        await self.service.queue.app.configure_task("upkeep", queue=QUEUE).defer_async(timestamp=0)

    def leave(self) -> None:
        """The service ends, web and worker; GitHub goes on, and finds nobody to deliver to."""
        self.run(self._lockstep.aclose())
        self._lockstep, self._away = AsyncExitStack(), True

    def come_back(self) -> None:
        """It starts again, on another port that GitHub is told."""
        self._listener = services.listening()
        self.run(self._start_service(self.control.url))
        if self._settings.get("ingest") != "pull":
            self.call("POST", "/server", {"webhook_url": services.address(self._listener) + services.HOOK})
        self._away = False
        self.pump()

    def step(self, until: datetime) -> bool:
        """Go to the next moment at which something is due, at the latest ``until``. False: that moment is reached."""
        return self.run(self._step(until))

    async def _step(self, until: datetime) -> bool:
        await self._pump()
        now, next_there = self.now(), self._simulator.clock.next_due()
        if now >= until:
            return False
        theirs = next_there.at if next_there else None
        ours = None if self._away else await self._next_timer()
        # What is overdue and still there was planned for "soon" by a worker that is held up: time must go on.
        soonest = now + timedelta(milliseconds=100)
        due = min(max(moment, soonest) for moment in (ours, theirs, until) if moment is not None)
        await self._simulator.advance((min(due, until) - now).total_seconds())
        await self._pump()
        return True

    async def _next_timer(self) -> datetime | None:
        async with self.service.engine.connect() as connection:
            due: datetime | None = (await connection.execute(NEXT_TIMER)).scalar_one_or_none()
        return due

    def wait(self, seconds: float) -> None:
        """Let so much time pass, with everything that happens in it."""
        end = self.now() + timedelta(seconds=seconds)
        for _ in range(STEPS):
            if not self.step(end):
                return
        self.fail(f"something is always due: {STEPS} moments within {seconds:g} s")

    def until(self, what: str, reached: Callable[[], bool], within: float = 3600.0) -> None:
        """Let time pass until ``reached``; fails where that takes longer than ``within`` seconds of virtual time."""
        end = self.now() + timedelta(seconds=within)
        self.pump()
        for _ in range(STEPS):
            if reached():
                return
            if not self.step(end):
                break
        if not reached():
            self.fail(f"within {within:g} s it did not come about that {what}")

    def dead_jobs(self) -> list[str]:
        """Jobs that ended without a result: each is an error of the service itself."""
        return self.run(self._dead_jobs())

    async def _dead_jobs(self) -> list[str]:
        async with self.service.engine.connect() as connection:
            return [f"{row.task_name} {row.args}" for row in await connection.execute(DEAD_JOBS)]

    def fail(self, why: str) -> NoReturn:
        """Fail, and tell what happened until now."""
        raise AssertionError(f"{why}\n\nWhat happened:\n{timeline(self._simulator.log.entries)}")
