"""Where a list goes on: the key of the last item, packed so that nobody is tempted to make one up.

Law: a cursor is what a former answer gave, or the request is a 422.
"""

from __future__ import annotations

import base64
import json
import re
from datetime import datetime
from typing import Any

from fastapi.exceptions import RequestValidationError

_NAME = re.compile(r"[!-~]{1,100}")


def packed(*values: str | int) -> str:
    """The cursor of these values."""
    return base64.urlsafe_b64encode(json.dumps(values, separators=(",", ":")).encode()).decode().rstrip("=")


def of_moment(moment: datetime, name: str) -> str:
    return packed(moment.isoformat(), name)


def moment_and_name(cursor: str | None) -> tuple[datetime, str] | None:
    """:raises RequestValidationError: it is none of ours."""
    if cursor is None:
        return None
    match _unpacked(cursor):
        case [str(written), str(name)] if _NAME.fullmatch(name):
            try:
                moment = datetime.fromisoformat(written)
            except ValueError:
                raise _strange() from None
            if moment.tzinfo is not None and 1970 <= moment.year < 9000:
                return moment, name
    raise _strange()


def number(cursor: str | None) -> int | None:
    """:raises RequestValidationError: it is none of ours."""
    if cursor is None:
        return None
    match _unpacked(cursor):
        case [int(found)] if 0 <= found < 2**63:
            return int(found)
    raise _strange()


def _unpacked(cursor: str) -> Any:
    try:
        return json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (ValueError, RecursionError):  # binascii.Error and JSONDecodeError are ValueErrors
        raise _strange() from None


def _strange() -> RequestValidationError:
    message = "is none that Lockstep gave; leave it out to start at the beginning"
    return RequestValidationError([{"type": "value_error", "loc": ("query", "cursor"), "msg": message}])
