"""The comment on each member: one, edited in place, within its budget, written anew where somebody deletes it."""

from __future__ import annotations

from tests.harness.control import Json
from tests.harness.story import Story, full
from tests.harness.worlds import OWNER, config, seed
from tests.stories.conftest import Begin

WRITES = "*/issues/*comments*"


def commented(begin: Begin, **pipeline: object) -> Story:
    return begin({"comment": True, **pipeline})


def said_on(story: Story, repository: str) -> list[Json]:
    """The App's comments on the repository's pull requests."""
    return [one for one in story.repository(repository)["comments"] if one["by_app"]]


def says(story: Story, repository: str, *words: str) -> str:
    """The one comment, which holds these words."""
    found = said_on(story, repository)
    if len(found) != 1:
        story.stage.fail(f"{repository} should have one comment; it has {[one['body'] for one in found]}")
    text = str(found[0]["body"])
    for word in words:
        if word not in text:
            story.stage.fail(f"the comment on {repository} should say {word!r}; it says\n{text}")
    return text


def writes(story: Story, repository: str, after: int = 0) -> int:
    path = f"*/{full(repository)}/issues/*comments*"
    return len(story.requests("POST", path, after)) + len(story.requests("PATCH", path, after))


def test_each_member_has_one_comment_that_follows_the_set(begin: Begin) -> None:
    story = commented(begin)
    story.opens("repoB", "repoD")
    assert said_on(story, "repoB") == [], "a set that settles says nothing"
    runs = story.builds("repoB", "repoD")
    says(story, "repoB", "**Pending**: Building DPTA-1122 (2 builds)", "repoD", "skipped", "`/orchestrate cancel`")
    says(story, "repoD", "**Pending**", "[repoB")
    runs.passes()
    text = says(story, "repoB", "**Success**: 2 builds passed with repoD", "✅ passed", "[attempt 1](http")
    assert "Waiting for" not in text
    says(story, "repoD", "**Success**: 2 builds passed with repoB")
    assert [writes(story, name) for name in ("repoB", "repoD")] == [2, 2]


def test_a_push_takes_the_success_back_at_once_and_costs_three_writes(begin: Begin) -> None:
    story = commented(begin)
    story.opens("repoB", "repoD").builds("repoB", "repoD").passes()
    mark = story.mark()
    story.pushes("repoD")
    says(story, "repoB", "**Pending**: Waiting for DPTA-1122 to be quiet")
    runs = story.builds("repoD")
    says(story, "repoB", "Reused", "**Pending**: Building")
    runs.fails()
    says(story, "repoB", "**Failure**: repoD failed: build.yml", "`/orchestrate retry`")
    assert [writes(story, name, mark) for name in ("repoB", "repoD")] == [3, 3]


def test_what_went_on_beside_a_failure_is_told_at_its_end(begin: Begin) -> None:
    story = commented(begin)
    runs = story.opens("repoB", "repoD").builds("repoB", "repoD")
    runs.of("repoB").fails()
    says(story, "repoB", "**Failure**", "Still going on")
    runs.of("repoD").passes()
    text = says(story, "repoB", "**Failure**")
    assert "Still going on" not in text
    assert writes(story, "repoB") == 3


def test_one_that_joins_gets_its_own_and_the_others_are_told(begin: Begin) -> None:
    story = commented(begin)
    story.opens("repoB").builds("repoB").passes()
    story.opens("repoD").builds("repoD").passes()
    says(story, "repoB", "**Success**: 2 builds passed with repoD")
    says(story, "repoD", "**Success**: 2 builds passed with repoB")


def test_one_that_somebody_deletes_is_written_anew(begin: Begin) -> None:
    story = commented(begin)
    runs = story.opens("repoB").builds("repoB")
    first = said_on(story, "repoB")[0]["id"]
    story.act("/comments", repository="repoB", id=first, delete=True, actor="ann")
    says(story, "repoB", "**Pending**: Building")
    assert said_on(story, "repoB")[0]["id"] != first
    runs.passes()
    says(story, "repoB", "**Success**")


def test_one_that_was_deleted_unheard_is_written_anew_when_there_is_news(begin: Begin) -> None:
    story = commented(begin)
    runs = story.opens("repoB").builds("repoB")
    story.fault("delivery", "drop", "unrecorded", event="issue_comment")
    story.act("/comments", repository="repoB", id=said_on(story, "repoB")[0]["id"], delete=True, actor="ann")
    assert said_on(story, "repoB") == []
    runs.passes()
    says(story, "repoB", "**Success**")


def test_a_lost_answer_makes_no_second_comment(begin: Begin) -> None:
    story = commented(begin)
    story.fault("request", "lose_answer", method="POST", path=WRITES)
    story.act("/lag", lists=20)
    runs = story.opens("repoB").builds("repoB")
    story.waits(60)
    says(story, "repoB", "**Pending**")
    runs.passes()
    says(story, "repoB", "**Success**")


def test_a_comment_that_was_never_made_is_made_in_the_end(begin: Begin) -> None:
    story = commented(begin)
    story.fault("request", "reset", method="POST", path=WRITES)
    runs = story.opens("repoB").builds("repoB")
    assert said_on(story, "repoB") == []
    story.waits(1500)
    says(story, "repoB", "**Pending**")
    runs.passes()
    says(story, "repoB", "**Success**")


def test_an_edit_whose_answer_is_lost_or_refused_for_a_while_is_made_again(begin: Begin) -> None:
    story = commented(begin)
    story.fault("request", "lose_answer", method="PATCH", path=WRITES)
    story.opens("repoB").builds("repoB").passes()
    story.waits(30)
    says(story, "repoB", "**Success**")
    story.fault("request", "status", 502, method="PATCH", path=WRITES)
    story.pushes("repoB").builds("repoB").fails()
    story.waits(60)
    says(story, "repoB", "**Failure**")


