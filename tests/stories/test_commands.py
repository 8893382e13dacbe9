"""CONTRACT §5: slash commands: who may, what they do, and how they are answered."""

from __future__ import annotations

from tests.harness.looks import Comment
from tests.harness.story import Story
from tests.harness.worlds import NEVER, config, seed
from tests.stories.conftest import Begin

ALL = ("repoA", "repoB", "repoC", "repoD", "repoE")


def test_run_builds_at_once(story: Story) -> None:
    story.opens("repoB").comments("repoB", "/orchestrate run").is_accepted()
    story.builds("repoB", within=1)


def test_run_on_a_green_set_builds_nothing_that_can_be_reused(story: Story) -> None:
    story.opens("repoB", "repoD").builds("repoB", "repoD").passes()
    story.comments("repoB", "/orchestrate").is_accepted()
    story.builds_nothing().sign("repoB").is_success()


def test_run_fresh_builds_everything_again(story: Story) -> None:
    story.opens("repoB", "repoD").builds("repoB", "repoD").passes()
    story.comments("repoB", "/orchestrate run --fresh").is_accepted()
    story.sign("repoD").is_pending()
    story.builds("repoB", "repoD", within=1).passes().sign("repoD").is_success()


def test_retry_builds_what_failed_and_what_stands_on_it(story: Story) -> None:
    story.opens(*ALL).builds("repoA").passes()
    middle = story.builds("repoB", "repoC", "repoD")
    middle.of("repoB").passes()
    middle.of("repoD").passes()
    middle.of("repoC").fails()
    story.comments("repoE", "/orchestrate retry").is_accepted()
    for sign in story.signs(*ALL):
        sign.is_pending("Building DPTA-1122 (5 builds)")
    story.builds("repoC", within=1).passes().builds("repoE").passes()
    for sign in story.signs(*ALL):
        sign.is_success("5 builds passed")


def test_retry_of_a_repository_by_name_whatever_its_case(story: Story) -> None:
    runs = story.opens("repoB", "repoD").builds("repoB", "repoD")
    runs.fails()
    story.comments("repoB", "/orchestrate retry REPOd").is_accepted()
    story.builds("repoD", within=1).passes().builds_nothing()
    story.sign("repoD").is_failure("repoB failed")


def test_retry_of_a_repository_with_its_owner(story: Story) -> None:
    story.opens("repoB", "repoD").builds("repoB", "repoD").fails()
    story.comments("repoB", "/orchestrate retry IsmEnablement/repoD").is_accepted()
    story.builds("repoD", within=1).passes().builds_nothing()
    answer = story.comments("repoB", "/orchestrate retry other/repoB").is_refused().answer()
    assert "no such builds: other/repob. Its builds: repoA, repoB, repoC, repoD, repoE" in answer
    story.builds_nothing()


def test_retry_of_what_there_is_not_names_what_there_is(begin: Begin) -> None:
    """repoB is public: who reads there is not told what the private repositories are called."""
    story = begin(seed=seed(config(), repositories={"repoB": {"visibility": "public"}}))
    story.opens("repoB", "repoD").builds("repoB", "repoD").fails()
    there = story.comments("repoB", "/orchestrate retry nosuch repoB").is_refused().answer()
    assert "no such builds: nosuch. Its builds: repoB, 4 builds in other repositories." in there
    here = story.comments("repoD", "/orchestrate retry nosuch").is_refused().answer()
    assert "Its builds: repoA, repoB, repoC, repoD, repoE." in here
    story.builds_nothing()


def test_what_can_do_nothing_is_refused_and_said(story: Story) -> None:
    story.opens("repoB").builds("repoB").passes()
    answer = story.comments("repoB", "/orchestrate cancel\n/orchestrate retry").is_refused().answer()
    assert "DPTA-1122 is over: it passed. Nothing is left to cancel." in answer
    assert "DPTA-1122 passed: nothing of it failed." in answer
    story.sign("repoB").is_success()
    story.merges("repoB").waits(3700)
    assert "DPTA-1122 is merged" in story.comments("repoB", "/orchestrate").is_refused().answers()[-1]


