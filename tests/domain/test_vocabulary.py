"""The words and numbers that others rely on: CONTRACT §2's states, §3's defaults, §4's verdicts, FACTS' limits."""

from __future__ import annotations

from dataclasses import MISSING, fields
from datetime import timedelta

import pytest

from app.domain import manifest, reads, runs
from app.domain.attempt import LIVE, PASSING, Attempt, AttemptState
from app.domain.budget import EVERYTHING, Cost, Limits, Priority
from app.domain.build import ATTEMPT_TO_BUILD, LOST_ALLOWED, Build, BuildState
from app.domain.change_set import ChangeSet, Kind, Said, SetState
from app.domain.events import (
    DispatchRefused,
    ReadFailed,
    ReadPurpose,
    RetryWanted,
    RunWanted,
    SetRead,
    Trigger,
    TriggerKind,
)
from app.domain.facts import (
    RUN_RANK,
    Branch,
    MergeGroup,
    Pull,
    PullState,
    Repository,
    RepositoryRead,
    RunStatus,
    Visibility,
)
from app.domain.fleet import Barred, FleetRun, Target
from app.domain.orchestration import Orchestration, OrchestrationState
from app.domain.pipeline import (
    Absent,
    BaseMoved,
    BuildSpec,
    Config,
    Discovery,
    Fleet,
    Landing,
    Listed,
    Looks,
    MergeMethod,
    MergeMode,
    Missed,
    Occasion,
    OnFailure,
    Overlap,
    Pipeline,
    Receiver,
    Schedule,
    Share,
    Start,
    Then,
    Unmatched,
)
from app.domain.reasons import STATE_OF, Reason, Why
from app.domain.verdict import STRENGTH, Verdict, VerdictState, weakest
from tests.domain.pretend import START


def words(kind: type) -> str:
    return " ".join(kind)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (OrchestrationState, "waiting building passed failed error cancelled superseded"),
        (
            BuildState,
            "waiting dispatching queued running passed failed timed_out cancelled skipped lost error",
        ),
        (VerdictState, "pending success failure error"),
        (SetState, "open merged closed"),
        (Kind, "change_set alone branch fleet"),
        (TriggerKind, "pull_request command api page retry dispatch schedule change"),
        (ReadPurpose, "freeze confirm"),
        (PullState, "open closed merged"),
        (RunStatus, "requested queued pending waiting in_progress completed"),
        (Visibility, "private internal public"),
        (Start, "auto command"),
        (Unmatched, "alone pass block"),
        (Absent, "skip base"),
        (OnFailure, "stop continue"),
        (BaseMoved, "keep rebuild"),
        (MergeMode, "unlock together"),
        (MergeMethod, "merge squash rebase"),
        (Overlap, "skip queue cancel"),
        (Missed, "skip run_once"),
        (Looks, "public private internal"),
        (Barred, "skipped error"),
        (Occasion, "failure recovered fleet_failed fleet_finished"),
        (
            AttemptState,
            "planned dispatching unclear queued waiting running passed failed timed_out cancelled void lost refused",
        ),
        (
            Why,
            "settling on_command github limit building approval ungrounded unread passed policy_pass build_failed "
            "cancelled fork policy_block unconfigured crowded unreadable mute refused lost restless impossible left",
        ),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_words_of(kind: type, said: str) -> None:
    assert words(kind) == said


def test_every_reason_is_one_of_four_verdicts() -> None:
    of = {state: {why for why, verdict in STATE_OF.items() if verdict is state} for state in VerdictState}
    assert of[VerdictState.SUCCESS] == {"passed", "policy_pass"}
    assert of[VerdictState.FAILURE] == {"build_failed", "cancelled", "fork", "policy_block"}
    pending = {"settling", "on_command", "github", "limit", "building", "approval", "ungrounded", "unread", "left"}
    assert of[VerdictState.PENDING] == pending
    assert set().union(*of.values()) == set(Why)


