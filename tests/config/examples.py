"""A config that says all there is, one that says as little as it may, and the tables of bad ones in ``problems/``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from app.config import read_config

TABLES = sorted((Path(__file__).parent / "problems").glob("*.txt"))
ARROW = "→ "

FULL = """\
version: 1
defaults: {workflow: ci.yml, timeout: 45m, start_timeout: 5m, retries: 2}
pipelines:
  product:
    branches: 'DPTA-\\d+'
    exclude: [experiment/**]
    bases: [default, release/*]
    start: command
    settle: 20s
    settle_max: 5m
    unmatched: block
    absent: base
    status: product-build
    comment: false
    max_parallel: 4
    on_failure: continue
    reuse: {for: 1d12h}
    base_moved: rebuild
    builds:
      repoA: {timeout: 10m}
      e-full: {repository: acme/repoE, workflow: full.yml, needs: [repob, acme/repoC, repoD]}
      repoB: {needs: [repoA]}
      repoC: {needs: [repoA], retries: 1, inputs: {id: "{attempt.id}", json: '{"a": {"b": [1]}}', n: 1.10, flag: True}}
      repoD: {needs: [repoA], required: false}
    merge: {mode: together, method: rebase, delete_branches: true}
fleets:
  nightly:
    workflow: scan.yml
    repositories: [scipy, {repository: numpy, workflow: other.yml, ref: master, inputs: {deep: true}}, 'team-*']
    ref: default
    inputs: {level: 3}
    schedules:
      - {cron: '0 2 * * *', timezone: Europe/Berlin, jitter: 10m, missed: run_once, only: [mon-fri, sun]}
    follow: true
    max_parallel: 3
    spacing: 10s
    on_failure: continue
    retries: 2
    rerun_failed: 1
    overlap: queue
    timeout: 2h
    waves: [3, 10%, 100%]
    stop_after: 20%
    then: {repository: dashboard, workflow: collect.yml, inputs: {summary: "{run.summary_url}"}}
    links: {The dashboard: 'https://example.org/nightly'}
  found:
    workflow: scan.yml
    repositories: {having_workflow: true, topic: python, visibility: private, exclude: [x, 'old-*']}
    waves: null
notify:
  slack: {webhook_env: LOCKSTEP_NOTIFY_ACME_SLACK, when: [failure, recovered, fleet_failed, fleet_finished]}
  webhook: {url_env: LOCKSTEP_NOTIFY_ACME_HOOK, secret_env: LOCKSTEP_NOTIFY_ACME_HOOK_SECRET}
"""

SMALL = """\
version: 1
pipelines:
  product:
    builds:
      repoA:
      repoB: {needs: [repoA]}
"""


def problems_of(text: str, owner: str = "acme") -> list[str]:
    """The problems of a bad file, each from its line on, as people read them."""
    parsed = read_config(text, owner=owner, file="o.yml")
    assert (parsed.config is None) == bool(parsed.problems)
    return [str(problem).removeprefix("o.yml:") for problem in parsed.problems]


def cases() -> Iterator[tuple[str, str, list[str]]]:
    """Name, text and problems of every case in the tables.

    A table is a frame up to ``===``, then cases with a blank line between them. The lines of a case take the place of
    ``%s`` in the frame; lines that begin with an arrow are all the problems that the file must have.
    """
    for table in TABLES:
        frame, blocks = table.read_text(encoding="utf-8").split("===\n")
        indentation = next(line for line in frame.splitlines() if "%s" in line)
        margin = "\n" + " " * (len(indentation) - len(indentation.lstrip()))
        for block in blocks.strip("\n").split("\n\n"):
            lines = block.split("\n")
            written = [line for line in lines if not line.startswith(ARROW)]
            expected = [line.removeprefix(ARROW) for line in lines if line.startswith(ARROW)]
            text = frame.replace("%s", margin.join(written))
            yield f"{table.stem}: {' '.join(written)[:60]}", text, expected
