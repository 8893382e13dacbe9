"""The config that is in force for an owner: the last good text, parsed once per process and text.

Law: no config is no error; without one, nothing of that owner belongs to a pipeline. One that holds and cannot be read
for an owner (a local file that names repositories of another) is said in the log, once per process.
"""

from __future__ import annotations

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.config import read_config
from app.domain.pipeline import Config, Pipeline
from app.store.configs import in_force, load_config

_log = structlog.get_logger(__name__)


class Configs:
    """``file_text``: the text of ``LOCKSTEP_CONFIG_FILE``, which then stands for every allowed owner's file."""

    def __init__(self, file_text: str | None = None) -> None:
        self._file_text = file_text
        self._parsed: dict[str, tuple[str, Config | None]] = {}

    @property
    def from_file(self) -> bool:
        return self._file_text is not None

    async def of(self, connection: AsyncConnection, owner: str) -> Config | None:
        """The owner's config, or None where there is no good one."""
        return (await self._known(connection, owner))[0]

    async def pipeline(self, connection: AsyncConnection, owner: str, name: str) -> Pipeline | None:
        return (await self.pipeline_and_health(connection, owner, name))[0]

    async def pipeline_and_health(
        self, connection: AsyncConnection, owner: str, name: str
    ) -> tuple[Pipeline | None, bool]:
        """The pipeline that is in force, and whether the file is broken, so that it is that of an older one."""
        config, broken = await self._known(connection, owner)
        return next((one for one in config.pipelines if one.name == name), None) if config else None, broken

    async def _known(self, connection: AsyncConnection, owner: str) -> tuple[Config | None, bool]:
        name = owner.lower()
        if self._file_text is not None:
            return self._once(name, "file", self._file_text), False
        now = await in_force(connection, name)
        if now.sha is None:
            return None, now.broken
        known = self._parsed.get(name)
        if known is not None and known[0] == now.sha:
            return known[1], now.broken
        kept = await load_config(connection, name)
        good = kept.good_text if kept else None
        return (self._once(name, kept.good_sha, good) if kept and kept.good_sha and good else None), now.broken

    def _once(self, owner: str, sha: str, text: str) -> Config | None:
        known = self._parsed.get(owner)
        if known is None or known[0] != sha:
            parsed = read_config(text, owner=owner)
            if parsed.config is None:
                problems = [str(problem) for problem in parsed.problems]
                _log.error("the config is void for this owner: nothing of it is built", owner=owner, problems=problems)
            known = (sha, parsed.config)
            self._parsed[owner] = known
        return known[1]
