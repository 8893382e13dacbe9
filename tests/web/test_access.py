"""Who may do what: scopes × owners × routes, and what a stranger is told."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.office import Office

SCOPES = ("read", "run", "admin")
FORBIDDEN, HIDDEN = 403, 404


async def _things(office: Office) -> dict[str, str]:
    """Ids of acme's things, to be put into paths."""
    state = await office.frozen(await office.opened())
    assert state.orchestration is not None
    await office.delivered("a-guid")
    return {"set": state.id, "orchestration": state.orchestration.id, "delivery": "a-guid"}


ROUTES: list[tuple[str, str, Any, str, int]] = [
    ("GET", "/orchestrations/{orchestration}", None, "read", 200),
    ("GET", "/orchestrations/{orchestration}/manifest", None, "read", 200),
    ("GET", "/change-sets/{set}", None, "read", 200),
    ("POST", "/pipelines/acme/product/orchestrations", {"branch": "main"}, "run", 202),
    ("POST", "/orchestrations/{orchestration}/cancel", None, "run", 202),
    ("POST", "/orchestrations/{orchestration}/retry", {}, "run", 202),
    ("POST", "/change-sets/{set}/invalidate", None, "run", 202),
    ("POST", "/deliveries/{delivery}/replay", None, "admin", 202),
]
LISTS = [
    ("/change-sets", "read"),
    ("/deliveries", "read"),
    ("/history", "read"),
    ("/tokens", "admin"),
]


@pytest.mark.parametrize(("method", "path", "body", "needed", "good"), ROUTES, ids=[f"{r[0]} {r[1]}" for r in ROUTES])
async def test_each_route_asks_for_its_scope_and_owner(
    office: Office, method: str, path: str, body: Any, needed: str, good: int
) -> None:
    address = f"/api/v1{path.format(**await _things(office))}"
    assert (await office.call(method, address, json=body)).status_code == 401
    for scope in SCOPES:
        allowed = SCOPES.index(scope) >= SCOPES.index(needed)
        mine = await office.call(method, address, await office.token(scope, owner="acme"), json=body)
        assert mine.status_code == (good if allowed else FORBIDDEN), mine.text
        others = await office.call(method, address, await office.token(scope, owner="other"), json=body)
        assert others.status_code == (HIDDEN if allowed else FORBIDDEN), others.text
    everybody = await office.call(method, address, await office.token(needed), json=body)
    assert everybody.status_code == good


@pytest.mark.parametrize(("path", "needed"), LISTS)
async def test_lists_show_one_owner_its_own_things(office: Office, path: str, needed: str) -> None:
    for owner in ("acme", "other"):
        await office.opened(owner)
        await office.delivered(f"guid-{owner}", owner)
    await office.delivered("guid-of-nobody", None)
    seen: dict[str | None, list[str]] = {}
    for whose in ("acme", "other", None):
        token = await office.token(needed, owner=whose)
        seen[whose] = [str(item) for item in (await office.call("GET", f"/api/v1{path}", token)).json()["items"]]
    assert seen["acme"]
    assert seen["other"]
    assert not set(seen["acme"]) & set(seen["other"])
    assert set(seen["acme"]) | set(seen["other"]) < {*seen[None], "more"}
    for scope in SCOPES:
        status = (await office.call("GET", f"/api/v1{path}", await office.token(scope))).status_code
        assert status == (200 if SCOPES.index(scope) >= SCOPES.index(needed) else FORBIDDEN)


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer wrong", "Bearer a\tb", "bearer " + "x" * 5000, "Bearer \xff"],
)
async def test_strangers_are_challenged(office: Office, header: str) -> None:
    sent = [(b"authorization", header.encode("latin-1"))] if header else []
    answer = await office.http.get("/api/v1/change-sets", headers=sent)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_refused_scope_is_named(office: Office) -> None:
    answer = await office.call("GET", "/api/v1/tokens", await office.token("read"))
    assert 'scope="admin"' in answer.headers["www-authenticate"]
    assert "scope admin" in answer.json()["detail"]


async def test_a_token_is_made_used_listed_and_revoked(office: Office) -> None:
    admin = await office.token("admin")
    body = {"name": "ci", "scopes": ["run"], "owner": "Acme"}
    made = await office.call("POST", "/api/v1/tokens", admin, json=body)
    assert made.status_code == 201
    token = made.json()["token"]
    assert made.json()["owner"] == "acme"
    assert (await office.call("GET", "/api/v1/change-sets", token)).status_code == 200
    assert (await office.call("POST", "/api/v1/tokens", admin, json=body)).status_code == 409
    listed = (await office.call("GET", "/api/v1/tokens", admin)).text
    assert '"ci"' in listed
    assert token not in listed
    assert (await office.call("DELETE", "/api/v1/tokens/ci", admin)).status_code == 204
    assert (await office.call("DELETE", "/api/v1/tokens/ci", admin)).status_code == 404
    assert (await office.call("GET", "/api/v1/change-sets", token)).status_code == 401
    history = (await office.call("GET", "/api/v1/history", admin)).text
    assert "TokenCreated" in history
    assert "TokenRevoked" in history
    assert token not in history


@pytest.mark.parametrize("owner", [None, "other"])
async def test_an_admin_of_one_owner_makes_no_tokens_for_others(office: Office, owner: str | None) -> None:
    admin = await office.token("admin", owner="acme")
    body = {"name": "mine", "scopes": ["read"], "owner": owner}
    assert (await office.call("POST", "/api/v1/tokens", admin, json=body)).status_code == 403
    mine = await office.call("POST", "/api/v1/tokens", admin, json={**body, "owner": "acme"})
    assert mine.status_code == 201
    other = await office.token("admin", owner="other")
    assert (await office.call("DELETE", "/api/v1/tokens/mine", other)).status_code == 404


@pytest.mark.shows("API token")
async def test_a_token_is_known_to_the_letter(office: Office) -> None:
    token = await office.token("read")
    assert (await office.call("GET", "/api/v1/change-sets", token)).status_code == 200
    for other in (token.upper(), token.lower(), token[:-1], token + "a", token.removeprefix("lockstep_"), f" {token}x"):
        assert (await office.call("GET", "/api/v1/change-sets", other)).status_code == 401
    for elsewhere in ({"params": {"token": token}}, {"headers": {"cookie": f"token={token}"}}):
        assert (await office.call("GET", "/api/v1/change-sets", None, **elsewhere)).status_code == 401