def test_the_defaults_of_a_pipeline() -> None:
    one = Pipeline("acme", "product", (BuildSpec("Full", "RepoA"),))
    assert one.repositories == frozenset({"repoa"})
    assert (one.branches, one.exclude, one.bases, one.start) == (None, (), ("default",), Start.AUTO)
    assert (one.settle, one.settle_max) == (timedelta(seconds=30), timedelta(minutes=10))
    assert (one.unmatched, one.absent, one.status, one.comment) == ("alone", "skip", "orchestrator-build", True)
    assert (one.max_parallel, one.on_failure, one.reuse_for, one.base_moved) == (10, "stop", timedelta(days=7), "keep")
    assert one.landing == Landing(MergeMode.UNLOCK, MergeMethod.SQUASH, delete_branches=False)
    spec = one.builds[0]
    assert (spec.workflow, spec.needs, spec.retries, spec.required, spec.inputs) == ("build.yml", (), 0, True, {})
    assert (spec.timeout, spec.start_timeout) == (timedelta(minutes=60), timedelta(minutes=10))
    assert (spec.of_fleet, spec.follow, spec.trigger_retries) == (False, True, 0)
    assert unsaid(Config("acme")) == dict.fromkeys(("pipelines", "fleets", "receivers"), ())


def test_the_defaults_of_a_fleet() -> None:
    nobody: dict[str, object] = {
        "repositories": (),
        "schedules": (),
        "waves": (),
        "stop_after": None,
        "then": None,
        "links": {},
    }
    begun = {"ref": "default", "inputs": {}, "max_parallel": 3, "spacing": timedelta(seconds=10)}
    followed = {"follow": True, "timeout": timedelta(hours=2), "retries": 2, "rerun_failed": 0}
    others = {"on_failure": "continue", "overlap": "skip"}
    assert unsaid(Fleet("acme", "scan", "scan.yml")) == {**nobody, **begun, **followed, **others}
    always = {"timezone": "UTC", "jitter": timedelta(0), "missed": "skip", "only": ()}
    assert unsaid(Schedule("0 2 * * *")) == always
    assert unsaid(Then("dashboard", "collect.yml")) == {"ref": "default", "inputs": {}}


def test_a_fleets_repositories_are_as_the_fleet_says_and_found_without_any_condition() -> None:
    assert unsaid(Listed("scipy")) == {"workflow": None, "ref": None, "inputs": {}}
    assert unsaid(Discovery()) == {"having_workflow": False, "topic": None, "visibility": None, "exclude": ()}


def test_only_our_own_webhook_has_a_secret() -> None:
    assert unsaid(Receiver("LOCKSTEP_NOTIFY_ACME_SLACK", (Occasion.FAILURE,))) == {"secret_in": None}


def test_the_limits() -> None:
    assert manifest.INPUTS_LIMIT == 65_535
    assert [wait.total_seconds() for wait in runs.LOOKS] == [2, 5, 10, 15, 30, 60]
    assert (timedelta(minutes=2), timedelta(minutes=10)) == (runs.FIRST_CHECK, runs.NEXT_CHECK)
    assert (timedelta(minutes=60), timedelta(days=1)) == (runs.UNUSUAL, runs.STRAYS_KEPT)
    assert [wait.total_seconds() for wait in reads.BACK_OFF] == [2, 5, 15, 30, 60, 120, 300]
    assert (reads.STALE_ALLOWED, reads.STALE_FOR_EVER, LOST_ALLOWED) == (5, 20, 2)


def test_what_of_a_run_counts_and_what_is_news() -> None:
    assert {"success", "neutral"} == PASSING
    order = ["requested", "queued", "pending", "waiting", "in_progress", "completed"]
    assert [RUN_RANK[RunStatus(word)] for word in order] == [0, 1, 1, 2, 3, 4]
    assert set(ATTEMPT_TO_BUILD) == set(AttemptState)
    assert {str(ATTEMPT_TO_BUILD[state]) for state in LIVE} == {"dispatching", "queued", "running"}
    same = {AttemptState(word) for word in ("running", "passed", "failed", "timed_out", "cancelled", "lost", "queued")}
    assert {state for state, build in ATTEMPT_TO_BUILD.items() if build.value == state.value} == {*same, "dispatching"}
    assert ATTEMPT_TO_BUILD[AttemptState.VOID] is BuildState.WAITING
    assert ATTEMPT_TO_BUILD[AttemptState.REFUSED] is BuildState.ERROR


