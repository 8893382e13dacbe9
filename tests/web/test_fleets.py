"""Runs of fleets through the API, as far as no worker is needed: who may, what is wrong, and the Markdown."""

from __future__ import annotations

import pytest

from app.domain.fleet import Barred, Target
from tests.web.office import Office

RUNS = "/api/v1/fleets/acme/scan/runs"


async def test_whose_it_is_and_what_it_takes(office: Office) -> None:
    reader, mine, theirs = (
        await office.token("read"),
        await office.token("run"),
        await office.token("run", owner="other"),
    )
    assert (await office.call("POST", RUNS)).status_code == 401
    assert (await office.call("POST", RUNS, reader)).status_code == 403
    refused = await office.call("POST", RUNS, theirs)
    assert (refused.status_code, "acme" in refused.json()["detail"].partition("Known:")[2]) == (404, False)
    begun = await office.call("POST", RUNS, mine)
    assert (begun.status_code, begun.headers["location"]) == (202, f"/api/v1/orchestrations/{begun.json()['id']}")
    for path in ("", "/manifest", "/summary"):
        shown = await office.call("GET", f"{begun.headers['location']}{path}", theirs)
        assert shown.status_code == 404, path
    for path in ("/cancel", "/retry"):
        assert (await office.call("POST", f"{begun.headers['location']}{path}", theirs)).status_code == 404, path
    assert (await office.call("POST", f"{begun.headers['location']}/cancel", mine)).json()["state"] == "cancelled"


@pytest.mark.parametrize(
    "body",
    [
        {"repositories": 7},
        {"repositories": ["a\nb"]},
        {"repositories": ["nope"]},
        {"ref": "a..b"},
        {"inputs": {"a": 1}},
        {"inputs": {str(number): "x" for number in range(26)}},
        {"inputs": {"a": "x" * 70_000}},
        {"other": 1},
    ],
    ids=lambda body: str(body)[:40],
)
async def test_what_makes_no_sense_starts_nothing(office: Office, body: dict[str, object]) -> None:
    token = await office.token("run")
    assert (await office.call("POST", RUNS, token, json=body)).status_code == 422
    assert (await office.call("POST", RUNS, token)).status_code == 202, "nothing goes on"


async def test_a_sentence_begins_with_a_capital_that_is_no_name(office: Office) -> None:
    token = await office.token("run")

    async def why(**body: object) -> str:
        return str((await office.call("POST", RUNS, token, json=body)).json()["detail"])

    assert await why(repositories="nope") == "The fleet scan has none of these repositories: nope."
    assert (await why(inputs={"a": "x" * 70_000})).startswith("The inputs of scan have 70,001 characters")
    assert (await why(repositories="failed")).startswith("The fleet scan has no run that has ended")
    run_id = (await office.call("POST", RUNS, token)).json()["id"]
    assert (await why()).startswith(f"The fleet scan is running: {run_id}.")
    await office.selected(Target("repoA", "repoA", "scan.yml", barred=Barred.SKIPPED), over=True)
    assert await why(repositories="failed") == f"Nothing failed in {run_id}, the last run of scan."


async def test_the_same_key_is_one_run(office: Office) -> None:
    token, key = await office.token("run"), {"Idempotency-Key": "nightly"}
    first = await office.call("POST", RUNS, token, json={"repositories": "repoA"}, headers=key)
    again = await office.call("POST", RUNS, token, json={"repositories": "repoA"}, headers=key)
    assert first.text == again.text


async def test_as_markdown(office: Office) -> None:
    token = await office.token("run")
    run_id = (await office.call("POST", RUNS, token)).json()["id"]
    archived = Target("repoA", "repoA", "scan.yml", barred=Barred.SKIPPED, reason="repoA is archived")
    odd = Target("repoB", "repoB", "scan.yml", barred=Barred.ERROR, reason="@here | `x` <b>\n# title")
    await office.selected(archived, odd, over=True)
    answer = await office.call("GET", f"/api/v1/orchestrations/{run_id}/summary", token)
    assert answer.headers["content-type"].startswith("text/markdown")
    text = answer.text
    assert text.startswith("## `acme/scan`: failed\n\n0 of 2 triggered: 0 passed, 1 failed, 1 skipped.\n")
    assert "- Newly failing: `repoB`" in text
    assert "| `acme/repoA` | skipped |  | `repoA is archived` |" in text
    assert "| `acme/repoB` | error |  | `@here" in text
    assert "\n# title" not in text
    assert (await office.call("GET", "/api/v1/orchestrations/none/summary", token)).status_code == 404
