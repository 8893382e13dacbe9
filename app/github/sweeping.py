"""Reading many repositories to compare what we believe with what GitHub says.

Law: as in a set read, one answer per repository, or one ``Failure`` for all; what was not shown whole is ``Unreadable``
and never absent (DESIGN law 9).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from typing import Any

from app.github.addresses import graphql_url
from app.github.answers import SweptPull, SweptRepository, Unreadable
from app.github.channel import Channel
from app.github.documents import SWEEP, SWEEP_MORE, SWEPT_BRANCHES, SWEPT_IDS
from app.github.errors import Failure, Kind
from app.github.pacing import Cost, Priority
from app.github.swept_answers import Page, more, swept
from app.github.tokens import TokenClass
from app.github.wire import Call, Reply

Swept = dict[str, SweptRepository | Unreadable]

MOST_PAGES = 1000
"""So many pages of one repository's pull requests are followed; one that has more cannot be compared."""


@dataclass(frozen=True, slots=True)
class SweepQuestion:
    """What a sweep asks."""

    since: Mapping[str, datetime]
    """By node id of the repository: pull requests that changed before are left out, where one page does not hold them
    anyway.
    """
    branches: Sequence[str]
    config_path: str


async def sweep(channel: Channel, api_url: str, asked: SweepQuestion) -> Swept | Failure:
    """See ``InstallationClient.sweep``."""
    found: Swept = {}
    reader = _Reader(channel, graphql_url(api_url), asked)
    node_ids = list(asked.since)
    for start in range(0, len(node_ids), SWEPT_IDS):
        part = await reader.of(node_ids[start : start + SWEPT_IDS])
        if isinstance(part, Failure):
            return part
        found |= part
    return found


@dataclass(frozen=True, slots=True)
class _Reader:
    channel: Channel
    url: str
    asked: SweepQuestion

    async def of(self, ids: Sequence[str]) -> Swept | Failure:
        """A few repositories whole: pull requests with the first names, then the other names, then further pages."""
        found: Swept = {}
        pages: dict[str, Page] = {}
        for index, names in enumerate(_batches(self.asked.branches)):
            reply = await self._ask(SWEEP, self._variables(ids, names, pulls=index == 0))
            part = reply if isinstance(reply, Failure) else swept(reply, ids, names, self.channel.clock(), index == 0)
            if isinstance(part, Failure):
                return part
            for node_id, (answer, page) in part.items():
                found[node_id] = _joined(found.get(node_id), answer)
                if page is not None:
                    pages[node_id] = page
        return await self._followed(found, pages)

    async def _followed(self, found: Swept, pages: Mapping[str, Page]) -> Swept | Failure:
        for node_id, page in pages.items():
            pulls = await self._all_pages(node_id, page)
            if isinstance(pulls, Failure):
                return pulls
            known = found[node_id]
            if isinstance(known, SweptRepository):
                found[node_id] = pulls if isinstance(pulls, Unreadable) else replace(known, pulls=pulls)
        return found

    async def _all_pages(self, node_id: str, page: Page) -> tuple[SweptPull, ...] | Unreadable | Failure:
        pulls = list(page.pulls)
        for _ in range(MOST_PAGES):
            if page.next is None or (page.pulls and page.pulls[-1].pull.updated_at < self.asked.since[node_id]):
                return tuple(pulls)
            reply = await self._ask(SWEEP_MORE, {"id": node_id, "after": page.next})
            further = reply if isinstance(reply, Failure) else more(reply, page.repository_id, self.channel.clock())
            if isinstance(further, Failure):
                return further if further.of_all else Unreadable(further.reason, further.kind)
            if isinstance(further, Unreadable):
                return further
            page = further
            pulls += page.pulls
        return Unreadable(f"More than {len(pulls)} of its pull requests have changed", Kind.TRY_AGAIN)

    def _variables(self, ids: Sequence[str], names: Sequence[str], *, pulls: bool) -> Mapping[str, Any]:
        filled = [*names, *([names[0]] * (SWEPT_BRANCHES - len(names)))]
        heads = {f"b{n}": f"refs/heads/{name}" for n, name in enumerate(filled)}
        return {"ids": list(ids), "config": f"HEAD:{self.asked.config_path}", "pulls": pulls, **heads}

    async def _ask(self, document: str, variables: Mapping[str, Any]) -> Reply | Failure:
        body = {"query": document, "variables": dict(variables)}
        call = Call("POST", self.url, body=body, versioned=False)
        return await self.channel.call(call, TokenClass.READ, Priority.READ, Cost.GRAPHQL)


def _batches(names: Sequence[str]) -> Iterator[Sequence[str]]:
    """At least one, since pull requests are read with the first. GitHub has no branch of the name that fills it up."""
    wanted = list(dict.fromkeys(names)) or ["."]
    for start in range(0, len(wanted), SWEPT_BRANCHES):
        yield wanted[start : start + SWEPT_BRANCHES]


def _joined(
    known: SweptRepository | Unreadable | None, answer: SweptRepository | Unreadable
) -> SweptRepository | Unreadable:
    if known is None or isinstance(known, Unreadable):
        return known or answer
    if isinstance(answer, Unreadable):
        return answer
    return replace(known, branches=dict(chain(known.branches.items(), answer.branches.items())))
