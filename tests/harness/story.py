"""What people and GitHub do in a story, in verbs, and what the story looks at.

Law: a verb acts on the simulated world, then lets everything happen that follows without time passing. Only what the
simulator shows is asserted. Runs that began and were not looked at by ``builds`` fail the story where it next looks.
"""

from __future__ import annotations

from typing import Any, Self
from uuid import uuid4

import pytest

from tests.harness.control import Json, Refused
from tests.harness.looks import Comment, Requests, Runs, Sign
from tests.harness.stage import Stage
from tests.harness.worlds import BRANCH, CONTEXT, OWNER


class Story:
    """Verbs return the story, so that they read on; those that begin something to be looked at return that."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self._known_runs: set[int] = set()

    def act(self, path: str, **body: Any) -> Any:
        """Any call of the control surface; ``repository`` by its short name."""
        if "repository" in body:
            body["repository"] = full(body["repository"])
        done = self.stage.call("POST", path, body)
        self.stage.pump()
        return done

    def opens(self, *repositories: str, branch: str = BRANCH, actor: str = "ann", **more: Any) -> Self:
        """Pull requests from ``branch``; all are there before any is told. ``more``: base, draft, title, fork."""
        for name in repositories:
            body = {"repository": full(name), "head": branch, "actor": actor, **more}
            self.stage.call("POST", "/pulls", body)
        self.stage.pump()
        return self

    def branches(self, *repositories: str, branch: str = BRANCH) -> Self:
        """Branches with a commit of their own, and no pull request."""
        for name in repositories:
            self.stage.call("POST", "/push", {"repository": full(name), "branch": branch, "actor": "ann"})
        self.stage.pump()
        return self

    def pushes(self, repository: str, *, branch: str = BRANCH, **more: Any) -> Self:
        """A commit. ``more``: files, force, actor, sha."""
        self.act("/push", repository=repository, branch=branch, **{"actor": "ann", **more})
        return self

    def deletes_branch(self, *repositories: str, branch: str = BRANCH) -> Self:
        for name in repositories:
            self.act("/branches", repository=name, branch=branch, delete=True)
        return self

    def changes(self, repository: str, **more: Any) -> Self:
        """Something of the pull request: state, base, draft, title."""
        self.act(f"/pulls/{full(repository)}/{self.number(repository)}", **{"actor": "ann", **more})
        return self

    def closes(self, repository: str) -> Self:
        return self.changes(repository, state="closed")

    def merges(self, repository: str, actor: str = "ann") -> Self:
        """By hand, as GitHub lets them."""
        self.act("/merge", repository=repository, number=self.number(repository), actor=actor)
        return self

    def cannot_merge(self, repository: str, actor: str = "ann") -> Self:
        """Somebody tries, and GitHub refuses."""
        with pytest.raises(Refused) as refusal:
            self.act("/merge", repository=repository, number=self.number(repository), actor=actor)
        if refusal.value.status != 405:
            self.stage.fail(str(refusal.value))
        return self

    def comments(self, repository: str, body: str, actor: str = "ann") -> Comment:
        number = self.number(repository)
        made = self.act("/comments", repository=repository, number=number, body=body, actor=actor)
        return Comment(self.stage, full(repository), int(made["id"]), number)

    def fault(self, on: str, do: str, value: Any = None, times: int | None = 1, **match: str) -> Self:
        """Something goes wrong on purpose (CONTRACT §8)."""
        self.stage.call("POST", "/faults", {"on": on, "do": do, "value": value, "times": times, "match": match})
        return self

    def faults_end(self) -> Self:
        """What was held back goes on."""
        self.stage.end_faults()
        self.stage.pump()
        return self

    def configures(self, text: str | None, branch: str = "main") -> Self:
        """Somebody pushes the config file; None: without it."""
        return self.pushes("orchestrator", branch=branch, files={"orchestrator.yml": text})

    def until_held(self) -> Self:
        """Time passes until a fault holds something back."""
        self.stage.until("something is held back", lambda: self.stage.run(self.stage.control.held()) > 0)
        return self

    def delivers(self, event: str, payload: Any, *, guid: str | None = None, **how: Any) -> int:
        """A delivery of our own making at the front door, signed unless told otherwise; the status of the answer."""
        status = self.stage.deliver(event, payload, guid or uuid4().hex, **how)
        self.stage.pump()
        return status

    def delivers_again(self, event: str, *, guid: str | None = None) -> Self:
        """The youngest delivery of this event comes once more, under its own id or under another."""
        sent = [one for one in self.stage.log if one["kind"] == "delivery" and one["query"]["event"] == event]
        known = sent[-1]["headers"]["x-github-delivery"]
        status = self.delivers(event, sent[-1]["body"], guid=guid or known)
        if status != 202:
            self.stage.fail(f"{event} was answered {status} when it came again")
        return self

    def without_the_service(self) -> Self:
        """From now on there is no Lockstep: whatever happens, nobody hears of it."""
        self.stage.leave()
        return self

    def with_the_service(self) -> Self:
        """Lockstep is started again."""
        self.stage.come_back()
        return self

    def waits(self, seconds: float) -> Self:
        """Time passes."""
        self.stage.wait(seconds)
        return self

    def builds(self, *repositories: str, within: float = 3600.0) -> Runs:
        """The next runs that GitHub shows are those of ``repositories``, once each, and no others."""
        wanted = sorted(full(name) for name in repositories)
        self.stage.until(f"{', '.join(repositories)} build", lambda: len(self._fresh_runs()) >= len(wanted), within)
        return self._take_runs(wanted)

    def builds_nothing(self, seconds: float = 900.0) -> Self:
        """No run begins in all that time."""
        self.stage.wait(seconds)
        self._take_runs([])
        return self

    def _take_runs(self, wanted: list[str]) -> Runs:
        fresh = self._fresh_runs()
        shown = sorted(run["repository"] for run in fresh)
        if shown != wanted:
            self.stage.fail(f"these should build: {wanted or 'none'}; these do: {shown or 'none'}")
        self._known_runs |= {run["id"] for run in fresh}
        return Runs(self, [(run["repository"], run["id"]) for run in fresh])

    def _fresh_runs(self) -> list[Json]:
        every = [run for repo in self.stage.state()["repositories"].values() for run in repo["runs"]]
        return [run for run in every if run["id"] not in self._known_runs]

    def ends(self, run: Json, conclusion: str) -> Self:
        """One run is completed with this conclusion."""
        Runs(self, [(run["repository"], run["id"])]).ends(conclusion)
        return self

    def finishes(self, conclusion: str = "success") -> Self:
        """Every run that is not over ends, whichever it is."""
        every = [run for repo in self.stage.state()["repositories"].values() for run in repo["runs"]]
        self._known_runs |= {run["id"] for run in every}
        Runs(self, [(run["repository"], run["id"]) for run in every if run["status"] != "completed"]).ends(conclusion)
        return self

    def starts_by_hand(self, repository: str, workflow: str = "build.yml", **more: Any) -> Json:
        """Somebody runs a workflow from the Actions tab: a run that ``builds`` does not count."""
        run: Json = self.act("/dispatch", repository=repository, workflow=workflow, **{"actor": "ann", **more})
        self._known_runs.add(run["id"])
        return run

    def pull(self, repository: str, *, number: int | None = None, branch: str | None = None) -> Json:
        """The youngest pull request of the repository (or that number, or that branch), as the simulator shows it."""
        pulls = self.repository(repository)["pulls"].values()
        fitting = [one for one in pulls if number in (None, one["number"]) and branch in (None, one["head"]["ref"])]
        assert fitting, f"{repository} has no such pull request"
        youngest: Json = max(fitting, key=lambda one: int(one["number"]))
        return youngest

    def repository(self, name: str) -> Json:
        """A repository as the simulator shows it."""
        return dict(self.stage.state()["repositories"][full(name)])

    def number(self, repository: str) -> int:
        return int(self.pull(repository)["number"])

    def head(self, repository: str, branch: str = BRANCH) -> str:
        return str(self.repository(repository)["branches"][branch])

    def sign(self, repository: str, *, sha: str | None = None, context: str = CONTEXT, **which: Any) -> Sign:
        """What a status says on the head of a pull request (``number`` or ``branch``), or on a ``sha``."""
        return Sign(self.stage, full(repository), sha or self.pull(repository, **which)["head_sha"], context)

    def signs(self, *repositories: str) -> list[Sign]:
        return [self.sign(name) for name in repositories]

    def can_merge(self, repository: str, **which: Any) -> bool:
        return bool(self.pull(repository, **which)["can_merge"])

    def requests(self, method: str = "*", path: str = "*", after: int = 0) -> Requests:
        """Requests of the service since the log's entry ``after``; ``path`` is a glob."""
        return Requests.of(self.stage, method, path, after)

    def mark(self) -> int:
        """The number of the youngest entry of the log."""
        log = self.stage.log
        return int(log[-1]["seq"]) if log else 0


def full(name: str) -> str:
    return name if "/" in name else f"{OWNER}/{name}"
