"""The checker on tales of a few lines: it passes what is right, and finds each kind of wrong by its promise.

Law: a tale is a log as the simulator writes it, and nothing else.
"""

from __future__ import annotations

import ast
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import pytest
import yaml

from tests.faults.check import check

Json = dict[str, Any]

HERE = Path(__file__).parent
CONFIG = yaml.safe_dump(
    {
        "version": 1,
        "pipelines": {
            "product": {
                "branches": r"S-\d+",
                "bases": ["default", "release/1"],
                "builds": {"repoA": {}, "repoB": {"needs": ["repoA"]}},
            }
        },
    }
)
X, Y, Z = "a" * 40, "b" * 40, "c" * 40


class Tale:
    """Repositories ``acme/repoA`` and ``acme/repoB``; a line of the log for each verb, a second apart."""

    def __init__(self) -> None:
        self.log: list[Json] = []
        self._now = datetime(2026, 1, 1, tzinfo=UTC)
        self._runs = 0
        for number, name in enumerate(("orchestrator", "repoA", "repoB"), 1):
            files = {"orchestrator.yml": CONFIG} if name == "orchestrator" else {}
            self.world(
                "planted", repository=f"acme/{name}", repository_id=number, node_id=f"R_{name}", default_branch="main",
                branches={"main": "0" * 40, "release/1": "1" * 40}, files=files,
            )  # fmt: skip

    def world(self, path: str, **body: Any) -> Self:
        return self._entry("world", path=path, body=body)

    def note(self, what: str, **more: Any) -> Self:
        return self.world("note", what=what, **more)

    def after(self, seconds: float) -> Self:
        self._now += timedelta(seconds=seconds)
        return self

    def pull(self, name: str, number: int, sha: str, branch: str = "S-1", state: str = "open", **more: Any) -> Self:
        """A pull request is opened, or moves, or ends; its branch stands at its head. Nobody is told."""
        self.world("ref", repository=f"acme/{name}", branch=branch, before=None, after=sha, forced=False)
        body = {"number": number, "action": "opened", "head_ref": branch, "head_sha": sha, "base_ref": "main"}
        body |= {"state": state, "merged": False, "head_repository": 2 if name == "repoA" else 3, **more}
        return self.world("pull", repository=f"acme/{name}", **body)

    def told(self, name: str, sha: str, number: int = 1, branch: str = "S-1", status: int = 202) -> Self:
        """A delivery names this head of a pull request; then everything comes to rest."""
        pull = {"state": "open", "number": number, "head": {"sha": sha, "ref": branch}}
        body = {"repository": {"full_name": f"acme/{name}"}, "pull_request": pull}
        query = {"event": "pull_request", "action": "synchronize", "id": len(self.log), "status": "", "fault": None}
        headers = {"x-github-delivery": f"guid-{len(self.log)}"}
        self._entry("delivery", query=query, headers=headers, body=body, status=status)
        return self.note("rest")

    def pushed(self, name: str, sha: str, branch: str = "S-1") -> Self:
        """A delivery names the commit and its branch, and no pull request."""
        body = {"repository": {"full_name": f"acme/{name}"}, "after": sha, "ref": f"refs/heads/{branch}"}
        query = {"event": "push", "action": None, "id": len(self.log), "status": "", "fault": None}
        headers = {"x-github-delivery": f"guid-{len(self.log)}"}
        self._entry("delivery", query=query, headers=headers, body=body, status=202)
        return self.note("rest")

    def read(self, branch: str = "S-1", errors: bool = False) -> Self:
        variables = {"ids": ["R_repoA", "R_repoB"], "branch": branch, "named": False, "base": "refs/heads/"}
        response = {"data": {}, "errors": [{"message": "no"}]} if errors else {"data": {}}
        return self.request("/graphql", {"variables": variables}, 200, response)

    def request(
        self, path: str, body: Json | None, status: int | None, response: Any = None, method: str = "POST"
    ) -> Self:
        return self._entry("request", method=method, path=path, body=body, status=status, response=response)

    def builds(
        self, name: str, how: str = "success", attempt: str = "", sha: str | None = None, **commits: str
    ) -> Self:
        """A run of the App on this slice, from its dispatch to its end."""
        self._runs += 1
        builds = {build: {"sha": commit} for build, commit in commits.items()}
        inputs = {
            "id": attempt or f"s-1-{self._runs}",
            "sha": commits[name],
            "manifest": json.dumps({"builds": builds}),
        }
        place = f"/repos/acme/{name}/actions/workflows/build.yml/dispatches"
        began = {
            "run_id": self._runs, "attempt": 1, "status": "queued", "head_sha": sha or commits[name],
            "workflow": "build.yml", "branch": "S-1", "by_app": True, "inputs": inputs,
        }  # fmt: skip
        self.world("run", repository=f"acme/{name}", **began)
        self.request(place, {"ref": "S-1", "inputs": inputs}, 200)
        ended = {"run_id": self._runs, "attempt": 1, "status": "completed", "conclusion": how}
        return self.world("run", repository=f"acme/{name}", **ended)

    def says(self, name: str, sha: str, state: str, words: str = "Building S-1") -> Self:
        context = {"context": "orchestrator-build", "by_app": True, "description": words}
        return self.world("status", repository=f"acme/{name}", sha=sha, state=state, **context)

    def comments(self, name: str, state: str, comment_id: int = 7, mark: str = "comment 70") -> Self:
        """The App writes its comment, or writes it anew."""
        made = {"number": 1, "comment_id": comment_id, "actor": "lockstep[bot]", "action": "created"}
        return self.world(
            "comment", repository=f"acme/{name}", body=f"**{state}**: …\n\n<!-- lockstep {mark} -->", **made
        )

    def findings(self) -> list[tuple[str, str]]:
        self.note("end", dead_jobs=[])
        return [(one["promise"], one["text"]) for one in check(self.log)["findings"]]

    def _entry(self, kind: str, **fields: Any) -> Self:
        self._now += timedelta(seconds=1)
        self.log.append({"seq": len(self.log) + 1, "at": self._now.isoformat(), "kind": kind, **fields})
        return self


