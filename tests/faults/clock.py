"""The simulator's time in a file that every process maps: what they read is what the driver wrote last.

Law: one aligned machine word, so that no reader sees half of a moment.
"""

from __future__ import annotations

import mmap
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path

_WORD = struct.Struct("=q")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class SharedClock:
    """Microseconds since the epoch in the first eight bytes of ``path``."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(_WORD.size))
        with path.open("r+b") as file:
            self._word = mmap.mmap(file.fileno(), _WORD.size)

    def now(self) -> datetime:
        return _EPOCH + timedelta(microseconds=_WORD.unpack_from(self._word)[0])

    def set(self, moment: datetime) -> None:
        _WORD.pack_into(self._word, 0, (moment - _EPOCH) // timedelta(microseconds=1))
