"""CONTRACT §3: what the keys of a pipeline change."""

from __future__ import annotations

from tests.harness.worlds import NEVER, PLAIN, WORKFLOW, builds, config, seed
from tests.stories.conftest import Begin

ALL = ("repoA", "repoB", "repoC", "repoD", "repoE")


def test_what_stands_alone_hears_of_a_push_though_its_pull_request_tells_nothing(begin: Begin) -> None:
    story = begin({"unmatched": "alone"})
    story.opens("repoB", branch="fix").opens("repoC", branch="fix").builds("repoB", "repoC").passes()
    old = story.head("repoB", "fix")
    story.fault("delivery", "drop", NEVER, event="pull_request")
    story.pushes("repoB", branch="fix")
    story.sign("repoB", branch="fix").is_pending("Waiting for repoB#")
    story.sign("repoB", sha=old).is_pending("No longer a head")
    story.sign("repoC", branch="fix").is_success()
    story.builds("repoB").passes()
    story.sign("repoB", branch="fix").is_success("1 build passed")
    story.deletes_branch("repoB", branch="fix").builds_nothing()


def test_unmatched_alone_builds_its_own_repository_only(begin: Begin) -> None:
    story = begin({"unmatched": "alone"})
    story.opens("repoB", "repoC", branch="tidy-up").builds("repoB", "repoC").of("repoB").passes()
    story.sign("repoB").is_success("1 build passed")
    story.sign("repoC").is_pending("Building")


def test_unmatched_pass(begin: Begin) -> None:
    story = begin({"unmatched": "pass"})
    story.opens("repoB", branch="tidy-up").builds_nothing().sign("repoB").is_success()
    assert story.can_merge("repoB")


def test_unmatched_block(begin: Begin) -> None:
    story = begin({"unmatched": "block"})
    story.opens("repoB", branch="tidy-up").builds_nothing().sign("repoB").is_failure("Rename the branch")
    story.cannot_merge("repoB")


def test_a_base_of_no_line_is_unmatched(begin: Begin) -> None:
    story = begin({"unmatched": "block"})
    story.opens("repoB", base="release/1").builds_nothing().sign("repoB").is_failure()


def test_bots_are_never_grouped(begin: Begin) -> None:
    story = begin({"branches": ".*", "unmatched": "alone"})
    story.opens("repoB", "repoC", branch="dependabot/pip/x-2").builds("repoB", "repoC").of("repoB").passes()
    story.sign("repoB").is_success("1 build passed")


def test_every_branch_by_its_exact_name_where_none_is_given(begin: Begin) -> None:
    story = begin({"branches": "[a-z]+/[a-z]+"})
    story.opens("repoB", "repoC", branch="feature/login").builds("repoB", "repoC").passes()
    story.sign("repoB").is_success("2 builds passed with repoC#1")


def test_absent_base_builds_the_tip_of_the_base(begin: Begin) -> None:
    story = begin({"absent": "base", "builds": builds(repoD=None, repoE=None)})
    runs = story.opens("repoB").builds("repoA")
    assert runs.only["branch"] == "main"
    runs.passes()
    rest = story.builds("repoB", "repoC")
    assert {run["repository"][-5:]: run["branch"] for run in rest} == {"repoB": "DPTA-1122", "repoC": "main"}
    rest.passes().sign("repoB").is_success("3 builds passed")


def test_max_parallel(begin: Begin) -> None:
    story = begin({"max_parallel": 2, "builds": {name: {} for name in ALL}})
    first = story.opens(*ALL).builds("repoA", "repoB")
    story.builds_nothing()
    first.of("repoA").passes()
    third = story.builds("repoC")
    story.builds_nothing()
    third.passes()
    story.builds("repoD")


def test_on_failure_stop_dispatches_nothing_new_and_lets_run_what_runs(begin: Begin) -> None:
    story = begin({"builds": builds(repoC={"needs": []}, repoD={"needs": ["repoC"]}, repoE=None)})
    runs = story.opens("repoA", "repoB", "repoC", "repoD").builds("repoA", "repoC")
    runs.of("repoA").fails()
    runs.of("repoC").are_going_on()
    runs.of("repoC").passes().builds_nothing().sign("repoD").is_failure("repoA failed")


