"""Everything running, for the browser's tests: the stage of the demo, moves in the pretend GitHub, and the API.

Law: the service is used from outside alone, by its commands, its log and its addresses. What is waited for has a
deadline, and is asked for again and again.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from app.demo.stage import Stage, stage
from tests.browser.world import OWNER, Json, seed

PATIENCE = 90.0
"""Seconds for anything; so many only because others may use the machine too."""
STEP = 0.05
LOGIN = re.compile(r"/login\?token=([\w%-]+)")


@dataclass
class Scene:
    """``token`` opens the API; ``pulls`` are the numbers of what was opened, by key and repository."""

    stage: Stage
    token: str = field(repr=False)
    _http: httpx.Client
    pulls: dict[tuple[str, str], int] = field(default_factory=dict)

    # -- moves in the pretend GitHub

    def move(self, path: str, body: Json, method: str = "POST") -> Any:
        answer = self._http.request(method, f"{self.stage.github}/_simulator{path}", json=body)
        assert not answer.is_error, f"the simulator refused {path}: {answer.text}"
        return answer.json()

    def script(self, key: str, **how: Any) -> None:
        """How the runs of this change set go from now on."""
        self.move("/scripts", {"repository": f"{OWNER}/*", "workflow": "build.yml", "when": {"key": key}, **how})

    def opens(self, key: str, *names: str) -> str:
        """A pull request in each; the number of the change set, when Lockstep knows it."""
        for name in names:
            place = {"repository": f"{OWNER}/{name}"}
            self.move("/branches", {**place, "branch": key, "from": "main"})
            self.pushes(key, name)
            body = {**place, "head": key, "base": "main", "title": f"{key} in {name}", "actor": "ann"}
            self.pulls[key, name] = int(self.move("/pulls", body)["number"])
        return str(self.until(f"{key} is known", lambda: self._set_of(key, len(names))))

    def pushes(self, key: str, name: str) -> str:
        """The new head."""
        files = {f"src/{key}.txt": f"{time.monotonic_ns()}\n"}
        body = {"repository": f"{OWNER}/{name}", "branch": key, "files": files, "actor": "ann"}
        return str(self.move("/push", body)["sha"])

    def comments(self, key: str, name: str, text: str) -> None:
        number = self.pulls[key, name]
        self.move("/comments", {"repository": f"{OWNER}/{name}", "number": number, "body": text, "actor": "ann"})

    def run(self, key: str, name: str) -> Json:
        """The latest run of this change set there."""
        found = [one for one in self.world()[f"{OWNER}/{name}"]["runs"] if one["branch"] == key]
        assert found, f"nothing runs in {name} for {key}"
        return dict(found[-1])

    def ends(self, key: str, name: str, conclusion: str = "success") -> None:
        self.move(f"/runs/{self.run(key, name)['id']}", {"status": "completed", "conclusion": conclusion})

    def world(self) -> Json:
        return dict(self._http.get(f"{self.stage.github}/_simulator/state").json()["repositories"])

    def deliveries(self, after: int = 0) -> list[Json]:
        query = {"after": str(after), "kind": "delivery"}
        return list(self._http.get(f"{self.stage.github}/_simulator/log", params=query).json())

    # -- what the API says

    def asks(self, path: str, method: str = "GET", body: Json | None = None) -> Json:
        headers = {"authorization": f"Bearer {self.token}"}
        answer = self._http.request(method, f"{self.stage.service}/api/v1{path}", headers=headers, json=body)
        assert not answer.is_error, f"{path}: {answer.text}"
        return dict(answer.json())

    def orchestration(self, orchestration_id: str) -> Json:
        return self.asks(f"/orchestrations/{orchestration_id}")

    def orchestration_of(self, set_id: str) -> Json | None:
        """The latest of this set."""
        latest = self.asks(f"/change-sets/{set_id}")["orchestration_id"]
        return self.orchestration(latest) if latest else None

    def states(self, set_id: str) -> dict[str, str]:
        """Of the builds, by name."""
        current = self.orchestration_of(set_id)
        return {build["name"]: build["state"] for build in current["builds"]} if current else {}

    def is_in(self, set_id: str, name: str, state: str) -> None:
        self.until(f"{name} is {state}", lambda: self.states(set_id).get(name) == state)

    def has_come_to(self, set_id: str, state: str) -> None:
        self.until(f"all is {state}", lambda: (self.orchestration_of(set_id) or {}).get("state") == state)

    def _set_of(self, key: str, members: int) -> str | None:
        found = [one for one in self.asks("/change-sets?limit=100")["items"] if one["key"] == key]
        return str(found[0]["id"]) if found and len(found[0]["members"]) == members else None

    def until(self, what: str, reached: Callable[[], Any]) -> Any:
        """What it gave at last."""
        deadline = time.monotonic() + PATIENCE
        while not (value := reached()):
            assert time.monotonic() < deadline, f"within {PATIENCE:g} s it did not come about that {what}"
            time.sleep(STEP)
        return value


@contextmanager
def playing() -> Iterator[Scene]:
    with stage(seed()) as here, httpx.Client(timeout=30, trust_env=False) as http:
        yield Scene(here, _made_token(here), http)


def login_address(here: Stage) -> str:
    """Where the one-time token is traded for a cookie, as the log says it."""
    found = LOGIN.search((here.logs / "service.log").read_text("utf-8", "replace"))
    assert found, "the log has no address to log in by"
    return f"{here.service}{found[0]}"


def _made_token(here: Stage) -> str:
    """By the command; what it prints goes to a file, since a token is to be seen nowhere."""
    environment = {**os.environ, "LOCKSTEP_DATABASE_URL": here.database, "LOCKSTEP_ENV_FILE": str(here.logs / "no.env")}
    command = [sys.executable, "-m", "app", "token", "create", "browser", "--scope", "run"]
    with (here.logs / "token.txt").open("w+") as printed:
        subprocess.run(command, env=environment, stdout=printed, check=True, timeout=PATIENCE)
        printed.seek(0)
        return printed.read().strip()
