"""What the App and its service share, made on the spot: no key is ever kept."""

from __future__ import annotations

import functools
import secrets
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.leaks import guard


@dataclass(frozen=True)
class Credentials:
    app_id: int
    private_key: str = field(repr=False)
    public_key: str
    webhook_secret: str = field(repr=False)


@functools.cache
def make_credentials() -> Credentials:
    """Once in each process: a key takes long to make, and each secret is searched in all that the tests show."""
    key = generate_private_key(public_exponent=65537, key_size=2048)
    private = guard(
        key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode(), "private key"
    )
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return Credentials(7, private, public, guard(secrets.token_hex(20), "webhook secret"))
