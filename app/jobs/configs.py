"""The config that is in force for an owner: the last good text, parsed once per process and text.

Law: no config is no error; without one, nothing of that owner belongs to a pipeline. One that holds and cannot be read
for an owner (a local file that names repositories of another) is said in the log, once per process.
"""

from __future__ import annotations

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.config import read_config
from app.domain.pipeline import Config, Pipeline
from app.store.configs import good_sha, load_config

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
        name = owner.lower()
        if self._file_text is not None:
            return self._once(name, "file", self._file_text)
        sha = await good_sha(connection, name)
        if sha is None:
            return None
        known = self._parsed.get(name)
        if known is not None and known[0] == sha:
            return known[1]
        kept = await load_config(connection, name)
        return self._once(name, kept.good_sha, kept.good_text) if kept and kept.good_sha and kept.good_text else None

    async def pipeline(self, connection: AsyncConnection, owner: str, name: str) -> Pipeline | None:
        config = await self.of(connection, owner)
        return next((one for one in config.pipelines if one.name == name), None) if config else None

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
