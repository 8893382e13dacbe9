"""What a person's token is worth: what the person and the App have in common, as it is at the moment."""

from __future__ import annotations

from typing import Any

import pytest
from githubkit_schemas.v2026_03_10.webhooks import WebhookNamespace

from tests import github_schema
from tests.simulator.conftest import NEW, OLD, Hub

Json = dict[str, Any]

REPOSITORIES = "/user/installations/101/repositories"
ALL = {"pull": True, "triage": True, "push": True, "maintain": True, "admin": True}


async def names(hub: Hub, token: str, path: str = REPOSITORIES) -> list[str]:
    """What is listed."""
    answer = await hub.ask("GET", path, auth=token)
    assert answer.status_code == 200, answer.text
    return [repo["name"] for repo in answer.json()["repositories"]]


@pytest.mark.skipif(not github_schema.available(), reason=f"GitHub's descriptions are not at {github_schema.DIRECTORY}")
@pytest.mark.parametrize("prefix", ["", "/api/v3"])
@pytest.mark.parametrize("version", [OLD, NEW])
async def test_every_answer_is_valid(hub: Hub, version: str, prefix: str) -> None:
    token = await hub.user_token("ann")
    for path in ("/user", "/user/installations", REPOSITORIES, "/repos/acme/repoA", "/repos/acme/open"):
        answer = await hub.ask("GET", prefix + path, auth=token, version=version)
        assert answer.status_code == 200, answer.text
        github_schema.check_response("GET", path, 200, answer.json(), version)
    assert ("has_downloads" in answer.json()) == (version == OLD)


async def test_what_is_listed_was_given_to_both(hub: Hub) -> None:
    assert await names(hub, await hub.user_token("ann")) == ["repoA", "repoB", "open"]
    assert await names(hub, await hub.user_token("rita")) == ["repoA"]
    assert await names(hub, await hub.user_token("bob")) == ["repoA", "repoB", "open"]


async def test_each_repository_says_what_the_person_may_do_there(hub: Hub) -> None:
    found = (await hub.ask("GET", REPOSITORIES, auth=await hub.user_token("bob"))).json()["repositories"]
    may = {repo["name"]: [name for name, holds in repo["permissions"].items() if holds] for repo in found}
    assert may == {
        "repoA": ["pull", "triage", "push"], "repoB": ["pull"], "open": ["pull", "triage", "push"],
    }  # fmt: skip
    whole = (await hub.ask("GET", "/repos/acme/repoA", auth=await hub.user_token("ann"))).json()
    assert whole["permissions"] == ALL


async def test_what_is_listed_has_pages(hub: Hub) -> None:
    token = await hub.user_token("ann")
    first = await hub.ask("GET", f"{REPOSITORIES}?per_page=2", auth=token)
    assert (first.json()["total_count"], len(first.json()["repositories"])) == (3, 2)
    assert f'<http://127.0.0.1{REPOSITORIES}?per_page=2&page=2>; rel="next"' in first.headers["link"]
    assert await names(hub, token, f"{REPOSITORIES}?per_page=2&page=2") == ["open"]


async def test_installations_are_those_where_something_was_given(hub: Hub) -> None:
    await hub.control("POST", "/repositories", {"owner": "zeta", "name": "far"})
    await hub.control("POST", "/installation", {"action": "created", "owner": "zeta"})

    async def accounts(login: str) -> list[str]:
        body = (await hub.ask("GET", "/user/installations", auth=await hub.user_token(login))).json()
        assert body["total_count"] == len(body["installations"])
        return [made["account"]["login"] for made in body["installations"]]

    assert await accounts("ann") == ["acme"]
    assert await accounts("rita") == ["acme"]
    assert await accounts("mallory") == []
    await hub.control("POST", "/members", {"repository": "zeta/far", "login": "rita", "permission": "read"})
    assert await accounts("rita") == ["acme", "zeta"]
    await hub.control("POST", "/installation", {"action": "deleted", "owner": "zeta"})
    assert await accounts("rita") == ["acme"]


async def test_what_is_taken_away_is_gone_at_once(hub: Hub) -> None:
    token = await hub.user_token("rita")
    assert (await hub.ask("GET", "/repos/acme/repoA", auth=token)).status_code == 200
    await hub.control("POST", "/members", {"repository": "acme/repoA", "login": "rita", "permission": "none"})
    assert (await hub.ask("GET", "/repos/acme/repoA", auth=token)).status_code == 404
    assert (await hub.ask("GET", REPOSITORIES, auth=token)).status_code == 404
    token = await hub.user_token("ann")
    await hub.control("POST", "/installation", {"action": "removed", "repositories": ["repoA"]})
    assert (await hub.ask("GET", "/repos/acme/repoA", auth=token)).status_code == 404
    assert await names(hub, token) == ["repoB", "open"]


