"""Whom a change concerns: what one has to be able to read to be told of it.

Law: asked once for each change, however many listen in this process, and after it was heard of: so nothing older is
taken for it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING

from app.domain.change_set import Kind
from app.store.changes_feed import Change
from app.store.readers import Parts, parts_of_branch, parts_of_config, parts_of_set
from app.store.transaction import transaction

if TYPE_CHECKING:
    from app.web.context import WebContext

MOST = 500
"""So many of the latest changes are remembered: more than wait for anybody."""


class Concerns:
    def __init__(self) -> None:
        self._asked: OrderedDict[int, tuple[Change, asyncio.Task[Parts]]] = OrderedDict()

    async def of(self, web: WebContext, change: Change) -> Parts:
        """``change``: known by the object that was heard, since an equal one may be told again."""
        kept = self._asked.get(id(change))
        if kept is None:
            kept = self._asked[id(change)] = (change, asyncio.create_task(_parts(web, change)))
            if len(self._asked) > MOST:
                self._asked.popitem(last=False)
        try:
            return await asyncio.shield(kept[1])
        except Exception:
            self._asked.pop(id(change), None)
            raise


async def _parts(web: WebContext, change: Change) -> Parts:
    async with transaction(web.engine) as connection:
        match change.kind:
            case Kind.FLEET:
                return await parts_of_config(connection, change.owner, web.config_home)
            case Kind.BRANCH:
                run = change.orchestration_id
                return await parts_of_branch(connection, run) if run is not None else None
            case _:
                return await parts_of_set(connection, change.set_id) if change.set_id is not None else None
