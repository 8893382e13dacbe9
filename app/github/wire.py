"""The wire: one HTTP request to GitHub, one value back.

Law: a request is sent once. Nothing is resent except where GitHub surely did not act: a redirect (followed with the
method kept, so a POST never turns into a GET, FACTS §9) and a 400 to an API version that the server does not know.
githubkit carries the requests; its own retries, redirects, error classes and cache are off, because it resends POSTs,
reads the machine's clock and raises (LIBRARIES).
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

import httpx
import structlog
from githubkit import GitHubCore, Response, UnauthAuthStrategy
from githubkit.exception import RequestError

from app.github import errors
from app.github.addresses import is_loopback, same_origin
from app.github.errors import Failure

log = structlog.get_logger("app.github")

NEWEST = "2026-03-10"
OLDER = "2022-11-28"
"""GHES up to 3.20 knows only this one (FACTS §0)."""

_REDIRECTS = (301, 302, 307, 308)
_MOST_HOPS = 3


@dataclass(frozen=True, slots=True)
class Call:
    """A request to be made. ``path`` is encoded already: below the API's base, or a whole URL on the same host."""

    method: str
    path: str
    params: Mapping[str, str | int] = field(default_factory=dict)
    body: Any = None
    older_body: Mapping[str, Any] = field(default_factory=dict)
    """Keys that the body has besides in version 2022-11-28 only. Which version it is shows when the call is sent."""
    versioned: bool = True
    """False: sent without ``X-GitHub-Api-Version`` (GraphQL has none)."""
    accept: str | None = None
    """What is asked for in the place of GitHub's own media type, where that would be answered with a form."""

    @property
    def what(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Reply:
    """GitHub's answer, whatever its status. Header names are in lower case."""

    call: Call
    status: int
    headers: Mapping[str, str]
    content: bytes
    next_url: str | None = None
    """The next page, from the ``Link`` header: its path and query, so that no other server is ever asked."""

    @property
    def what(self) -> str:
        return self.call.what

    @property
    def request_id(self) -> str | None:
        return self.headers.get("x-github-request-id")

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def message(self) -> str:
        """GitHub's ``message`` with the texts of its ``errors``, or empty."""
        try:
            body = json.loads(self.content)
        except ValueError:
            return ""
        if not isinstance(body, dict):
            return ""
        details = body.get("errors")
        texts = [_error_text(one) for one in details] if isinstance(details, list) else [str(details or "")]
        said = [str(body.get("message") or ""), *texts]
        return " ".join(text for text in dict.fromkeys(said) if text)


class _Core(GitHubCore[UnauthAuthStrategy]):
    """githubkit without opinions on errors, and with one connection pool for all tasks.

    ``GitHubCore`` keeps its client in a context variable: tasks started elsewhere (a web server's) would not see it and
    open a pool per call.
    """

    pool: httpx.AsyncClient | None = None

    async def open(self, stack: AsyncExitStack) -> None:
        self.pool = await stack.enter_async_context(await self._create_async_client())

    @asynccontextmanager
    async def get_async_client(self) -> AsyncGenerator[httpx.AsyncClient, None]:
        if self.pool is None:
            raise RuntimeError("The connection to GitHub is not open: use GitHub as an async context manager")
        yield self.pool

    def _check_is_error(self, response: httpx.Response) -> bool:
        return False

    def _check_rate_limit(self, response: Response[Any]) -> None:
        return None


class Wire:
    """One server's connection pool and the API version that it understands.

    :param timeout: seconds for each phase of a request (connect, send, first byte).
    """

    def __init__(self, api_url: str, *, clock: Callable[[], datetime], timeout: float = 10.0) -> None:
        self._clock = clock
        self._stack = AsyncExitStack()
        self._core = _Core(
            base_url=api_url,
            user_agent="lockstep",
            follow_redirects=False,
            timeout=timeout,
            # A proxy of the environment is for the world outside, never for a server on this machine.
            trust_env=not is_loopback(api_url),
            # Without TLS there is nothing to verify, and reading all certificates takes longer than all the rest.
            ssl_verify=not api_url.startswith("http://"),
            http_cache=False,
            auto_retry=False,
        )
        self.version = NEWEST
        self._version_proven = False
        self.run_details = True
        """False once a server has rejected ``return_run_details`` (GHES up to 3.20, FACTS §1)."""

    async def __aenter__(self) -> Self:
        await self._core.open(self._stack)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()
        self._core.pool = None

    async def send(self, call: Call, authorization: str) -> Reply | Failure:
        """Make the call. A ``Reply`` is a 2xx (or 304); everything else is a classified ``Failure``.

        :param authorization: the header's value; empty: none is sent.
        """
        reply = await self._negotiated(call, authorization)
        if isinstance(reply, Failure) or reply.ok or reply.status == 304:
            return reply
        return errors.of_answer(reply, self._clock())

    async def _negotiated(self, call: Call, authorization: str) -> Reply | Failure:
        """Fall back to the older API version when the first calls show that the server does not know the newest."""
        reply = await self._follow(call, authorization, self.version)
        if isinstance(reply, Failure) or not call.versioned or self._version_proven:
            return reply
        if reply.status != 400 or self.version == OLDER:
            self._version_proven = reply.ok
            return reply
        older = await self._follow(call, authorization, OLDER)
        if isinstance(older, Reply) and older.ok:
            self.version, self._version_proven = OLDER, True
        return older

    async def _follow(self, call: Call, authorization: str, version: str) -> Reply | Failure:
        reply = await self._once(call, call.path, authorization, version)
        for _ in range(_MOST_HOPS):
            if isinstance(reply, Failure) or reply.status not in _REDIRECTS:
                return reply
            base = self._core.config.base_url
            target = base.join(reply.headers.get("location", ""))
            if not same_origin(target, base):
                # The credentials are GitHub's: no other host gets them.
                return errors.of_answer(reply, self._clock())
            reply = await self._once(call, str(target), authorization, version)
        return reply

    async def _once(self, call: Call, url: str, authorization: str, version: str) -> Reply | Failure:
        headers = {"Authorization": authorization} if authorization else {}
        if call.accept is not None:
            headers["Accept"] = call.accept
        if call.versioned:
            headers["X-GitHub-Api-Version"] = version
        body = {**call.body, **call.older_body} if call.older_body and version == OLDER else call.body
        started = time.monotonic()
        try:
            response = await self._core.arequest(
                call.method, url, params=dict(call.params) or None, json=body, headers=headers
            )
        except RequestError as error:
            if not isinstance(error.exc, httpx.TransportError):
                raise
            failure = errors.of_transport(error.exc, call.what)
            log.warning("github gave no answer", call=call.what, error=type(error.exc).__name__, acted=failure.acted)
            return failure
        reply = _reply(call, response.raw_response)
        _note(reply, time.monotonic() - started)
        return reply


def _reply(call: Call, response: httpx.Response) -> Reply:
    link = response.links.get("next", {}).get("url")
    next_page = None if link is None else str(response.url.copy_with(raw_path=httpx.URL(link).raw_path))
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Reply(call, response.status_code, headers, response.content, next_page)


def _note(reply: Reply, seconds: float) -> None:
    note = log.debug if reply.status < 400 else log.warning
    note(
        "github answered",
        call=reply.what,
        status=reply.status,
        request_id=reply.request_id,
        milliseconds=round(seconds * 1000),
    )


def _error_text(error: object) -> str:
    if isinstance(error, dict):
        return str(error.get("message") or error.get("code") or "")
    return str(error)
