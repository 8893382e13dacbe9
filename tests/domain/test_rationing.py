"""The budget's rules: windows, shares, the hour's allowance, refusals, and going on gently afterwards."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from app.domain.budget import (
    EVERYTHING,
    Ask,
    Budget,
    Cost,
    Gate,
    Heard,
    Held,
    Limits,
    Priority,
    Refusal,
    Told,
    UnderWay,
    Wait,
    held,
)
from app.domain.rationing import AHEAD, LOST, aged, reserve, settle

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PASSED = Heard(passed=True)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@dataclass
class Installation:
    """A budget, a clock that stands still, and the calls that were let go."""

    limits: Limits = field(default_factory=Limits)
    now: datetime = START
    budget: Budget = field(default_factory=Budget)
    numbers: count[int] = field(default_factory=count)

    def begin(self, priority: Priority = Priority.WITHDRAWAL, cost: Cost = Cost.WRITE) -> str | Wait:
        call_id = str(next(self.numbers))
        self.budget, wait = reserve(self.budget, call_id, Ask(priority, cost), self.limits, self.now)
        return wait or call_id

    def end(self, call_id: str | Wait, heard: Heard = PASSED, cost: Cost = Cost.WRITE) -> Wait | None:
        assert isinstance(call_id, str), call_id
        self.budget, wait = settle(self.budget, call_id, cost, heard, self.now)
        return wait

    def sent(self, priority: Priority = Priority.WITHDRAWAL, cost: Cost = Cost.WRITE, heard: Heard = PASSED) -> bool:
        call = self.begin(priority, cost)
        if isinstance(call, str):
            self.end(call, heard, cost)
        return isinstance(call, str)

    def burst(self, number: int, priority: Priority, cost: Cost = Cost.WRITE) -> int:
        return sum(self.sent(priority, cost) for _ in range(number))

    def waits(self, priority: Priority = Priority.WITHDRAWAL, cost: Cost = Cost.WRITE) -> Wait:
        wait = self.begin(priority, cost)
        assert isinstance(wait, Wait), "it was let go"
        return wait

    def told(self, left: int, *, limit: int = 6000, resets_in: timedelta = HOUR, resource: str = "core") -> None:
        """An answer came that told so much."""
        told = Told(limit, left, self.now + resets_in)
        cost = Cost.GRAPHQL if resource == "graphql" else Cost.READ
        self.budget, _ = settle(self.budget, "", cost, Heard(passed=True, resource=resource, told=told), self.now)


def refused(primary: bool = False, seconds: float | None = None) -> Heard:
    return Heard(refusal=Refusal(primary, None if seconds is None else START + timedelta(seconds=seconds)))


class TestWindows:
    def test_a_burst_is_free_and_a_flood_is_paced(self) -> None:
        one = Installation(Limits(writes_per_minute=20))
        assert one.burst(30, Priority.WITHDRAWAL) == 20
        assert one.waits() == Wait(START + MINUTE)
        one.now += timedelta(seconds=59)
        assert one.burst(1, Priority.WITHDRAWAL) == 0
        one.now += SECOND
        assert one.burst(30, Priority.WITHDRAWAL) == 20

    @pytest.mark.parametrize("seed", range(3))
    def test_never_more_than_the_limit_in_any_minute_whenever_github_counts(self, seed: int) -> None:
        dice, one = random.Random(seed), Installation(Limits(writes_per_minute=20, concurrent=30))
        begun: dict[str, datetime] = {}
        spans: list[tuple[datetime, datetime]] = []
        for _ in range(3000):
            one.now += timedelta(seconds=dice.choice((0, 0, 0.3, 2)))
            call = one.begin()
            if isinstance(call, str):
                begun[call] = one.now
            for ended in [known for known in begun if dice.random() < 0.2]:
                one.end(ended)
                spans.append((begun.pop(ended), one.now))
        assert len(spans) > 300
        for at in (moment for span in spans for moment in span):
            # GitHub may have counted each call at any moment between its sending and its answer.
            assert sum(began <= at and ended > at - MINUTE for began, ended in spans) <= 20

    def test_each_priority_leaves_room_for_those_before_it(self) -> None:
        one = Installation(Limits(writes_per_minute=60))
        assert one.burst(99, Priority.FLEET) == 40, "never the last third"
        assert one.burst(99, Priority.COMMENT) == 17
        assert one.burst(99, Priority.DISPATCH) == 0
        assert one.burst(99, Priority.SUCCESS) == 1
        assert one.burst(99, Priority.CANCEL) == 2

    def test_each_cost_has_its_own_windows(self) -> None:
        limits = Limits(
            writes_per_minute=100, content_per_minute=20, content_per_hour=40, reads_per_minute=30, graphql_per_minute=7
        )
        one = Installation(limits)
        assert one.burst(50, Priority.WITHDRAWAL, Cost.CONTENT) == 20
        assert one.burst(200, Priority.WITHDRAWAL, Cost.WRITE) == 80, "content is written as well"
        assert one.burst(99, Priority.WITHDRAWAL, Cost.READ) == 30
        assert one.burst(99, Priority.WITHDRAWAL, Cost.GRAPHQL) == 7
        one.now += MINUTE
        assert one.burst(50, Priority.WITHDRAWAL, Cost.CONTENT) == 20
        one.now += MINUTE
        assert one.waits(cost=Cost.CONTENT) == Wait(START + HOUR)
        one.now += HOUR
        assert one.burst(50, Priority.WITHDRAWAL, Cost.CONTENT) == 20

    def test_a_call_counts_from_its_sending_until_a_minute_after_its_answer(self) -> None:
        one = Installation(Limits(writes_per_minute=1))
        call = one.begin()
        assert one.waits() == Wait(START + SECOND), "only its answer can tell"
        one.now += timedelta(seconds=30)
        one.end(call)
        assert one.waits() == Wait(START + timedelta(seconds=90))

    def test_what_was_never_sent_counts_for_nothing(self) -> None:
        one = Installation(Limits(writes_per_minute=1))
        one.end(one.begin(), Heard(sent=False))
        assert one.sent()

    def test_a_call_whose_process_died_counts_for_a_bounded_time(self) -> None:
        one = Installation(Limits(writes_per_minute=1, concurrent=1))
        call = one.begin()
        one.now += LOST - SECOND
        assert isinstance(one.begin(Priority.WITHDRAWAL, Cost.READ), Wait), "it may be under way"
        one.now += SECOND
        assert one.sent(Priority.WITHDRAWAL, Cost.READ)
        assert one.waits() == Wait(START + LOST + MINUTE)
        one.now += timedelta(seconds=30)
        one.end(call)
        assert one.waits() == Wait(one.now + MINUTE), "its process was only asleep"

    def test_so_many_at_once_and_places_are_left_for_the_urgent(self) -> None:
        one = Installation(Limits(concurrent=20))
        calls = [one.begin(Priority.READ, Cost.READ) for _ in range(19)]
        assert one.waits(Priority.READ, Cost.READ) == Wait(START + SECOND)
        assert isinstance(one.begin(Priority.CANCEL), str)
        one.end(calls[0], cost=Cost.READ)
        assert isinstance(one.begin(Priority.READ, Cost.READ), Wait)
        one.end(calls[1], cost=Cost.READ)
        assert isinstance(one.begin(Priority.READ, Cost.READ), str)


class TestAllowance:
    def test_half_of_the_hour_is_free_and_the_rest_is_let_out_evenly(self) -> None:
        one = Installation()
        one.told(6000 - 3000)
        assert one.sent(Priority.WITHDRAWAL)
        assert isinstance(one.begin(Priority.READ, Cost.READ), Wait), "95 % of 6000, half of which is used"
        one.told(2900)
        wait = one.waits(Priority.READ, Cost.READ)
        assert wait.retry_at - START == HOUR * ((3100 / 5700 - 0.5) / 0.5)
        one.now = wait.retry_at + SECOND
        assert one.sent(Priority.READ, Cost.READ)

    def test_the_last_part_is_for_withdrawals_and_cancels(self) -> None:
        one = Installation()
        one.told(300, resets_in=timedelta(minutes=20))
        for priority in (Priority.READ, Priority.DISPATCH, Priority.COMMENT):
            assert one.waits(priority) == Wait(START + timedelta(minutes=20))
        assert one.sent(Priority.SUCCESS), "what was begun is ended"
        one.told(150, resets_in=timedelta(minutes=20))
        assert one.waits(Priority.SUCCESS) == Wait(START + timedelta(minutes=20))
        assert one.sent(Priority.WITHDRAWAL)
        assert one.sent(Priority.CANCEL)
        assert one.sent(Priority.READ, Cost.GRAPHQL), "another resource"

    def test_fleets_never_get_the_last_third(self) -> None:
        one = Installation()
        one.told(2000, resets_in=timedelta(seconds=10))
        assert one.waits(Priority.FLEET) == Wait(START + timedelta(seconds=10))
        assert one.sent(Priority.COMMENT)

    def test_nothing_is_sent_where_nothing_is_left_until_the_next_hour(self) -> None:
        one = Installation()
        one.told(0, resets_in=timedelta(minutes=5))
        assert one.waits() == Wait(START + timedelta(minutes=5), mute=True)
        assert one.budget.closed(START) == {"core": START + timedelta(minutes=5)}
        one.told(0, resets_in=timedelta(minutes=5), resource="graphql")
        assert one.waits(cost=Cost.GRAPHQL) == Wait(START + timedelta(minutes=5)), "statuses can be written"
        one.now += timedelta(minutes=5)
        assert one.sent()
        assert one.sent(cost=Cost.GRAPHQL)
        assert one.budget.closed(one.now) == {}

    def test_calls_under_way_are_taken_off_what_is_left(self) -> None:
        one = Installation()
        one.told(2, resets_in=timedelta(minutes=5))
        assert isinstance(one.begin(), str)
        assert isinstance(one.begin(), str)
        assert one.waits().mute
        assert one.sent(cost=Cost.GRAPHQL)

    def test_answers_that_tell_nothing_are_taken_off_as_well(self) -> None:
        one = Installation()
        one.told(2, resets_in=timedelta(minutes=5))
        assert one.burst(9, Priority.WITHDRAWAL) == 2

    def test_answers_overtake_each_other(self) -> None:
        one = Installation()
        one.told(100, resets_in=timedelta(minutes=5))
        one.told(102, resets_in=timedelta(minutes=5))
        assert one.budget.told["core"].left == 100
        one.told(4000, resets_in=timedelta(minutes=65))
        assert one.budget.told["core"].left == 4000, "the next hour has begun"
        one.told(90, resets_in=timedelta(minutes=5))
        assert one.budget.told["core"].left == 4000


class TestRefusals:
    def test_a_secondary_one_closes_everything_until_github_said(self) -> None:
        one = Installation()
        assert one.end(one.begin(), refused(seconds=90)) == Wait(START + timedelta(seconds=90), mute=True)
        for cost in Cost:
            assert one.waits(cost=cost) == Wait(START + timedelta(seconds=90), mute=True)
        assert one.budget.closed(START) == {EVERYTHING: START + timedelta(seconds=90)}
        one.now += timedelta(seconds=90)
        assert one.sent()

    @pytest.mark.parametrize(("cost", "other"), [(Cost.GRAPHQL, Cost.READ), (Cost.READ, Cost.GRAPHQL)])
    def test_a_primary_one_closes_its_resource(self, cost: Cost, other: Cost) -> None:
        one = Installation()
        one.end(one.begin(cost=cost), refused(primary=True, seconds=600), cost)
        assert one.waits(cost=cost) == Wait(START + timedelta(seconds=600), mute=cost is Cost.READ)
        assert one.sent(cost=other)

    def test_calls_that_were_under_way_make_it_no_second_refusal(self) -> None:
        one = Installation()
        calls = [one.begin() for _ in range(5)]
        waits = [one.end(call, refused()) for call in calls]
        assert waits == [Wait(START + MINUTE, mute=True)] * 5

    def test_the_later_end_counts(self) -> None:
        one = Installation()
        calls = [one.begin(), one.begin(), one.begin()]
        one.end(calls[0], refused(seconds=60))
        one.end(calls[1], refused(seconds=600))
        one.end(calls[2], refused(seconds=60))
        assert one.waits().retry_at == START + timedelta(seconds=600)

    def test_an_answer_from_before_opens_nothing(self) -> None:
        one = Installation()
        early, unlucky = one.begin(), one.begin()
        one.end(unlucky, refused())
        one.end(early)
        assert one.waits().retry_at == START + MINUTE

    def test_without_a_word_of_githubs_each_in_a_row_doubles_the_wait(self) -> None:
        one, minutes = Installation(), []
        for _ in range(9):
            wait = one.end(one.begin(), refused())
            assert wait is not None
            minutes.append((wait.retry_at - one.now) / MINUTE)
            one.now = wait.retry_at
        assert minutes == [1, 2, 4, 8, 16, 32, 64, 64, 64]

    def test_a_named_wait_that_was_too_short_is_lengthened(self) -> None:
        one = Installation()
        one.end(one.begin(), refused(seconds=10))
        one.now += timedelta(seconds=10)
        wait = one.end(one.begin(), refused(seconds=20))
        assert wait == Wait(one.now + 2 * MINUTE, mute=True)

    def test_the_reset_of_an_hour_is_believed_again_and_again(self) -> None:
        one = Installation()
        one.end(one.begin(), refused(primary=True, seconds=10))
        one.now += timedelta(seconds=10)
        wait = one.end(one.begin(), refused(primary=True, seconds=20))
        assert wait == Wait(one.now + timedelta(seconds=10), mute=True)

    def test_afterwards_it_goes_on_gently(self) -> None:
        one = Installation()
        one.end(one.begin(), refused(seconds=60))
        one.now += MINUTE
        together = []
        for _ in range(5):
            calls = []
            while isinstance(call := one.begin(), str):
                calls.append(call)
                if len(calls) == 20:
                    break
            together.append(len(calls))
            one.end(calls[0])
            for call in calls[1:]:
                one.end(call, Heard())
        assert together == [1, 2, 4, 8, 20]

    def test_a_probe_whose_process_died_does_not_shut_the_gate_for_ever(self) -> None:
        one = Installation()
        one.end(one.begin(), refused(seconds=60))
        one.now += MINUTE
        assert isinstance(one.begin(), str)
        assert one.waits() == Wait(one.now + SECOND)
        one.now += LOST
        assert one.sent()

    def test_a_lost_answer_proves_nothing(self) -> None:
        one = Installation()
        one.end(one.begin(), refused(seconds=60))
        one.now += MINUTE
        one.end(one.begin(), Heard())
        assert isinstance(one.begin(), str)
        assert isinstance(one.begin(), Wait), "still one at a time"

    def test_long_ago_is_forgotten(self) -> None:
        one = Installation()
        one.end(one.begin(), refused())
        one.now += 2 * HOUR
        assert one.end(one.begin(), refused()) == Wait(one.now + MINUTE, mute=True)


@pytest.mark.parametrize(
    ("wait", "told"),
    [
        (Wait(START + MINUTE), Held(START + MINUTE, said=True)),
        (Wait(START + MINUTE - SECOND), Held(START + MINUTE - SECOND, said=False)),
        (Wait(START + HOUR, mute=True), Held(START + HOUR, said=False)),
        (Wait(START + HOUR, problem="the database is away"), None),
    ],
)
def test_what_a_set_is_told_of_a_wait(wait: Wait, told: Held | None) -> None:
    assert held(wait, START) == told


class TestAClockThatWasWrong:
    """A process wrote into the budget what its own clock said, a day ahead; then its clock was set right."""

    def a_day_ahead(self) -> Installation:
        return Installation(now=START + 24 * HOUR)

    def test_its_calls_do_not_count_until_that_day_has_come(self) -> None:
        one = self.a_day_ahead()
        for _ in range(one.limits.concurrent // 2):
            one.end(one.begin(), Heard())
            assert isinstance(one.begin(), str), "never answered"
        one.now = START
        for _ in range(one.limits.concurrent):
            assert isinstance(one.begin(), str)

    def test_what_was_refused_to_it_is_closed_no_longer(self) -> None:
        one = self.a_day_ahead()
        one.end(one.begin(), refused())
        assert isinstance(one.begin(), Wait)
        one.now = START
        assert isinstance(one.begin(), str)

    def test_clocks_that_differ_by_minutes_hear_each_others_refusals(self) -> None:
        one = Installation(now=START + 8 * MINUTE)
        one.end(one.begin(), refused())
        one.now = START
        assert isinstance(one.begin(), Wait)


class TestTheVeryMoment:
    """What holds until a moment holds before it and no more at it; what may be so far ahead may be just so far."""

    def test_what_is_closed(self) -> None:
        soon, later = START + MINUTE, START + HOUR
        gates = {"core": Gate(later, START, 1), "graphql": Gate(soon, START, 1)}
        one = Budget(gates=gates, told={"core": Told(10, 0, soon), "search": Told(10, 1, later)})
        assert one.closed(START) == {"core": later, "graphql": soon}, "one is left of the third"
        assert one.closed(soon) == {"core": later}
        assert one.closed(later) == {}
        assert Budget(told={"core": Told(10, 0, soon)}).closed(soon) == {}

    def test_of_two_waits_the_longer_one_and_mute_if_either_is(self) -> None:
        one = Installation()
        one.told(300)
        one.end(one.begin(), refused(seconds=30))
        assert one.waits(Priority.READ) == Wait(START + HOUR, mute=True)

    def test_what_counts_no_more(self) -> None:
        early = START - MINUTE
        one = Budget(answered={Cost.READ: (early,), Cost.WRITE: (early + SECOND,), Cost.CONTENT: (START - HOUR, early)})
        assert aged(one, START).answered == {Cost.WRITE: (early + SECOND,), Cost.CONTENT: (early,)}
        assert aged(Budget(gates={"core": Gate(START - HOUR, START - HOUR, 1)}), START).gates == {}

    @pytest.mark.parametrize("beyond", [timedelta(0), timedelta(microseconds=1)])
    def test_what_a_clock_may_be_ahead(self, beyond: timedelta) -> None:
        at = START + AHEAD + beyond
        one = aged(
            Budget({"a call": UnderWay(Cost.READ, at)}, {Cost.READ: (at,)}, {"core": Gate(at + HOUR, at, 1)}),
            START,
        )
        kept = beyond == timedelta(0)
        assert [bool(one.under_way), bool(one.answered), bool(one.gates)] == [kept] * 3

    def test_an_hours_end_that_is_told_a_second_apart_is_the_same(self) -> None:
        for apart in (SECOND, -SECOND):
            one = Installation()
            one.told(100)
            one.told(102, resets_in=HOUR + apart)
            assert one.budget.told["core"] == Told(6000, 100, START + HOUR + apart)

    def test_where_just_half_is_used_the_next_one_waits(self) -> None:
        one = Installation()
        one.told(4000)
        assert one.waits(Priority.FLEET) == Wait(START + SECOND), "two thirds of 6000, half of which is used"

    def test_a_moment_that_has_passed_is_a_moment_from_now(self) -> None:
        one = Installation()
        assert one.end(one.begin(), refused(seconds=-10)) == Wait(START + SECOND, mute=True)

    def test_a_call_that_was_forgotten_makes_it_no_second_refusal(self) -> None:
        one = Installation()
        one.end(one.begin(), refused())
        one.now += 10 * SECOND
        assert one.end("nobody knows it any more", refused()) == Wait(one.now + MINUTE, mute=True)

    def test_a_row_of_refusals_is_closed_since_its_first_and_a_new_one_since_now(self) -> None:
        one = Installation()
        calls = [one.begin(), one.begin()]
        for call in calls:
            one.end(call, refused())
            one.now += 5 * SECOND
        assert one.budget.gates[EVERYTHING].closed_at == START
        one.now = one.budget.gates[EVERYTHING].until
        one.end(one.begin(), refused())
        assert one.budget.gates[EVERYTHING].closed_at == one.now

    def test_after_an_answer_a_refusal_is_the_first_of_its_row(self) -> None:
        one = Installation()
        one.end(one.begin(), refused())
        one.now += MINUTE
        assert one.sent()
        assert one.end(one.begin(), refused()) == Wait(one.now + MINUTE, mute=True)
