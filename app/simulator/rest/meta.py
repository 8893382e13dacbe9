"""``/meta``, ``/rate_limit`` and the like: what GitHub says of itself."""

from __future__ import annotations

from app.simulator.rest.routing import Answer, Call, route


@route("GET", "/meta", auth="none")
def meta(call: Call) -> Answer:
    """Where webhooks come from; a GHES also says its version."""
    body = {"verifiable_password_authentication": False, "hooks": ["127.0.0.1/32"], "domains": {}}
    if call.world.server.ghes:
        body["installed_version"] = call.world.server.ghes
    return Answer(200, body)


@route("GET", "/rate_limit", auth="none")
def rate_limit(call: Call) -> Answer:
    """What is left of the hour. Asking costs nothing."""
    core = call.simulator.limits.rate(call.caller, "core")
    resources = {
        "core": core,
        "graphql": call.simulator.limits.rate(call.caller, "graphql"),
        "search": {"limit": 30, "used": 0, "remaining": 30, "reset": core["reset"]},
    }
    return Answer(200, {"resources": resources, "rate": core})


@route("GET", "/versions", auth="none")
def versions(call: Call) -> Answer:
    """The API versions this server knows."""
    return Answer(200, ["2022-11-28"] if call.world.server.old else ["2026-03-10", "2022-11-28"])
