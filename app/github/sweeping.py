"""Reading many repositories to compare what we believe with what GitHub says.

Law: as in a set read, one answer per repository, or one ``Failure`` for all; what was not shown whole is ``Unreadable``
and never absent (DESIGN law 9). A repository for which GitHub cannot answer at all keeps no other from being read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain, zip_longest
from typing import Any

from app.domain.facts import Pull
from app.github.addresses import graphql_url
from app.github.answers import SweptRepository, Unreadable
from app.github.channel import Channel
from app.github.documents import SWEEP, SWEEP_MORE, SWEPT_BRANCHES, SWEPT_COMMITS, SWEPT_IDS
from app.github.errors import Failure, Kind
from app.github.pacing import Cost, Priority
from app.github.swept_answers import Page, Part, more, swept
from app.github.tokens import TokenClass
from app.github.wire import Call, Reply

Swept = dict[str, SweptRepository | Unreadable]

NO_BRANCH = "."
"""GitHub has no branch of this name."""
NO_COMMIT = "0" * 40
"""What fills the places of commits where none is asked for; it is not looked up."""
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
    commits: Mapping[str, Sequence[str]]
    """By node id of the repository: those on which it is asked what statuses say."""
    config_path: str


async def sweep(channel: Channel, api_url: str, asked: SweepQuestion) -> Swept | Failure:
    """See ``InstallationClient.sweep``."""
    found: Swept = {}
    reader = _Reader(channel, graphql_url(api_url), asked)
    node_ids = list(asked.since)
    for start in range(0, len(node_ids), SWEPT_IDS):
        ids = node_ids[start : start + SWEPT_IDS]
        part = await reader.of(ids)
        if isinstance(part, Failure) and not part.of_all:
            part = await reader.piecemeal(ids, part, alone=bool(found))
        if isinstance(part, Failure):
            return part
        found |= part
    return found


MOST_IN_VAIN = 5
"""So many parts of a request that failed, and none that is answered: GitHub is away."""


def _halves(ids: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    return ids[: len(ids) // 2], ids[len(ids) // 2 :]


@dataclass(frozen=True, slots=True)
class _Reader:
    channel: Channel
    url: str
    asked: SweepQuestion

    async def of(self, ids: Sequence[str]) -> Swept | Failure:
        """A few repositories whole: pull requests with the first names and commits, the others, then further pages."""
        found: Swept = {}
        pages: dict[str, Page] = {}
        for part in self._parts(ids):
            reply = await self._ask(SWEEP, self._variables(ids, part))
            told = reply if isinstance(reply, Failure) else swept(reply, ids, part, self.channel.clock())
            if isinstance(told, Failure):
                return told
            for node_id, (answer, page) in told.items():
                found[node_id] = _joined(found.get(node_id), answer)
                if page is not None:
                    pages[node_id] = page
        return await self._followed(found, pages)

    async def piecemeal(self, ids: Sequence[str], failure: Failure, *, alone: bool) -> Swept | Failure:
        """Those of a request that failed, halved until what cannot be answered is found. Where nothing at all can be
        read GitHub is away, unless that is one repository and others were read before it (``alone``).
        """
        if len(ids) == 1:
            return {ids[0]: Unreadable(failure.reason, failure.kind)} if alone else failure
        found: Swept = {}
        ill: Swept = {}
        waiting, in_vain = [*_halves(ids)], 0
        while waiting and (found or in_vain < MOST_IN_VAIN):
            part = waiting.pop(0)
            answer = await self.of(part)
            if not isinstance(answer, Failure):
                found |= answer
                continue
            if answer.of_all:
                return answer
            in_vain += 1
            if len(part) == 1:
                ill[part[0]] = Unreadable(answer.reason, answer.kind)
            else:
                waiting += _halves(part)
        return {one: (found | ill)[one] for one in ids} if found else failure

    async def _followed(self, found: Swept, pages: Mapping[str, Page]) -> Swept | Failure:
        for node_id, page in pages.items():
            pulls = await self._all_pages(node_id, page)
            if isinstance(pulls, Failure):
                return pulls
            known = found[node_id]
            if isinstance(known, SweptRepository):
                found[node_id] = pulls if isinstance(pulls, Unreadable) else replace(known, pulls=pulls)
        return found

    async def _all_pages(self, node_id: str, page: Page) -> tuple[Pull, ...] | Unreadable | Failure:
        pulls = list(page.pulls)
        for _ in range(MOST_PAGES):
            if page.next is None or (page.pulls and page.pulls[-1].updated_at < self.asked.since[node_id]):
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

    def _parts(self, ids: Sequence[str]) -> Iterator[Part]:
        """At least one, since pull requests are read with the first."""
        commits = [sha for one in ids for sha in self.asked.commits.get(one, ())]
        batches = zip_longest(_batches(self.asked.branches, SWEPT_BRANCHES), _batches(commits, SWEPT_COMMITS))
        for index, (names, shas) in enumerate(list(batches) or [((), ())]):
            yield Part(names or (), shas or (), pulls=index == 0)

    def _variables(self, ids: Sequence[str], part: Part) -> Mapping[str, Any]:
        names = _filled(part.names or [NO_BRANCH], SWEPT_BRANCHES)
        commits = _filled(part.commits or [NO_COMMIT], SWEPT_COMMITS)
        asked = {f"b{n}": f"refs/heads/{name}" for n, name in enumerate(names)}
        asked |= {f"c{n}": sha for n, sha in enumerate(commits)}
        config = f"HEAD:{self.asked.config_path}"
        return {"ids": list(ids), "config": config, "pulls": part.pulls, "commits": bool(part.commits), **asked}

    async def _ask(self, document: str, variables: Mapping[str, Any]) -> Reply | Failure:
        body = {"query": document, "variables": dict(variables)}
        call = Call("POST", self.url, body=body, versioned=False)
        return await self.channel.call(call, TokenClass.READ, Priority.READ, Cost.GRAPHQL)


def _batches(wanted: Iterable[str], size: int) -> Iterator[Sequence[str]]:
    distinct = list(dict.fromkeys(wanted))
    for start in range(0, len(distinct), size):
        yield distinct[start : start + size]


def _filled(some: Sequence[str], size: int) -> Sequence[str]:
    return [*some, *([some[0]] * (size - len(some)))]


def _joined(
    known: SweptRepository | Unreadable | None, answer: SweptRepository | Unreadable
) -> SweptRepository | Unreadable:
    if known is None or isinstance(known, Unreadable):
        return known or answer
    if isinstance(answer, Unreadable):
        return answer
    return replace(
        known,
        branches=dict(chain(known.branches.items(), answer.branches.items())),
        statuses=dict(chain(known.statuses.items(), answer.statuses.items())),
    )