def test_retry_of_what_has_not_failed_says_what_has(begin: Begin) -> None:
    story = begin({"builds": {"repoB": {}, "repoD": {"needs": ["repoB"]}}}).opens("repoB", "repoD")
    first = story.builds("repoB")
    early = story.comments("repoB", "/orchestrate retry repoB").is_refused().answer()
    assert "Nothing of DPTA-1122 has failed." in early
    first.passes()
    story.builds("repoD").fails()
    named = story.comments("repoD", "/orchestrate retry repoB").is_refused().answers()[-1]
    assert "What was named has not failed. Of DPTA-1122 failed: repoD." in named
    story.builds_nothing()


def test_retry_of_what_failed_and_may(begin: Begin) -> None:
    story = begin({"builds": {"repoB": {}, "repoD": {"required": False}}}).opens("repoB", "repoD")
    runs = story.builds("repoB", "repoD")
    runs.of("repoD").fails()
    runs.of("repoB").passes().sign("repoB").is_success()
    story.comments("repoB", "/orchestrate retry").is_accepted()
    story.builds("repoD", within=60).passes().sign("repoB").is_success("2 builds passed")


def test_a_fork_that_is_blocked_is_not_built_on_command(story: Story) -> None:
    story.opens("repoB", branch="tidy", actor="eve", fork=True)
    assert "Blocked: it comes from a fork" in story.comments("repoB", "/orchestrate").is_refused().answer()
    story.builds_nothing()


def test_each_command_finds_what_the_one_before_it_has_left(story: Story) -> None:
    story.opens("repoB", "repoD").builds("repoB", "repoD").passes()
    answer = story.comments("repoB", "/orchestrate invalidate\n/orchestrate cancel\n/orchestrate status")
    assert "failure: Cancelled by @ann" in answer.is_accepted().answer()
    story.builds_nothing().sign("repoD").is_failure("Cancelled by @ann")


def test_retry_while_a_head_has_moved_unheard_never_ends_green_on_the_old_one(story: Story) -> None:
    """The read before success sees what no webhook told: a new orchestration."""
    runs = story.opens("repoB", "repoD").builds("repoB", "repoD")
    runs.of("repoD").passes()
    runs.of("repoB").fails()
    story.fault("delivery", "drop", NEVER, event="push").fault("delivery", "drop", NEVER, event="pull_request")
    story.pushes("repoD").comments("repoB", "/orchestrate retry").is_accepted()
    again = story.builds("repoB")
    story.waits(5)
    again.passes().builds("repoD")
    assert "success" not in story.sign("repoD").states()


def test_retry_after_a_head_has_moved_is_a_new_orchestration(story: Story) -> None:
    runs = story.opens("repoB", "repoD").builds("repoB", "repoD")
    runs.of("repoD").passes()
    runs.of("repoB").fails()
    story.pushes("repoD").comments("repoB", "/orchestrate retry").is_accepted()
    story.builds("repoB", "repoD", within=1).passes().sign("repoD").is_success()


def test_cancel_stops_what_runs_and_says_who(story: Story) -> None:
    runs = story.opens("repoB", "repoD").builds("repoB", "repoD")
    story.comments("repoB", "/orchestrate cancel", actor="bob").is_accepted()
    runs.are_cancelled()
    for sign in story.signs("repoB", "repoD"):
        sign.is_failure("Cancelled by @bob. Comment /orchestrate to build")
    story.builds_nothing().comments("repoB", "/orchestrate")
    story.builds("repoB", "repoD").passes().sign("repoB").is_success()


def test_cancel_while_waiting(story: Story) -> None:
    story.opens("repoB").comments("repoB", "/orchestrate cancel").is_accepted()
    story.builds_nothing().sign("repoB").is_failure("Cancelled by @ann")
    story.pushes("repoB").sign("repoB").is_pending()
    story.builds("repoB")


def test_invalidate_withdraws_and_starts_over_as_a_push_would(story: Story) -> None:
    story.opens("repoB", "repoD").builds("repoB", "repoD").passes()
    story.comments("repoB", "/orchestrate invalidate").is_accepted()
    for sign in story.signs("repoB", "repoD"):
        sign.is_pending()
    story.waits(3600).sign("repoD").is_success()


def test_status_answers_those_who_read(story: Story) -> None:
    story.act("/members", repository="repoB", login="rita", permission="read")
    story.opens("repoB", "repoD").builds("repoB", "repoD")
    answer = story.comments("repoB", "/orchestrate status", actor="rita").is_accepted().answer()
    assert "DPTA-1122" in answer
    assert "pending" in answer
    assert "repoD" in answer