async def test_a_public_repository_is_seen_by_all_and_listed_for_none_but_its_own(hub: Hub) -> None:
    token = await hub.user_token("mallory")
    seen = await hub.ask("GET", "/repos/acme/open", auth=token)
    assert (seen.status_code, [name for name, holds in seen.json()["permissions"].items() if holds]) == (200, ["pull"])
    await hub.control("POST", "/members", {"repository": "acme/repoA", "login": "mallory", "permission": "read"})
    assert await names(hub, token) == ["repoA"]


async def test_a_persons_own_account_is_all_theirs(hub: Hub) -> None:
    await hub.control("POST", "/sign-in", {"login": "rita"})
    await hub.control("POST", "/repositories", {"owner": "rita", "name": "own"})
    await hub.control("POST", "/installation", {"action": "created", "owner": "rita"})
    token = await hub.user_token("rita")
    found = (await hub.ask("GET", "/user/installations", auth=token)).json()["installations"]
    own = next(made["id"] for made in found if made["account"]["login"] == "rita")
    [repo] = (await hub.ask("GET", f"/user/installations/{own}/repositories", auth=token)).json()["repositories"]
    assert (repo["full_name"], repo["permissions"]) == ("rita/own", ALL)


async def test_an_old_name_leads_on_for_who_may_see(hub: Hub) -> None:
    ann, rita = await hub.user_token("ann"), await hub.user_token("rita")
    await hub.control("POST", "/repositories/acme/repoB", {"name": "new"})
    moved = await hub.ask("GET", "/repos/acme/repoB", auth=ann)
    assert moved.status_code == 301
    there = await hub.ask("GET", moved.headers["location"].removeprefix("http://127.0.0.1"), auth=ann)
    assert there.json()["full_name"] == "acme/new"
    assert (await hub.ask("GET", "/repos/acme/repoB", auth=rita)).status_code == 404


async def test_each_person_has_an_hour_of_their_own(hub: Hub) -> None:
    ann, bob = await hub.user_token("ann"), await hub.user_token("bob")
    await hub.control("POST", "/limits", {"primary_per_hour": 1})
    assert [(await hub.ask("GET", "/user", auth=token)).status_code for token in (ann, ann, bob)] == [200, 403, 200]


async def test_graphql_is_not_for_people_here(hub: Hub) -> None:
    query = {"query": "{ rateLimit { cost } }"}
    answer = await hub.ask("POST", "/graphql", query, auth=await hub.user_token("ann"))
    assert (answer.status_code, answer.json()["message"]) == (403, "Resource not accessible by integration")


async def test_who_takes_the_authorization_back_ends_all_tokens_and_the_app_is_told(hub: Hub) -> None:
    pairs = [(await hub.exchange(code=await hub.code("ann"))).json() for _ in range(2)]
    other, code = await hub.user_token("bob"), await hub.code("ann")
    assert (await hub.control("GET", "/state"))["authorizations"].keys() == {"ann", "bob"}
    assert await hub.control("DELETE", "/authorizations/Ann") == {"login": "ann", "ended": 2}
    for pair in pairs:
        assert (await hub.ask("GET", "/user", auth=pair["access_token"])).status_code == 401
        late = await hub.exchange(grant_type="refresh_token", refresh_token=pair["refresh_token"])
        assert late.json()["error"] == "bad_refresh_token"
    assert (await hub.exchange(code=code)).json()["error"] == "bad_verification_code"
    assert (await hub.ask("GET", "/user", auth=other)).status_code == 200
    await hub.control("POST", "/clock", {"advance": 0})
    [told] = hub.payloads("github_app_authorization", "revoked")
    assert (set(told), told["sender"]["login"]) == ({"action", "sender"}, "ann")
    WebhookNamespace.parse_obj("github_app_authorization", told)
    again = await hub.control("DELETE", "/authorizations/ann", expect=404)
    assert again["message"] == "ann has not authorized the App"


async def test_that_is_told_wherever_the_app_is_and_stands_in_its_log(hub: Hub) -> None:
    await hub.user_token("ann")
    await hub.control("POST", "/installation", {"action": "suspend"})
    await hub.control("DELETE", "/authorizations/ann")
    await hub.control("POST", "/clock", {"advance": 0})
    [told] = [
        one for one in (await hub.ask("GET", "/app/hook/deliveries", auth=hub.jwt())).json()
        if one["event"] == "github_app_authorization"
    ]  # fmt: skip
    assert (told["action"], told["installation_id"], told["repository_id"]) == ("revoked", None, None)
    if github_schema.available():
        github_schema.check_response("GET", "/app/hook/deliveries", 200, [told])
    assert (await hub.ask("GET", f"/app/hook/deliveries/{told['id']}", auth=hub.jwt())).status_code == 200
