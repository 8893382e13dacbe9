"""The forms a single setting may take, and what they become. Pure but for the reading of a named file.

Law: what cannot be understood is a ``ValueError`` whose text follows the variable's name in a sentence ("… must be an
address like …") and never repeats a value that could be a secret.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import SplitResult, urlsplit, urlunsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import SecretStr

GITHUB_API = "https://api.github.com"
GITHUB_WEB = "https://github.com"

_ADDRESS_EXPECTED = "must be an address like https://github.example.com, without user, query or fragment"
_HOST_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_REPOSITORY_NAME = re.compile(r"(?!\.\.?$)[A-Za-z0-9._-]{1,100}")
_LOGIN_OR_ANY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,38}|\*")
_LONGEST_PATH = 500


def comma_separated(value: object) -> object:
    """``"a, b"`` as ``("a", "b")``; anything but text is left to the type's own check."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def web_address(value: str) -> str:
    """An http(s) address without a slash at its end."""
    try:
        parts = urlsplit(value.strip())
        sound = parts.scheme in ("http", "https") and _names_a_host(parts)
    except ValueError:
        raise ValueError(_ADDRESS_EXPECTED) from None
    if not sound or "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError(_ADDRESS_EXPECTED)
    return urlunsplit((parts.scheme, parts.netloc.lower(), parts.path.rstrip("/"), "", ""))


def _names_a_host(parts: SplitResult) -> bool:
    """:raises ValueError: the port is no number, or the host in brackets no address."""
    host = parts.hostname or ""
    return parts.port != 0 and bool(ip_address(host) if ":" in host else _HOST_NAME.fullmatch(host))


def api_address(value: str) -> str:
    """The root of a REST API: api.github.com, ``https://HOST/api/v3`` (GHES) or ``https://api.NAME.ghe.com``."""
    address = web_address(value)
    if urlsplit(address).hostname in ("github.com", "www.github.com"):
        raise ValueError(f"is GitHub's web address, not its API's; use {GITHUB_API}")
    return address


def web_of_api(api: str) -> str:
    """Where people see what is behind this API (FACTS §9). Used for links only, so that a wrong guess harms nothing."""
    parts = urlsplit(api)
    return urlunsplit((parts.scheme, parts.netloc.removeprefix("api."), parts.path.removesuffix("/api/v3"), "", ""))


def likely_api_of(web: str) -> str:
    """What an operator probably means. Only for messages: a wrong guess would send signed tokens to a stranger."""
    parts = urlsplit(web)
    if parts.netloc.endswith(".ghe.com"):
        return f"{parts.scheme}://api.{parts.netloc}"
    return f"{web.rstrip('/')}/api/v3"


def rsa_private_key(value: SecretStr) -> SecretStr:
    """A PEM (PKCS#1 or #8) with real line ends: platforms often keep it on one line, with its line ends escaped."""
    text = value.get_secret_value().replace("\\n", "\n").strip() + "\n"
    try:
        key = _read_key(text)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("is no private key in PEM form; give the whole .pem file that GitHub made") from None
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("is no RSA key; GitHub Apps sign with the RSA key that GitHub made for them")
    return SecretStr(text)


@lru_cache(maxsize=1)
def _read_key(text: str) -> object:
    """Once for each key: to check its numbers takes longer than all other settings together."""
    return load_pem_private_key(text.encode(), password=None)


def logins(owners: tuple[str, ...]) -> tuple[str, ...]:
    """GitHub logins in lower case (they compare without case), or ``*`` for any."""
    if not owners:
        raise ValueError("names nobody; give logins separated by commas, or * for any")
    for owner in owners:
        if not _LOGIN_OR_ANY.fullmatch(owner):
            raise ValueError(
                f"holds {owner!r}, which is no GitHub login; give logins separated by commas, or * for any"
            )
    return tuple(owner.lower() for owner in owners)


def repository_name(name: str) -> str:
    if not _REPOSITORY_NAME.fullmatch(name):
        raise ValueError("must be a repository's name without its owner, like orchestrator")
    return name


def path_in_repository(path: str) -> str:
    if not path.isprintable() or {"", ".", ".."} & set(path.split("/")):
        raise ValueError("must be a path inside the repository, like orchestrator.yml")
    return path


def readable_file(path: Path) -> Path:
    """The absolute path of a file that can be read as text now, and again."""
    text_of(path)
    file = at_home(path).absolute()
    if not file.is_file():
        raise ValueError(f"names {path}, which is no plain file; correct the path")
    return file


def text_of(path: Path) -> str:
    if len(str(path)) > _LONGEST_PATH or not str(path).isprintable() or "PRIVATE KEY" in str(path):
        # Somebody put in what the file holds, which may be a key.
        raise ValueError("must be the path of a file, not what the file holds")
    try:
        return at_home(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ValueError(f"names {path}, which cannot be read ({reason}); correct the path or its rights") from None


def at_home(path: Path) -> Path:
    """``~`` and ``~name`` in front are somebody's home directory."""
    if not str(path).isprintable():
        raise ValueError("must be a path, in letters that can be seen")
    try:
        return path.expanduser()
    except RuntimeError:
        raise ValueError(f"names {path}, but there is no such home directory; write the whole path") from None
