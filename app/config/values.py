"""How single values are written: durations, names, patterns, crons, addresses.

Each function takes the text of one value and gives the value, or a ``Flaw`` that continues the words
`"timeout" in build repoB …`. Pure; linear in the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from cronsim import CronSim, CronSimError

from app.config.patterns import PatternError, compile_glob, compile_regex
from app.config.problems import Flaw, quoted

DURATION_PATTERN: Final = r"^(?:[0-9]{1,6}d)?(?:[0-9]{1,6}h)?(?:[0-9]{1,6}m)?(?:[0-9]{1,6}s)?$"
NAME_PATTERN: Final = r"^[A-Za-z0-9._-]{1,100}$"
REPOSITORY_PATTERN: Final = r"^(?:[A-Za-z0-9-]{1,39}/)?[A-Za-z0-9._-]{1,100}$"
WORKFLOW_PATTERN: Final = r"^(?:\.github/workflows/)?[^/\s]+\.ya?ml$"
INPUT_NAME_PATTERN: Final = r"^[A-Za-z_][A-Za-z0-9_-]{0,99}$"
VARIABLE_PATTERN: Final = r"^LOCKSTEP_NOTIFY_[A-Z0-9_]+$"
SHARE_PATTERN: Final = r"^[0-9]{1,3}%$"
DAYS_PATTERN: Final = r"^(?:mon|tue|wed|thu|fri|sat|sun)(?:-(?:mon|tue|wed|thu|fri|sat|sun))?$"
MAX_STATUS: Final = 255
"""Longest context that GitHub takes for a commit status."""
MAX_PATTERN: Final = 1000
MAX_GLOB: Final = 255
"""As long as GitHub lets a branch's name be."""
MAX_GLOBS: Final = 100
"""They are matched together against each branch that is heard of: their length is what a delivery costs all owners."""
RESERVED_STATUSES: Final = frozenset({"orchestrator-merge", "orchestrator-config", "lockstep-probe"})

_UNITS: Final = (("d", "days"), ("h", "hours"), ("m", "minutes"), ("s", "seconds"))
_DURATION_HELP: Final = "Write it with units, such as 30s, 10m, 2h, 7d or 1h30m."
_BAD_REF = re.compile(r"[\s\x00-\x1f\x7f~^:?*\[\\]|\.\.|@\{|//|^[/.-]|[/.]$|\.lock$")


def _matches(pattern: str, text: str) -> re.Match[str] | None:
    # "$" also matches before a final line break, which a quoted YAML scalar can hold.
    return None if text.endswith("\n") else re.match(pattern, text)


def duration(low: timedelta, high: timedelta) -> Callable[[str], timedelta | Flaw]:
    """Reader of a duration from ``low`` to ``high``: ``30s``, ``10m``, ``7d``, or units combined, longest first."""

    def read(text: str) -> timedelta | Flaw:
        if not text or not _matches(DURATION_PATTERN, text):
            help_ = f'Write "{text}s" or "{text}m".' if re.fullmatch("[0-9]{1,6}", text) else _DURATION_HELP
            return Flaw(f"must be a duration, not {quoted(text)}", help_)
        amounts = {unit: int(n) for n, unit in re.findall(r"([0-9]+)([dhms])", text)}
        value = timedelta(**{word: amounts.get(unit, 0) for unit, word in _UNITS})
        if not low <= value <= high:
            bounds = f"from {written(low)} to {written(high)}"
            return Flaw(f"must be {bounds}, not {quoted(text)}", f"Write a value {bounds}.")
        return value

    return read


def written(value: timedelta) -> str:
    """A duration as a config file would write it."""
    rest = int(value.total_seconds())
    parts: list[str] = []
    for unit, seconds in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        amount, rest = divmod(rest, seconds)
        if amount:
            parts.append(f"{amount}{unit}")
    return "".join(parts) or "0s"


def name(text: str) -> str | Flaw:
    """Name of a pipeline, build or fleet: it stands in addresses, statuses and commands."""
    if not _matches(NAME_PATTERN, text) or text in (".", ".."):
        return Flaw(f"must not be {quoted(text)}", 'Use letters, digits, ".", "_" and "-", at most 100.')
    return text


def repository(owner: str) -> Callable[[str], str | Flaw]:
    """Reader of a repository's name, cut to the short one; ``owner/`` before it must be this owner ("" takes any)."""

    def read(text: str) -> str | Flaw:
        if not _matches(REPOSITORY_PATTERN, text) or text.split("/")[-1] in (".", ".."):
            return Flaw(f"must be a repository's name, not {quoted(text)}", "Write its short name, such as repoA.")
        return _of_owner(owner, text)

    return read


def _of_owner(owner: str, text: str) -> str | Flaw:
    prefix, _, short = text.rpartition("/")
    if prefix and owner and prefix.lower() != owner.lower():
        reason = f"must not be {quoted(text)}, which is not {owner}'s"
        return Flaw(reason, f"All of a config lives with one owner; give {prefix} a config of its own.")
    return short


def build_name(owner: str) -> Callable[[str], str | Flaw]:
    """Reader of a build's name; ``owner/repository`` is cut to the short name as in ``repository``."""
    full = repository(owner)
    return lambda text: full(text) if "/" in text else name(text)


def repository_glob(owner: str) -> Callable[[str], str | Flaw]:
    """Reader of a repository's name or of a glob over the short names of this owner's repositories."""
    plain = repository(owner)

    def read(text: str) -> str | Flaw:
        if not any(mark in text for mark in "*?["):
            return plain(text)
        short = _of_owner(owner, text)
        return short if isinstance(short, Flaw) else glob(short)

    return read


