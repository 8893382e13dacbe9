"""CONTRACT §3: ``settle``, ``settle_max``, ``start``; when building begins."""

from __future__ import annotations

from tests.harness.story import Story
from tests.stories.conftest import Begin


def test_each_newcomer_starts_the_window_again(story: Story) -> None:
    story.opens("repoB").waits(20).opens("repoC").waits(20).opens("repoD").builds_nothing(29)
    story.builds("repoB", "repoC", "repoD", within=2)


def test_what_never_rests_is_built_at_settle_max(begin: Begin) -> None:
    story = begin({"settle": "30s", "settle_max": "90s"})
    story.opens("repoB")
    for _ in range(4):
        story.waits(20).pushes("repoB")
    story.builds_nothing(9)
    story.builds("repoB", within=2)


def test_only_a_command_starts_it(begin: Begin) -> None:
    story = begin({"start": "command"})
    story.opens("repoB", "repoD").builds_nothing(7200)
    for sign in story.signs("repoB", "repoD"):
        sign.is_pending("Comment /orchestrate to build")
    story.comments("repoB", "/orchestrate").is_accepted()
    story.builds("repoB", "repoD", within=1).passes()
    story.sign("repoD").is_success()
    story.pushes("repoD").sign("repoB").is_pending("Comment /orchestrate to build")
    story.builds_nothing(7200).comments("repoD", "/orchestrate run")
    story.builds("repoD").passes().sign("repoB").is_success()


def test_a_command_does_not_wait_for_quiet(story: Story) -> None:
    story.opens("repoB").comments("repoB", "/orchestrate")
    story.builds("repoB", within=1).passes().sign("repoB").is_success()


def test_the_settle_window_is_said(begin: Begin) -> None:
    begin({"settle": "2m"}).opens("repoB").sign("repoB").is_pending("Waiting for DPTA-1122 to be quiet for 2 m")
