"""Logging for every process: one line per event, JSON where nobody watches, colours where somebody does.

Law: no secret leaves the process. Each rendered line is masked as a whole, so that messages, fields and tracebacks of
libraries are covered too: known values first, then everything that has the form of a credential. What people wrote
makes no line of its own and gives a terminal no orders.
"""

from __future__ import annotations

import io
import json
import logging
import re
import sys
from collections.abc import Callable, Iterable
from typing import TextIO

import structlog
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

MASK = "********"
_SHORTEST_SECRET = 6
"""Shorter values are not masked: they would turn ordinary words into stars and protect nothing."""

_FORMS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[A-Za-z0-9+/=\s]|\\+[nr])*(?:-----END [A-Z ]*PRIVATE KEY-----)?"
    r"|(?:gh[pousr]_|github_pat_)[A-Za-z0-9_.\-]{10,}"
    r"|(?<![A-Za-z0-9_\-])eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]+\.[A-Za-z0-9_\-]*"
    r"|(?<=://)[^\s/:@]*:[^\s/]+(?=@)"
)
"""Private keys, GitHub's tokens (any length: they grow), JSON web tokens, user:password in an address.

Linear in the length of the line, which may hold what anybody wrote: what begins anew inside itself is not tried again.
"""

_QUOTED = frozenset(" \t=\r\n\"'")

_CHATTY = ("httpx", "httpcore", "githubkit", "hishel", "uvicorn.access", "alembic.runtime.plugins")


def masker(secrets: Iterable[str] = ()) -> Callable[[str], str]:
    """A function that replaces each of ``secrets``, also in escaped form, and whatever looks like a credential."""
    long_enough = {secret for secret in secrets if len(secret) >= _SHORTEST_SECRET}
    forms = long_enough | {written(secret)[1:-1] for secret in long_enough for written in (repr, json.dumps)}
    known = re.compile("|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True)) or r"(?!)")
    return lambda text: _FORMS.sub(MASK, known.sub(MASK, text))


def configure(
    secrets: Iterable[str] = (), *, level: str = "INFO", json_lines: bool | None = None, stream: TextIO | None = None
) -> None:
    """Send structlog and the standard library's logging, masked, to ``stream`` (stderr); may be called again.

    ``json_lines`` left open means: JSON unless the stream is a terminal.
    """
    target = stream or sys.stderr
    as_json = not target.isatty() if json_lines is None else json_lines
    common: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*common, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=common,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_rendering(as_json, masker(secrets)),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)


def _rendering(as_json: bool, mask: Callable[[str], str]) -> list[Processor]:

    def whole(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
        return {**line, "event": mask(str(line.get("event", "")))}

    lines: list[Processor] = [whole, _printable, structlog.dev.ConsoleRenderer(exception_formatter=_traceback)]
    if as_json:
        lines = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]

    def masked(_logger: WrappedLogger, _method: str, line: EventDict | str) -> str:
        return mask(_escaped(str(line)) if as_json else str(line))

    return [*lines, masked]


def _escaped(text: str) -> str:
    """Letters that cannot be seen, as JSON and Python write them."""
    return text if text.isprintable() else "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


def _printable(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """For a terminal. Texts with blanks or quotes are left to the renderer, which writes them as Python does."""
    plain = [name for name, value in line.items() if isinstance(value, str) and not _QUOTED.intersection(value)]
    return {**line, **{name: _escaped(str(line[name])) for name in {"event", *plain} & line.keys()}}


def _traceback(stream: TextIO, raised: ExcInfo) -> None:
    text = io.StringIO()
    structlog.dev.plain_traceback(text, raised)
    stream.write("\n".join(map(_escaped, text.getvalue().split("\n"))))
