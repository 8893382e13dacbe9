"""How GitHub says no: one exception that carries the status, the JSON body and the headers of a refusal.

Law: whoever acts on the world raises ``Refusal`` before changing anything; the door turns it into the answer.
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

DOCS = "https://docs.github.com/rest"


class Refusal(Exception):
    """A request that GitHub would refuse, as status, body and headers."""

    def __init__(self, status: int, message: str, *, headers: dict[str, str] | None = None, **more: Any) -> None:
        super().__init__(f"{status} {message}")
        self.status = status
        self.message = message
        self.headers = headers or {}
        self.body: Any = {"message": message, **more, "documentation_url": DOCS, "status": str(status)}


def not_found() -> Refusal:
    """What a caller sees of a thing that is absent, and of one that is none of its business (FACTS §9)."""
    return Refusal(404, "Not Found")


def inaccessible() -> Refusal:
    """A permission is missing (FACTS §1, §7)."""
    return Refusal(403, "Resource not accessible by integration")


def bad_credentials() -> Refusal:
    """A token nobody issued, one that has expired, or one that is not known everywhere yet (FACTS §7)."""
    return Refusal(401, "Bad credentials")


def invalid(resource: str, field: str, code: str = "invalid", message: str | None = None) -> Refusal:
    """GitHub's ``Validation Failed`` with one entry in ``errors``."""
    entry: Json = {"resource": resource, "field": field, "code": code}
    if message is not None:
        entry["message"] = message
    return Refusal(422, "Validation Failed", errors=[entry])


def unprocessable(message: str) -> Refusal:
    """A 422 whose text says it all."""
    return Refusal(422, message)


class OAuthError(Exception):
    """How GitHub says no to whoever asks for a person's token: a word, in an answer that is 200 all the same."""


class ControlError(Exception):
    """A wrong call of the control surface: 400 with a sentence for the person who wrote it."""
