"""``python -m tests.faults.drive``: play seeds one after the other (or ``--jobs`` at a time) and have each checked.

Law: the verdict is the checker's alone, a program of its own that is given the simulator's log of the seed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tests.faults.databases import Server
from tests.faults.play import Play
from tests.faults.quiet import Broken
from tests.faults.summary import summary
from tests.harness.credentials import make_credentials

Json = dict[str, Any]

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Options:
    seeds: range
    jobs: int
    directory: Path
    checker: Path
    stop_at_first: bool


def main() -> int:
    options = _options()
    options.directory.mkdir(parents=True, exist_ok=True)
    share = [options.seeds[start :: options.jobs] for start in range(options.jobs)]
    play = partial(
        play_seeds, directory=options.directory, checker=options.checker, stop_at_first=options.stop_at_first
    )
    if options.jobs == 1:
        reports = play(share[0])
    else:
        with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
            reports = [report for part in pool.map(play, share) for report in part]
    text, good = summary(sorted(reports, key=lambda report: int(report["seed"])))
    print(text)  # noqa: T201
    return 0 if good else 1


def _options() -> Options:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--seeds", type=int, default=25, help="how many")
    parser.add_argument("--first", type=int, default=1, help="the first seed's number; one seed replays by it alone")
    parser.add_argument("--jobs", type=int, default=1, help="so many at a time, each with a Postgres of its own")
    parser.add_argument("--directory", type=Path, default=Path("/tmp/lockstep-faults"), help="logs and outputs")
    parser.add_argument("--checker", type=Path, default=ROOT, help="the repository whose checker judges")
    parser.add_argument("--stop", action="store_true", help="stop at the first seed in which the checker finds a fault")
    given = parser.parse_args()
    seeds = range(given.first, given.first + given.seeds)
    return Options(seeds, min(given.jobs, given.seeds), given.directory, given.checker.resolve(), given.stop)


def play_seeds(seeds: range, *, directory: Path, checker: Path, stop_at_first: bool) -> list[Json]:
    """A report for each seed, printed and kept beside the seed's log as soon as it is there.

    :param stop_at_first: where the checker finds a fault; a seed that was not played to its end was not checked.
    """
    credentials, reports = make_credentials(), []
    with Server() as server, asyncio.Runner() as runner:
        for seed in seeds:
            begun = time.monotonic()
            log = directory / f"seed-{seed}.jsonl"
            report = _played(runner, Play(seed, server, credentials, directory), log, checker)
            reports.append(report := {"seed": seed, **report, "seconds": round(time.monotonic() - begun, 1)})
            log.with_suffix(".json").write_text(json.dumps(report))
            _tell(report, directory)
            if stop_at_first and any(one["promise"] != "broken" for one in report["findings"]):
                break
    return reports


def _played(runner: asyncio.Runner, play: Play, file: Path, checker: Path) -> Json:
    """What the checker says of the log; a seed that was not played to its end has not passed."""
    try:
        runner.run(play.run())
    except Broken as error:
        broken = {"promise": "broken", "seq": len(play.log), "text": f"{type(error).__name__}: {error}"}
        _write(play.log, file)
        return {"verdicts": 0, "kinds": [], "findings": [broken]}
    _write(play.log, file)
    return checked(file, checker)


def _write(log: list[Json], file: Path) -> None:
    file.write_text("".join(f"{json.dumps(entry)}\n" for entry in log))


def checked(file: Path, checker: Path) -> Json:
    """What the checker says of a log."""
    command = [sys.executable, "-m", "tests.faults.check", "--json", str(file.resolve())]
    done = subprocess.run(command, cwd=checker, capture_output=True, text=True)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"the checker failed on {file}: {done.stderr}")
    report: Json = json.loads(done.stdout)
    return report


def _tell(report: Json, directory: Path) -> None:
    ok = "failed" if report["findings"] else "ok"
    head = f"seed {report['seed']}: {ok}, {report['verdicts']} verdicts, {report['seconds']} s"
    print(f"{head}; {', '.join(report['kinds'])}", flush=True)  # noqa: T201
    for finding in report["findings"][:8]:
        print(f"    {finding['promise']} at {finding['seq']}: {finding['text']}")  # noqa: T201
    if report["findings"]:
        again = f"make faults SEEDS=1 FIRST_SEED={report['seed']}"
        print(f"    again: {again}; log: {directory}/seed-{report['seed']}.jsonl", flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
