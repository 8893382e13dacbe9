"""A fleet's run as Markdown, for comments, issues and job summaries. Pure.

Law: what people or GitHub wrote is code, so that it mentions nobody and formats nothing; addresses are links.
"""

from __future__ import annotations

from datetime import timedelta

from app.domain.markdown import quoted
from app.web import shapes

LONGEST = 300


def markdown(run: shapes.Orchestration) -> str:
    """:param run: of the kind ``fleet``."""
    come = run.summary
    assert come is not None, "an orchestration of a fleet has a summary"
    counts = f"{come.passed} passed, {come.failed} failed, {come.skipped} skipped"
    lines = [
        f"## {quoted(f'{run.owner}/{run.fleet}')}: {run.state.value}",
        "",
        f"{come.triggered} of {come.total} triggered: {counts}.",
        "",
        *([quoted(run.reason, LONGEST), ""] if run.reason else []),
        *_changes(come),
        "| repository | state | took | |",
        "|---|---|---:|---|",
        *(_line(build) for build in run.builds),
    ]
    return "\n".join(lines) + "\n"


def _changes(come: shapes.FleetSummary) -> list[str]:
    named = (("Newly failing", come.newly_failing), ("Fixed", come.fixed), ("Still failing", come.still_failing))
    found = [f"- {words}: {', '.join(quoted(one) for one in names)}" for words, names in named if names]
    return [*found, ""] if found else []


def _line(build: shapes.Build) -> str:
    last = build.attempts[-1] if build.attempts else None
    took = last.finished_at - last.started_at if last and last.started_at and last.finished_at else None
    about = quoted(build.reason, LONGEST) if build.reason else ""
    run = f"[run]({last.url})" if last and last.url and last.url.startswith(("https://", "http://")) else ""
    rest = " ".join(part for part in (run, about) if part)
    return f"| {quoted(build.repository)} | {build.state.value} | {_duration(took)} | {rest} |"


def _duration(took: timedelta | None) -> str:
    if took is None:
        return ""
    minutes, seconds = divmod(int(took.total_seconds()), 60)
    return f"{minutes} m {seconds} s" if minutes else f"{seconds} s"
