"""Runs the tests of the core against each mutant: only those that reach its lines, the quickest first.

A mutant within a function is planted by giving the living function another code object; one of a constant, a class
body or a default value takes a process in which the core has not been imported yet.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from time import process_time
from types import CodeType, FunctionType, ModuleType

import pytest
from _pytest.runner import runtestprotocol
from coverage import Coverage
from hypothesis import Phase, settings

from tests.domain.mutation.forks import Outcome, forked
from tests.domain.mutation.mutants import DOMAIN, ROOT, Mutant

TESTS = ROOT / "tests" / "domain"
LEFT_OUT = ("tests/domain/test_diagram.py", "tests/domain/test_walk.py")
"""A page that is drawn from behaviour fails on any change: that proves no promise. The walk takes half a minute."""
OPTIONS = (
    *(
        "-q",
        "-s",
        "-x",
        "--assert=plain",
        "--noconftest",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "-p",
        "no:schemathesis",
    ),
    *(f"--deselect={test}" for test in LEFT_OUT),
)
QUICK = ("--deselect=tests/domain/test_histories.py",)
EXAMPLES = 4
"""Of a hundred: random histories come last, and only to what every told story let pass."""
SLACK = 3.0
"""CPU seconds that a mutant may take more than three times what its tests take otherwise."""


@dataclass
class Measured:
    """What the tests do to the unchanged core. ``reach``: tests by file and line."""

    seconds: dict[str, float] = field(default_factory=dict)
    reach: dict[str, dict[int, list[str]]] = field(default_factory=dict)

    def chosen(self, mutant: Mutant) -> list[str]:
        """The tests that run its lines, else all: for a constant the quickest first, too."""
        lines = self.reach.get(str(mutant.path), {})
        span = range(mutant.first_line, mutant.last_line + 1)
        tests = {test for line in span for test in lines.get(line, ())} if mutant.function else set(self.seconds)
        return sorted(tests, key=lambda test: self.seconds[test])

    def allowed(self, tests: list[str]) -> float:
        return 3 * sum(self.seconds[test] for test in tests) + SLACK


def quiet_hypothesis() -> None:
    """The same examples for each mutant, and no time lost on making a failing one smaller."""
    phases = (Phase.explicit, Phase.generate)
    settings.register_profile("mutants", derandomize=True, database=None, phases=phases, max_examples=EXAMPLES)
    settings.load_profile("mutants")


class InFunctions:
    """A pytest plugin that takes over the running of the collected tests: measured once, then once per mutant."""

    def __init__(self, mutants: list[Mutant], jobs: int, tell: Callable[[Mutant, Outcome], None]) -> None:
        self.mutants, self.jobs, self.tell = mutants, jobs, tell
        self.measured = Measured()
        self._items: dict[str, pytest.Item] = {}

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self._items = {item.nodeid: item for item in session.items}
        self._measure()
        for mutant, outcome in forked(self._work(), self.jobs):
            self.tell(mutant, outcome)
        return True

    def _measure(self) -> None:
        coverage = Coverage(data_file=None, source=[str(DOMAIN)], config_file=False)
        coverage.start()
        for name, item in self._items.items():
            coverage.switch_context(name)
            if _fails(item):
                raise RuntimeError(f"{name} fails without any mutant: mend it first")
        coverage.stop()
        data = coverage.get_data()
        self.measured.reach = {path: data.contexts_by_lineno(path) for path in data.measured_files()}
        for name, item in self._items.items():
            begun = process_time()
            _fails(item)
            self.measured.seconds[name] = process_time() - begun

    def _work(self) -> Iterator[tuple[Mutant, float, Callable[[], bool]]]:
        for mutant in self.mutants:
            tests = self.measured.chosen(mutant)
            yield mutant, self.measured.allowed(tests), lambda m=mutant, t=tests: self._noticed(m, t)  # type: ignore[misc]

    def _noticed(self, mutant: Mutant, tests: list[str]) -> bool:
        plant(mutant)
        return any(_fails(self._items[test]) for test in tests)


def _fails(item: pytest.Item) -> bool:
    return any(report.failed for report in runtestprotocol(item, log=False, nextitem=None))


def plant(mutant: Mutant) -> None:
    """Gives the function that is in use the mutant's code."""
    code = compile(mutant.source, str(mutant.path), "exec", dont_inherit=True)
    module = sys.modules[f"app.domain.{mutant.module}"]
    _function(module, mutant.function).__code__ = _code(code, mutant.function)


def _function(module: ModuleType, name: str) -> FunctionType:
    found: object = module
    for part in name.split("."):
        found = vars(found)[part]
    bare = found.fget if isinstance(found, property) else found
    bare = bare.__func__ if isinstance(bare, classmethod | staticmethod) else bare
    assert isinstance(bare, FunctionType), f"{name} of {module.__name__} is no function that can be given other code"
    return bare


def _code(code: CodeType, name: str) -> CodeType:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if constant.co_qualname == name:
                return constant
            if name.startswith(f"{constant.co_qualname}."):
                return _code(constant, name)
    raise LookupError(f"no function {name}")


def in_modules(mutants: list[Mutant], measured: Measured, jobs: int) -> Iterator[tuple[Mutant, Outcome]]:
    """Mutants outside functions. The calling process must not have imported the core."""
    assert "app.domain" not in sys.modules
    tests = sorted(measured.seconds, key=lambda test: measured.seconds[test])
    seconds = measured.allowed(tests)
    yield from forked(((m, seconds, lambda m=m: _fresh(m, tests)) for m in mutants), jobs)  # type: ignore[misc]


def _fresh(mutant: Mutant, tests: list[str]) -> bool:
    sys.meta_path.insert(0, _Planted(mutant))
    return pytest.main([*OPTIONS, *tests]) != pytest.ExitCode.OK


class _Planted(MetaPathFinder, Loader):
    """Imports the mutant in the place of its module."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        wanted = fullname == f"app.domain.{self.mutant.module}"
        return spec_from_loader(fullname, self, origin=str(self.mutant.path)) if wanted else None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.mutant.source, str(self.mutant.path), "exec", dont_inherit=True), vars(module))
