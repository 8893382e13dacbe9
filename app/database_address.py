"""The address of a Postgres database, as the operator wrote it.

Law: two programs read it, SQLAlchemy and (for the queue) libpq. What one of them does not understand, or each in its
own way, is refused at the start, and the refusal repeats nothing of it: anything in it may be part of a password.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from pydantic import SecretStr

MASK = "********"

_SCHEMES = frozenset({"postgres", "postgresql", "postgresql+psycopg"})
_PORTS = range(1, 65536)
_EXPECTED = (
    "must be a Postgres address like postgresql://user:password@host:5432/lockstep, with parameters of Postgres only, "
    "and with %40 for @, %2F for / and the like in a password"
)


def psycopg_url(value: SecretStr) -> SecretStr:
    """Whichever way a Postgres address is written, in SQLAlchemy's form for psycopg 3."""
    scheme, _, rest = value.get_secret_value().strip().partition("://")
    if scheme not in _SCHEMES or not rest or not _understood(rest):
        raise ValueError(_EXPECTED)
    return SecretStr(f"postgresql+psycopg://{rest}")


def _understood(rest: str) -> bool:
    # Imported where a database is named: a command that only talks to the API needs neither.
    from psycopg import Error
    from psycopg.conninfo import conninfo_to_dict
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        queue = conninfo_to_dict(f"postgresql://{rest}")
        url = make_url(f"postgresql+psycopg://{rest}")
        ours = url.get_dialect()().create_connect_args(url)[1]
        ports = [int(port) for port in str(queue.get("port", "5432")).split(",")]
    except (Error, ArgumentError, ValueError):
        return False
    alike = queue == {name: str(part) for name, part in ours.items() if name != "context"}
    return alike and "@" not in str(queue.get("host", "")) and all(port in _PORTS for port in ports)


# However it is written: people forget to escape what a password holds. So it goes on to the last @ there is.
_PASSWORD = re.compile(r"(?<=://)([^/:@?#]*:)(.+)(?=@)|([?&](?:ssl)?password=)([^&#]*)", re.IGNORECASE)


def without_password(url: SecretStr) -> str:
    """An address that may be shown."""
    return _PASSWORD.sub(lambda found: f"{found[1] or found[3]}{MASK}", url.get_secret_value())


def passwords_of(url: SecretStr) -> list[str]:
    """Every password in an address, as it is written there and as it is meant."""
    found = [each[2] or each[4] for each in _PASSWORD.finditer(url.get_secret_value())]
    return list(dict.fromkeys(text for one in found if one for text in (one, unquote(one))))
