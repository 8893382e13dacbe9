"""What follows when a person lets the App act for them, as plain records: ``authorizing`` makes and ends them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.simulator.model import Account


@dataclass
class Code:
    """What a browser carries back to the App: exchanged once for a person's tokens."""

    user: Account
    redirect_uri: str
    challenge: str | None  # of PKCE, by S256
    made_at: datetime


@dataclass
class UserToken:
    """A person's token for the App (``text``) and the one that renews it (``refresh``); they end together."""

    user: Account
    text: str
    expires_at: datetime
    refresh: str
    refresh_expires_at: datetime
