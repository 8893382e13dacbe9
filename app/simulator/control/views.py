"""``/_simulator/state`` and ``/_simulator/log``: everything the simulator knows, and everything that passed."""

from __future__ import annotations

from app.simulator.control.routing import Order, Reply, control
from app.simulator.control.shapes import clock_shape, installation_shape, owners_shape, repository_shape, ruleset_shape
from app.simulator.errors import ControlError
from app.simulator.log import KINDS, PASSED


@control("GET", "/state")
def state(order: Order) -> Reply:
    """The whole world as it truly is, without lags."""
    world, app = order.world, order.world.app
    return 200, {
        **clock_shape(order.simulator.clock),
        "server": {"ghes": world.server.ghes},
        "app": {
            "id": app.id, "slug": app.slug, "name": app.name, "owner": app.owner.login, "events": app.events,
            "permissions": app.permissions, "webhook_url": app.webhook_url, "client_id": app.client_id,
            "callback_urls": list(app.callback_urls),
        },
        "signed_in": world.signed_in.login if world.signed_in else None,
        "authorizations": {login: since.isoformat() for login, since in world.authorized.items()},
        "owners": owners_shape(world),
        "people": {f"{login} in {where}": level for (login, where), level in world.grants.items()},
        "repositories": {repo.full_name: repository_shape(world, repo) for repo in world.repositories.values()},
        "installations": [installation_shape(made) for made in world.installations.values()],
        "rulesets": [ruleset_shape(made) for made in world.rulesets.values()],
        "scripts": [dict(vars(made)) for made in world.scripts],
        "faults": [fault.shape() for fault in order.simulator.faults.active],
        "limits": dict(vars(order.simulator.limits.settings)),
        "lag": dict(vars(world.lag)),
    }  # fmt: skip


@control("GET", "/log")
def log(order: Order) -> Reply:
    """Requests and deliveries younger than ``after``, oldest first; ``kind`` keeps one kind, or ``all``."""
    after, kind = order.query.get("after", "0"), order.query.get("kind")
    if not after.isdigit():
        raise ControlError("after must be the seq of an entry")
    if kind not in (None, "all", *KINDS):
        raise ControlError(f'kind is "{kind}"; say one of {", ".join(KINDS)}, or all')
    kinds = PASSED if kind is None else KINDS if kind == "all" else (kind,)
    return 200, order.simulator.log.after(int(after), kinds)


@control("DELETE", "/log")
def refuse_to_forget(order: Order) -> Reply:
    """The log only grows; ask for what is ``after``."""
    raise ControlError("the log is never emptied; remember the last seq and ask for ?after=")
