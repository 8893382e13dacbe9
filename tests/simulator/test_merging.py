"""Rules, merges and the merge queue: what blocks, what goes in, and as what."""

from __future__ import annotations

from typing import Any

import pytest

from app.simulator.ids import node_id
from tests.simulator.conftest import Hub

Json = dict[str, Any]
A = "/repos/acme/repoA"


async def green(hub: Hub, repository: str, sha: str, state: str = "success") -> None:
    """Post the required status as the App."""
    answer = await hub.ask("POST", f"/repos/{repository}/statuses/{sha}", {"state": state, "context": "must"})
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize(("method", "parents"), [("merge", 2), ("squash", 1), ("rebase", 1)])
async def test_each_way_of_merging(hub: Hub, method: str, parents: int) -> None:
    before = await hub.state()
    head = before["pulls"]["1"]["head_sha"]
    await hub.ask("POST", f"{A}/statuses/{head}", {"state": "success", "context": "orchestrator-build"})
    answer = await hub.ask("PUT", f"{A}/pulls/1/merge", {"sha": head, "merge_method": method})
    tip = answer.json()["sha"]
    after = await hub.state()
    assert after["branches"]["main"] == tip != before["branches"]["main"]
    assert after["pulls"]["1"]["merged_by"] == "lockstep[bot]"
    commit = (await hub.ask("GET", f"{A}/git/commits/{tip}")).json()
    assert len(commit["parents"]) == parents
    assert commit["parents"][0]["sha"] == before["branches"]["main"]
    assert (await hub.ask("GET", f"{A}/contents/changes/DPTA-1.txt")).status_code == 200


async def test_a_status_by_this_app_opens_the_lock_and_a_younger_one_shuts_it(hub: Hub) -> None:
    head = (await hub.state())["pulls"]["1"]["head_sha"]
    for state, can in (("success", True), ("pending", False), ("success", True), ("error", False)):
        await hub.ask("POST", f"{A}/statuses/{head}", {"state": state, "context": "ORCHESTRATOR-build"})
        assert (await hub.state())["pulls"]["1"]["can_merge"] is can


async def test_a_context_that_two_rules_pin_must_come_from_both(hub: Hub) -> None:
    theirs = {"required_status_checks": [{"context": "Orchestrator-Build", "integration_id": 99}]}
    rule = {"type": "required_status_checks", "parameters": theirs}
    await hub.ask("POST", f"{A}/rulesets", {"name": "theirs", "enforcement": "active", "rules": [rule]})
    head = (await hub.state())["pulls"]["1"]["head_sha"]
    assert (await hub.state())["pulls"]["1"]["blocked_by"] == [
        "2 of 2 required status checks have not succeeded: 2 expected."
    ]
    await hub.ask("POST", f"{A}/statuses/{head}", {"state": "success", "context": "orchestrator-build"})
    blocked = (await hub.state())["pulls"]["1"]["blocked_by"]
    assert blocked == ['Required status check "Orchestrator-Build" is expected.']


async def test_a_merge_button_obeys_rules_and_rights(hub: Hub) -> None:
    wish = {"repository": "acme/repoA", "number": 1, "actor": "ann"}
    refused = await hub.control("POST", "/merge", wish, expect=405)
    assert 'Required status check "orchestrator-build" is expected.' in refused["message"]
    head = (await hub.state())["pulls"]["1"]["head_sha"]
    await hub.ask("POST", f"{A}/statuses/{head}", {"state": "success", "context": "orchestrator-build"})
    stranger = await hub.control("POST", "/merge", {**wish, "actor": "mallory"}, expect=403)
    assert "write access is needed" in stranger["message"]
    await hub.control("POST", "/merge", wish, expect=200)
    assert (await hub.state())["pulls"]["1"]["merged"] is True


