"""``/_simulator/clock``: looking at the world's time, and taking it over."""

from __future__ import annotations

from datetime import UTC, datetime

from app.simulator.control.routing import Order, Reply, control
from app.simulator.control.shapes import clock_shape
from app.simulator.errors import ControlError
from app.simulator.faults import seconds_of


@control("GET", "/clock")
def look(order: Order) -> Reply:
    """What time it is, and what is due next."""
    return 200, clock_shape(order.simulator.clock)


@control("POST", "/clock")
async def move(order: Order) -> Reply:
    """``{"advance": 10}`` or ``{"now": a moment}``: time stands still from now on and moves by this call alone.

    Everything due happens at its own moment. The call answers when each delivery that became due was attempted and
    answered (or has timed out). Between two calls, webhooks without delay are sent as they happen; with ``{"step":
    true}`` they too wait for the next call. ``{"real": true}`` lets time pass by itself again.
    """
    body, clock = order.read("", "advance now step real"), order.simulator.clock
    if len(body.keys() & {"advance", "now", "real"}) > 1:
        raise ControlError("say one of advance, now and real")
    if body.get("real"):
        clock.thaw()
        order.simulator.deliveries.wake()
        return 200, clock_shape(clock) | {"delivered": 0}
    seconds = _seconds_until(order, body["now"]) if "now" in body else seconds_of(body.get("advance", 0))
    if seconds < 0:
        raise ControlError("time does not go back")
    if body.get("step"):
        clock.freeze()
    delivered = await order.simulator.advance(seconds)
    return 200, clock_shape(clock) | {"delivered": delivered}


def _seconds_until(order: Order, moment: object) -> float:
    """How far ahead a moment is, read as ISO 8601, in UTC where it names no zone."""
    try:
        there = datetime.fromisoformat(str(moment))
    except ValueError as error:
        raise ControlError(f'"{moment}" is no moment; say one such as 2026-11-28T12:00:00Z') from error
    return ((there if there.tzinfo else there.replace(tzinfo=UTC)) - order.simulator.clock.now()).total_seconds()
