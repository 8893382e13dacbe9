"""The charts of our comments, drawn by the program that GitHub draws them with."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.domain.build import BuildState
from app.domain.mermaid import Step, flowchart
from tests.browser.chrome import package

COMMENTS = sorted((Path(__file__).parent.parent / "domain" / "comments").glob("*.md"))
BLOCK = re.compile(r"^```mermaid\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LABEL = re.compile(r'^  b\d+\["(.*)"\]$', re.MULTILINE)
DRAW = """async text => {
  mermaid.initialize({ startOnLoad: false, securityLevel: "strict" });
  await mermaid.parse(text);
  const { svg } = await mermaid.render("chart", text);
  const drawn = new DOMParser().parseFromString(svg, "text/html");
  document.body.innerHTML = svg;
  const all = [...document.body.querySelectorAll("*")];
  const banned = ["script", "img", "a", "iframe"];
  const bad = one => one.name.startsWith("on") || /^\\s*javascript:/i.test(one.value);
  const acts = one => banned.includes(one.localName) || [...one.attributes].some(bad);
  return {
    nodes: [...drawn.querySelectorAll(".node")].map(node => node.textContent.trim()),
    edges: drawn.querySelectorAll("path.flowchart-link").length,
    active: all.filter(acts).map(one => one.outerHTML),
  };
}"""
HOSTILE = [
    "<img src=x onerror=alert(1)>",
    '"]; click b0 call alert()',
    "javascript:alert(1)",
    "end",
    "%%{init: {'securityLevel': 'loose'}}%%",
    "``` </svg><script>alert(1)</script>",
    "fa:fa-car $$x^2$$ \\n **b** _i_ `c`",
    "subgraph direction TB classDef linkStyle",
    "#quot; &lt;b&gt; &amp;",
    "größe 日本語 🚀 \u202eevil",
    string.punctuation[:20],
    string.punctuation[20:],
]


@pytest.fixture(scope="module")
def drawing(browser: Any) -> Iterator[Any]:
    page = browser.new_page()
    said: list[str] = []

    def hears(dialog: Any) -> None:
        said.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", hears)
    page.set_content("<!doctype html><title>charts</title>")
    page.add_script_tag(content=package("mermaid/dist/mermaid.min.js"))
    yield page
    page.close()
    assert said == []


def _charts() -> list[tuple[str, str]]:
    return [(file.stem, chart) for file in COMMENTS for chart in BLOCK.findall(file.read_text(encoding="utf-8"))]


def test_there_are_charts() -> None:
    assert len(_charts()) >= 10


@pytest.mark.parametrize(("_name", "chart"), _charts(), ids=[name for name, _ in _charts()])
def test_a_chart_of_our_comments_is_drawn(drawing: Any, _name: str, chart: str) -> None:
    drawn = drawing.evaluate(DRAW, chart)
    assert len(drawn["nodes"]) == len(LABEL.findall(chart)) > 0
    assert drawn["edges"] == chart.count(" --> ")
    assert drawn["active"] == []


def test_names_that_mean_harm_are_drawn_as_names(drawing: Any) -> None:
    steps = [Step(name, state) for name, state in zip(HOSTILE, list(BuildState) * 2, strict=False)]
    chart = flowchart(steps, [(HOSTILE[0], name) for name in HOSTILE[1:]])
    assert chart is not None
    drawn = drawing.evaluate(DRAW, chart)
    assert drawn["active"] == []
    assert len(drawn["nodes"]) == len(HOSTILE)
    assert drawn["edges"] == len(HOSTILE) - 1
    assert "<img src=x onerror=alert(1)>waiting" in drawn["nodes"]
    assert sorted(drawn["nodes"]) == sorted(_meant(box) for box in LABEL.findall(chart))


def _meant(label: str) -> str:
    """As the chart says it, with Mermaid's codes read."""
    return re.sub(r"#(\d+);", lambda code: chr(int(code[1])), label.replace("<br/>", "")).strip()


def test_what_is_no_chart_is_not_drawn(drawing: Any) -> None:
    assert drawing.evaluate("text => mermaid.parse(text, {suppressErrors: true})", 'flowchart LR\n  b0["a"') is False
