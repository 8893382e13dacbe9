"""Kinds of values that several sections share, and their bounds."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from app.config import values
from app.config.kinds import Integer, Text, text

RUN_LIMIT: Final = timedelta(days=35)
"""GitHub ends every run after 35 days (FACTS §1)."""

SECOND: Final = timedelta(seconds=1)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)


def duration(low: timedelta, high: timedelta) -> Text:
    """A length of time within bounds."""
    return text(values.duration(low, high), pattern=values.DURATION_PATTERN, minLength=2)


def repository(located: bool = False) -> Text:
    """A repository of the config's owner, given by its short name."""
    schema = {"type": "string", "pattern": values.REPOSITORY_PATTERN}
    return Text(lambda place: values.repository(place.owner), schema, located)


NAME: Final = text(values.name, located=True, pattern=values.NAME_PATTERN)
WORKFLOW: Final = text(values.workflow, pattern=values.WORKFLOW_PATTERN)
GLOB: Final = Text(lambda place: values.glob, {"type": ["string", "number"], "minLength": 1})
REF: Final = Text(lambda place: values.ref, {"type": ["string", "number"], "minLength": 1, "maxLength": 255})
RETRIES: Final = Integer(0, 10)
PARALLEL: Final = Integer(1, 1000)
TIMEOUT: Final = duration(SECOND, RUN_LIMIT)
