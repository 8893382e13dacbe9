"""``docs/config.md`` names every key and every bot's branch, and its example is good."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.config import read_config, schema
from app.config.bots import BOT_BRANCHES
from app.config.inputs import TEMPLATES

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "config.md").read_text(encoding="utf-8")


def keys(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        yield from part.get("properties", {})
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from keys(inner)


def test_every_key_template_and_bot_is_on_the_page() -> None:
    words = {*keys(schema()), *BOT_BRANCHES, *(f"{{{name}}}" for name in TEMPLATES)}
    assert len(words) > 80
    code = " ".join(re.findall(r"`([^`\n]+)`", PAGE))
    missing = [word for word in sorted(words) if not re.search(rf"(?<![\w.]){re.escape(word)}(?![\w.])", code)]
    assert missing == []


def test_the_example_on_the_page_is_good() -> None:
    example = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert example is not None
    assert read_config(example[1], owner="acme").problems == ()
