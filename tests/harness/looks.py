"""What a story looks at: signs, runs, comments, requests. All is read from the simulator at the moment of looking.

Law: a look that does not see what it should fails with the timeline.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Self
from urllib.parse import unquote

from tests.harness.control import Json
from tests.harness.stage import Stage

if TYPE_CHECKING:
    from tests.harness.story import Story

LONGEST = 140
"""GitHub refuses descriptions with more characters (FACTS §5)."""


@dataclass(frozen=True)
class Sign:
    """One status context on one SHA."""

    stage: Stage
    repository: str
    sha: str
    context: str

    def is_pending(self, *said: str) -> Self:
        return self._is("pending", said)

    def is_success(self, *said: str) -> Self:
        return self._is("success", said)

    def is_failure(self, *said: str) -> Self:
        return self._is("failure", said)

    def is_error(self, *said: str) -> Self:
        return self._is("error", said)

    def is_silent(self) -> Self:
        """Nothing was ever said there."""
        if self.history():
            self.stage.fail(f"{self.context} on {self._where} should say nothing; it said {self.states()}")
        return self

    def states(self) -> list[str]:
        """Every state it ever had, oldest first."""
        return [status["state"] for status in self.history()]

    @property
    def description(self) -> str:
        return str(self.history()[-1]["description"])

    def history(self) -> list[Json]:
        """Every status of this context by the App on this SHA, oldest first."""
        made = self.stage.state()["repositories"][self.repository]["statuses"].get(self.sha, [])
        mine = [one for one in made if one["context"].lower() == self.context.lower() and one["by_app"]]
        return sorted(mine, key=lambda one: int(one["id"]))

    @property
    def _where(self) -> str:
        return f"{self.repository}@{self.sha[:7]}"

    def _is(self, state: str, said: tuple[str, ...]) -> Self:
        history = self.history()
        now = history[-1] if history else {"state": "nothing", "description": ""}
        if now["state"] != state or not all(part in now["description"] for part in said):
            wanted = f"{state}: …{'… …'.join(said)}…" if said else state
            is_ = f"{now['state']}: {now['description']}"
            self.stage.fail(f"{self.context} on {self._where} should be “{wanted}”; it is “{is_}”")
        assert len(now["description"]) <= LONGEST
        return self


class Runs:
    """Runs that began together. What is done to them is done to each; the story goes on afterwards."""

    def __init__(self, story: Story, runs: list[tuple[str, int]]) -> None:
        self._story = story
        self._runs = runs

    def __iter__(self) -> Iterator[Json]:
        """As the simulator shows them now."""
        repositories = self._story.stage.state()["repositories"]
        for repository, number in self._runs:
            yield next(run for run in repositories[repository]["runs"] if run["id"] == number)

    @property
    def only(self) -> Json:
        """The run, where there is one."""
        (run,) = self
        return run

    def of(self, repository: str) -> Runs:
        """Those of one repository."""
        return Runs(self._story, [run for run in self._runs if run[0].endswith(f"/{repository}")])

    def on(self, branch: str) -> Runs:
        """Those of one branch."""
        return Runs(self._story, [(run["repository"], run["id"]) for run in self if run["branch"] == branch])

    def passes(self) -> Story:
        return self.ends("success")

    def fails(self) -> Story:
        return self.ends("failure")

    def ends(self, conclusion: str, **more: object) -> Story:
        """Completed with this conclusion."""
        return self.becomes("completed", conclusion=conclusion, **more)

    def starts(self) -> Story:
        return self.becomes("in_progress")

    def runs_again(self, actor: str = "ann") -> Story:
        """Somebody presses *Re-run*."""
        return self.becomes("rerun", actor=actor)

    def becomes(self, status: str, **more: object) -> Story:
        for _, number in self._runs:
            self._story.stage.call("POST", f"/runs/{number}", {"status": status, **more})
        self._story.stage.pump()
        return self._story

    def are_cancelled(self) -> Story:
        """GitHub shows each as ended by the App's wish."""
        for run in self:
            if run["conclusion"] != "cancelled":
                self._story.stage.fail(f"run {run['id']} of {run['repository']} should be cancelled; it is {run}")
        return self._story

    def are_going_on(self) -> Story:
        for run in self:
            if run["status"] == "completed":
                self._story.stage.fail(f"run {run['id']} of {run['repository']} should go on; it is {run}")
        return self._story


@dataclass(frozen=True)
class Comment:
    """A comment that somebody made, with what the App answered."""

    stage: Stage
    repository: str
    id: int
    number: int

    def reactions(self) -> list[str]:
        """The App's reactions, oldest first."""
        return [one["content"] for one in self._shown()["reactions"] if one["actor"].endswith("[bot]")]

    def is_accepted(self) -> Self:
        return self._reacted(["eyes", "rocket"])

    def is_refused(self) -> Self:
        return self._reacted(["eyes", "confused"])

    def is_unanswered(self) -> Self:
        """No reaction and no answer."""
        self._reacted([])
        if self.answers():
            self.stage.fail(f"comment {self.id} should not be answered; it was: {self.answers()}")
        return self

    def answers(self) -> list[str]:
        """What the App has said under this pull request since."""
        every = self.stage.state()["repositories"][self.repository]["comments"]
        return [one["body"] for one in every if one["by_app"] and one["number"] == self.number and one["id"] > self.id]

    def answer(self) -> str:
        """The App's one answer."""
        answers = self.answers()
        if len(answers) != 1:
            self.stage.fail(f"comment {self.id} should have one answer; it has {answers}")
        return answers[0]

    def _shown(self) -> Json:
        every = self.stage.state()["repositories"][self.repository]["comments"]
        return next(one for one in every if one["id"] == self.id)

    def _reacted(self, wanted: list[str]) -> Self:
        if self.reactions() != wanted:
            self.stage.fail(f"comment {self.id} should have reactions {wanted}; it has {self.reactions()}")
        return self


class Requests(list[Json]):
    """Requests of the service, oldest first, as the simulator logged them."""

    @classmethod
    def of(cls, stage: Stage, method: str, path: str, after: int) -> Requests:
        return cls(
            entry
            for entry in stage.log
            if entry["kind"] == "request"
            and entry["seq"] > after
            and fnmatchcase(entry["method"], method)
            and fnmatchcase(unquote(entry["path"]), path)
        )
