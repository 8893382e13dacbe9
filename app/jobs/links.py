"""Addresses of our pages, as statuses and inputs carry them; those for runs are signed and expire.

Law: whoever holds a signed address reads one manifest and nothing else, until it expires; no token is passed to a run.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

VALID = timedelta(days=7)
"""Longer than any run that GitHub lets go on (FACTS §1)."""


@dataclass(frozen=True, slots=True)
class Links:
    """``public_url``: where people reach the pages; None: nobody does, and nothing links to them."""

    public_url: str | None = None
    key: bytes = b""
    """Signs addresses; the same in every process."""

    def change_set(self, set_id: str) -> str | None:
        return f"{self.public_url}/change-sets/{set_id}" if self.public_url else None

    def orchestration(self, orchestration_id: str) -> str | None:
        return f"{self.public_url}/orchestrations/{orchestration_id}" if self.public_url else None

    def for_inputs(self, orchestration_id: str, now: datetime) -> Mapping[str, str]:
        """The values of ``{manifest.url}`` and ``{run.summary_url}``; empty texts where no public address is known."""
        path = f"/api/v1/orchestrations/{orchestration_id}"
        return {
            "manifest.url": self.signed(f"{path}/manifest", now + VALID),
            "run.summary_url": self.signed(path, now + VALID),
        }

    def signed(self, path: str, expires: datetime) -> str:
        moment = int(expires.timestamp())
        if not self.public_url or not self.key:
            return ""
        return f"{self.public_url}{path}?expires={moment}&signature={self._signature(path, moment)}"

    def admits(self, path: str, expires: str, signature: str, now: datetime) -> bool:
        """Whether ``signed`` made this address and it has not expired."""
        if not self.key or not expires.isascii() or not expires.isdecimal() or len(expires) > 12:
            return False
        right = self._signature(path, int(expires))
        return hmac.compare_digest(right.encode(), signature.encode()) and now.timestamp() < int(expires)

    def _signature(self, path: str, moment: int) -> str:
        return hmac.new(self.key, f"{path}\n{moment}".encode(), hashlib.sha256).hexdigest()
