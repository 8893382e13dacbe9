"""``python -m tests.domain.mutation [MODULE…] [--jobs N]``: the score, and each survivor with its reason or without.

Ends with 1 where fewer than 90 % were noticed or a survivor is not explained in ``docs/mutation-survivors.md``.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
from collections import Counter, defaultdict
from time import monotonic
from typing import TYPE_CHECKING

import pytest

from tests.domain.mutation.forks import Outcome
from tests.domain.mutation.mutants import ROOT, Mutant, modules, mutants_of
from tests.domain.mutation.runner import OPTIONS, QUICK, TESTS, InFunctions, Measured, in_modules, quiet_hypothesis

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

PAGE = ROOT / "docs" / "mutation-survivors.md"
WANTED = 90.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.domain.mutation", description=__doc__)
    parser.add_argument("module", nargs="*", help="of app/domain, such as plan; none stands for all")
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time")
    parser.add_argument("--quick", action="store_true", help="told stories alone, no random histories: a first look")
    wanted = parser.parse_args()
    os.chdir(ROOT)
    begun = monotonic()
    mutants = [mutant for module in wanted.module or modules() for mutant in mutants_of(module)]
    outcomes = outcomes_of(mutants, wanted.jobs, [*OPTIONS, *(QUICK if wanted.quick else ())])
    say(f"{len(mutants)} mutants in {monotonic() - begun:.0f} s with {wanted.jobs} processes at a time")
    return report(mutants, outcomes)


def outcomes_of(mutants: list[Mutant], jobs: int, options: list[str]) -> dict[Mutant, Outcome]:
    quiet_hypothesis()
    outcomes: dict[Mutant, Outcome] = {}
    inside = [mutant for mutant in mutants if mutant.function]
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_inside, args=(inside, jobs, options, there))
    child.start()
    there.close()
    measured = Measured()
    while isinstance(told := here.recv(), tuple):
        outcomes[inside[told[0]]] = told[1]
        progress(outcomes, inside[told[0]], len(mutants))
    if isinstance(told, Measured):
        measured = told
    child.join()
    outside = [mutant for mutant in mutants if not mutant.function]
    for mutant, outcome in in_modules(outside, measured, jobs):
        outcomes[mutant] = outcome
        progress(outcomes, mutant, len(mutants))
    return outcomes


def progress(outcomes: dict[Mutant, Outcome], mutant: Mutant, total: int) -> None:
    if outcomes[mutant] is not Outcome.KILLED:
        sys.stderr.write(f"{len(outcomes)}/{total}  {outcomes[mutant]}  {mutant.name}\n")


def _inside(mutants: list[Mutant], jobs: int, options: list[str], results: Connection) -> None:
    """In a process of its own, so that this one has not imported the core when constants get their turn."""
    place = {id(mutant): index for index, mutant in enumerate(mutants)}
    plugin = InFunctions(mutants, jobs, lambda mutant, outcome: results.send((place[id(mutant)], outcome)))
    status = pytest.main([*options, str(TESTS)], plugins=[plugin])
    results.send(plugin.measured if status == pytest.ExitCode.OK else f"the tests could not be run: {status}")


def report(mutants: list[Mutant], outcomes: dict[Mutant, Outcome]) -> int:
    explained = PAGE.read_text("utf-8") if PAGE.exists() else ""
    unexplained = 0
    counts: defaultdict[str, Counter[Outcome]] = defaultdict(Counter)
    for mutant in mutants:
        outcome = outcomes[mutant]
        counts[mutant.module][outcome] += 1
        if outcome is Outcome.SURVIVED:
            known = mutant.name in explained
            unexplained += not known
            say(f"{'explained' if known else 'UNEXPLAINED'}  {mutant.name}  (line {mutant.first_line})")
    for module, count in sorted(counts.items()):
        say(line(module, count))
    total = sum(counts.values(), Counter[Outcome]())
    say(line("all", total))
    score = noticed(total)
    return 0 if score >= WANTED and not unexplained else 1


def noticed(count: Counter[Outcome]) -> float:
    """Per cent killed of all mutants. One that only ran out of time is not counted as killed."""
    return 100 * count[Outcome.KILLED] / max(1, count.total())


def line(name: str, count: Counter[Outcome]) -> str:
    return (
        f"{name:14} {count.total():5} mutants  {count[Outcome.KILLED]:5} killed  {count[Outcome.SURVIVED]:4} survived  "
        f"{count[Outcome.TIMEOUT]:3} timed out  {noticed(count):5.1f} %"
    )


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
