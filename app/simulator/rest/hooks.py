"""The App's webhook and its delivery log (FACTS §3)."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from app.simulator.clock import iso
from app.simulator.deliveries import Delivery
from app.simulator.errors import Refusal, not_found
from app.simulator.render.versions import Verbatim
from app.simulator.rest.routing import Answer, Call, route

Json = dict[str, Any]

KEPT = timedelta(days=3)


@route("GET", "/app/hook/config", auth="app")
def get_config(call: Call) -> Answer:
    """Where deliveries go; the secret in stars."""
    app = call.world.app
    config = {"content_type": "json", "insecure_ssl": "0", "url": app.webhook_url or ""}
    return Answer(200, config | ({"secret": "********"} if app.webhook_secret else {}))


@route("PATCH", "/app/hook/config", auth="app")
def set_config(call: Call) -> Answer:
    """Change where they go."""
    app, body = call.world.app, call.body
    app.webhook_url = body.get("url", app.webhook_url)
    app.webhook_secret = body.get("secret", app.webhook_secret)
    return get_config(call)


def _kept(call: Call) -> list[Delivery]:
    """What the log shows, the youngest first: nothing older than three days, nothing that the lag still hides."""
    now = call.world.clock.now()
    shown, horizon = now - timedelta(seconds=call.world.lag.deliveries), now - KEPT
    known = call.simulator.deliveries.recorded.values()
    return sorted((d for d in known if d.delivered_at and horizon <= d.delivered_at <= shown), key=lambda d: -d.id)


def _item(delivery: Delivery) -> Json:
    return {
        "id": delivery.id,
        "guid": delivery.guid,
        "delivered_at": iso(delivery.delivered_at or delivery.created_at),
        "redelivery": delivery.redelivery,
        "duration": delivery.duration,
        "status": delivery.status,
        "status_code": delivery.status_code,
        "event": delivery.event,
        "action": delivery.action,
        "installation_id": delivery.installation_id,
        "repository_id": delivery.repository_id,
        "throttled_at": None,
    }


@route("GET", "/app/hook/deliveries", auth="app")
def list_deliveries(call: Call) -> Answer:
    """Youngest first, page by cursor. ``status=failure`` means 400 to 599 only."""
    items = _kept(call)
    wanted = call.query.get("status")
    if wanted == "failure":
        items = [item for item in items if 400 <= item.status_code <= 599]
    elif wanted == "success":
        items = [item for item in items if 200 <= item.status_code <= 399]
    cursor = call.query.get("cursor", "")
    if cursor:
        digits = cursor.removeprefix("v1_")
        if not digits.isdigit():
            raise Refusal(400, "Invalid cursor parameter")
        items = [item for item in items if item.id <= int(digits)]
    text = call.query.get("per_page", "30")
    size = min(100, max(1, int(text))) if text.isdigit() else 30
    headers = {}
    if len(items) > size:
        joined = urlencode({**call.query, "cursor": f"v1_{items[size].id}"})
        headers["link"] = f'<{call.world.base_url}/app/hook/deliveries?{joined}>; rel="next"'
    return Answer(200, [_item(item) for item in items[:size]], headers)


def _find(call: Call) -> Delivery:
    number = call.number("delivery_id")
    found = next((item for item in _kept(call) if item.id == number), None)
    if found is None:
        raise not_found()
    return found


@route("GET", "/app/hook/deliveries/{delivery_id}", auth="app")
def get_delivery(call: Call) -> Answer:
    """One delivery with its payload and what the receiver said."""
    found = _find(call)
    details = {
        "url": call.world.app.webhook_url or "",
        "request": {"headers": dict(found.headers), "payload": Verbatim(json.loads(found.payload))},
        "response": {"headers": dict(found.response_headers), "payload": found.response_body},
    }
    return Answer(200, _item(found) | details)


@route("POST", "/app/hook/deliveries/{delivery_id}/attempts", auth="app")
def redeliver(call: Call) -> Answer:
    """Send it again, under the same guid."""
    call.simulator.deliveries.redeliver(_find(call))
    return Answer(202, {})