def green() -> Tale:
    """One set of two, read, built, read again and green."""
    tale = Tale().pull("repoA", 1, X).told("repoA", X).says("repoA", X, "pending")
    tale.pull("repoB", 1, Y).told("repoB", Y).says("repoB", Y, "pending").read()
    tale.builds("repoA", repoA=X).builds("repoB", repoA=X, repoB=Y).read()
    return tale.says("repoA", X, "success").says("repoB", Y, "success")


def promises(tale: Tale) -> set[str]:
    return {promise for promise, _ in tale.findings()}


def test_what_is_right_passes() -> None:
    assert green().findings() == []


def test_a_push_withdraws_builds_anew_and_is_green_again() -> None:
    tale = green().pull("repoB", 1, Z).told("repoB", Z)
    tale.says("repoA", X, "pending").says("repoB", Y, "pending").says("repoB", Z, "pending").read()
    tale.builds("repoB", repoA=X, repoB=Z).read().says("repoA", X, "success").says("repoB", Z, "success")
    assert tale.findings() == []


def test_success_without_a_read_after_the_builds_breaks_p1() -> None:
    tale = Tale().pull("repoA", 1, X).told("repoA", X).says("repoA", X, "pending").read()
    assert "P1" in promises(tale.builds("repoA", repoA=X).says("repoA", X, "success"))


def test_success_after_a_push_that_was_known_breaks_p1() -> None:
    tale = green().pull("repoB", 1, Z).told("repoB", Z).says("repoB", Z, "pending")
    assert "P1" in promises(tale.says("repoA", X, "success"))


def test_success_on_what_a_read_left_out_breaks_p1() -> None:
    """The only read after the builds has an error in it: it is no read."""
    tale = Tale().pull("repoA", 1, X).told("repoA", X).says("repoA", X, "pending").read()
    tale.builds("repoA", repoA=X).read(errors=True)
    assert "P1" in promises(tale.says("repoA", X, "success"))


