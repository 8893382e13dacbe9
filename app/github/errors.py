"""What can go wrong between us and GitHub, classified once.

Law: every failure is a value of one of three kinds (try again, ask a person, our bug), and says besides whether the
request may have acted. Nobody else looks at status codes to decide what to do next; a module that *expects* a status
(404 for an absent branch, 409 for an ended run) compares ``Failure.status`` and turns it into a value of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Protocol

import httpx

from app.domain import messages
from app.domain.budget import Held


class Kind(StrEnum):
    TRY_AGAIN = "try_again"
    ASK_A_PERSON = "ask_a_person"
    OUR_BUG = "our_bug"


class Acted(StrEnum):
    """Whether a failed request may have changed something at GitHub."""

    NOT_SENT = "not_sent"
    """Surely not sent: no connection, no token, or held back by pacing."""
    REFUSED = "refused"
    """Surely not acted: GitHub answered with a refusal."""
    UNCLEAR = "unclear"
    """It may have acted: the answer was lost, or was a 5xx (FACTS §1, *not idempotent*)."""


class Limit(StrEnum):
    PRIMARY = "primary"
    """The hourly allowance is used up; GitHub says when it is refilled."""
    SECONDARY = "secondary"
    """Too much at once (FACTS §4); concerns everything the installation sends."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a call brought nothing. ``reason`` is for people: short, no secrets in it, with the mend if there is one."""

    kind: Kind
    reason: str
    acted: Acted
    what: str = ""
    """The call, such as ``POST /repos/acme/repoA/statuses/…``."""
    status: int | None = None
    message: str = ""
    """GitHub's own words, to be recognised by the module that expects them."""
    retry_at: datetime | None = None
    """GitHub, or our own pacing, named the moment before which nothing is to be sent. None: the caller backs off."""
    limit: Limit | None = None
    held: Held | None = None
    """What a set is told, where limits are why nothing was done."""
    needs: str | None = None
    """The header ``X-Accepted-GitHub-Permissions`` of a 403, such as ``actions=write``."""
    request_id: str | None = None

    @property
    def again(self) -> bool:
        return self.kind is Kind.TRY_AGAIN

    @property
    def of_all(self) -> bool:
        """It is not about what was asked for: GitHub is away, or its limit is reached."""
        return self.acted is Acted.NOT_SENT or self.limit is not None


class Refusal(Protocol):
    """An HTTP answer of 300 and more, as ``wire.Reply`` has it."""

    @property
    def what(self) -> str: ...
    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def message(self) -> str: ...
    @property
    def request_id(self) -> str | None: ...


def of_answer(answer: Refusal, now: datetime) -> Failure:
    """Classify an HTTP answer that is not a success."""
    status = answer.status
    if status in (403, 429) and (limit := _limit(answer)) is not None:
        return _limited(answer, limit, now)
    if status >= 500 or status == 408:
        said, retry_at = f"GitHub could not answer ({status})", _retry_after(answer, now)
        return _failure(answer, Kind.TRY_AGAIN, said, acted=Acted.UNCLEAR, retry_at=retry_at)
    if status in (401, 403, 404, 405, 409, 410, 422, 451) or 300 <= status < 400:
        return _failure(answer, Kind.ASK_A_PERSON, _mend(answer), needs=_needs(answer))
    return _failure(answer, Kind.OUR_BUG, f"Lockstep does not expect this answer of GitHub's: {_quoted(answer)}")


def of_graphql(answer: Refusal, type_: str, message: str, now: datetime) -> Failure:
    """Classify an error of a whole GraphQL request, which GitHub sends with HTTP 200 (FACTS §4)."""
    said = message.lower()
    if type_ in ("RATE_LIMITED", "RATE_LIMIT") or "rate limit" in said:
        return _limited(answer, Limit.SECONDARY if "secondary" in said else Limit.PRIMARY, now)
    # Time-outs and faults inside GitHub say so; what remains is a document that does not fit the schema or its limits.
    passing = "something went wrong" in said or "timeout" in said or "timed out" in said
    return _failure(answer, Kind.TRY_AGAIN if passing else Kind.OUR_BUG, f"GitHub could not answer: {message or type_}")