def test_help_names_the_commands(story: Story) -> None:
    answer = story.opens("repoB").comments("repoB", "/orchestrate help").is_accepted().answer()
    for word in ("run", "retry", "cancel", "invalidate", "status"):
        assert word in answer


def test_who_only_reads_may_not_act(story: Story) -> None:
    story.act("/members", repository="repoB", login="rita", permission="read")
    runs = story.opens("repoB").builds("repoB")
    first, *_ = [
        story.comments("repoB", f"/orchestrate {word}", actor="rita").is_refused()
        for word in ("", "run", "retry", "cancel", "invalidate")
    ]
    assert "write access to ismenablement/repoB" in first.answer()
    runs.are_going_on()


def test_who_maintains_may_act(story: Story) -> None:
    story.act("/members", repository="repoB", login="mia", permission="maintain")
    runs = story.opens("repoB").builds("repoB")
    story.comments("repoB", "/orchestrate cancel", actor="mia").is_accepted()
    runs.are_cancelled().sign("repoB").is_failure("Cancelled by @mia")


def test_who_triages_reads_and_no_more(story: Story) -> None:
    """GitHub's older ``permission`` calls triage *read* and maintain *write* (FACTS §8)."""
    story.act("/members", repository="repoB", login="tim", permission="triage")
    runs = story.opens("repoB").builds("repoB")
    assert "write access" in story.comments("repoB", "/orchestrate cancel", actor="tim").is_refused().answer()
    runs.are_going_on()
    assert "DPTA-1122" in story.comments("repoB", "/orchestrate status", actor="tim").is_accepted().answer()


def test_a_stranger_reads_the_status_where_everybody_reads(begin: Begin) -> None:
    """repoB is public, repoD is private: what stands there is not told to who cannot see it."""
    story = begin(seed=seed(config(), repositories={"repoB": {"visibility": "public"}}))
    story.opens("repoB", "repoD").builds("repoB", "repoD")
    answer = story.comments("repoB", "/orchestrate status", actor="eve").is_accepted().answer()
    assert "DPTA-1122" in answer
    assert "repoD" not in answer
    refusal = story.comments("repoD", "/orchestrate status", actor="eve").is_refused().answer()
    assert "read access to ismenablement/repoD" in refusal
    assert "repoB" not in refusal


def test_a_comment_on_an_issue_is_not_heard(story: Story) -> None:
    story.opens("repoB")
    number = story.act("/issues", repository="repoB", title="Slow", actor="ann")["number"]
    before = story.mark()
    said = story.act("/comments", repository="repoB", number=number, body="/orchestrate cancel", actor="ann")
    Comment(story.stage, "ismenablement/repoB", said["id"], number).is_unanswered()
    assert not story.requests(after=before)


def test_write_access_elsewhere_is_not_enough(story: Story) -> None:
    story.act("/members", repository="repoD", login="dora", permission="write")
    story.opens("repoB", "repoD")
    story.comments("repoB", "/orchestrate", actor="dora").is_refused()
    story.comments("repoD", "/orchestrate", actor="dora").is_accepted()


def test_one_refusal_per_person_pull_request_and_hour(story: Story) -> None:
    story.opens("repoB", "repoD")
    first = story.comments("repoB", "/orchestrate", actor="eve").is_refused()
    story.comments("repoB", "/orchestrate cancel", actor="eve").is_refused()
    assert len(first.answers()) == 1
    assert story.comments("repoD", "/orchestrate", actor="eve").is_refused().answer()
    story.waits(3700)
    story.comments("repoB", "/orchestrate", actor="eve").is_refused()
    assert len(first.answers()) == 2


def test_a_refusal_within_the_hour_keeps_no_other_answer_back(story: Story) -> None:
    story.opens("repoB")
    first = story.comments("repoB", "/orchestrate retyr").is_refused()
    assert "Did you mean" in first.answer()
    both = story.comments("repoB", "/orchestrate status\n/orchestrate retyr").is_refused()
    assert "DPTA-1122" in both.answer()
    assert "Did you mean" not in both.answer()
    story.waits(1800).comments("repoB", "/orchestrate retyr")
    assert len(both.answers()) == 1
    story.waits(1900).comments("repoB", "/orchestrate retyr")
    assert "Did you mean" in both.answers()[1], "one that was not said puts none off"


def test_an_unknown_word_is_told_what_would_work(story: Story) -> None:
    answer = story.opens("repoB").comments("repoB", "/orchestrate retyr").is_refused().answer()
    assert "retry" in answer