def test_a_run_on_another_commit_counts_for_nothing() -> None:
    tale = Tale().pull("repoA", 1, X).told("repoA", X).says("repoA", X, "pending").read()
    tale.builds("repoA", sha=Z, repoA=X).read()
    assert "P1" in promises(tale.says("repoA", X, "success"))


def test_success_where_another_set_of_the_same_commit_is_not_green_breaks_p1() -> None:
    tale = green().pull("repoA", 2, X, branch="S-2").told("repoA", X, 2, "S-2")
    tale.pull("repoB", 2, Z, branch="S-2").told("repoB", Z, 2, "S-2").says("repoB", Z, "pending").read("S-2").note(
        "rest"
    )
    assert "P1" in promises(tale.says("repoA", X, "success"))


def test_a_dispatch_while_success_still_stands_breaks_p2() -> None:
    tale = green().pull("repoB", 1, Z).told("repoB", Z).says("repoB", Y, "pending").says("repoB", Z, "pending").read()
    tale.builds("repoB", repoA=X, repoB=Z).read().says("repoB", Z, "success")
    assert promises(tale) == {"P2"}


def test_a_success_of_a_merged_pull_request_stays() -> None:
    tale = green().pull("repoB", 1, Y, state="closed", merged=True)
    tale.pull("repoA", 1, Z).told("repoA", Z).says("repoA", X, "pending").says("repoA", Z, "pending").read()
    assert tale.builds("repoA", repoA=Z).read().says("repoA", Z, "success").findings() == []


def test_what_stands_on_one_that_was_merged_stays_green() -> None:
    """repoB was built on repoA's commit, which is merged now: nothing has changed for it (DESIGN §4)."""
    assert green().pull("repoA", 1, X, state="closed", merged=True).findings() == []


def test_what_is_opened_again_repeats_what_was_said_of_it_while_the_others_were_open() -> None:
    """repoA is merged meanwhile: for repoB nothing has changed, and a push changes all."""
    tale = green().pull("repoB", 1, Y, state="closed").pull("repoA", 1, X, state="closed", merged=True)
    tale.pull("repoB", 1, Y).says("repoB", Y, "success")
    assert tale.findings() == []
    tale.pull("repoB", 1, Z).told("repoB", Z).says("repoB", Z, "success")
    assert "P5" in promises(tale)


def test_a_branch_that_was_merged_into_another_line_is_a_part_still() -> None:
    tale = Tale().pull("repoA", 1, X).pull("repoA", 1, X, base_ref="release/9")
    tale.pull("repoA", 1, X, state="closed", merged=True, base_ref="release/9")
    tale.pull("repoB", 2, Y).told("repoB", Y, 2).says("repoB", Y, "pending").read()
    tale.builds("repoA", repoA=X).builds("repoB", repoA=X, repoB=Y).read().says("repoB", Y, "success")
    assert tale.findings() == []


def test_what_stands_on_one_that_was_merged_elsewhere_has_to_be_built_anew() -> None:
    tale = green().pull("repoA", 1, Z, state="closed", merged=True)
    assert "P5" in promises(tale)


@pytest.mark.parametrize("first", [200, 502, None])
def test_an_attempt_that_may_have_been_accepted_and_is_sent_again_breaks_p3(first: int | None) -> None:
    sent = "/repos/acme/repoA/actions/workflows/build.yml/dispatches", {"ref": "S-1", "inputs": {"id": "s-1-9"}}
    assert promises(green().request(*sent, first).request(*sent, 429)) == {"P3"}
    assert promises(green().request(*sent, 403).request(*sent, 502)) == set()


def test_no_verdict_within_a_minute_breaks_p4() -> None:
    tale = green().pull("repoB", 1, Z).told("repoB", Z).after(70).says("repoB", Z, "pending", "Waiting for S-1")
    assert "P4" in promises(tale.says("repoA", X, "pending").after(10))