def of_transport(error: httpx.TransportError, what: str) -> Failure:
    """Classify a request that brought no HTTP answer at all.

    The split is httpcore's: a connection, proxy or pool error is raised before the first byte of the request.
    """
    name = type(error).__name__
    if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        return Failure(Kind.OUR_BUG, f"The call could not be put into an HTTP request: {error}", Acted.NOT_SENT, what)
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | httpx.ProxyError):
        return Failure(Kind.TRY_AGAIN, f"GitHub could not be reached ({name})", Acted.NOT_SENT, what)
    return Failure(Kind.TRY_AGAIN, f"GitHub's answer was lost ({name})", Acted.UNCLEAR, what)


def unreadable(answer: Refusal, detail: str) -> Failure:
    """A success whose body is not what GitHub documents. It surely acted, but what it said is lost."""
    return _failure(answer, Kind.OUR_BUG, f"GitHub's answer could not be read: {detail}", acted=Acted.UNCLEAR)


def too_late(what: str, now: datetime) -> Failure:
    """We were stopped between the decision and the call: whether it is still wanted has to be looked at again."""
    reason = "The worker was held up before it could be sent; it is looked at again"
    return Failure(Kind.TRY_AGAIN, reason, Acted.NOT_SENT, what, retry_at=now)


def held_back(retry_at: datetime, what: str, held: Held | None, problem: str | None) -> Failure:
    """Our own pacing did not let the request go. ``problem``: why, where no limit is the cause."""
    reason = problem or messages.rate_limit(retry_at)
    return Failure(Kind.TRY_AGAIN, reason, Acted.NOT_SENT, what, retry_at=retry_at, held=held)


def _failure(
    answer: Refusal,
    kind: Kind,
    reason: str,
    *,
    acted: Acted = Acted.REFUSED,
    retry_at: datetime | None = None,
    limit: Limit | None = None,
    needs: str | None = None,
) -> Failure:
    status, said, request_id = answer.status, answer.message, answer.request_id
    return Failure(kind, reason, acted, answer.what, status, said, retry_at, limit, needs=needs, request_id=request_id)


def _limit(answer: Refusal) -> Limit | None:
    """Tell the limits apart from a missing permission, which is a 403 as well (FACTS §4)."""
    said = answer.message.lower()
    if "secondary rate" in said or "abuse" in said:
        return Limit.SECONDARY
    if answer.headers.get("x-ratelimit-remaining") == "0" or "api rate limit exceeded" in said:
        return Limit.PRIMARY
    if answer.status == 429 or "retry-after" in answer.headers or "rate limit" in said:
        return Limit.SECONDARY
    return None


def _limited(answer: Refusal, limit: Limit, now: datetime) -> Failure:
    retry_at = _retry_after(answer, now)
    if retry_at is None and answer.headers.get("x-ratelimit-remaining") == "0":
        retry_at = reset_at(answer.headers)
    return _failure(
        answer, Kind.TRY_AGAIN, f"GitHub's {limit.value} rate limit is reached", retry_at=retry_at, limit=limit
    )


def _retry_after(answer: Refusal, now: datetime) -> datetime | None:
    seconds = answer.headers.get("retry-after", "")
    return now + timedelta(seconds=int(seconds)) if seconds.isdecimal() else None


def reset_at(headers: Mapping[str, str]) -> datetime | None:
    """``x-ratelimit-reset`` (epoch seconds) and one second more, because GitHub cuts the fraction off."""
    seconds = headers.get("x-ratelimit-reset", "")
    return datetime.fromtimestamp(int(seconds) + 1, UTC) if seconds.isdecimal() else None


def _needs(answer: Refusal) -> str | None:
    return answer.headers.get("x-accepted-github-permissions") if answer.status == 403 else None


def _mend(answer: Refusal) -> str:
    """One sentence that says what a person can do about it."""
    if answer.status < 400:
        where = answer.headers.get("location", "nowhere")
        return f"GitHub redirects to {where}, another server: check the API address in the settings"
    if answer.status == 401:
        return f"GitHub does not accept the App: {_quoted(answer)}. Check the App's id and private key"
    if answer.status == 403 and "suspended" in answer.message.lower():
        return "The installation is suspended. Its owner can unsuspend it in its settings on GitHub"
    if answer.status == 403:
        needs = _needs(answer)
        grant = f"Grant the App {needs} and accept it for this installation" if needs else "Grant the App what it lacks"
        return f"GitHub refuses: {_quoted(answer)}. {grant}"
    if answer.status == 404 and answer.message in ("", "Not Found"):
        return "GitHub does not find it (404). It does not exist, or the App is not installed there"
    return f"GitHub refuses: {_quoted(answer)}"


def _quoted(answer: Refusal) -> str:
    return f"{answer.message.rstrip('.')} ({answer.status})" if answer.message else str(answer.status)
