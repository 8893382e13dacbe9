"""CONTRACT §2: a change set as the API shows it, and what the API may do to it; addresses lead to where they say."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from tests.harness.story import Story

RUNS = "/pipelines/ismenablement/product/orchestrations"
ROOT = "/api/v1"


def only_set(story: Story) -> dict[str, Any]:
    """The one change set that there is."""
    status, page = story.stage.api("GET", "/change-sets")
    assert (status, len(page["items"]), page["next_cursor"]) == (200, 1, None), page
    found: dict[str, Any] = page["items"][0]
    return found


def does(story: Story, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """A POST that is accepted, and all that follows from it at once."""
    status, answer = story.stage.api("POST", path, body)
    assert status == 202, answer
    story.stage.pump()
    done: dict[str, Any] = answer
    return done


def state_of(story: Story, number: str) -> str:
    status, answer = story.stage.api("GET", f"/orchestrations/{number}")
    assert status == 200, answer
    return str(answer["state"])


def test_a_set_is_shown_from_its_first_pull_request_until_all_are_merged(story: Story) -> None:
    runs = story.opens("repoB", "repoD").builds("repoB", "repoD")
    shown = only_set(story)
    assert (shown["key"], shown["base_line"], shown["state"]) == ("DPTA-1122", "default", "open")
    assert shown["verdict"]["state"] == "pending"
    assert [one["repository"] for one in shown["members"]] == ["ismenablement/repoB", "ismenablement/repoD"]
    assert [one["head_sha"] for one in shown["members"]] == [story.head("repoB"), story.head("repoD")]
    runs.passes().merges("repoB").deletes_branch("repoB")
    assert only_set(story)["state"] == "open"
    assert only_set(story)["verdict"]["state"] == "success"
    story.merges("repoD").deletes_branch("repoD").waits(60)
    merged = only_set(story)
    assert (merged["id"], merged["state"]) == (shown["id"], "merged")
    assert [one["pull_request"] for one in merged["members"]] == [1, 1]
    assert state_of(story, merged["orchestration_id"]) == "passed"


def test_a_set_whose_pull_requests_were_closed_is_closed(story: Story) -> None:
    story.opens("repoB").builds("repoB").passes().closes("repoB").waits(60)
    assert only_set(story)["state"] == "closed"


def test_cancel_stops_what_runs_and_says_so(story: Story) -> None:
    runs = story.opens("repoB", "repoD").builds("repoB", "repoD")
    number = only_set(story)["orchestration_id"]
    assert does(story, f"/orchestrations/{number}/cancel")["state"] == "cancelled"
    runs.are_cancelled().sign("repoB").is_failure("Cancelled by", "stories")
    story.builds_nothing().sign("repoD").is_failure("Comment /orchestrate to build")


def test_retry_builds_what_failed(story: Story) -> None:
    runs = story.opens("repoB", "repoD").builds("repoB", "repoD")
    runs.of("repoD").passes()
    runs.of("repoB").fails().sign("repoD").is_failure("repoB failed")
    number = only_set(story)["orchestration_id"]
    assert does(story, f"/orchestrations/{number}/retry")["state"] == "building"
    story.builds("repoB", within=1).passes().sign("repoD").is_success("2 builds passed")
    refused, why = story.stage.api("POST", f"/orchestrations/{number}/retry")
    assert (refused, "nothing of it failed" in why["detail"]) == (409, True)


def test_retry_of_an_orchestration_that_was_replaced_is_refused(story: Story) -> None:
    story.opens("repoB").builds("repoB").fails()
    number = only_set(story)["orchestration_id"]
    story.pushes("repoB").builds("repoB")
    refused, why = story.stage.api("POST", f"/orchestrations/{number}/retry")
    assert (refused, "replaced" in why["detail"]) == (409, True)


def test_invalidate_withdraws_and_starts_over(story: Story) -> None:
    story.opens("repoB", "repoD").builds("repoB", "repoD").passes()
    before = only_set(story)
    after = does(story, f"/change-sets/{before['id']}/invalidate")
    assert after["verdict"]["state"] == "pending"
    for sign in story.signs("repoB", "repoD"):
        sign.is_pending()
    story.waits(3600).sign("repoD").is_success()
    assert only_set(story)["orchestration_id"] != before["orchestration_id"]


def test_a_merged_set_has_no_verdict_to_withdraw(story: Story) -> None:
    story.opens("repoB").builds("repoB").passes().merges("repoB").deletes_branch("repoB").waits(60)
    refused, why = story.stage.api("POST", f"/change-sets/{only_set(story)['id']}/invalidate")
    assert (refused, "is merged" in why["detail"]) == (409, True)


def test_location_leads_to_the_orchestration_that_was_started(story: Story) -> None:
    story.opens("repoB")
    answer = story.stage.call_service("POST", ROOT + RUNS, {"branch": "DPTA-1122"})
    assert answer.status_code == 202
    found = story.stage.call_service("GET", answer.headers["location"])
    assert found.json()["id"] == answer.json()["id"]
    assert found.json()["change_set_id"] == only_set(story)["id"]
    story.builds("repoB", within=1)
    manifest = story.stage.call_service("GET", urlsplit(found.json()["manifest_url"]).path).json()
    assert manifest["builds"]["repoB"]["sha"] == story.head("repoB")


def test_statuses_lead_to_the_page_of_the_set(story: Story) -> None:
    story.opens("repoB", "repoD").builds("repoB", "repoD").passes()
    page = f"/change-sets/{only_set(story)['id']}"
    for sign in story.signs("repoB", "repoD"):
        assert {one["target_url"] for one in sign.history()} == {f"https://lockstep.example{page}"}
    stranger = story.stage.call_service("GET", page)
    assert (stranger.status_code, f'href="{page}"' in stranger.text) == (401, True)
