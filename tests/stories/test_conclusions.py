"""CONTRACT §4, row *conclusions*: what the end of a run means, and who waits for whom."""

from __future__ import annotations

from tests.harness.story import Story
from tests.stories.conftest import Begin


def test_what_passes(story: Story) -> None:
    for number, conclusion in enumerate(["success", "neutral"]):
        story.opens("repoB", branch=f"DPTA-{number}").builds("repoB").ends(conclusion)
        story.sign("repoB").is_success("1 build passed")
        assert story.can_merge("repoB"), conclusion


def test_what_fails(story: Story) -> None:
    said = {
        "failure": "repoB failed: build.yml",
        "timed_out": "repoB failed: build.yml",
        "startup_failure": "repoB failed: build.yml",
        "stale": "repoB failed: build.yml",
        "cancelled": "repoB was cancelled",
        "skipped": "repoB ran no job",
    }
    for number, (conclusion, sentence) in enumerate(said.items()):
        story.opens("repoB", branch=f"DPTA-{number}").builds("repoB").ends(conclusion)
        story.sign("repoB").is_failure(sentence)
        assert not story.can_merge("repoB"), conclusion


def test_an_approver_is_waited_for_and_the_time_out_stops(story: Story) -> None:
    """GitHub has no webhook for ``waiting``: it is seen when a silent run is asked after (CONTRACT §4, budget)."""
    runs = story.opens("repoB").builds("repoB")
    runs.becomes("waiting").waits(150)
    story.sign("repoB").is_pending("repoB waits for a reviewer of its environment to approve")
    story.waits(3 * 3600).sign("repoB").is_pending("approve")
    runs.are_going_on()
    runs.starts().sign("repoB").is_pending("Building DPTA-1122")
    runs.passes().sign("repoB").is_success()


def test_action_required_is_pending_and_names_the_approver(story: Story) -> None:
    runs = story.opens("repoB").builds("repoB")
    runs.ends("action_required").waits(3 * 3600)
    story.sign("repoB").is_pending("repoB waits for someone with write access to approve")
    runs.runs_again().waits(5)
    runs.passes().sign("repoB").is_success()


def test_what_we_cancelled_ourselves_is_void(story: Story) -> None:
    old = story.opens("repoB", "repoC").builds("repoB", "repoC")
    story.pushes("repoB")
    old.of("repoB").are_cancelled()
    new = story.builds("repoB", "repoC")
    for sign in story.signs("repoB", "repoC"):
        assert "failure" not in sign.states()
    new.passes()
    story.sign("repoB").is_success()


def test_retries_are_used_up_before_anything_says_failure(begin: Begin) -> None:
    story = begin({"builds": {"repoB": {"retries": 2}}})
    story.opens("repoB").builds("repoB").fails().builds("repoB").fails()
    story.sign("repoB").is_pending("Building")
    story.builds("repoB").fails().builds_nothing()
    assert story.sign("repoB").is_failure().states().count("failure") == 1


def test_a_retry_that_passes_is_a_pass(begin: Begin) -> None:
    story = begin({"builds": {"repoB": {"retries": 1}, "repoC": {"needs": ["repoB"]}}})
    story.opens("repoB", "repoC").builds("repoB").fails().builds("repoB").passes().builds("repoC").passes()
    assert "failure" not in story.sign("repoC").is_success().states()


def test_a_person_runs_the_failed_run_again(story: Story) -> None:
    runs = story.opens("repoB", "repoD").builds("repoB", "repoD")
    runs.of("repoD").passes()
    runs.of("repoB").fails().sign("repoD").is_failure("repoB failed")
    runs.of("repoB").runs_again().sign("repoB").is_failure()
    story.waits(10)
    for sign in story.signs("repoB", "repoD"):
        sign.is_pending("Building DPTA-1122")
    runs.of("repoB").passes()
    for sign in story.signs("repoB", "repoD"):
        sign.is_success("2 builds passed")


def test_a_person_runs_a_passed_run_again_and_it_fails(story: Story) -> None:
    runs = story.opens("repoB").builds("repoB")
    runs.passes().sign("repoB").is_success()
    runs.runs_again().waits(10).sign("repoB").is_pending()
    runs.fails().sign("repoB").is_failure("repoB failed")


def test_a_re_run_of_an_older_attempt_is_ignored(story: Story) -> None:
    old = story.opens("repoB").builds("repoB")
    old.fails()
    story.comments("repoB", "/orchestrate retry")
    story.builds("repoB").passes().sign("repoB").is_success()
    old.runs_again().waits(10).sign("repoB").is_success()
    old.fails().sign("repoB").is_success()


def test_a_re_run_on_a_commit_that_is_no_head_any_more_is_ignored(story: Story) -> None:
    old = story.opens("repoB").builds("repoB")
    old.fails()
    story.pushes("repoB").builds("repoB").passes()
    old.runs_again().waits(10).sign("repoB").is_success()
    old.passes().sign("repoB").is_success()


def test_a_run_that_a_person_started_counts_for_nothing(story: Story) -> None:
    runs = story.opens("repoB").builds("repoB")
    stranger = story.starts_by_hand("repoB", ref="DPTA-1122")
    story.ends(stranger, "failure").sign("repoB").is_pending("Building")
    runs.passes().sign("repoB").is_success()


def test_a_run_takes_too_long(begin: Begin) -> None:
    story = begin({"builds": {"repoB": {"timeout": "10m"}}})
    runs = story.opens("repoB").builds("repoB")
    story.waits(590).sign("repoB").is_pending("Building")
    story.waits(30).sign("repoB").is_failure("repoB did not end within 10 m")
    runs.are_cancelled().sign("repoB").is_failure("did not end within 10 m")


def test_a_run_does_not_start(begin: Begin) -> None:
    seedless = {"builds": {"repoB": {"start_timeout": "5m"}}}
    story = begin(seedless)
    story.act("/scripts", repository="ismenablement/repoB", queue="1h")
    runs = story.opens("repoB").builds("repoB")
    story.waits(290).sign("repoB").is_pending("Building")
    story.waits(30).sign("repoB").is_failure("repoB did not start within 5 m")
    runs.are_cancelled()


def test_the_time_out_is_counted_from_the_start_of_the_run(begin: Begin) -> None:
    story = begin({"builds": {"repoB": {"timeout": "10m", "start_timeout": "20m"}}})
    story.act("/scripts", repository="ismenablement/repoB", queue="15m", length=None)
    runs = story.opens("repoB").builds("repoB")
    story.waits(15 * 60 + 500).sign("repoB").is_pending("Building")
    runs.passes().sign("repoB").is_success()