async def test_reviews_count_when_a_rule_asks_for_them(hub: Hub) -> None:
    rule = {"type": "pull_request", "parameters": {"required_approving_review_count": 1}}
    await hub.ask("POST", "/repos/acme/repoB/rulesets", {"name": "r", "enforcement": "active", "rules": [rule]})
    made = await hub.control("POST", "/pulls", {"repository": "acme/repoB", "head": "DPTA-1"})
    assert made["blocked_by"] == ["At least 1 approving review is required by reviewers with write access."]
    review = {"repository": "acme/repoB", "number": made["number"]}
    await hub.control("POST", "/reviews", {**review, "actor": "bob"})  # reads only
    assert (await hub.state("acme/repoB"))["pulls"]["1"]["can_merge"] is False
    await hub.control("POST", "/reviews", {**review, "actor": "ann"})
    assert (await hub.state("acme/repoB"))["pulls"]["1"]["can_merge"] is True


async def test_a_rule_may_be_bypassed_by_whom_it_names(hub: Hub) -> None:
    number = next(iter(hub.simulator.world.rulesets))
    bypass = [{"actor_type": "Integration", "actor_id": 7, "bypass_mode": "always"}]
    await hub.ask("PUT", f"{A}/rulesets/{number}", {"bypass_actors": bypass})
    assert await hub.control("POST", "/merge", {"repository": "acme/repoA", "number": 1, "actor": "ann"}, expect=405)
    assert (await hub.ask("PUT", f"{A}/pulls/1/merge", {})).status_code == 200