def test_a_fact_begins_as_what_is_usual() -> None:
    pull = Pull(1, 2, "b", "sha", "main", START)
    assert (pull.open, pull.draft, pull.fork, pull.before, pull.known) == (True, False, False, None, True)
    one = Repository(1, "acme", "repoA", "R_1", "main")
    assert (one.full_name, one.visibility, one.archived) == ("acme/repoA", "private", False)
    widths = [visibility.width for visibility in (Visibility.PRIVATE, Visibility.INTERNAL, Visibility.PUBLIC)]
    assert widths == sorted(set(widths))
    fresh = Attempt("a", 1, 1, "w", "r", "s", START)
    assert (fresh.state, fresh.live, fresh.may_run, fresh.persons) == (AttemptState.PLANNED, True, False, False)
    assert Trigger(TriggerKind.API).actor is None


def test_the_weakest_verdict_is_the_sign() -> None:
    order = [VerdictState.ERROR, VerdictState.FAILURE, VerdictState.PENDING, VerdictState.SUCCESS]
    assert sorted(STRENGTH, key=lambda state: STRENGTH[state]) == order
    assert len(set(STRENGTH.values())) == 4
    said = [Verdict(state, "b", "text") for state in reversed(order)]
    while said:
        lowest = weakest(said)
        assert lowest is not None
        assert lowest.state is order[4 - len(said)]
        said.remove(lowest)
    assert weakest([]) is None


def test_among_equals_the_sign_does_not_hang_on_who_came_first() -> None:
    one, two = (Verdict(VerdictState.PENDING, cause, text) for cause, text in (("b", "x"), ("a", "z")))
    three = Verdict(VerdictState.PENDING, "a", "y")
    assert weakest([one, two, three]) == weakest([three, two, one]) == three


def test_a_verdict_is_the_same_while_state_and_cause_are() -> None:
    one = Verdict(VerdictState.PENDING, "building", "old words")
    assert one.same_as(Verdict(VerdictState.PENDING, "building", "new words"))
    assert not one.same_as(Verdict(VerdictState.SUCCESS, "building", "old words"))
    assert not one.same_as(Verdict(VerdictState.PENDING, "settling", "old words"))


def test_the_cause_names_what_a_reader_must_know() -> None:
    assert Reason(Why.BUILDING).cause == "building"
    assert Reason(Why.REFUSED, "repoA", 1, "no").cause == "refused:repoA:no"
    assert Reason(Why.LIMIT, until=START).cause == "limit:2026-11-21T12:00:00+00:00"


def unsaid(value: object) -> dict[str, object]:
    """What of it nobody gave: the fields with a default."""
    chosen = (one for one in fields(value) if one.default is not MISSING or one.default_factory is not MISSING)  # type: ignore[arg-type]
    return {one.name: getattr(value, one.name) for one in chosen}


def test_an_attempt_begins_without_any_news() -> None:
    known = unsaid(Attempt("a", 1, 1, "w", "r", "s", START))
    flags = ("unclear", "void", "lost", "cancel_wanted", "cancel_sent")
    numbers = ("looks", "run_attempt")
    assert {name: known.pop(name) for name in flags} == dict.fromkeys(flags, False)
    assert {name: known.pop(name) for name in numbers} == dict.fromkeys(numbers, 0)
    assert set(known.values()) == {None}


def test_an_orchestration_and_a_build_begin_with_nothing_done() -> None:
    begun = unsaid(Orchestration("o", Trigger(TriggerKind.API), START, 1))
    nothing = {"pipeline": None, "frozen_at": None, "cancelled_by": None, "problem": None, "finished_at": None}
    assert begun == {**nothing, "builds": (), "confirmed": False, "superseded": False, "fresh": False}
    blank = unsaid(Build(BuildSpec("a", "a")))
    unknown = dict.fromkeys(("repository_id", "ref", "sha", "fingerprint", "reused", "usual_seconds"))
    assert blank == {**unknown, "floating": False, "attempts": (), "forgiven": 0}


