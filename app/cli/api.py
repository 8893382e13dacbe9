"""A small client of Lockstep's API, for the terminal.

Law: what the API refuses becomes one sentence and an exit status; a token is shown nowhere.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, ClassVar, Self
from urllib.parse import quote

import httpx
from dotenv import dotenv_values

from app.errors import OperatorError, Unreachable
from app.settings import env_file

DEFAULT_URL = "http://127.0.0.1:8000"
OVER = frozenset({"passed", "failed", "error", "cancelled", "superseded"})
WATCH_SECONDS = 1.0
PATIENCE = 10
"""So many polls in a row may fail while watching: a restart of Lockstep is waited out."""


class Refused(OperatorError):
    """The API says no: the state of things does not allow it."""

    exit_code: ClassVar[int] = 1


class Api:
    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._http = httpx.Client(timeout=30, headers={"authorization": f"Bearer {token}"})

    @classmethod
    def from_environment(cls) -> Self:
        """:raises OperatorError: LOCKSTEP_TOKEN is missing."""
        file = env_file()
        values: Mapping[str, str | None] = {**(dotenv_values(file) if file else {}), **os.environ}
        token, url = values.get("LOCKSTEP_TOKEN"), values.get("LOCKSTEP_URL") or DEFAULT_URL
        if not token or not token.isascii() or not token.isprintable():
            what = "malformed" if token else "missing"
            raise OperatorError(f"LOCKSTEP_TOKEN is {what}: set it to a token that lockstep token create has made.")
        if not url.startswith(("http://", "https://")):
            raise OperatorError(f"LOCKSTEP_URL must be an address like https://lockstep.example.com, not {url}")
        return cls(url, token)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.close()

    @staticmethod
    def quoted(part: str) -> str:
        return quote(part, safe="")

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        return self._ask("GET", path, params=query)

    def post(self, path: str, body: Any = None) -> Any:
        return self._ask("POST", path, json=body) if body is not None else self._ask("POST", path)

    def items(self, path: str, query: Mapping[str, str]) -> list[dict[str, Any]]:
        """All items of a list, page by page."""
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            page = self.get(path, {**query, "limit": "100", **({"cursor": cursor} if cursor else {})})
            found += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return found

    def find(self, subject: str) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
        """The change set and the orchestration that a key or an id names.

        :raises OperatorError: it names nothing, or several sets.
        """
        found = self._by_id("change-sets", subject)
        if found is None:
            orchestration = self._by_id("orchestrations", subject)
            if orchestration is not None:
                return None, orchestration
            found = self._by_key(subject)
        current = found["orchestration_id"]
        return found, self.get(f"/orchestrations/{current}") if current else None

    def orchestration_of(self, subject: str) -> dict[str, Any]:
        found = self.find(subject)[1]
        if found is None:
            raise Refused(f"{subject} has no orchestration: nothing of it was built yet.")
        return found

    def changes(self, orchestration: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """How it goes on, a state at a time, until it is over."""
        failures = 0
        while orchestration["state"] not in OVER:
            self.pause(WATCH_SECONDS)
            try:
                orchestration = self.get(f"/orchestrations/{orchestration['id']}")
            except Unreachable:
                failures += 1
                if failures > PATIENCE:
                    raise
                continue
            failures = 0
            yield orchestration

    def pause(self, seconds: float) -> None:
        time.sleep(seconds)

    def _by_id(self, kind: str, subject: str) -> dict[str, Any] | None:
        if not subject.isascii() or not subject.replace("-", "").isalnum() or len(subject) > 64:
            return None
        answer = self._send("GET", f"/{kind}/{subject}")
        return None if answer.status_code == 404 else dict(self._judged(answer))

    def _by_key(self, key: str) -> dict[str, Any]:
        known = [one for one in self.items("/change-sets", {"q": key}) if one["key"] == key]
        found = [one for one in known if one["state"] == "open"] or known[:1]
        if not found:
            raise OperatorError(f"There is no change set or orchestration {key}. lockstep status lists the open ones.")
        if len(found) > 1:
            listed = ", ".join(f"{o['id']} ({o['owner']}/{o['pipeline']}, {o['base_line']})" for o in found)
            raise OperatorError(f"Several open change sets have the key {key}; name one by its id: {listed}")
        return found[0]

    def _ask(self, method: str, path: str, **more: Any) -> Any:
        return self._judged(self._send(method, path, **more))

    def _send(self, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            return self._http.request(method, f"{self._url}/api/v1{path}", **more)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            text = f"Lockstep cannot be reached at {self._url}: {error or type(error).__name__}. Check LOCKSTEP_URL."
            raise Unreachable(text) from error

    def _judged(self, answer: httpx.Response) -> Any:
        if answer.is_success and answer.headers.get("content-type", "").startswith("application/json"):
            return answer.json()
        detail = _detail(answer)
        if answer.status_code in (401, 403):
            raise Unreachable(f"{self._url} refused LOCKSTEP_TOKEN: {detail}")
        if answer.status_code == 409:
            raise Refused(detail)
        if answer.is_client_error and detail:
            raise OperatorError(detail)
        raise Unreachable(f"{self._url} answered {answer.status_code}: {detail or 'is it Lockstep?'}")


def _detail(answer: httpx.Response) -> str:
    """The problem in words; empty where the answer is not Lockstep's."""
    if not answer.headers.get("content-type", "").startswith("application/problem+json"):
        return ""
    return str(answer.json().get("detail", ""))
