"""A GitHub room whose process dies at a chosen moment of a dispatch; everything else goes through."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, cast

from app.github import DispatchOutcome, GitHub, InstallationClient, Priority
from app.jobs.context import Context


class Killed(Exception):
    """The process ended here."""


Moment = Callable[[], Awaitable[None]]


class _Client:
    def __init__(self, real: InstallationClient, before: Moment | None, after: Moment | None) -> None:
        self._real, self._before, self._after = real, before, after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def dispatch(
        self, owner: str, repo: str, workflow: str, ref: str, inputs: Mapping[str, str], *, priority: Priority
    ) -> DispatchOutcome:
        if self._before is not None:
            await self._before()
        answer = await self._real.dispatch(owner, repo, workflow, ref, inputs, priority=priority)
        if self._after is not None:
            await self._after()
        return answer


class _Room:
    def __init__(self, real: GitHub, before: Moment | None, after: Moment | None) -> None:
        self._real, self._before, self._after = real, before, after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def on(self, installation_id: int) -> _Client:
        return _Client(self._real.on(installation_id), self._before, self._after)


def interrupted(context: Context, *, before: Moment | None = None, after: Moment | None = None) -> Context:
    """The context of a process to which something happens before a dispatch is sent, or after GitHub has acted."""
    return replace(context, github=cast(GitHub, _Room(context.github, before, after)))