def test_on_failure_continue_builds_what_is_not_below_the_failure(begin: Begin) -> None:
    graph = builds(repoC={"needs": []}, repoD={"needs": ["repoC"]}, repoE=None)
    story = begin({"on_failure": "continue", "builds": graph})
    runs = story.opens("repoA", "repoB", "repoC", "repoD").builds("repoA", "repoC")
    runs.of("repoA").fails()
    runs.of("repoC").passes()
    story.builds("repoD").passes().builds_nothing().sign("repoD").is_failure("repoA failed")


def test_a_build_that_is_not_required_may_fail(begin: Begin) -> None:
    story = begin({"builds": builds(repoD={"required": False}, repoE=None)})
    story.opens("repoB", "repoD").builds("repoB", "repoD").of("repoD").fails()
    story.sign("repoB").is_pending("Building")


def test_a_failure_that_is_not_required_leaves_the_verdict_green(begin: Begin) -> None:
    story = begin({"builds": builds(repoD={"required": False}, repoE=None)})
    runs = story.opens("repoB", "repoD").builds("repoB", "repoD")
    runs.of("repoD").fails()
    runs.of("repoB").passes()
    for sign in story.signs("repoB", "repoD"):
        sign.is_success()


def test_without_reuse_everything_is_built_again(begin: Begin) -> None:
    story = begin({"reuse": False})
    story.opens("repoB", "repoD").builds("repoB", "repoD").passes()
    story.pushes("repoD").builds("repoB", "repoD").passes().sign("repoB").is_success()


def test_a_result_is_too_old_to_be_reused(begin: Begin) -> None:
    story = begin({"reuse": {"for": "1d"}})
    story.opens("repoB", "repoD").builds("repoB", "repoD").passes()
    story.waits(25 * 3600).pushes("repoD").builds("repoB", "repoD").passes()


def test_base_moved_keep_and_rebuild(begin: Begin) -> None:
    story = begin({"base_moved": "keep"})
    story.opens("repoB").builds("repoB").passes()
    story.pushes("repoB", branch="main").builds_nothing().sign("repoB").is_success()


def test_base_moved_rebuild_withdraws_the_verdict(begin: Begin) -> None:
    story = begin({"base_moved": "rebuild"})
    story.opens("repoB").builds("repoB").passes()
    story.pushes("repoB", branch="main").sign("repoB").is_pending()
    story.builds("repoB").passes().sign("repoB").is_success()


def test_a_build_with_a_name_and_a_workflow_of_its_own(begin: Begin) -> None:
    graph = {"repoB": {}, "b-full": {"repository": "repoB", "workflow": "full.yml", "needs": ["repoB"]}}
    files = {WORKFLOW: PLAIN, ".github/workflows/full.yml": PLAIN}
    story = begin(seed=seed(config({"builds": graph}), repositories={"repoB": {"files": files}}))
    story.opens("repoB").builds("repoB").passes()
    full = story.builds("repoB")
    assert full.only["workflow"] == "full.yml"
    full.fails().sign("repoB").is_failure("b-full failed: full.yml")


def test_pipelines_that_share_a_repository_speak_by_names_of_their_own(begin: Begin) -> None:
    product = {"branches": r"DPTA-\d+", "comment": False, "builds": {"repoB": {}}}
    other = {**product, "status": "other-build", "builds": {"repoB": {}, "repoC": {}}}
    story = begin(seed=seed(config(pipelines={"product": product, "other": other})))
    runs = story.opens("repoB", "repoC").builds("repoB", "repoB", "repoC")
    runs.passes()
    story.sign("repoB").is_success("1 build passed")
    story.sign("repoB", context="other-build").is_success("2 builds passed with repoC#1")
    story.sign("repoC").is_silent()
