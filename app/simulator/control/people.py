"""Who sits at the browser, and taking back what was agreed to there."""

from __future__ import annotations

from app.simulator import authorizing
from app.simulator.control.routing import Order, Reply, control
from app.simulator.errors import ControlError
from app.simulator.model import Account
from app.simulator.world import World


@control("POST", "/sign-in")
def sign_in(order: Order) -> Reply:
    """``{login}`` sits at the browser from now on; null: nobody does, and whoever comes may choose."""
    body = order.read("", "login")
    if "login" not in body:
        raise ControlError("this call needs login, a person's, or null for nobody")
    login = body["login"]
    order.world.signed_in = None if login is None else _person(order.world, login)
    return 200, {"login": login}


def _person(world: World, login: object) -> Account:
    """As all people, made on first mention."""
    if not isinstance(login, str) or not login:
        raise ControlError("login must be a person's, or null for nobody")
    found = world.account(login)
    if found.kind != "User":
        raise ControlError(f"{found.login} is no person, but of the kind {found.kind.lower()}")
    return found


@control("DELETE", "/authorizations/{login}")
def revoke(order: Order) -> Reply:
    """A person no longer lets the App act for them: the tokens end, and the App is told."""
    login = order.params["login"]
    found = order.world.find_account(login)
    if found is None or login.lower() not in order.world.authorized:
        return 404, {"message": f"{login} has not authorized the App"}
    return 200, {"login": found.login, "ended": authorizing.revoke(order.world, found)}
