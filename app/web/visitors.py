"""Who may look at the pages without logging in with GitHub: whoever holds the token that the log prints at start.

Law: the token works once; what it buys is a signed cookie that expires, which no script reads and no other site's
request carries. What changes something also takes the mark that only our own pages show to this visitor.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

COOKIE = "lockstep_visitor"
VALID = timedelta(hours=12)


@dataclass(slots=True)
class Visitors:
    """``key`` signs cookies; processes that share it accept each other's. ``token`` is None once it was used."""

    key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    token: str | None = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)

    def redeem(self, token: str, now: datetime) -> str | None:
        """The cookie's value for the one-time token; None: it is wrong or was used before."""
        if self.token is None or not hmac.compare_digest(self.token.encode(), token.encode()):
            return None
        self.token = None
        return self._signed(int((now + VALID).timestamp()))

    def admits(self, cookie: str | None, now: datetime) -> bool:
        expires = (cookie or "").partition(".")[0]
        if not expires.isascii() or not expires.isdecimal() or len(expires) > 12:
            return False
        right = self._signed(int(expires))
        return hmac.compare_digest(right.encode(), (cookie or "").encode()) and now.timestamp() < int(expires)

    def mark(self, cookie: str) -> str:
        """What a form of ours shows to the visitor with this cookie, and sends back."""
        return self.signature(f"form\n{cookie}")

    def is_mark(self, mark: str, cookie: str | None) -> bool:
        return hmac.compare_digest(self.mark(cookie or "").encode(), mark.encode())

    def signature(self, text: str) -> str:
        """Of a text whose first line says what it is for."""
        return hmac.new(self.key, text.encode(), hashlib.sha256).hexdigest()

    def _signed(self, expires: int) -> str:
        return f"{expires}." + self.signature(f"visitor\n{expires}")
