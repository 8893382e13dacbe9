"""The stage is that of the stories."""

from __future__ import annotations

from tests.stories.conftest import begin, credentials

__all__ = ["begin", "credentials"]