def test_a_pending_that_names_nothing_breaks_p4() -> None:
    assert "P4" in promises(green().says("repoA", X, "pending", "Hm").says("repoA", X, "success"))


def test_a_push_alone_tells_of_no_pull_request() -> None:
    """Its ``opened`` was lost, and the branch bears no key: nobody can know of it before the log is read."""
    pushed = Tale().pull("repoA", 1, X)
    pushed.pushed("repoA", X).after(200).note("rest")
    assert pushed.findings() == [("P4", f"acme/repoA@{X[:7]} of S-1 into default carries no verdict at the end")]
    known = Tale().pull("repoA", 1, Y).told("repoA", Y).says("repoA", Y, "pending").pull("repoA", 1, X)
    known.pushed("repoA", X).after(200).note("rest")
    assert any("was known at" in text for _, text in known.findings())


def test_time_in_which_somebody_is_dead_does_not_count() -> None:
    tale = green().note("killed", process="worker-1").pull("repoB", 1, Z).told("repoB", Z)
    late = tale.note("killed", process="worker-2").after(70).note("rest").says("repoB", Z, "pending")
    assert "P4" not in promises(late)


def test_a_verdict_that_is_not_the_truth_at_the_end_breaks_p5() -> None:
    assert promises(green().says("repoB", Y, "failure", "repoB failed")) == {"P5"}
    assert promises(green().says("repoB", Y, "pending", "Building S-1")) == {"P5"}


def test_a_build_that_failed_makes_the_truth_failure() -> None:
    tale = Tale().pull("repoA", 1, X).told("repoA", X).says("repoA", X, "pending").read()
    tale.builds("repoA", "failure", repoA=X)
    assert tale.says("repoA", X, "failure", "repoA failed").findings() == []


def test_a_delivery_that_was_answered_and_is_fetched_again_breaks_p5() -> None:
    tale = Tale().pull("repoA", 1, X)
    number = len(tale.log)
    tale.told("repoA", X).says("repoA", X, "pending").read().builds("repoA", repoA=X).read()
    tale.says("repoA", X, "success").request(f"/app/hook/deliveries/{number}", None, 200, method="GET")
    assert promises(tale) == {"P5"}


def test_a_refusal_while_all_is_well_breaks_p5() -> None:
    assert promises(green().told("repoA", X, status=503)) == {"P5"}


def test_a_job_that_ended_without_a_result_breaks_p5() -> None:
    assert [one["promise"] for one in check(green().note("end", dead_jobs=["perform {}"]).log)["findings"]] == ["P5"]


def test_comments_that_follow_their_signs_pass() -> None:
    tale = green().comments("repoA", "Pending").comments("repoA", "Success").comments("repoB", "Success", 8)
    assert tale.comments("repoA", "x", 9, "answers 5").findings() == []


@pytest.mark.parametrize("mark", ["comment 70", "answers 5"])
def test_a_comment_that_is_made_twice_breaks_p5(mark: str) -> None:
    tale = green().comments("repoA", "Success", 7, mark).comments("repoA", "Success", 8, mark)
    assert [text for _, text in tale.findings()] == [f"acme/repoA#1 has <!-- lockstep {mark} --> twice: 7 and 8"]


def test_a_comment_that_says_something_else_at_the_end_breaks_p5() -> None:
    tale = green().comments("repoA", "Success").comments("repoA", "Pending")
    assert [text for _, text in tale.findings()] == [
        f"the comment on acme/repoA#1 says Pending, and acme/repoA@{X[:7]} carries success (Building S-1)"
    ]


def test_the_checker_imports_nothing_of_the_service() -> None:
    files = [HERE / "check.py", *(HERE / "checking").glob("*.py")]
    names = {name for file in files for name in _imported(ast.parse(file.read_text()))}
    ours = {name for name in names if name.partition(".")[0] in ("app", "tests", "migrations")}
    assert all(name.startswith("tests.faults.checking") for name in ours), sorted(ours)


def _imported(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found
