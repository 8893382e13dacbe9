"""Faults, limits, lags and the kind of server: the weather of the world."""

from __future__ import annotations

from typing import Any

from app.simulator import struck
from app.simulator.control.routing import Order, Reply, control
from app.simulator.errors import ControlError
from app.simulator.faults import seconds_of
from app.simulator.model import App

Json = dict[str, Any]


@control("POST", "/faults")
def add_fault(order: Order) -> Reply:
    """Put a fault in force; the answer has its ``id``.

    ``drop``: a delivery is lost (the App's log says *timed out*; with ``value: unrecorded`` it says nothing); a
    request never arrives. ``double``: twice. ``delay``: a delivery is sent, an answer is given, ``value`` later (a
    request acts at once; ``{"before": seconds}`` lets it act late). ``hold``: as ``delay``, without a value until the
    fault is ended. ``lose_answer``: it acts, and nothing comes back but ``value``, if there is one. ``status``: it does
    not act; ``value`` is the code, or ``{status, message, headers, body}``. ``reset``: the connection is cut before it
    acts. For GraphQL, ``status`` with ``{"graphql_null": "owner/repo", "type": "NOT_FOUND"}`` reads this repository as
    null with an error of this type.
    """
    body = order.read("on do", "match value times probability seed")
    for key in ("times", "probability", "seed"):
        if body.get(key) is not None and (isinstance(body[key], bool) or not isinstance(body[key], (int, float))):
            raise ControlError(f"{key} must be a number")
    if body["do"] == "delay" and not isinstance(body.get("value"), dict):
        seconds_of(body.get("value"))
    if body["do"] in ("status", "lose_answer"):
        _check_status(body.get("value"))
    if not isinstance(body.get("match") or {}, dict):
        raise ControlError('match must be an object such as {"event": "push"}')
    made = order.simulator.faults.add(
        str(body["on"]), dict(body.get("match") or {}), str(body["do"]), value=body.get("value"),
        times=body.get("times"), probability=float(body.get("probability", 1.0)), seed=int(body.get("seed", 0)),
    )  # fmt: skip
    return 201, made.shape()


def _check_status(value: object) -> None:
    if not isinstance(value, dict):
        struck.code_of({"status": value})
    elif "graphql_null" not in value:
        struck.code_of(value)


@control("GET", "/faults")
def list_faults(order: Order) -> Reply:
    """The faults in force, with how often each struck."""
    return 200, [fault.shape() for fault in order.simulator.faults.active]


@control("DELETE", "/faults")
def end_faults(order: Order) -> Reply:
    """End all; what was held goes on."""
    return 200, {"ended": order.simulator.faults.end()}


@control("DELETE", "/faults/{id}")
def end_fault(order: Order) -> Reply:
    """End one."""
    ended = order.simulator.faults.end(int(order.params["id"])) if order.params["id"].isdigit() else 0
    return (200, {"ended": 1}) if ended else (404, {"message": f"there is no fault {order.params['id']}"})


@control("POST", "/notes")
def note(order: Order) -> Reply:
    """``{what, …}``: something that happened outside of the simulated world and belongs into its log (a process was
    killed, a test began), as an entry of the world with the path ``note``."""
    order.world.note("note", **order.body)
    return 201, order.body


@control("POST", "/limits")
def set_limits(order: Order) -> Reply:
    """Change limits; null switches one off. ``used`` sets how much of the hour is gone for every caller."""
    settings = order.simulator.limits.settings
    body = order.read("", " ".join([*vars(settings), "used", "reset"]))
    for name, value in body.items():
        if name in ("used", "reset"):
            continue
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
            raise ControlError(f"{name} must be a number of requests, or null for no limit")
        setattr(settings, name, value)
    if body.get("reset"):
        order.simulator.limits.windows.clear()
        order.simulator.limits.recent.clear()
    if body.get("used") is not None:
        for window in order.simulator.limits.windows.values():
            window.used = int(body["used"])
    return 200, dict(vars(settings))


@control("GET", "/limits")
def get_limits(order: Order) -> Reply:
    """The limits as they are."""
    return 200, dict(vars(order.simulator.limits.settings))


@control("POST", "/lag")
def set_lag(order: Order) -> Reply:
    """Seconds until run lists, mergeability, statuses, fresh tokens and entries of the delivery log are seen."""
    lag = order.world.lag
    for name, value in order.read("", " ".join(vars(lag))).items():
        setattr(lag, name, seconds_of(0 if value is None else value))
    return 200, dict(vars(lag))


@control("POST", "/server")
def set_server(order: Order) -> Reply:
    """``{"ghes": "3.20"}`` makes it an older server, null github.com again. Also what the App's settings page holds."""
    body = order.read("", "ghes webhook_url webhook_secret public_key app_id client_id client_secret callback_urls")
    if "ghes" in body:
        text = body["ghes"]
        if text is not None and not str(text).replace(".", "").isdigit():
            raise ControlError('ghes must be a version such as "3.20", or null')
        order.world.server.ghes = None if text is None else str(text)
    _set_app(order.world.app, body)
    app = order.world.app
    return 200, {
        "ghes": order.world.server.ghes, "webhook_url": app.webhook_url, "app_id": app.id, "client_id": app.client_id,
        "callback_urls": list(app.callback_urls),
    }  # fmt: skip


def _set_app(app: App, body: Json) -> None:
    callbacks = body.get("callback_urls") or []
    if not isinstance(callbacks, list):
        raise ControlError("callback_urls must be a list of addresses")
    if "callback_urls" in body:
        app.callback_urls = tuple(str(url) for url in callbacks)
    app.webhook_url = body.get("webhook_url", app.webhook_url)
    app.webhook_secret = body.get("webhook_secret", app.webhook_secret)
    app.public_key = body.get("public_key", app.public_key)
    app.id = body.get("app_id", app.id)
    app.given_client_id = body.get("client_id", app.given_client_id)
    app.client_secret = body.get("client_secret") or app.client_secret
