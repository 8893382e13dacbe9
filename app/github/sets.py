"""Reading a whole set of repositories in one GraphQL request per hundred.

Law: one answer per repository asked for, or one ``Failure`` for all. Nothing of a request that failed as a whole is
used, and each repository's part is judged on its own by ``set_answers``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.github.addresses import graphql_url
from app.github.answers import RepositoryAnswer, Unreadable
from app.github.channel import Channel
from app.github.documents import MOST_IDS, READ_BRANCH, READ_KEY
from app.github.errors import Failure
from app.github.pacing import Cost, Priority
from app.github.set_answers import repositories
from app.github.tokens import TokenClass
from app.github.wire import Call


async def read_set(
    channel: Channel, api_url: str, node_ids: Sequence[str], *, branch: str | None, needle: str, base: str | None
) -> dict[str, RepositoryAnswer | Unreadable] | Failure:
    """See ``InstallationClient.read_set``."""
    sought = needle if branch is None else None
    document, variables = _question(branch, needle, base)
    asked = list(dict.fromkeys(node_ids))
    found: dict[str, RepositoryAnswer | Unreadable] = {}
    for start in range(0, len(asked), MOST_IDS):
        ids = asked[start : start + MOST_IDS]
        body = {"query": document, "variables": {**variables, "ids": ids}}
        call = Call("POST", graphql_url(api_url), body=body, versioned=False)
        reply = await channel.call(call, TokenClass.READ, Priority.READ, Cost.GRAPHQL)
        if isinstance(reply, Failure):
            return reply
        part = repositories(reply, ids, channel.clock(), needle=sought, named=base is not None)
        if isinstance(part, Failure):
            return part
        found |= part
    return found


def _question(branch: str | None, needle: str, base: str | None) -> tuple[str, Mapping[str, Any]]:
    named = {"named": base is not None, "base": f"refs/heads/{base or ''}"}
    if branch is None:
        return READ_KEY, {**named, "needle": needle}
    return READ_BRANCH, {**named, "ref": f"refs/heads/{branch}", "branch": branch}
