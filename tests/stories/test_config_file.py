"""CONTRACT §3: the config file in the owner's config repository: read on pushes, judged on commits, never fatal."""

from __future__ import annotations

from tests.harness.story import Story
from tests.harness.worlds import builds, config, seed
from tests.stories.conftest import Begin

CONFIG = "orchestrator-config"
CYCLE = config({"builds": builds(repoA={"needs": ["repoE"]})})


def test_a_change_is_in_force_after_its_push(story: Story) -> None:
    story.configures(config({"builds": {"repoB": {}, "repoD": {"needs": ["repoB"]}}}))
    story.opens("repoB", "repoD").builds("repoB").passes().builds("repoD").passes().sign("repoB").is_success()


def test_a_good_change_is_said_on_its_commit(story: Story) -> None:
    story.configures(config({"settle": "10s"}))
    story.sign("orchestrator", sha=story.head("orchestrator", "main"), context=CONFIG).is_success()


def test_a_cycle_is_named_in_full_and_the_last_good_config_stays(story: Story) -> None:
    story.configures(CYCLE)
    sign = story.sign("orchestrator", sha=story.head("orchestrator", "main"), context=CONFIG)
    assert "repoA" in sign.is_failure("cycle").description
    hint = "(the config file is broken: its last good version is in force)"
    story.opens("repoB").builds("repoB").passes().sign("repoB").is_success("1 build passed", hint)
    story.configures(config()).pushes("repoB").builds("repoB").passes()
    assert story.sign("repoB").description == "1 build passed", "mended, it is said no more"


def test_a_broken_config_is_mended(story: Story) -> None:
    story.configures("version: 1\npipelines: [")
    story.sign("orchestrator", sha=story.head("orchestrator", "main"), context=CONFIG).is_failure()
    story.configures(config({"start": "command"}))
    story.sign("orchestrator", sha=story.head("orchestrator", "main"), context=CONFIG).is_success()
    story.opens("repoB").sign("repoB").is_pending("Comment /orchestrate")


def test_the_config_vanishes(story: Story) -> None:
    story.configures(None)
    story.opens("repoB").builds("repoB").passes().sign("repoB").is_success()


def test_broken_from_the_start_and_then_mended(begin: Begin) -> None:
    """Pull requests that were opened before there was a config get their verdict once there is one (P4)."""
    story = begin(seed=seed(CYCLE))
    story.opens("repoB").builds_nothing()
    story.configures(config())
    story.sign("repoB").is_pending("Waiting for DPTA-1122")
    story.builds("repoB").passes().sign("repoB").is_success()


def test_a_pull_request_that_breaks_the_config_is_told(story: Story) -> None:
    story.configures(CYCLE, branch="better")
    story.opens("orchestrator", branch="better")
    story.sign("orchestrator", context=CONFIG).is_failure("cycle")
    story.configures(config({"settle": "5s"}), branch="better")
    story.sign("orchestrator", context=CONFIG).is_success()
    story.opens("repoB").sign("repoB").is_pending("quiet for 30 s")


def test_a_pull_request_that_leaves_the_config_alone_gets_no_status(story: Story) -> None:
    story.opens("orchestrator", branch="readme")
    story.sign("orchestrator", context=CONFIG).is_silent()
    story.sign("orchestrator").is_silent()


def test_a_pull_request_that_leaves_the_config_alone_gets_none_when_the_base_moves_on(story: Story) -> None:
    story.branches("orchestrator", branch="readme")
    story.configures(config({"settle": "10s"}))
    story.opens("orchestrator", branch="readme")
    story.sign("orchestrator", context=CONFIG).is_silent()


def test_one_commit_is_told_once(story: Story) -> None:
    """The push tells, the pull request and its return find nothing to add, and neither does the same push again."""
    story.configures(CYCLE, branch="better").opens("orchestrator", branch="better")
    story.closes("orchestrator").changes("orchestrator", state="open")
    story.delivers_again("push", guid="the-same-push-again")
    assert story.sign("orchestrator", context=CONFIG).states() == ["failure"]


def test_a_push_of_the_default_branch_is_told_once(story: Story) -> None:
    story.configures(config({"settle": "10s"}))
    story.delivers_again("push", guid="the-same-push-again")
    assert story.sign("orchestrator", sha=story.head("orchestrator", "main"), context=CONFIG).states() == ["success"]


def test_a_forced_push_that_takes_the_change_away_is_not_told(story: Story) -> None:
    story.branches("orchestrator", branch="better").configures(CYCLE, branch="better")
    story.pushes("orchestrator", branch="better", force=True)
    story.sign("orchestrator", sha=story.head("orchestrator", "better"), context=CONFIG).is_silent()


def test_a_push_that_takes_its_change_back_is_told(story: Story) -> None:
    story.configures(CYCLE, branch="better").configures(config(), branch="better")
    story.sign("orchestrator", sha=story.head("orchestrator", "better"), context=CONFIG).is_success()


def test_what_cannot_be_compared_is_judged(story: Story) -> None:
    """What cannot be read never counts as left alone."""
    story.fault("request", "status", 404, None, method="GET", path="*/compare/*")
    story.opens("orchestrator", branch="readme")
    story.sign("orchestrator", context=CONFIG).is_success()


def test_a_repository_of_no_build_gets_no_status(begin: Begin) -> None:
    story = begin({"builds": {"repoA": {}}})
    story.opens("repoB").builds_nothing().sign("repoB").is_silent()


def test_a_push_elsewhere_reads_no_config(story: Story) -> None:
    before = story.mark()
    story.pushes("orchestrator", branch="main", files={"notes.txt": "hello"})
    assert not story.requests("*", "*", before)


def test_an_orchestration_keeps_the_config_it_was_frozen_with(story: Story) -> None:
    runs = story.opens("repoB", "repoD").builds("repoB", "repoD")
    story.configures(config({"builds": builds(repoB={"needs": ["repoD"]})}))
    runs.are_going_on()
    runs.passes().waits(600).sign("repoB").is_success("2 builds passed")


def test_open_pull_requests_move_to_the_sets_of_the_new_config(story: Story) -> None:
    story.opens("repoB", "repoC", branch="feature/x").builds("repoB", "repoC").passes()
    story.configures(config({"branches": "feature/.*"}))
    story.waits(3600)
    for sign in story.signs("repoB", "repoC"):
        sign.is_success("2 builds passed")


def test_a_repository_taken_out_of_the_pipeline_is_no_longer_judged(story: Story) -> None:
    story.opens("repoB", "repoD").builds("repoB", "repoD").passes()
    story.configures(config({"builds": builds(repoD=None, repoE=None)}))
    story.pushes("repoB").builds("repoB").passes().sign("repoB").is_success("1 build passed")


def test_a_repository_taken_out_while_it_is_built_spoils_no_verdict(story: Story) -> None:
    """What happens to it is told no more and read no more: the set starts over with the config of now."""
    runs = story.opens("repoB", "repoD").builds("repoB", "repoD")
    runs.of("repoB").passes()
    story.configures(config({"builds": builds(repoD=None, repoE=None)})).pushes("repoD")
    runs.of("repoD").are_cancelled()
    for sign in story.signs("repoB", "repoD"):
        assert "success" not in sign.states()
    story.builds_nothing().sign("repoB").is_success("1 build passed")
    assert "success" not in story.sign("repoD").states()