def workflow(text: str) -> str | Flaw:
    """File name of a workflow, cut to the name GitHub's dispatch endpoint takes (FACTS §1)."""
    if not _matches(WORKFLOW_PATTERN, text):
        reason = f"must be the name of a file in .github/workflows, not {quoted(text)}"
        return Flaw(reason, "Write it with .yml or .yaml at the end, such as build.yml.")
    return text.rpartition("/")[2]


def regex(text: str) -> str | Flaw:
    """A linear-time (RE2) regular expression, with no named group but ``key``; the text itself is the value."""
    if len(text) > MAX_PATTERN:
        return Flaw(f"must be at most {MAX_PATTERN} characters long", "Shorten it.")
    try:
        groups = compile_regex(text).groupindex
    except PatternError as error:
        help_ = "Expressions are RE2's: linear time, without back-references and look-around."
        return Flaw(f"is not a regular expression: {error}", help_)
    strange = sorted(set(groups) - {"key"})
    if strange:
        return Flaw(f"has the named group {quoted(strange[0])}", "(?P<key>…) gives the key; use (…) for other groups.")
    return text


def glob(text: str) -> str | Flaw:
    """A glob over names with "/" in them; the text itself is the value."""
    if not text or len(text) > MAX_GLOB:
        return Flaw(f"must be a glob of 1 to {MAX_GLOB} characters", "Such as release/*.")
    try:
        compile_glob(text)
    except PatternError as error:
        return Flaw(f"is not a glob: {error}", '"*" stands for anything but "/", "**" for anything.')
    return text


def ref(text: str) -> str | Flaw:
    """A branch or tag; GitHub dispatches no SHA (FACTS §1)."""
    if re.fullmatch(r"[0-9a-fA-F]{40}|[0-9a-fA-F]{64}", text):
        return Flaw("must be a branch or a tag, not a SHA", "GitHub starts workflows on branches and tags only.")
    if not text or len(text) > 255 or _BAD_REF.search(text):
        return Flaw(f"must be a branch or a tag, not {quoted(text)}", 'Write "default" for the default branch.')
    return text


def status(text: str) -> str | Flaw:
    """Context of a commit status: one line, at most 255 characters, none of those that Lockstep posts by itself."""
    if not text or len(text) > MAX_STATUS or text != text.strip() or not text.isprintable():
        reason = f"must be one line of 1 to {MAX_STATUS} characters without space around it, not {quoted(text)}"
        return Flaw(reason, "It is the name that rulesets require, such as orchestrator-build.")
    if text.lower() in RESERVED_STATUSES:
        return Flaw(f"must not be {quoted(text)}, which Lockstep posts with another meaning", "Choose another name.")
    return text


def cron(text: str) -> str | Flaw:
    """A cron expression of exactly five fields; the text itself is the value."""
    if len(text) > MAX_PATTERN or len(text.split()) != 5:
        reason = f"must have five fields (minute, hour, day, month, weekday), not {quoted(text)}"
        return Flaw(reason, "Such as '0 2 * * *' for every night at two.")
    try:
        CronSim(text, datetime(2000, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        field = str(error).removeprefix("Bad ")
        return Flaw(f"has a bad {field} field in {quoted(text)}", "Such as '0 2 * * *' for every night at two.")
    return text


@cache
def _timezones() -> tuple[str, ...]:
    return tuple(sorted(available_timezones()))


def timezone(text: str) -> str | Flaw:
    """Name of a time zone of the IANA database."""
    if text not in _timezones():
        return Flaw(f"must be a time zone, not {quoted(text)}", "Such as UTC or Europe/Berlin.", text, _timezones())
    return text


def weekdays(text: str) -> str | Flaw:
    """A weekday or a range of them, such as ``mon-fri``."""
    if not _matches(DAYS_PATTERN, text.lower()):
        return Flaw(f"must hold weekdays, not {quoted(text)}", "Such as mon-fri or sat.")
    return text.lower()


def share(text: str) -> str | Flaw:
    """A count such as ``3``, or a percentage from 1% to 100%."""
    digits = text.removesuffix("%")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 6 or int(digits) < 1:
        return Flaw(f"must be a count or a percentage, not {quoted(text)}", "Such as 3 or 10%.")
    if text.endswith("%") and int(digits) > 100:
        return Flaw(f"must be at most 100%, not {quoted(text)}", "Write a value from 1% to 100%.")
    return text


def url(text: str) -> str | Flaw:
    """An address for a link on a page: http or https, with a host."""
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and text.isprintable() and " " not in text
    except ValueError:
        good = False
    return text if good else Flaw(f"must be an address, not {quoted(text)}", "Such as https://example.org/page.")


def notify_variable(owner: str) -> Callable[[str], str | Flaw]:
    """Reader of the name of a variable that this owner's ``notify`` may use (CONTRACT §1; "" takes any owner's)."""
    prefix = f"LOCKSTEP_NOTIFY_{owner.upper().replace('-', '_')}_" if owner else "LOCKSTEP_NOTIFY_"

    def read(text: str) -> str | Flaw:
        if not _matches(VARIABLE_PATTERN, text) or not text.startswith(prefix) or text == prefix:
            reason = f"must name a variable that starts with {prefix}, not {quoted(text)}"
            return Flaw(reason, f"Such as {prefix}HOOK; no other variable can be read from here.")
        return text

    return read