def test_case_does_not_matter_and_several_lines_are_done_in_order(story: Story) -> None:
    story.opens("repoB")
    body = "Looks odd.\n/Orchestrate CANCEL\r\nand then\n/ORCHESTRATE help"
    assert "retry" in story.comments("repoB", body).is_accepted().answer()
    story.sign("repoB").is_failure("Cancelled by @ann")


def test_what_is_no_command(story: Story) -> None:
    runs = story.opens("repoB").builds("repoB")
    for body in (
        "please /orchestrate cancel",
        "> /orchestrate cancel",
        "```\n/orchestrate cancel\n```",
        "~~~\n/orchestrate cancel\n~~~",
        "    /orchestrate cancel",
        "`/orchestrate cancel`",
        "<!--\n/orchestrate cancel\n-->",
        "/orchestrates cancel",
    ):
        story.comments("repoB", body).is_unanswered()
        runs.are_going_on()


def test_bots_and_edits_are_not_heard(story: Story) -> None:
    runs = story.opens("repoB").builds("repoB")
    story.comments("repoB", "/orchestrate cancel", actor="helper[bot]").is_unanswered()
    comment = story.comments("repoB", "good morning")
    story.act("/comments", repository="repoB", id=comment.id, body="/orchestrate cancel", actor="ann")
    comment.is_unanswered()
    runs.are_going_on()


def test_the_same_comment_twice_is_one_command(story: Story) -> None:
    story.opens("repoB")
    comment = story.comments("repoB", "/orchestrate status").is_accepted()
    before = story.mark()
    story.delivers_again("issue_comment", guid="another-guid").delivers_again("issue_comment")
    assert len(comment.answers()) == 1
    assert comment.reactions() == ["eyes", "rocket"]
    assert not story.requests("*", "*", before)


def test_a_pull_request_in_two_sets_is_commanded_in_both_or_in_one(begin: Begin) -> None:
    product = {"branches": r"DPTA-\d+", "comment": False, "start": "command", "builds": {"repoB": {}}}
    other = {**product, "status": "other-build", "builds": {"repoB": {}, "repoC": {}}}
    story = begin(seed=seed(config(pipelines={"product": product, "other": other})))
    story.opens("repoB", "repoC").comments("repoB", "/orchestrate --pipeline other").is_accepted()
    story.builds("repoB", "repoC").passes().builds_nothing()
    story.sign("repoB").is_pending("Comment /orchestrate to build")
    story.comments("repoB", "/orchestrate --fresh").is_accepted()
    story.builds("repoB", "repoB", "repoC")
    unknown = story.comments("repoB", "/orchestrate --pipeline nothing").is_refused()
    assert "nothing" in unknown.answer()


def test_a_command_costs_one_permission_read_and_two_reactions(story: Story) -> None:
    story.opens("repoB")
    before = story.mark()
    story.comments("repoB", "/orchestrate cancel")
    assert len(story.requests("GET", "*/permission", before)) == 1
    assert len(story.requests("POST", "*/reactions", before)) == 2
    assert len(story.requests("GET", "*", before)) == 1


def test_a_permission_that_cannot_be_read_is_none(story: Story) -> None:
    runs = story.opens("repoB").builds("repoB")
    story.fault("request", "status", {"status": 404, "body": {"message": "Not Found"}}, path="*/permission")
    story.comments("repoB", "/orchestrate cancel").is_refused()
    runs.are_going_on()


def test_a_pull_request_in_two_sets_is_refused_only_where_neither_can(begin: Begin) -> None:
    product = {"branches": r"DPTA-\d+", "comment": False, "builds": {"repoB": {}}}
    other = {**product, "status": "other-build", "builds": {"repoB": {}, "repoC": {}}}
    story = begin(seed=seed(config(pipelines={"product": product, "other": other})))
    first, second = story.opens("repoB").builds("repoB", "repoB")
    story.ends(first, "success").ends(second, "failure")
    story.comments("repoB", "/orchestrate retry").is_accepted()
    story.builds("repoB", within=1).passes()
    assert story.comments("repoB", "/orchestrate retry").is_refused().answer().count("passed") == 1


def test_a_comment_on_a_pull_request_of_no_set(story: Story) -> None:
    story.opens("orchestrator", branch="tidy")
    answer = story.comments("orchestrator", "/orchestrate").is_refused().answer()
    assert "no change set" in answer
