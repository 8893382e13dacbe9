"""The record of everything that passed: requests and deliveries, and between them the world's own moves.

Law: entries are numbered in the order in which things took effect, carry exactly the eleven keys of ``KEYS``, and hold
no credentials: a token is shown as what it is worth, a signature and a secret as stars. Headers have lower-case names.
"""

from __future__ import annotations

import json
from collections.abc import Container
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

Json = dict[str, Any]

KEYS = ("seq", "at", "kind", "method", "path", "query", "headers", "body", "status", "response", "token")
PASSED = ("request", "delivery")
KINDS = (*PASSED, "world")
STARS = "***"
FORM = "application/x-www-form-urlencoded"
_SECRET_HEADERS = {"authorization", "cookie", "x-hub-signature", "x-hub-signature-256"}
_SECRET_KEYS = {
    "token", "pem", "client_secret", "webhook_secret", "secret", "access_token", "refresh_token", "code_verifier",
}  # fmt: skip


def parsed(body: bytes | str, content_type: str = "") -> Any:
    """JSON where it is JSON, fields where it is a form, else text; ``None`` where there is nothing."""
    if not body:
        return None
    if isinstance(body, bytes) and content_type.startswith(FORM):
        return form_fields(body)
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace") if isinstance(body, bytes) else body


def form_fields(body: bytes) -> Json:
    """The fields of a form; of one that is given twice, the last."""
    return dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))


def masked(value: Any) -> Any:
    """``value`` without secrets, at any depth."""
    if isinstance(value, dict):
        return {
            key: STARS if key in _SECRET_KEYS and isinstance(item, str) else masked(item) for key, item in value.items()
        }
    if isinstance(value, list):
        return [masked(item) for item in value]
    return value


class Log:
    """A list of entries that only grows."""

    def __init__(self) -> None:
        self.entries: list[Json] = []

    def add(self, kind: str, at: datetime, **fields: Any) -> Json:
        """Append an entry; keys that are not given are empty, or null where they hold a value of any kind."""
        entry: Json = dict.fromkeys(KEYS) | {"method": "", "path": "", "query": {}}
        entry |= {"seq": len(self.entries) + 1, "at": at.isoformat(), "kind": kind}
        headers = {name.lower(): text for name, text in fields.pop("headers", {}).items()}
        entry["headers"] = {name: STARS if name in _SECRET_HEADERS else text for name, text in headers.items()}
        entry |= {
            key: masked(value) if key in ("body", "response", "query") else value for key, value in fields.items()
        }
        self.entries.append(entry)
        return entry

    def after(self, seq: int, kinds: Container[str]) -> list[Json]:
        """Everything of these kinds that is younger than ``seq``."""
        return [entry for entry in self.entries[max(0, seq) :] if entry["kind"] in kinds]
