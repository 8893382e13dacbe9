"""``python -m tests.faults.check LOG…``: what a log of the simulator says about the promises of Lockstep.

The only input is the simulator's log as JSON lines (``GET /_simulator/log?kind=all``). It imports nothing of the
service: what a pipeline, a set, a slice and a verdict are is written a second time in ``checking``. The rules:

- P1 (``throughout.successes``): for every status ``success`` that took effect and every open set with this head, the
  set's last complete read before it showed that head, and every required build had by then passed on exactly the slice
  that the read showed; no push to a member was known that came after that read. A success stands on at least one set.
- P2 (``throughout.dispatches``): when a run is started for a set, no success stands on any head that the set had when
  the success was posted, unless its pull request was merged there or another open set has that head.
- P3 (``throughout.attempts``): no attempt's id in two dispatches of which the first was or may have been accepted
  (2xx, 5xx, no answer), and no two runs of one attempt.
- P4 (``known.verdicts``): a head named by a delivery that was answered 2xx has a status within a minute of good time,
  as long as its pull request stays open; every pending says for what it waits.
- P5 (``ending.truths``): at the end every open pull request carries what its builds came to; no job ended without a
  result; what was answered 2xx is never fetched from the delivery log; nothing is refused with 503 while all is well.
- P5 (``comments``): no comment is made twice; at the end each says what the sign of its pull request says.

Tolerance: what was held up on its way, or sent around the stop of a process, is judged by the end alone. Each module
says its own. Exit status 0: no findings; 1: findings; 2: no log.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.faults.checking import ending, known, throughout
from tests.faults.checking.comments import comments
from tests.faults.checking.kinds import kinds
from tests.faults.checking.record import Record
from tests.faults.checking.throughout import Finding

Json = dict[str, Any]

RULES = (throughout.successes, throughout.dispatches, throughout.attempts, known.verdicts, ending.truths, comments)


def check(log: list[Json]) -> Json:
    """``verdicts``: how many statuses were posted; ``kinds``: what struck; ``findings``: what breaks a promise."""
    record = Record(log)
    found: list[Finding] = [finding for rule in RULES for finding in rule(record)]
    return {
        "verdicts": len(record.statuses),
        "kinds": kinds(log),
        "findings": [vars(one) for one in sorted(found, key=lambda one: one.seq)],
    }


def main(arguments: list[str]) -> int:
    files = [Path(name) for name in arguments if name != "--json"]
    if not files:
        print(__doc__, file=sys.stderr)  # noqa: T201
        return 2
    status = 0
    for file in files:
        report = check([json.loads(line) for line in file.read_text().splitlines()])
        status = 1 if report["findings"] else status
        print(json.dumps(report) if "--json" in arguments else _text(file, report))  # noqa: T201
    return status


def _text(file: Path, report: Json) -> str:
    head = f"{file}: {report['verdicts']} verdicts; {', '.join(report['kinds'])}"
    return "\n".join([head, *(f"  {one['promise']} at {one['seq']}: {one['text']}" for one in report["findings"])])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
