"""``/_simulator/clock``: looking at the world's time, and taking it over."""

from __future__ import annotations

from app.simulator.control.routing import Order, Reply, control
from app.simulator.errors import ControlError
from app.simulator.faults import seconds_of


def _shape(order: Order) -> dict[str, object]:
    clock = order.simulator.clock
    due = clock.next_due()
    return {
        "now": clock.now().isoformat(),
        "virtual": clock.virtual,
        "next": due.at.isoformat() if due else None,
        "next_what": due.label if due else None,
    }


@control("GET", "/clock")
def look(order: Order) -> Reply:
    """What time it is, and what is due next."""
    return 200, _shape(order)


@control("POST", "/clock")
async def move(order: Order) -> Reply:
    """``{"advance": 10}``: time stands still from now on and moves by this call alone; ``{"real": true}`` ends that.

    Everything due happens at its own moment. The call answers when each delivery that became due was attempted and
    answered (or has timed out). Deliveries caused between two calls are in line until the next one; ``0`` sends them.
    """
    body = order.read("", "advance real")
    if body.get("real"):
        order.simulator.clock.thaw()
        order.simulator.deliveries.wake()
        return 200, _shape(order) | {"delivered": 0}
    seconds = seconds_of(body.get("advance", 0))
    if seconds < 0:
        raise ControlError("time does not go back")
    delivered = await order.simulator.advance(seconds)
    return 200, _shape(order) | {"delivered": delivered}
