"""Playing a story: moves in the pretend GitHub, and waiting until it shows what the story tells."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from app.demo.timeline import Timeline

OWNER = "ismenablement"
CONTEXT = "orchestrator-build"
PATIENCE = 40.0
STEP = 0.05

Json = dict[str, Any]


class StoryFailed(Exception):
    """GitHub does not show what the story tells."""


@dataclass
class Play:
    """One story under way. ``told``: each thing that was waited for, and whether GitHub came to show it."""

    github: str
    timeline: Timeline
    told: list[tuple[str, bool]] = field(default_factory=list)
    pulls: dict[str, int] = field(default_factory=dict)
    _http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=10.0, trust_env=False))

    # -- moves ------------------------------------------------------------------------------------

    def opens(self, *repositories: str, key: str = "DPTA-1122") -> None:
        for name in repositories:
            self._post("/branches", {"repository": f"{OWNER}/{name}", "branch": key, "from": "main"})
            self.pushes(name, key)
            body = {"repository": f"{OWNER}/{name}", "head": key, "base": "main", "title": f"{key} in {name}"}
            self.pulls[name] = int(self._post("/pulls", {**body, "actor": "ann"})["number"])

    def pushes(self, repository: str, key: str = "DPTA-1122") -> None:
        files = {f"src/{key}.txt": f"{time.monotonic_ns()}\n"}
        self._post("/push", {"repository": f"{OWNER}/{repository}", "branch": key, "files": files, "actor": "ann"})

    def merges(self, repository: str) -> None:
        body = {"repository": f"{OWNER}/{repository}", "number": self.pulls[repository], "actor": "ann"}
        self._post("/merge", body)

    def deletes_branch(self, repository: str, key: str = "DPTA-1122") -> None:
        answer = self._http.request(
            "DELETE",
            f"{self.github}/_simulator/branches",
            json={"repository": f"{OWNER}/{repository}", "branch": key},
        )
        answer.raise_for_status()

    def comments(self, repository: str, body: str, actor: str) -> None:
        number = self.pulls[repository]
        self._post("/comments", {"repository": f"{OWNER}/{repository}", "number": number, "body": body, "actor": actor})

    def scripts(self, repository: str, conclusion: str) -> None:
        body = {"repository": f"{OWNER}/{repository}", "workflow": "build.yml", "length": "0.5s"}
        self._post("/scripts", {**body, "conclusion": conclusion})

    def _post(self, path: str, body: Json) -> Json:
        answer = self._http.post(f"{self.github}/_simulator{path}", json=body)
        if answer.is_error:
            raise StoryFailed(f"the simulator refused {path}: {answer.text}")
        return dict(answer.json())

    # -- what GitHub shows --------------------------------------------------------------------------

    def until(self, telling: str, shown: Callable[[Shown], bool]) -> None:
        """Wait until GitHub shows it; the timeline goes on meanwhile."""
        deadline = time.monotonic() + PATIENCE
        while True:
            self.timeline.catch_up()
            now = self.shown()
            if shown(now):
                self.told.append((telling, True))
                self.timeline.say(f"✔ {telling}")
                return
            if time.monotonic() > deadline:
                self.told.append((telling, False))
                raise StoryFailed(f"GitHub never showed: {telling}. It shows {now.signs(*self.pulls)}")
            time.sleep(STEP)

    def shown(self) -> Shown:
        state = self._http.get(f"{self.github}/_simulator/state").json()
        return Shown(dict(state["repositories"]), dict(self.pulls))


@dataclass(frozen=True)
class Shown:
    """GitHub's state at a moment, in the words of the stories."""

    repositories: Json
    pulls: dict[str, int]

    def pull(self, repository: str) -> Json:
        found: Json = self.repositories[f"{OWNER}/{repository}"]["pulls"][str(self.pulls[repository])]
        return found

    def status(self, repository: str) -> Json | None:
        head = self.pull(repository)["head_sha"]
        history = self.repositories[f"{OWNER}/{repository}"]["statuses"].get(head, [])
        ours: list[Json] = [status for status in history if status["context"] == CONTEXT]
        return ours[-1] if ours else None

    def sign(self, repository: str) -> str | None:
        status = self.status(repository)
        return status["state"] if status else None

    def signs(self, *repositories: str) -> dict[str, str | None]:
        return {name: self.sign(name) for name in repositories}

    def all_are(self, state: str, *repositories: str) -> bool:
        return all(self.sign(name) == state for name in repositories)

    def can_merge(self, *repositories: str) -> bool:
        return all(self.pull(name)["can_merge"] for name in repositories)

    def built(self, repository: str) -> list[Json]:
        return list(self.repositories[f"{OWNER}/{repository}"]["runs"])

    def comments(self, repository: str) -> list[Json]:
        return list(self.repositories[f"{OWNER}/{repository}"]["comments"])
