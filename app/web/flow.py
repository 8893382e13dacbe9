"""What a browser keeps while its person is at GitHub to log in: a state, the verifier of PKCE, and where to go then.

Law: it is signed, ends after ten minutes, and is for one browser. Where to go then is a path of ours and nothing else,
looked at when it is asked for and again when it is gone to.
"""

from __future__ import annotations

import base64
import hmac
import json
import re
import secrets
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from app.web.visitors import Visitors

FLOW = "lockstep_login"
"""The cookie's name. It has to come back from GitHub, so it is no strict one."""
VALID = timedelta(minutes=10)
LONGEST_PATH = 500
_PATH = re.compile(r"/(?![/\\])[A-Za-z0-9/._~?=&%+,:@-]*")
_NO_PAGES = ("/login", "/logout", "/api", "/static", "/webhooks")


def local(path: str | None) -> str:
    """The path, where it leads to a page of ours; else that of the first page."""
    if not path or len(path) > LONGEST_PATH or not _PATH.fullmatch(path) or path.startswith(_NO_PAGES):
        return "/"
    return path


@dataclass(frozen=True, slots=True)
class Flow:
    then: str
    until: float
    state: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48), repr=False)

    def is_answered_by(self, state: str) -> bool:
        return hmac.compare_digest(self.state.encode(), state.encode())


def new_flow(then: str | None, now: datetime) -> Flow:
    return Flow(local(then), (now + VALID).timestamp())


def kept(flow: Flow, visitors: Visitors) -> str:
    """The cookie's value."""
    text = base64.urlsafe_b64encode(json.dumps(asdict(flow)).encode()).decode()
    return f"{text}.{_signature(text, visitors)}"


def read(cookie: str | None, visitors: Visitors, now: datetime) -> Flow | None:
    """None: it is none of ours, or too old."""
    text, _, signature = (cookie or "").rpartition(".")
    if not hmac.compare_digest(_signature(text, visitors).encode(), signature.encode()):
        return None
    flow = Flow(**json.loads(base64.urlsafe_b64decode(text)))
    return flow if now.timestamp() < flow.until and flow.then == local(flow.then) else None


def _signature(text: str, visitors: Visitors) -> str:
    return visitors.signature(f"login\n{text}")
