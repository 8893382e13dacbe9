"""What a request is answered that a fault struck with a status: GitHub's own words for it, unless the fault has others.

Law: a fault's ``value`` is a code, or ``{status, message, headers, body}``: a ``message`` takes the place of GitHub's
text, a ``body`` that of the whole answer, and then no header comes that belongs to GitHub's words alone.
"""

from __future__ import annotations

from typing import Any

from app.simulator.errors import ControlError, Refusal, bad_credentials, inaccessible, invalid, not_found
from app.simulator.limits import secondary

Json = dict[str, Any]

_WORDS = {
    400: "Bad Request",
    405: "Method Not Allowed",
    409: "Conflict",
    410: "Gone",
    451: "Repository access blocked",
    503: "No server is currently available to service your request. Sorry about that. Please try resubmitting your "
    "request and contact us if the problem persists.",
    504: "We couldn't respond to your request in time. Sorry about that. Please try resubmitting your request and "
    "contact us if the problem persists.",
}


def refusal(value: Any) -> Refusal:
    """What the fault's ``value`` lets GitHub say; nothing said is a bad gateway."""
    wish: Json = value if isinstance(value, dict) else {"status": value}
    made = _in_githubs_words(code_of(wish))
    if "message" in wish:
        made.body["message"] = str(wish["message"])
    if "body" in wish:
        made.body, made.headers = wish["body"], {}
    made.headers |= {str(name).lower(): str(text) for name, text in (wish.get("headers") or {}).items()}
    return made


def _in_githubs_words(status: int) -> Refusal:
    if status == 401:
        return bad_credentials()
    if status == 403:
        return inaccessible()
    if status == 404:
        return not_found()
    if status == 422:
        return invalid("Simulated", "base")
    if status == 429:
        return secondary(429, 60)
    return Refusal(status, _WORDS.get(status, "Server Error" if status >= 500 else "Simulated"))


def code_of(wish: Json) -> int:
    """The code that is wished for.

    :raises ControlError: it is none, or comes with keys that mean nothing.
    """
    code, unknown = wish.get("status"), wish.keys() - {"status", "message", "headers", "body"}
    code = 502 if code is None else code
    if unknown or isinstance(code, bool) or not str(code).isdigit() or not 200 <= int(code) <= 599:
        raise ControlError("value must be a status code from 200 to 599, or {status, message, headers, body}")
    if not isinstance(wish.get("headers") or {}, dict):
        raise ControlError('headers must be an object such as {"retry-after": "60"}')
    return int(code)
