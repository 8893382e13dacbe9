"""Where processes share the tokens of installations, and the seal on what they share.

Law: nothing is kept in the clear, and what is sealed is of no use without the App's private key: neither to whoever
reads the place where it is kept, nor, of another installation or class, to whoever writes there.
"""

from __future__ import annotations

import os
from datetime import datetime
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

Place = tuple[int, str]
"""An installation and a class of tokens; of a person's tokens, the person and the session."""

_NONCE = 12


class Vault(Protocol):
    """Sealed tokens, one for each place. Never raises: where it cannot be reached, everybody has to ask GitHub."""

    async def take(self, place: Place, needed_until: datetime) -> bytes | str | None:
        """A sealed token that lives past ``needed_until``.

        Text: there is none, and it is the caller's turn, which has this name, to ask GitHub for one. None: it is
        somebody else's turn, who may be dead: turns end by themselves after some seconds.
        """
        ...

    async def put(self, place: Place, turn: str, sealed: bytes, expires_at: datetime) -> None:
        """What came of a turn, unless it has ended meanwhile."""
        ...

    async def pass_on(self, place: Place, turn: str) -> None:
        """Nothing came of a turn: the next may try."""
        ...

    async def drop(self, place: Place, sealed: bytes) -> None:
        """This one is of no use, if it is still there."""
        ...


class Unshared:
    """For a process that shares its installations with no other: it is always its turn."""

    async def take(self, place: Place, needed_until: datetime) -> bytes | str | None:
        return ""

    async def put(self, place: Place, turn: str, sealed: bytes, expires_at: datetime) -> None:
        return None

    async def pass_on(self, place: Place, turn: str) -> None:
        return None

    async def drop(self, place: Place, sealed: bytes) -> None:
        return None


class Seal:
    """AES-256-GCM under a key that follows from the App's private key, however that is written.

    :param what: what is sealed, in words; a seal for one thing opens no other.
    """

    def __init__(self, app_id: str, key: RSAPrivateKey, what: str = "installation tokens") -> None:
        secret = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        derived = HKDF(SHA256(), length=32, salt=None, info=f"lockstep {what}".encode()).derive(secret)
        self._cipher = AESGCM(derived)
        self._app_id = app_id

    def close(self, text: str, place: Place) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, text.encode(), self._about(place))

    def open(self, sealed: bytes, place: Place) -> str | None:
        """None: it was sealed by another key, for another place, or is no seal at all."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], self._about(place)).decode()
        except (InvalidTag, ValueError):
            return None

    def _about(self, place: Place) -> bytes:
        return f"{self._app_id} {place[0]} {place[1]}".encode()
