"""What was never delivered, and stands in no log that can be read, is found by the sweep in a quarter of an hour."""

from __future__ import annotations

from tests.harness.story import Story
from tests.harness.worlds import config, seed
from tests.stories.conftest import Begin

QUARTER = 15 * 60 + 5


def unheard(story: Story) -> Story:
    """From now on no webhook arrives, and the delivery log is not read."""
    return story.fault("delivery", "drop", times=None, event="*")


def swept(story: Story) -> Story:
    """The next sweep comes; afterwards webhooks arrive again."""
    return story.waits(QUARTER).faults_end()


def green(story: Story, *repositories: str) -> Story:
    story.opens(*repositories).builds(*repositories).passes()
    for sign in story.signs(*repositories):
        sign.is_success()
    return story


def test_a_pull_request_that_was_never_told(story: Story) -> None:
    unheard(story).opens("repoB").sign("repoB").is_silent()
    swept(story)
    story.sign("repoB").is_pending()
    story.builds("repoB").passes().sign("repoB").is_success("1 build passed")


def test_a_push_to_a_green_set(story: Story) -> None:
    swept(unheard(green(story, "repoB", "repoD")).pushes("repoD"))
    story.sign("repoB").is_pending()
    story.builds("repoD").passes()
    for sign in story.signs("repoB", "repoD"):
        sign.is_success("2 builds passed")


def test_a_branch_that_joins_a_green_set(story: Story) -> None:
    swept(unheard(green(story, "repoB")).branches("repoD"))
    assert "pending" in story.sign("repoB").states()[3:]
    story.builds("repoD").passes().sign("repoB").is_success("2 builds passed")


def test_a_branch_that_joins_by_its_key(begin: Begin) -> None:
    """The key is a part of the name: the sweep has to read all branches that hold it."""
    story = begin({"branches": r"(?:\w+/)?(?P<key>DPTA-\d+)"})
    swept(unheard(green(story, "repoB")).branches("repoD", branch="bob/DPTA-1122"))
    story.builds("repoD").passes().sign("repoB").is_success("2 builds passed")


def test_a_pull_request_that_was_closed_and_its_branch_deleted(story: Story) -> None:
    swept(unheard(green(story, "repoB", "repoD")).closes("repoD").deletes_branch("repoD"))
    story.waits(60).sign("repoB").is_success("1 build passed")
    story.builds_nothing()


def test_a_merge_leaves_the_others_green(story: Story) -> None:
    swept(unheard(green(story, "repoB", "repoD")).merges("repoB"))
    assert story.sign("repoD").is_success().states().count("success") == 1
    assert story.can_merge("repoD")


def test_retargeted_it_leaves_its_set(story: Story) -> None:
    swept(unheard(green(story, "repoB", "repoD")).changes("repoD", base="release/1"))
    story.waits(120).sign("repoD").is_success("1 build passed")


def test_its_base_moves_where_that_counts(begin: Begin) -> None:
    story = begin({"base_moved": "rebuild"})
    swept(unheard(green(story, "repoB")).pushes("repoB", branch="main"))
    story.builds("repoB").passes().sign("repoB").is_success()


def test_a_change_of_the_config(story: Story) -> None:
    unheard(green(story, "repoB"))
    smaller = config({"builds": {"repoB": {}, "repoD": {"needs": ["repoB"]}}, "status": "product"})
    swept(story.configures(smaller))
    story.sign("repoB", context="product").is_success()


def test_a_renamed_repository(story: Story) -> None:
    """Its new name is in no pipeline; the old one cannot be seen any more, and that is said."""
    unheard(green(story, "repoB", "repoD")).act("/repositories/ismenablement/repoB", name="repoZ")
    swept(story).pushes("repoD").waits(60)
    story.sign("repoD").is_error("cannot see repoB")


def test_more_changed_than_one_page_holds(begin: Begin) -> None:
    story = begin(seed=seed(config({"settle": "1s"})))
    unheard(green(story, "repoB", "repoD")).closes("repoD").deletes_branch("repoD")
    for n in range(60):
        story.stage.call("POST", "/push", {"repository": "ismenablement/repoD", "branch": f"x{n}", "actor": "ann"})
        body = {"repository": "ismenablement/repoD", "head": f"x{n}", "base": "release/1", "actor": "ann"}
        story.stage.call("POST", "/pulls", body)
        story.stage.call("POST", f"/pulls/ismenablement/repoD/{n + 2}", {"state": "closed", "actor": "ann"})
    swept(story).waits(60).sign("repoB").is_success("1 build passed")


def test_at_rest_a_sweep_is_one_request_for_each_owner_every_quarter_of_an_hour(story: Story) -> None:
    green(story, "repoB", "repoD").waits(900)  # the first one lists what it has never compared
    before = story.mark()
    story.waits(3600)
    reads = [one for one in story.requests(after=before) if not one["path"].endswith("/access_tokens")]
    assert [one["body"]["query"].split()[1].split("(")[0] for one in reads] == ["Sweep"] * 4
    story.sign("repoB").is_success()


def test_a_sweep_that_cannot_read_changes_nothing(story: Story) -> None:
    unheard(green(story, "repoB", "repoD"))
    story.fault("request", "status", 502, times=3, method="POST", path="/graphql").pushes("repoD")
    story.waits(60)
    swept(story)
    story.builds("repoD").passes().sign("repoB").is_success()