def test_a_conversation_in_which_nobody_may_write_spoils_no_verdict(begin: Begin) -> None:
    story = commented(begin)
    story.fault("request", "status", 403, times=None, method="POST", path=WRITES)
    story.opens("repoB").builds("repoB").passes()
    story.waits(60).sign("repoB").is_success()
    assert said_on(story, "repoB") == []
    assert writes(story, "repoB") <= 3


def test_a_killed_worker_makes_no_second_comment(begin: Begin) -> None:
    story = commented(begin)
    story.fault("request", "delay", {"after": "5s"}, method="POST", path=WRITES)
    story.opens("repoB")
    story.stage.hire()
    runs = story.builds("repoB")
    story.stage.kill()
    story.stage.hire()
    story.waits(900)
    runs.passes()
    story.waits(900)
    says(story, "repoB", "**Success**")


def test_in_public_no_private_repository_is_named(begin: Begin) -> None:
    public: Json = {"repoB": {"visibility": "public"}}
    story = begin(seed=seed(config({"comment": True}), repositories=public))
    story.opens("repoB", "repoD").builds("repoB", "repoD").passes()
    text = says(story, "repoB", "**Success**: 2 builds passed with 1 other pull request", "1 pull request elsewhere")
    assert "repoD" not in text
    says(story, "repoD", "repoB")


def test_a_fork_that_is_blocked_is_told_how_to_go_on(begin: Begin) -> None:
    story = commented(begin)
    story.act("/members", repository="repoB", login="eve", permission="read")
    story.opens("repoB", fork=True, actor="eve")
    says(story, "repoB", "**Failure**: Blocked: it comes from a fork", "/orchestrate adopt SHA")


def test_without_it_nobody_comments(story: Story) -> None:
    story.opens("repoB", "repoD").builds("repoB", "repoD").passes()
    assert said_on(story, "repoB") == []


def test_explain_answers_with_the_tree_of_reasons(begin: Begin) -> None:
    story = begin()
    runs = story.opens("repoA", "repoB").builds("repoA")
    answer = story.comments("repoB", "/orchestrate explain").is_accepted().answer()
    assert "- pending: Building DPTA-1122 (2 builds); live at the link" in answer
    assert "  - `repoA` queued: Waits for a runner at GitHub → waits for a clock until " in answer
    assert "  - `repoB` waiting: Waits for repoA → waits for a build" in answer
    runs.passes()
    assert OWNER not in answer


def test_a_config_that_gives_the_pipeline_up_takes_the_success_back(begin: Begin) -> None:
    story = commented(begin)
    story.opens("repoB", "repoD").builds("repoB", "repoD").passes()
    story.configures(config({"comment": True}).replace("product:", "other:").replace("DPTA-", "XYZ-")).waits(600)
    for name in ("repoB", "repoD"):
        old, new = (str(one["body"]) for one in said_on(story, name))
        assert "belongs to no change set: `product`" in old
        assert "**Success**: 1 build passed" in new, "of a set of its own in the other pipeline"


def test_comments_that_are_turned_off_show_no_success_that_is_none(begin: Begin) -> None:
    story = commented(begin)
    story.opens("repoB", "repoD").builds("repoB", "repoD").passes()
    story.configures(config({"comment": False})).waits(60)
    story.pushes("repoD")
    says(story, "repoB", "**Pending**")
    mark = story.mark()
    story.builds("repoD").fails()
    story.waits(60)
    assert writes(story, "repoB", mark) == 0, "turned off"
    story.configures(config({"comment": True})).comments("repoB", "/orchestrate retry")
    story.builds("repoD").passes()
    found = [one["body"] for one in said_on(story, "repoB") if "lockstep comment" in one["body"]]
    assert len(found) == 1
    assert "**Success**" in found[0]


def test_an_app_that_was_away_unheard_finds_its_comment_again(begin: Begin) -> None:
    story = commented(begin)
    story.opens("repoB", "repoD").builds("repoB", "repoD").passes()
    story.fault("delivery", "drop", "unrecorded", times=None, event="installation_repositories")
    story.act("/installation", action="removed", owner=OWNER, repositories=["repoB"])
    story.pushes("repoD").waits(60)
    story.faults_end().act("/installation", action="added", owner=OWNER, repositories=["repoB"])
    story.waits(1200).finishes().waits(1200)
    story.sign("repoB").is_success()
    says(story, "repoB", "**Success**")


def test_a_pipeline_that_is_renamed_takes_its_comment_back(begin: Begin) -> None:
    story = commented(begin)
    story.opens("repoB", "repoD").builds("repoB", "repoD").passes()
    story.configures(config({"comment": True}).replace("product:", "other:")).waits(120)
    story.pushes("repoD").builds("repoD").fails()
    texts = [one["body"] for one in said_on(story, "repoB")]
    assert len(texts) == 2
    assert not any("Success" in text for text in texts)
    assert any("**Failure**" in text and "`other`" in text for text in texts)


def test_one_that_is_closed_gets_last_words_and_one_that_is_merged_keeps_its_own(begin: Begin) -> None:
    story = commented(begin)
    runs = story.opens("repoB", "repoC", "repoD").builds("repoB", "repoC", "repoD")
    story.closes("repoC")
    assert "This pull request was closed" in said_on(story, "repoC")[0]["body"]
    runs.passes()
    story.finishes().waits(120).finishes()
    says(story, "repoB", "**Success**")
    story.merges("repoB").waits(60)
    says(story, "repoB", "**Success**")
    story.changes("repoC", state="open").waits(60)
    says(story, "repoC", "**Success**")
