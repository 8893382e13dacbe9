"""``python -m tests.domain.walk --members AB --pushes 2 …``: walks every state within a bound and prints how many.

Ends with 1 where a promise is broken or a state is stranded, with the way that leads there.
"""

from __future__ import annotations

import argparse
import sys

from tests.domain.walk.carrying import beginning
from tests.domain.walk.promises import Broken
from tests.domain.walk.search import Walked, walk
from tests.domain.walk.world import Left


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.domain.walk", description=__doc__)
    parser.add_argument("--members", default="ABC", help="repositories with a pull request: B needs A, C needs none")
    for name, value in Left(0, 0, 0, 0, 0, 0)._asdict().items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--at-once", action="store_true", help="answers to calls are never late")
    wanted = parser.parse_args()
    left = Left(*(getattr(wanted, name) for name in Left._fields))
    try:
        walked = walk(beginning(wanted.members, left, at_once=wanted.at_once))
    except Broken as broken:
        sys.stdout.write(f"BROKEN  {broken}\n")
        return 1
    late = ", answers at once" if wanted.at_once else ""
    sys.stdout.write(f"{wanted.members} {words(left)}{late}: {found(walked)}\n")
    for state in walked.stranded()[:3]:
        sys.stdout.write(f"STRANDED after\n{walked.way(state)}\n")
    return 1 if walked.stranded() else 0


def words(left: Left) -> str:
    return ", ".join(f"{number} {name}" for name, number in left._asdict().items() if number) or "undisturbed"


def found(walked: Walked) -> str:
    ends = ", ".join(f"{number} {end}" for end, number in sorted(walked.ends.items()))
    return (
        f"{walked.states} states, {walked.transitions} steps, {len(walked.resting)} at rest ({ends}), "
        f"{len(walked.stranded())} stranded, {walked.seconds:.0f} s"
    )


if __name__ == "__main__":
    sys.exit(main())