def test_a_set_begins_with_nothing_known() -> None:
    known = unsaid(ChangeSet("s", Kind.CHANGE_SET, "k", "default", Pipeline("acme", "p", ())))
    several = ("pulls", "branches", "former", "strays", "said", "groups")
    counts = ("revision", "stale_reads", "void_rounds", "orchestration_count")
    assert {name: known.pop(name) for name in several} == dict.fromkeys(several, ())
    assert {name: known.pop(name) for name in counts} == dict.fromkeys(counts, 0)
    assert (known.pop("repositories"), known.pop("bases")) == ({}, {})
    assert (known.pop("seen_revision"), known.pop("run_fresh"), known.pop("config_broken")) == (-1, False, False)
    assert set(known.values()) == {None}


def test_a_word_and_a_fact_begin_unhindered() -> None:
    word = Said(1, "sha", Verdict(VerdictState.PENDING, "x", "x"))
    assert unsaid(word) == {"withdrawing": False, "refused": None}
    assert unsaid(Branch(1, "b", "sha")) == {"known": True, "counts": True}
    assert unsaid(MergeGroup(1, "sha", (7,))) == {"base_sha": "", "grounded": True, "unread": False}
    nothing = {"repository_id": None, "base_branch": None, "base_tip": None, "problem": None}
    assert unsaid(RepositoryRead("a")) == {**nothing, "pulls": (), "merged_heads": frozenset(), "branches": ()}
    assert unsaid(SetRead(1, ReadPurpose.FREEZE, ())) == {"results": {}, "usual": {}}
    assert unsaid(ReadFailed(1, ReadPurpose.FREEZE, "x")) == {"lasting": False, "retry_at": None, "held": None}
    assert unsaid(DispatchRefused("a", "x")) == {"moved": False}
    assert unsaid(RunWanted(Trigger(TriggerKind.API))) == {"fresh": False}
    assert unsaid(RetryWanted(Trigger(TriggerKind.API))) == {"repositories": frozenset()}


def test_a_fleets_run_begins_with_all_asked_for_and_nothing_done() -> None:
    known = unsaid(FleetRun("r", Fleet("acme", "scan", "scan.yml"), Trigger(TriggerKind.API), START))
    several = ("asked", "written", "targets")
    assert {name: known.pop(name) for name in several} == dict.fromkeys(several, ())
    assert (known.pop("inputs"), known.pop("selecting")) == ({}, False)
    assert set(known.values()) == {None}
    one = unsaid(Target("a", "a", "scan.yml"))
    assert one.pop("inputs") == {}
    assert set(one.values()) == {None}


def test_the_words_in_rows_of_budgets() -> None:
    assert (EVERYTHING, words(Cost)) == ("all", "read graphql write content")
    assert [(one.name, one.value) for one in Priority] == [
        *(("WITHDRAWAL", 0), ("CANCEL", 1), ("READ", 2), ("DISPATCH", 3), ("SUCCESS", 4), ("COMMENT", 5), ("FLEET", 6))
    ]


def test_githubs_secondary_limits_are_kept_with_a_margin() -> None:
    """FACTS §4: 100 at once, 900 points a minute for REST and 2,000 for GraphQL, a write five, 80 and 500 contents."""
    ours = Limits()
    assert (ours.concurrent, ours.reads_per_minute, ours.graphql_per_minute) == (80, 850, 1900)
    assert (ours.writes_per_minute, ours.content_per_minute, ours.content_per_hour) == (170, 75, 480)


@pytest.mark.parametrize(
    ("share", "total", "number"),
    [
        (Share(3), 10, 3),
        (Share(20, percent=True), 10, 2),
        (Share(1, percent=True), 10, 1),
        (Share(21, percent=True), 10, 3),
        (Share(100, percent=True), 101, 101),
        (Share(100, percent=True), 1, 1),
    ],
)
def test_a_share_of_a_fleet_is_rounded_up(share: Share, total: int, number: int) -> None:
    assert share.of(total) == number