async def test_an_organisations_rules_hold_in_its_repositories(hub: Hub) -> None:
    checks = {"strict_required_status_checks_policy": True, "required_status_checks": [{"context": "must"}]}
    rule = {"type": "required_status_checks", "parameters": checks}
    where = {"repository_name": {"include": ["repo*"]}, "ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}}
    body = {"name": "all", "enforcement": "active", "conditions": where, "rules": [rule]}
    assert (await hub.ask("POST", "/orgs/acme/rulesets", body)).status_code == 201
    found = (await hub.ask("GET", "/repos/acme/repoB/rules/branches/main")).json()
    assert [(one["type"], one["ruleset_source_type"]) for one in found] == [("required_status_checks", "Organization")]
    assert (await hub.ask("GET", "/repos/acme/repoB/rules/branches/other")).json() == []
    assert (await hub.ask("GET", "/repos/acme/open/rules/branches/main")).json() == []
    made = await hub.control("POST", "/pulls", {"repository": "acme/repoB", "head": "DPTA-1"})
    await green(hub, "acme/repoB", made["head_sha"])
    assert (await hub.state("acme/repoB"))["pulls"]["1"]["can_merge"] is True
    await hub.control("POST", "/push", {"repository": "acme/repoB", "branch": "main"})
    behind = (await hub.state("acme/repoB"))["pulls"]["1"]
    assert (behind["mergeable_state"], behind["can_merge"]) == ("behind", False)


async def queue_up(hub: Hub, *heads: str) -> list[int]:
    """A repository with a merge queue that requires ``must``, and pull requests in line, all green by themselves."""
    body = {"owner": "acme", "name": "queued", "merge_queue": True, "required": ["must"]}
    await hub.control("POST", "/repositories", body)
    await hub.control("POST", "/installation", {"action": "added", "repositories": ["queued"]})
    numbers = []
    for head in heads:
        made = await hub.control("POST", "/pulls", {"repository": "acme/queued", "head": head})
        await green(hub, "acme/queued", made["head_sha"])
        wish = {"repository": "acme/queued", "number": made["number"], "actor": "ann"}
        assert (await hub.control("POST", "/merge", wish, expect=202))["enqueued"] is True
        numbers.append(made["number"])
    await hub.control("POST", "/clock", {"advance": 0})
    return numbers


async def test_a_group_merges_when_its_own_commit_is_green(hub: Hub) -> None:
    await queue_up(hub, "x", "y")
    first, second = hub.payloads("merge_group", "checks_requested")
    state = await hub.state("acme/queued")
    assert first["merge_group"]["base_sha"] == state["branches"]["main"]
    assert second["merge_group"]["base_sha"] == first["merge_group"]["head_sha"]
    assert first["merge_group"]["head_ref"].startswith("refs/heads/gh-readonly-queue/main/pr-1-")
    await green(hub, "acme/queued", second["merge_group"]["head_sha"])
    assert (await hub.state("acme/queued"))["pulls"]["2"]["merged"] is False
    await green(hub, "acme/queued", first["merge_group"]["head_sha"])
    await hub.control("POST", "/clock", {"advance": 0})
    state = await hub.state("acme/queued")
    assert [state["pulls"][number]["merged"] for number in ("1", "2")] == [True, True]
    assert state["branches"]["main"] == second["merge_group"]["head_sha"]
    assert [body["reason"] for body in hub.payloads("merge_group", "destroyed")] == ["merged", "merged"]
    assert not [name for name in state["branches"] if name.startswith("gh-readonly-queue")]


async def test_a_red_group_falls_out_and_those_behind_are_formed_anew(hub: Hub) -> None:
    await queue_up(hub, "x", "y")
    first, second = hub.payloads("merge_group", "checks_requested")
    await green(hub, "acme/queued", first["merge_group"]["head_sha"], "failure")
    await hub.control("POST", "/clock", {"advance": 0})
    assert hub.payloads("pull_request", "dequeued")[0]["reason"] == "CI_FAILURE"
    assert [body["reason"] for body in hub.payloads("merge_group", "destroyed")] == ["dequeued", "invalidated"]
    again = hub.payloads("merge_group", "checks_requested")[-1]["merge_group"]
    assert again["head_sha"] != second["merge_group"]["head_sha"]
    assert again["base_sha"] == first["merge_group"]["base_sha"]


async def test_a_group_nobody_answers_for_is_evicted(hub: Hub) -> None:
    await queue_up(hub, "x")
    await hub.control("POST", "/clock", {"advance": "61m"})
    assert hub.payloads("pull_request", "dequeued")[0]["reason"] == "CI_TIMEOUT"
    assert (await hub.state("acme/queued"))["queue"] == []


async def test_a_push_takes_a_pull_request_out_of_line(hub: Hub) -> None:
    await queue_up(hub, "x")
    await hub.control("POST", "/push", {"repository": "acme/queued", "branch": "x"})
    assert (await hub.state("acme/queued"))["queue"] == []


async def test_enqueueing_over_graphql(hub: Hub) -> None:
    await queue_up(hub)
    made = await hub.control("POST", "/pulls", {"repository": "acme/queued", "head": "x"})
    pull = hub.simulator.world.find_repository("acme/queued").pulls[made["number"]]  # type: ignore[union-attr]
    mutation = """mutation($id: ID!) { enqueuePullRequest(input: {pullRequestId: $id}) {
        mergeQueueEntry { position state pullRequest { number isInMergeQueue } headCommit { oid } } } }"""
    node = node_id("PullRequest", pull.id)
    refused = await hub.graphql(mutation, id=node)
    assert refused["data"] == {"enqueuePullRequest": None}
    assert refused["errors"][0]["type"] == "UNPROCESSABLE"
    assert "Required status check" in refused["errors"][0]["message"]
    await green(hub, "acme/queued", pull.head_sha)
    entry = (await hub.graphql(mutation, id=node))["data"]["enqueuePullRequest"]["mergeQueueEntry"]
    assert entry["position"] == 1
    assert entry["pullRequest"] == {"number": made["number"], "isInMergeQueue": True}


async def test_a_fork_is_a_repository_of_its_own(hub: Hub) -> None:
    made = await hub.control(
        "POST", "/pulls", {"repository": "acme/repoA", "head": "DPTA-9", "actor": "zoe", "fork": True}
    )
    assert made["head"]["repository"] == "zoe/repoA"
    pull = (await hub.ask("GET", f"{A}/pulls/{made['number']}")).json()
    assert pull["head"]["repo"]["fork"] is True
    assert pull["head"]["label"] == "zoe:DPTA-9"
    listed = (await hub.ask("GET", f"{A}/pulls?head=zoe:DPTA-9")).json()
    assert [one["number"] for one in listed] == [made["number"]]
    assert len((await hub.ask("GET", f"{A}/pulls?head=DPTA-9")).json()) == 2  # FACTS §6: without owner: ignored
    await hub.control("POST", "/push", {"repository": "zoe/repoA", "branch": "DPTA-9", "actor": "zoe"})
    await hub.control("POST", "/clock", {"advance": 0})
    assert hub.payloads("pull_request", "synchronize")[0]["number"] == made["number"]
    assert "DPTA-9" not in (await hub.state())["branches"]


async def test_nothing_is_merged_in_an_archived_repository(hub: Hub) -> None:
    head = (await hub.state())["pulls"]["1"]["head_sha"]
    await hub.ask("POST", f"{A}/statuses/{head}", {"state": "success", "context": "orchestrator-build"})
    uuid = (await hub.ask("PUT", f"{A}/pulls/1/merge-async", {})).json()["details"]["uuid"]
    await hub.control("POST", "/repositories/acme/repoA", {"archived": True})
    wish = {"repository": "acme/repoA", "number": 1, "actor": "ann"}
    assert "archived" in (await hub.control("POST", "/merge", wish, expect=403))["message"]
    await hub.control("POST", "/clock", {"advance": 0})
    assert (await hub.ask("GET", f"{A}/pulls/1/merge-async/{uuid}")).json()["status"] == "failed"


async def test_nothing_is_queued_where_there_is_no_queue(hub: Hub) -> None:
    head = (await hub.state())["pulls"]["1"]["head_sha"]
    await hub.ask("POST", f"{A}/statuses/{head}", {"state": "success", "context": "orchestrator-build"})
    path = f"{A}/pulls/1/merge-async"
    uuid = (await hub.ask("PUT", path, {"merge_action": "merge_queue"})).json()["details"]["uuid"]
    await hub.control("POST", "/clock", {"advance": 0})
    assert (await hub.ask("GET", f"{path}/{uuid}")).json()["status"] == "failed"
    assert (await hub.state())["pulls"]["1"]["merged"] is False


@pytest.mark.parametrize(
    ("pattern", "branch", "bound"),
    [
        ("release/*", "release/1", True),
        ("release/*", "release/1/hot", False),
        ("refs/heads/*", "a/b", False),
        ("release/**/*", "release/1/hot", True),
        ("release/**/*", "release/1", True),
        ("**/hot", "hot", True),
        ("**/hot", "a/b/hot", True),
        ("v?.[0-9]", "v1.2", True),
        ("v?.[!0-9]", "v1.2", False),
        ("v1.2", "v1x2", False),
        ("v[z-a]", "vz", False),
    ],
)
async def test_a_star_stays_within_its_segment(hub: Hub, pattern: str, branch: str, bound: bool) -> None:
    where = {"ref_name": {"include": [pattern], "exclude": []}}
    body = {"name": "r", "enforcement": "active", "conditions": where, "rules": [{"type": "deletion"}]}
    await hub.ask("POST", "/repos/acme/repoB/rulesets", body)
    assert bool((await hub.ask("GET", f"/repos/acme/repoB/rules/branches/{branch}")).json()) is bound


async def test_a_merge_in_the_background_is_judged_later(hub: Hub) -> None:
    path = f"{A}/pulls/1/merge-async"
    asked = await hub.ask("PUT", path, {"merge_method": "squash"})
    uuid = asked.json()["details"]["uuid"]
    again = await hub.ask("PUT", path, {})
    assert (asked.status_code, again.status_code, again.json()["details"]["uuid"]) == (202, 409, uuid)
    assert (await hub.ask("GET", f"{path}/{uuid}")).json()["status"] == "pending"
    await hub.control("POST", "/clock", {"advance": 0})
    failed = (await hub.ask("GET", f"{path}/{uuid}")).json()
    assert failed["status"] == "failed"
    assert "Required status check" in failed["details"]["message"]
    head = (await hub.state())["pulls"]["1"]["head_sha"]
    await hub.ask("POST", f"{A}/statuses/{head}", {"state": "success", "context": "orchestrator-build"})
    second = (await hub.ask("PUT", path, {"sha": head})).json()["details"]["uuid"]
    await hub.control("POST", "/clock", {"advance": 0})
    done = (await hub.ask("GET", f"{path}/{second}")).json()
    assert done["details"]["sha"] == (await hub.state())["branches"]["main"]
    assert (await hub.ask("PUT", path, {})).json()["status"] == "merged"
    await hub.control("POST", "/clock", {"advance": "25h"})
    hub.tokens.clear()
    assert (await hub.ask("GET", f"{path}/{second}")).status_code == 404
