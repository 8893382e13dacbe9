"""A pytest plugin: no secret that the tests make is seen in anything that they print, log, send or are answered.

Law: whoever makes a secret guards it (``guard``); tokens and keys are known by their form besides. Looked at: what each
test prints and logs, what the programs that it starts print, every HTTP request but for its Authorization header, and
every HTTP answer. A secret in any of them fails the test and names its kind, never itself. A test that shows a secret
on purpose says so: ``@pytest.mark.shows("API token")``.
"""

from __future__ import annotations

import contextlib
import re
import subprocess
from collections.abc import Callable, Generator, Iterable
from typing import Any, TypeVar, cast

import httpx
import pytest

FORMS = {
    "private key": ("PRIVATE KEY", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:\\n|\s)+[A-Za-z0-9+/]{40}")),
    "installation token": ("ghs_", re.compile(r"\bghs_[A-Za-z0-9_.-]{30,}")),
    "user token": ("ghu_", re.compile(r"\bghu_[A-Za-z0-9]{30,}")),
    "refresh token": ("ghr_", re.compile(r"\bghr_[A-Za-z0-9]{30,}")),
    "API token": ("lockstep_", re.compile(r"\blockstep_[A-Za-z0-9_-]{43}\b")),
    "App JWT": ("eyJ", re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{100,}")),
}
"""What each kind looks like, and a part of it that is looked for first, since that takes no time at all."""
MAY_ANSWER = {
    "installation token": "/access_tokens",
    "user token": "/login/oauth/access_token",
    "refresh token": "/login/oauth/access_token",
    "API token": "/api/v1/tokens",
    "private key": "/conversions",
}
"""The kinds that an answer to a POST is made to give, and the end of its path."""
MAY_ASK = dict.fromkeys(("client secret", "refresh token"), "/login/oauth/access_token")
"""The kinds that the body of a POST is made to carry."""
SHORTEST = 16

T = TypeVar("T")
_guarded: dict[str, str] = {}
_found: dict[str, None] = {}
"""What the present test has shown: sentences, in order."""


def guard(secret: str, kind: str) -> str:
    """From now on ``secret`` must be seen nowhere; of a PEM each line of the key itself. Gives it back."""
    lines = [line for line in secret.splitlines() if not line.startswith("-----")] if "\n" in secret else [secret]
    if not all(len(line) >= SHORTEST for line in lines[:-1] or lines):
        raise ValueError(f"a {kind} of fewer than {SHORTEST} characters could be an ordinary word")
    # The first line of a key tells its form and size only, and is the same for many.
    _guarded.update(dict.fromkeys([line for line in lines[len(lines) > 1 :] if len(line) >= SHORTEST], kind))
    return secret


def kinds_in(text: str) -> set[str]:
    """The kinds of all secrets that the text holds."""
    known = {kind for secret, kind in _guarded.items() if secret in text}
    return known | {kind for kind, (part, form) in FORMS.items() if part in text and form.search(text)}


def look(where: str, text: str | bytes | None, *, allowed: Iterable[str] = ()) -> None:
    """Remember each kind of secret that is seen, for the end of the test."""
    if not text:
        return
    shown = text if isinstance(text, str) else text.decode("utf-8", "replace")
    for kind in kinds_in(shown) - set(allowed):
        _found[f"{kind} in {where}"] = None


class Leaks:
    """The hooks. Everything that speaks HTTP or starts a program in this process is watched."""

    def __init__(self) -> None:
        self._undo = pytest.MonkeyPatch()

    def pytest_configure(self, config: pytest.Config) -> None:
        config.addinivalue_line("markers", "shows(kind, …): the test shows a secret of this kind on purpose")
        self._undo.setattr(httpx.Response, "read", _watched(httpx.Response.read))
        self._undo.setattr(httpx.Response, "aread", _awatched(httpx.Response.aread))
        self._undo.setattr(subprocess.Popen, "communicate", _overheard(subprocess.Popen.communicate))
        self._undo.setattr(pytest.CaptureFixture, "readouterr", _overheard(pytest.CaptureFixture.readouterr))

    def pytest_unconfigure(self) -> None:
        self._undo.undo()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        for name, text in report.sections:
            if name.endswith(report.when or ""):
                look(name.lower(), text)
        allowed = [kind for mark in item.iter_markers("shows") for kind in mark.args]
        found = [one for one in _found if not one.startswith(tuple(allowed))] if allowed else list(_found)
        _found.clear()
        if found and report.outcome != "failed":
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid} shows a secret: {'; '.join(found)}"
            report.sections = []
        return report


def _watched(read: Callable[[httpx.Response], bytes]) -> Callable[[httpx.Response], bytes]:
    def watched(response: httpx.Response) -> bytes:
        content = read(response)
        _look_at(response, content)
        return content

    return watched


def _awatched(read: Callable[[httpx.Response], Any]) -> Callable[[httpx.Response], Any]:
    async def watched(response: httpx.Response) -> bytes:
        content: bytes = await read(response)
        _look_at(response, content)
        return content

    return watched


def _look_at(response: httpx.Response, content: bytes) -> None:
    if response._request is None:
        return  # being made, by a transport of the test's own; it is read again by its client
    request = response.request
    call = f"{request.method} {request.url.path}"
    look(f"the address of {call}", str(request.url))
    look(f"a header of {call}", "\n".join(value for name, value in request.headers.items() if name != "authorization"))
    asked = request.method == "POST"
    carried = [kind for kind, end in MAY_ASK.items() if asked and request.url.path.endswith(end)]
    with contextlib.suppress(httpx.RequestNotRead):
        look(f"the body of {call}", request.content, allowed=carried)
    allowed = [kind for kind, end in MAY_ANSWER.items() if asked and request.url.path.endswith(end)]
    look(f"a header of the answer to {call}", "\n".join(response.headers.values()))
    look(f"the answer to {call}", content, allowed=allowed)


def _overheard(printing: Callable[..., T]) -> Callable[..., T]:
    """What gives standard output and errors as a pair."""

    def overheard(*given: Any, **named: Any) -> T:
        printed: Any = printing(*given, **named)
        for text in printed:
            look("what a program printed", text if isinstance(text, str | bytes) else None)
        return cast(T, printed)

    return overheard
