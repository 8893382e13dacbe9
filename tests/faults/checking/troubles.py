"""When somebody was not well, or GitHub refused: time that does not count.

Law: a trouble lasts until everything came to rest after it; that of a struck request, as long as a refusal may last.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

Json = dict[str, Any]

STRUCK = timedelta(minutes=2)


def moment(entry: Json) -> datetime:
    return datetime.fromisoformat(entry["at"])


def troubles(log: list[Json], *, struck: bool = True) -> list[tuple[datetime, datetime]]:
    """Spans in which somebody was not well or (``struck``) GitHub refused, merged and in order."""
    spans: list[tuple[datetime, datetime]] = []
    since: dict[str, datetime] = {}
    for entry in log:
        if entry["kind"] != "world" or entry["path"] not in ("fault", "note"):
            continue
        body, now = entry["body"], moment(entry)
        if entry["path"] == "fault":
            spans += [(now, now + STRUCK)] if struck and body["on"] == "request" else []
        elif body["what"] in ("killed", "stopped", "postgres restarts"):
            since[body.get("process", "postgres")] = now
        elif body["what"] in ("rest", "end"):
            spans += [(begun, now) for begun in since.values()]
            since.clear()
    return _merged(sorted(spans))


def _merged(spans: list[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    whole: list[tuple[datetime, datetime]] = []
    for begins, ends in spans:
        if whole and begins <= whole[-1][1]:
            whole[-1] = (whole[-1][0], max(whole[-1][1], ends))
        else:
            whole.append((begins, ends))
    return whole
