"""Every sentence, read: what it says, what to do next, at most 140 characters, and no name where it may not be said."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.domain import messages
from app.domain.attempt import Attempt
from app.domain.audience import Person
from app.domain.build import Build
from app.domain.change_set import ChangeSet, Kind
from app.domain.descriptions import describe
from app.domain.events import Trigger, TriggerKind
from app.domain.facts import Pull, Repository, RunStatus, Visibility
from app.domain.messages import duration, shortened
from app.domain.orchestration import Orchestration
from app.domain.pipeline import BuildSpec
from app.domain.reasons import Reason, Why
from tests.domain.pretend import START, Pretend, story_pipeline

SHA = "a" * 40


def attempt(**facts: object) -> Attempt:
    blank = Attempt("set-1-3-1", 1, 3, "build.yml", "DPTA-1122", SHA, START, sent_at=START, run_id=7)
    return replace(blank, **facts)  # type: ignore[arg-type]


def built(*tries: Attempt, pulls: tuple[int, ...] = (2, 4)) -> ChangeSet:
    """A set with pull requests in B and D whose build repoC is made of these attempts; repoA was skipped."""
    state = Pretend.new().state
    builds = (
        Build(BuildSpec("repoA", "repoA"), 1),
        Build(BuildSpec("repoC", "repoC", workflow="full.yml"), 3, "DPTA-1122", SHA, attempts=tries),
        Build(BuildSpec("repoD", "repoD"), 4, "DPTA-1122", SHA),
    )
    orchestration = Orchestration("set-1", Trigger(TriggerKind.CHANGE), START, 0, story_pipeline(), START, builds)
    return replace(state, orchestration=orchestration, pulls=tuple(pull(number) for number in pulls))


def pull(repository: int, **facts: object) -> Pull:
    return replace(Pull(repository, repository * 10, "DPTA-1122", SHA, "main", START), **facts)  # type: ignore[arg-type]


def seen_as(state: ChangeSet, **visibilities: Visibility) -> ChangeSet:
    changed = {name: replace(state.repositories[name], visibility=v) for name, v in visibilities.items()}
    return replace(state, repositories={**state.repositories, **changed})


def repository(state: ChangeSet, name: str) -> Repository:
    return state.repositories[name]


FAILED = attempt(status=RunStatus.COMPLETED, conclusion="failure")


def of_c(why: Why, text: str | None = None) -> Reason:
    return Reason(why, "repoC", 3, text)


SENTENCES = [
    (Reason(Why.SETTLING), "Waiting for DPTA-1122 to be quiet for 30 s"),
    (Reason(Why.ON_COMMAND), "Comment /orchestrate to build"),
    (Reason(Why.GITHUB, text="502"), "Waiting for GitHub: 502"),
    (Reason(Why.LIMIT, until=START), "Waiting for GitHub's rate limit until 12:00 UTC"),
    (Reason(Why.BUILDING), "Building DPTA-1122 (2 builds); live at the link"),
    (
        of_c(Why.APPROVAL),
        "repoC waits for a reviewer of its environment to approve its run on GitHub; the link leads to it",
    ),
    (Reason(Why.PASSED), "1 build passed with repoB#20, repoD#40; repoC failed, which is not required"),
    (Reason(Why.POLICY_PASS), "Passed unbuilt: of no change set, and the config lets such pull requests pass"),
    (Reason(Why.POLICY_BLOCK), "Blocked: the branch name fits no change set of product. Rename the branch"),
    (of_c(Why.BUILD_FAILED), "repoC failed: full.yml. Push a fix or comment /orchestrate retry"),
    (Reason(Why.CANCELLED, text="@ann"), "Cancelled by @ann. Comment /orchestrate to build"),
    (
        Reason(Why.FORK),
        "Blocked: it comes from a fork. Someone with write access reviews it and comments /orchestrate adopt SHA",
    ),
    (
        Reason(Why.CROWDED, repository_id=3, text="#1 and #2"),
        "Two parts of DPTA-1122 in repoC (#1 and #2): close one, or retarget it",
    ),
    (Reason(Why.CROWDED), "Two parts of DPTA-1122 in a repository: close one, or retarget it"),
    (Reason(Why.UNREADABLE, text="repoC is away"), "repoC is away"),
    (Reason(Why.UNREADABLE), "it could not be told why"),
    (Reason(Why.MUTE, repository_id=3, text="403"), "Lockstep cannot set its status in repoC: 403"),
    (Reason(Why.MUTE, text="403"), "Lockstep cannot set its status in a member: 403"),
    (
        of_c(Why.REFUSED, "no such workflow"),
        "repoC was not started: no such workflow. Mend that, then comment /orchestrate retry",
    ),
    (of_c(Why.LOST), "repoC: GitHub never showed the run. Comment /orchestrate retry"),
    (Reason(Why.RESTLESS), "A branch moves faster than its build starts. Comment /orchestrate when it is quiet"),
    (Reason(Why.IMPOSSIBLE, text="no branch"), "no branch"),
    (Reason(Why.LEFT), "No longer a head of DPTA-1122; what passed here has been withdrawn"),
]


@pytest.mark.parametrize(("reason", "sentence"), SENTENCES, ids=lambda value: str(value)[:40])
def test_what_is_said(reason: Reason, sentence: str) -> None:
    assert describe(reason, built(FAILED), None) == sentence
    assert len(sentence) <= 140


@pytest.mark.parametrize(
    ("tries", "how"),
    [
        (attempt(status=RunStatus.COMPLETED, conclusion="skipped"), "repoC ran no job: full.yml"),
        (attempt(status=RunStatus.COMPLETED, conclusion="cancelled"), "repoC was cancelled: full.yml"),
        (attempt(overdue=messages.not_started(timedelta(minutes=10))), "repoC did not start within 10 m: full.yml"),
        (attempt(overdue=messages.not_finished(timedelta(hours=2))), "repoC did not end within 2 h: full.yml"),
        (attempt(overdue=messages.RUN_GONE), "repoC has no run any more: somebody deleted it: full.yml"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_how_a_build_failed_is_said(tries: Attempt, how: str) -> None:
    assert describe(of_c(Why.BUILD_FAILED), built(tries), None).startswith(f"{how}. Push")


def test_who_can_let_a_run_go_on_is_named() -> None:
    held = describe(of_c(Why.APPROVAL), built(attempt(status=RunStatus.WAITING)), None)
    asked = attempt(status=RunStatus.COMPLETED, conclusion="action_required")
    approved = describe(of_c(Why.APPROVAL), built(asked), None)
    assert approved == held.replace("a reviewer of its environment", "someone with write access") != held
    assert describe(of_c(Why.APPROVAL), built(), None) == held
    assert describe(Reason(Why.APPROVAL, "repoX", 3), built(), None) == held.replace("repoC", "repoX")


def test_a_build_without_a_try_failed_all_the_same() -> None:
    assert describe(of_c(Why.BUILD_FAILED), built(), None).startswith("repoC failed: full.yml")
    assert describe(Reason(Why.BUILD_FAILED, "repoX", 3), built(), None).startswith("repoX failed. Push")


def test_what_a_wider_public_may_not_know_is_not_said() -> None:
    state = seen_as(built(FAILED), repob=Visibility.PUBLIC, repod=Visibility.INTERNAL)
    b, d = repository(state, "repob"), repository(state, "repod")
    hidden = "A build in another repository"
    assert describe(of_c(Why.BUILD_FAILED), state, b) == f"{hidden} failed. Push a fix or comment /orchestrate retry"
    assert describe(of_c(Why.REFUSED, "x"), state, b) == f"{hidden} was not started. Its own page says why"
    assert describe(of_c(Why.LOST), state, d).startswith(f"{hidden}: GitHub never")
    assert describe(of_c(Why.APPROVAL), state, b).startswith(f"{hidden} waits for")
    assert describe(Reason(Why.CROWDED, repository_id=3, text="#1"), state, b).startswith(
        "Two parts of DPTA-1122 in a rep"
    )
    assert describe(Reason(Why.MUTE, repository_id=4, text="x"), state, b) == (
        "Lockstep cannot set its status in a member. Its own page says why"
    )
    assert describe(Reason(Why.MUTE, repository_id=2, text="x"), state, d).startswith(
        "Lockstep cannot set its status in repoB"
    )
    assert describe(Reason(Why.PASSED), state, b) == (
        "1 build passed with 1 other pull request; 1 failed, which is not required"
    )
    assert describe(Reason(Why.PASSED), state, d) == ("1 build passed with repoB#20; 1 failed, which is not required")


def test_a_repository_is_always_named_to_its_own() -> None:
    state = seen_as(built(FAILED), repoc=Visibility.PRIVATE)
    assert describe(of_c(Why.REFUSED, "why"), state, repository(state, "repoc")) == (
        "repoC was not started: why. Mend that, then comment /orchestrate retry"
    )


def test_a_reason_in_someone_elses_words_is_hidden_where_a_narrower_repository_takes_part() -> None:
    reason = Reason(Why.UNREADABLE, text="repoC cannot be seen")
    hidden = "A repository of the pipeline cannot be read. The link says which, and why"
    state = built()
    assert describe(reason, state, repository(state, "repob")) == "repoC cannot be seen"
    wide = dict.fromkeys(state.repositories, Visibility.INTERNAL)
    same = seen_as(state, **wide)
    assert describe(reason, same, repository(same, "repob")) == "repoC cannot be seen"
    mixed = seen_as(same, repoe=Visibility.PRIVATE)
    assert describe(reason, mixed, repository(mixed, "repob")) == hidden
    unseen = replace(same, repositories={n: r for n, r in same.repositories.items() if n != "repoe"})
    assert describe(reason, unseen, repository(unseen, "repob")) == hidden
    assert describe(reason, unseen, None) == "repoC cannot be seen"
    slow = replace(reason, why=Why.GITHUB)
    assert describe(slow, mixed, repository(mixed, "repob")) == f"Waiting for GitHub: {hidden}"
    assert describe(slow, same, repository(same, "repob")) == "Waiting for GitHub: repoC cannot be seen"
    assert describe(replace(reason, why=Why.IMPOSSIBLE), mixed, repository(mixed, "repob")) == hidden


def test_a_person_who_may_not_read_all_is_sent_to_somebody_who_may() -> None:
    reason = Reason(Why.UNREADABLE, text="repoC cannot be seen")
    said = "A repository of the pipeline cannot be read. Ask somebody who may read it"
    assert describe(reason, built(), Person(frozenset({1, 2, 4, 5}))) == said
    assert describe(reason, built(), Person(frozenset({1, 2, 3, 4, 5}))) == "repoC cannot be seen"


def test_a_way_out_is_added_to_a_refusal_that_names_none() -> None:
    again = ". Mend that, then comment /orchestrate retry"
    room = 140 - len("repoC was not started: ") - len(again)
    for text, said in (
        ("no such workflow", f"no such workflow{again}"),
        ("the branch moved, comment /orchestrate run", "the branch moved, comment /orchestrate run"),
        ("x" * room, f"{'x' * room}{again}"),
        ("x" * (room + 1), "x" * (room + 1)),
    ):
        assert describe(of_c(Why.REFUSED, text), built(), None) == f"repoC was not started: {said}"


def test_a_config_that_gave_something_up_is_told_to_its_pull_requests() -> None:
    state, mend = built(), ". Put it back, or take orchestrator-build out of the rulesets"
    b, reason = repository(state, "repob"), Reason(Why.UNCONFIGURED)
    gone = replace(state, pipeline=story_pipeline(builds=()))
    assert describe(reason, gone, b) == f"The config has no product any more{mend}"
    assert describe(reason, state, b) == f"product no longer builds repoB{mend}"
    assert describe(reason, state, None) == f"product no longer builds this repository{mend}"


def test_a_merge_group_on_unknown_ground_is_told_what_it_waits_for() -> None:
    told = "Waiting for GitHub to tell of the merge group that this one is built upon"
    assert describe(Reason(Why.UNGROUNDED), built(), None) == told


def test_a_merge_group_that_came_to_a_passed_set_is_told_what_it_waits_for() -> None:
    told = "2 builds passed; reading once more before the merge group may pass"
    assert describe(Reason(Why.UNREAD), built(), None) == told


def test_a_reason_is_told_where_there_is_no_orchestration() -> None:
    state = replace(built(), orchestration=None)
    assert describe(of_c(Why.BUILD_FAILED), state, None) == "repoC failed. Push a fix or comment /orchestrate retry"


def test_siblings_are_named_as_far_as_there_is_room() -> None:
    state = built(pulls=(1, 2, 3, 4, 5))
    long = {name: replace(one, name=f"{one.name}-{'x' * 25}") for name, one in state.repositories.items()}
    state = replace(state, repositories=long)
    said = describe(Reason(Why.PASSED), state, repository(state, "repoa"))
    x = "x" * 25
    assert said == f"2 builds passed with repoB-{x}#20, repoC-{x}#30, repoD-{x}#40 and 1 more"
    longer = {name: replace(one, name=one.name + "y" * 100) for name, one in long.items()}
    state = replace(state, repositories=longer)
    assert (
        describe(Reason(Why.PASSED), state, repository(state, "repoa")) == "2 builds passed with 4 other pull requests"
    )


def test_siblings_are_named_to_the_last_character_of_the_room() -> None:
    state = built(pulls=(1, 2))
    for length, said in (
        (116, f"2 builds passed with {'b' * 116}#20"),
        (117, "2 builds passed with 1 other pull request"),
    ):
        named = replace(state.repositories["repob"], name="b" * length)
        fitted = replace(state, repositories={**state.repositories, "repob": named})
        assert describe(Reason(Why.PASSED), fitted, repository(fitted, "repoa")) == said


def test_siblings_leave_room_for_what_failed_and_may() -> None:
    state = built(FAILED, pulls=(1, 2))
    for length, with_whom in ((80, f"{'b' * 80}#20"), (81, "1 other pull request")):
        named = replace(state.repositories["repob"], name="b" * length)
        fitted = replace(state, repositories={**state.repositories, "repob": named})
        assert describe(Reason(Why.PASSED), fitted, repository(fitted, "repoa")) == (
            f"1 build passed with {with_whom}; repoC failed, which is not required"
        )


def test_what_failed_and_may_is_said_before_any_sibling() -> None:
    state = built(FAILED, pulls=(1, 2))
    sibling = replace(state.repositories["repob"], name="b" * 60)
    state = replace(state, repositories={**state.repositories, "repob": sibling})
    assert state.orchestration is not None
    for length, with_whom in ((68, " with 1 other pull request"), (69, "")):
        failed = replace(state.orchestration.builds[1], spec=BuildSpec("c" * length, "repoC"))
        builds = (state.orchestration.builds[0], failed, state.orchestration.builds[2])
        named = replace(state, orchestration=replace(state.orchestration, builds=builds))
        assert describe(Reason(Why.PASSED), named, repository(named, "repoa")) == (
            f"1 build passed{with_whom}; {'c' * length} failed, which is not required"
        )


def test_a_broken_config_is_said_to_the_last_character_of_the_room() -> None:
    state = replace(built(pulls=(2,)), config_broken=True, key="x")
    room = 141 - len(describe(Reason(Why.BUILDING), state, None))
    fits = describe(Reason(Why.BUILDING), replace(state, key="x" * room), None)
    assert len(fits) == 140
    assert fits.endswith("its last good version is in force)")
    longer = describe(Reason(Why.BUILDING), replace(state, key="x" * (room + 1)), None)
    assert longer.endswith("live at the link")


def test_a_broken_config_is_said_where_there_is_room() -> None:
    state = replace(built(pulls=(2,)), config_broken=True)
    said = describe(Reason(Why.BUILDING), state, None)
    assert said == (
        "Building DPTA-1122 (2 builds); live at the link (the config file is broken: its last good version is in force)"
    )
    long = replace(state, key="x" * 60)
    assert describe(Reason(Why.BUILDING), long, None) == f"Building {'x' * 60} (2 builds); live at the link"


def test_exactly_as_long_as_may_be_is_not_cut() -> None:
    assert shortened("x" * 140) == "x" * 140
    assert shortened("x" * 141) == "x" * 139 + "…"
    assert shortened("x" * 138 + " yy") == "x" * 138 + "…"
    assert shortened("abcdef", 4) == "abc…"
    assert shortened(" a\tb\n\u202ec ") == "a b c"


def test_one_is_not_counted_as_many() -> None:
    state = built(pulls=(2,))
    assert state.orchestration is not None
    alone = replace(state, orchestration=replace(state.orchestration, builds=state.orchestration.builds[:2]))
    assert describe(Reason(Why.PASSED), alone, repository(alone, "repob")) == "1 build passed"
    assert describe(Reason(Why.BUILDING), replace(alone, orchestration=None), None).startswith(
        "Building DPTA-1122 (0 builds)"
    )
    assert describe(Reason(Why.PASSED), replace(alone, pulls=()), None) == "1 build passed"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (1, "1 s"), (59, "59 s"), (60, "1 m"), (90, "90 s"), (3600, "1 h"), (5400, "90 m"), (7200, "2 h")],
)
def test_a_duration_is_said_in_its_largest_exact_unit(seconds: int, said: str) -> None:
    assert duration(timedelta(seconds=seconds)) == said


def test_sentences_that_others_build_in() -> None:
    assert messages.unseen("c") == "Lockstep cannot see c. Install the App there or take it out of the pipeline"
    assert messages.archived("c") == "c is archived. Unarchive it or take it out of the pipeline"
    assert messages.nowhere("DPTA-1", "product") == "No repository of product has a branch DPTA-1"
    assert messages.renamed("new") == "This status is now called new. Require that one in the rulesets"
    assert messages.restless("b") == "b moves faster than its builds start. Run it again when it is quiet"
    assert messages.stale_read("c") == "it still shows an older state of c than it told us of"
    assert messages.CONFIG_CHANGED == "the config has changed while the repositories were read"
    assert messages.too_long_inputs("c", 70_000, 65_535) == (
        "the inputs of c have 70,000 characters, GitHub takes 65,535. Pass fewer or use {manifest.url}"
    )


def test_a_limit_is_said_to_the_minute_after_which_it_is_over() -> None:
    at = datetime(2026, 11, 21, 12, 39, 1, tzinfo=UTC)
    assert messages.rate_limit(at) == "Waiting for GitHub's rate limit until 12:40 UTC"
    assert messages.rate_limit(at.replace(second=0)) == "Waiting for GitHub's rate limit until 12:39 UTC"


def test_a_set_of_one_is_called_by_its_key() -> None:
    state = replace(built(), kind=Kind.ALONE, key="acme/repoB#20")
    assert describe(Reason(Why.SETTLING), state, None) == "Waiting for acme/repoB#20 to be quiet for 30 s"
