"""``python -m tests.faults.plant``: each planted bug, in a copy of the repository, until the unchanged checker sees it.

Law: a bug is a patch and nothing else; seeds, settings and checker are those with which the unpatched code passes. The
checker runs from the original, so that no patch can touch it.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
BUGS = Path(__file__).resolve().parent / "bugs"
PAGE = ROOT / "docs" / "reliability.md"
MARKS = ("<!-- planted bugs: begin -->", "<!-- planted bugs: end -->")
MOST = 200

Json = dict[str, Any]


def bugs() -> list[Path]:
    return sorted(BUGS.glob("*.patch"))


def copied(directory: Path) -> Path:
    """What is committed."""
    packed = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(directory, filter="data")
    return directory


def apply(patch: Path, directory: Path, *options: str) -> str:
    """What git says against it; empty: it applies."""
    command = ["git", "apply", *options, str(patch)]
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(directory.parent)}
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, env=environment)
    return done.stderr if done.returncode else ""


def caught(patch: Path, seeds: range) -> Json | None:
    """The report of the first seed in which the checker found something; None: it found nothing in any of them."""
    with tempfile.TemporaryDirectory(prefix="lockstep-bug-") as place:
        directory = copied(Path(place) / "tree")
        problem = apply(patch, directory)
        if problem:
            raise RuntimeError(f"{patch.name} does not apply: {problem}")
        logs = Path(place) / "logs"
        which = ["--seeds", str(len(seeds)), "--first", str(seeds.start), "--directory", str(logs)]
        play = ["-m", "tests.faults.drive", *which, "--checker", str(ROOT), "--stop"]
        done = subprocess.run([sys.executable, *play], cwd=directory, capture_output=True, text=True)
        reports = [json.loads(file.read_text()) for file in logs.glob("seed-*.json")]
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{patch.name} was not played: {done.stderr[-2000:]}")
    found = [report for report in reports if any(one["promise"] != "broken" for one in report["findings"])]
    return min(found, key=lambda report: int(report["seed"]), default=None)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make faults-bugs", description=__doc__)
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--most", type=int, default=MOST, help="so many seeds at most for each bug")
    parser.add_argument("--jobs", type=int, default=2, help="so many bugs at a time")
    parser.add_argument("--only", default="", help="part of a bug's name")
    parser.add_argument("--write", action="store_true", help=f"write the lines into {PAGE.relative_to(ROOT)}")
    given = parser.parse_args()
    seeds = range(given.first, given.first + given.most)
    rows: dict[str, str] = {}
    with ThreadPoolExecutor(given.jobs) as pool:
        playing = {pool.submit(caught, patch, seeds): patch.stem for patch in bugs() if given.only in patch.stem}
        for done in as_completed(playing):
            name = playing[done]
            rows[name] = _row(name, done.result(), given.most)
            print(rows[name], flush=True)  # noqa: T201
            if given.write:
                write(rows)
    return 1 if any("not caught" in row for row in rows.values()) else 0


def _row(name: str, report: Json | None, most: int) -> str:
    if report is None:
        return f"| {name} | not caught in {most} seeds | | |"
    first = report["findings"][0]
    promises = ", ".join(sorted({finding["promise"] for finding in report["findings"]}))
    return f"| {name} | {report['seed']} | {promises} | {first['text']} |"


def write(rows: dict[str, str]) -> None:
    """Put rows into the page's table; those of other bugs stay."""
    text = PAGE.read_text(encoding="utf-8")
    before, table, after = re.split("|".join(map(re.escape, MARKS)), text)
    known = {line.split("|")[1].strip(): line for line in table.splitlines() if line.startswith("| ")}
    head = ["| bug | seed | promises | the first finding |", "|---|---|---|---|"]
    kept = {name: row for name, row in known.items() if name != "bug"} | rows
    lines = [*head, *(kept[name] for name in sorted(kept))]
    PAGE.write_text(f"{before}{MARKS[0]}\n{chr(10).join(lines)}\n{MARKS[1]}{after}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
