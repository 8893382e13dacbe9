"""Webhooks on their way to the App: signed, sent, recorded, sent again on request.

Law: an event is put in line when it happens. The line is sent at once, whatever time it is in the world; only where
time goes by steps it waits for the next ``POST /_simulator/clock``. Deliveries start in order, and a little is waited
for each answer before the next, so a healthy receiver hears things in order and a slow one does not stop the others.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import uuid
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from app.simulator import struck
from app.simulator.events import ALWAYS, OF_THE_APP, hears
from app.simulator.faults import Fault, Faults, seconds_of
from app.simulator.ids import node_id
from app.simulator.log import Log, parsed
from app.simulator.model import Installation, Repository
from app.simulator.render.accounts import organization, webhook_repository
from app.simulator.render.versions import NEW, OLD, webhook_as_of
from app.simulator.world import World

Json = dict[str, Any]

PATIENCE = 0.5  # seconds of real time before the next delivery starts beside a slow one
TIME_OUT = 10.0  # FACTS §3; ``time_out`` of ``Deliveries`` may be shorter where nobody has so much time
MAX_PAYLOAD = 25 * 1024 * 1024


@dataclass
class Delivery:
    """One attempt to tell the App something."""

    id: int
    guid: str
    event: str
    action: str | None
    payload: bytes
    installation_id: int | None
    repository_id: int | None
    repository: str | None
    created_at: datetime
    redelivery: bool = False
    fault: str | None = None
    delivered_at: datetime | None = None
    status: str = "pending"
    status_code: int = 0
    duration: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)
    response_headers: dict[str, str] = field(default_factory=dict)
    response_body: str = ""


class Deliveries:
    """The line of deliveries and the App's delivery log."""

    def __init__(self, world: World, log: Log, faults: Faults, time_out: float = TIME_OUT) -> None:
        self.world, self.log, self.faults = world, log, faults
        self._time_out = time_out
        self.recorded: dict[int, Delivery] = {}
        self.attempted = 0
        self._line: deque[Delivery] = deque()
        self._flying: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._turn = asyncio.Lock()  # one starts deliveries at a time: ``run``, or ``flush``
        self._client: httpx.AsyncClient | None = None
        world.listen(self.enqueue, lambda what, details: self._journal(what, details))

    def _journal(self, what: str, details: Json) -> None:
        self.log.add("world", self.world.clock.now(), path=what, body=details)

    def enqueue(self, event: str, action: str | None, repository: Repository | None, payload: Json) -> None:
        """Put an event in line for the App, if it is installed there, awake, and subscribed; or if it is its own."""
        world = self.world
        if event in OF_THE_APP:
            self._line_up(event, action, None, None, payload)
            return
        installation: Installation | None = payload.pop("_installation", None)
        if installation is None and repository is not None:
            installation = world.installation_of(repository)
        if installation is None or not hears(installation, event):
            return
        if repository is not None:
            payload.setdefault("repository", webhook_repository(world, repository))
        if installation.account.kind == "Organization" and event not in ALWAYS:
            payload["organization"] = organization(world, installation.account)
        payload.setdefault("installation", {"id": installation.id, "node_id": node_id("Installation", installation.id)})
        self._line_up(event, action, repository, installation, payload)

    def _line_up(
        self,
        event: str,
        action: str | None,
        repository: Repository | None,
        installation: Installation | None,
        payload: Json,
    ) -> None:
        world = self.world
        shape = webhook_as_of(OLD if world.server.old else NEW, payload)
        body = json.dumps(shape, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        if len(body) > MAX_PAYLOAD:
            return
        self._put(
            Delivery(
                world.numbers.next("Delivery"), str(uuid.uuid4()), event, action, body,
                installation.id if installation else None,
                repository.id if repository else None, repository.full_name if repository else None,
                world.clock.now(),
            )
        )  # fmt: skip

    def redeliver(self, old: Delivery) -> Delivery:
        """Send it again under the same ``X-GitHub-Delivery`` (FACTS §3)."""
        again = Delivery(
            self.world.numbers.next("Delivery"), old.guid, old.event, old.action, old.payload, old.installation_id,
            old.repository_id, old.repository, self.world.clock.now(), True,
        )  # fmt: skip
        self._put(again)
        return again

    def _put(self, delivery: Delivery) -> None:
        self._line.append(delivery)
        self._wake.set()

    async def run(self) -> None:
        """Send what comes into line, unless time goes by steps."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._line and not self.world.clock.steps:
                await self._start_next()

    def wake(self) -> None:
        """Look at the line again (time no longer goes by steps)."""
        self._wake.set()

    async def flush(self) -> None:
        """Send all that is in line and wait until every delivery has been answered or has timed out."""
        while self._line or self._flying:
            while self._line:
                await self._start_next()
            if self._flying:
                await asyncio.wait(self._flying, return_when=asyncio.FIRST_COMPLETED)

    async def close(self) -> None:
        """Stop sending."""
        for task in self._flying:
            task.cancel()
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _start_next(self) -> None:
        async with self._turn:
            if not self._line:
                return
            task = asyncio.create_task(self._handle(self._line.popleft()))
            self._flying.add(task)
            task.add_done_callback(self._flying.discard)
            await asyncio.wait({task}, timeout=min(PATIENCE, self._time_out / 4))

    async def _handle(self, delivery: Delivery) -> None:
        facts = {"event": delivery.event, "action": delivery.action, "repository": delivery.repository}
        fault = self.faults.strike("delivery", facts)
        self.attempted += 1
        if fault is None:
            await self._send(delivery)
        else:
            await self._suffer(delivery, fault)

    async def _suffer(self, delivery: Delivery, fault: Fault) -> None:
        delivery.fault = fault.do
        self.world.note("fault", **fault.told(), event=delivery.event, action=delivery.action, delivery=delivery.id)
        if fault.do == "double":
            await self._send(delivery)
            await self._send(replace(delivery, id=self.world.numbers.next("Delivery")))
        elif fault.do == "delay" or (fault.do == "hold" and fault.value is not None):
            seconds, late = seconds_of(fault.value or 0), f"late delivery of {delivery.event}"
            self.world.clock.schedule(seconds, lambda: self._spawn(delivery), late)
        elif fault.do == "hold":
            fault.waiting.append(lambda: self._spawn(delivery))
        elif fault.do == "lose_answer":
            await self._send(delivery, answer_lost=True)
        elif fault.do == "status":
            code = struck.refusal(fault.value).status
            self._record(delivery, f"Invalid HTTP Response: {code}", code)
        elif fault.do == "reset":
            self._record(delivery, "failed to connect to host", 502)
        elif fault.value != "unrecorded":
            self._record(delivery, "timed out", 504)

    def _spawn(self, delivery: Delivery) -> None:
        """Send something that was kept back; no fault strikes it twice."""
        task = asyncio.get_running_loop().create_task(self._send(delivery))
        self._flying.add(task)
        task.add_done_callback(self._flying.discard)

    async def _send(self, delivery: Delivery, answer_lost: bool = False) -> None:
        app = self.world.app
        delivery.headers = self._headers(delivery)
        if not app.webhook_url:
            self._record(delivery, "failed to connect to host", 502)
            return
        started = asyncio.get_running_loop().time()
        if self._client is None:
            # Reading all certificates takes a while, and nearly no hook here speaks TLS.
            secure = not app.webhook_url.startswith("http://")
            self._client = httpx.AsyncClient(timeout=self._time_out, trust_env=False, verify=secure)
        try:
            async with asyncio.timeout(self._time_out):
                answer = await self._client.post(app.webhook_url, content=delivery.payload, headers=delivery.headers)
        except (TimeoutError, httpx.TimeoutException):
            self._record(delivery, "timed out", 504)
            return
        except httpx.HTTPError as error:
            self._record(delivery, "failed to connect to host", 502, response=str(error))
            return
        delivery.duration = round(asyncio.get_running_loop().time() - started, 3)
        if answer_lost:
            self._record(delivery, "timed out", 504)
            return
        delivery.response_headers = dict(answer.headers)
        status = "OK" if answer.is_success else f"Invalid HTTP Response: {answer.status_code}"
        self._record(delivery, status, answer.status_code, response=answer.text)

    def _headers(self, delivery: Delivery) -> dict[str, str]:
        app = self.world.app
        headers = {
            "Accept": "*/*",
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/simulator",
            "X-GitHub-Delivery": delivery.guid,
            "X-GitHub-Event": delivery.event,
            "X-GitHub-Hook-ID": str(app.hook_id),
            "X-GitHub-Hook-Installation-Target-ID": str(app.id),
            "X-GitHub-Hook-Installation-Target-Type": "integration",
        }
        if app.webhook_secret:
            digest = hmac.new(app.webhook_secret.encode(), delivery.payload, hashlib.sha256).hexdigest()
            headers["X-Hub-Signature-256"] = f"sha256={digest}"
        if self.world.server.ghes:
            headers |= {"X-GitHub-Enterprise-Host": "127.0.0.1", "X-GitHub-Enterprise-Version": self.world.server.ghes}
        return headers

    def _record(self, delivery: Delivery, status: str, code: int, response: str = "") -> None:
        delivery.delivered_at, delivery.status, delivery.status_code = self.world.clock.now(), status, code
        delivery.response_body = response
        self.recorded[delivery.id] = delivery
        path = urlsplit(self.world.app.webhook_url or "").path or "/"
        self.log.add(
            "delivery", delivery.delivered_at, method="POST", path=path,
            query={"event": delivery.event, "action": delivery.action, "id": delivery.id, "status": status,
                   "fault": delivery.fault},
            headers=delivery.headers or self._headers(delivery), body=parsed(delivery.payload), status=code,
            response=parsed(response),
        )  # fmt: skip
