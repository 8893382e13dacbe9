"""Issue 4, *notifications*: who asked for it is told of failures, recoveries, ends of fleets; nothing hangs on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.control import Json
from tests.harness.receiver import Receiver, receiving
from tests.harness.story import Story
from tests.harness.worlds import OWNER, config, seed
from tests.leaks import guard
from tests.stories.conftest import Begin
from tests.stories.test_fleets import SCAN, SCANNER, starts

SLACK, HOOK, KEY = (f"LOCKSTEP_NOTIFY_{OWNER.upper()}_{name}" for name in ("SLACK", "HOOK", "KEY"))
NOTIFY: Json = {"slack": {"webhook_env": SLACK}, "webhook": {"url_env": HOOK, "secret_env": KEY}}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as opened:
        yield opened


def told(begin: Begin, receiver: Receiver, notify: Json) -> Story:
    about: dict[str, Json] = {name: {"files": {SCAN: SCANNER}} for name in ("alpha", "beta")}
    fleets = {"scan": {"workflow": "scan.yml", "repositories": ["alpha", "beta"], "spacing": "0s"}}
    secret = guard("made for the stories of notifications", "webhook secret")
    variables = {SLACK: f"{receiver.url}/slack", HOOK: f"{receiver.url}/hook", KEY: secret}
    planted = seed(config(notify=notify, fleets=fleets), repositories=about)
    return begin(seed=planted, notify=variables)


def occasions(receiver: Receiver) -> list[str]:
    return [one.body["occasion"] for one in receiver.posted]


def test_a_failure_and_a_recovery_are_told_once(begin: Begin, receiver: Receiver) -> None:
    story = told(begin, receiver, {"webhook": NOTIFY["webhook"]})
    story.opens("repoB", "repoD").builds("repoB", "repoD").passes()
    assert occasions(receiver) == [], "that it passes at once is no news"
    story.pushes("repoB").builds("repoB").fails()
    assert occasions(receiver) == ["failure"]
    first = receiver.posted[0].body
    assert (first["change_set"]["name"], first["change_set"]["state"]) == ("DPTA-1122", "failure")
    assert first["change_set"]["url"].startswith("https://lockstep.example/change-sets/")
    assert "failed: build.yml" in first["description"]
    story.pushes("repoB").builds("repoB").passes()
    assert occasions(receiver) == ["failure", "recovered"]
    story.pushes("repoB").builds("repoB").passes()
    assert occasions(receiver) == ["failure", "recovered"], "what had recovered recovers once"


def test_the_end_of_a_fleet_is_told_with_what_is_new(begin: Begin, receiver: Receiver) -> None:
    story = told(begin, receiver, NOTIFY)
    starts(story)
    runs = story.builds("alpha", "beta")
    runs.of("alpha").passes()
    runs.of("beta").passes()
    story.waits(5)
    slack, hook = sorted(receiver.posted, key=lambda one: "x-lockstep-signature-256" in one.headers)
    assert "scan passed" in slack.body["text"].replace("\u200b", "")
    assert (hook.body["occasion"], hook.body["summary"]["passed"]) == ("fleet_finished", 2)
    starts(story)
    runs = story.builds("alpha", "beta")
    runs.of("alpha").passes()
    runs.of("beta").fails()
    story.waits(5)
    assert len(receiver.posted) == 4, "one message for each receiver, though two occasions fit"
    last = next(one for one in receiver.posted[2:] if "x-lockstep-signature-256" in one.headers)
    assert (last.body["occasion"], last.body["summary"]["newly_failing"]) == ("fleet_failed", ["beta"])


def test_only_what_was_asked_for(begin: Begin, receiver: Receiver) -> None:
    story = told(begin, receiver, {"webhook": {**NOTIFY["webhook"], "when": ["fleet_failed", "recovered"]}})
    story.opens("repoB").builds("repoB").fails()
    starts(story)
    story.builds("alpha", "beta").passes()
    story.waits(30)
    assert receiver.posted == []


def test_a_receiver_in_trouble_is_told_later_and_holds_up_nothing(begin: Begin, receiver: Receiver) -> None:
    receiver.answers += [500, 503]
    story = told(begin, receiver, {"webhook": NOTIFY["webhook"]})
    story.opens("repoB").builds("repoB").fails()
    story.sign("repoB").is_failure()
    story.waits(10)
    assert len({one.headers["idempotency-key"] for one in receiver.posted}) == 1
    assert len(receiver.posted) == 3
    story.waits(3600)
    assert len(receiver.posted) == 3


def test_one_that_never_answers_is_given_up(begin: Begin, receiver: Receiver) -> None:
    receiver.answers += [500] * 100
    story = told(begin, receiver, {"webhook": NOTIFY["webhook"]})
    story.opens("repoB").builds("repoB").fails()
    story.waits(4 * 3600)
    assert len(receiver.posted) == 11
    story.sign("repoB").is_failure()
