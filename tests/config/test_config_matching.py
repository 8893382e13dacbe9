"""Which branches belong together: keys, base lines, globs."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from app.config import base_line_of, key_of, read_config
from app.config.bots import BOT_BRANCHES
from app.config.patterns import compile_glob
from app.config.values import MAX_GLOB, MAX_GLOBS
from app.domain.pipeline import BuildSpec, Pipeline

PLAIN = Pipeline(owner="acme", name="product", builds=(BuildSpec("repoA", "repoA"),))


@pytest.mark.parametrize(
    ("branches", "branch", "key"),
    [
        (None, "anything/at-all", "anything/at-all"),
        (r"DPTA-\d+", "DPTA-1122", "DPTA-1122"),
        (r"DPTA-\d+", "DPTA-1122-fix", None),
        (r"DPTA-\d+", "feature/DPTA-1122", None),
        (r"DPTA-\d+", "dpta-1122", None),
        (r"(?i)dpta-\d+", "DPTA-1122", "DPTA-1122"),
        (r"^DPTA-\d+$", "DPTA-1", "DPTA-1"),
        (r"(?:[a-z]+/)?(?P<key>DPTA-\d+)(?:-.*)?", "feature/DPTA-7-what-it-does", "DPTA-7"),
        (r"(?:[a-z]+/)?(?P<key>DPTA-\d+)(?:-.*)?", "DPTA-7", "DPTA-7"),
        (r"(?P<key>DPTA-\d+)?.*", "nothing", None),
        (r"(?P<key>x*)y", "y", None),
        (r"A|AB", "AB", "AB"),
        (r"(a+)+", "a" * 5000 + "!", None),
        (r"größe/\d+%", "größe/7%", "größe/7%"),
    ],
)
def test_the_key_of_a_branch(branches: str | None, branch: str, key: str | None) -> None:
    assert key_of(replace(PLAIN, branches=branches), branch) == key


def test_an_excluded_branch_has_no_key() -> None:
    pipeline = replace(PLAIN, exclude=("wip/**", "tmp-*"))
    assert [key_of(pipeline, branch) for branch in ("wip/a/b", "tmp-1", "tmp-1/x", "wip")] == [
        None,
        None,
        "tmp-1/x",
        "wip",
    ]


@pytest.mark.parametrize(
    "branch",
    [
        *("patch-1", "ann-patch-1", "ann-patch-12", "revert-12-DPTA-1", "gh-readonly-queue/main/pr-1-0a1b"),
        *("dependabot/npm_and_yarn/a/b-1.2", "renovate/all", "renovate/major-1.x", "depfu/update/x", "imgbot"),
        *("snyk-fix-0a1b", "snyk-upgrade-0a1b", "pyup-update-x-1-to-2", "pre-commit-ci-update-config"),
        *("release-please--branches--main", "release-please--branches--release/1--components--x"),
        *("changeset-release/main", "create-pull-request/patch", "github-actions/bump", "mergify/bp/1.x/pr-2"),
        *("all-contributors/add-ann",),
    ],
)
def test_branches_of_bots_have_no_key(branch: str) -> None:
    bots_out = read_config("version: 1\npipelines: {p: {builds: {a: }}}", owner="acme").config
    bots_in = read_config("version: 1\npipelines: {p: {exclude_bots: false, builds: {a: }}}", owner="acme").config
    assert bots_out is not None
    assert bots_in is not None
    assert key_of(bots_out.pipelines[0], branch) is None
    assert key_of(bots_in.pipelines[0], branch) == branch


@pytest.mark.parametrize(
    "branch", ["DPTA-1122", "feature/x", "ann/fix", "hot-patch-login", "release/1", "renovated", "image"]
)
def test_branches_of_people_have_one(branch: str) -> None:
    assert key_of(replace(PLAIN, exclude=BOT_BRANCHES), branch) == branch


@pytest.mark.parametrize(
    ("bases", "base", "default", "line"),
    [
        (("default",), "main", "main", "default"),
        (("default",), "trunk", "trunk", "default"),
        (("default",), "release/1", "main", None),
        (("default", "release/*"), "release/1", "main", "release/1"),
        (("default", "release/*"), "release/1/x", "main", None),
        (("default", "release/*"), "release/1", "release/1", "default"),
        (("release/**",), "release/1/x", "main", "release/1/x"),
        (("release/*",), "main", "main", None),
        (("main",), "main", "main", "main"),
        (("main",), "Main", "main", None),
        (("default", "main"), "main", "master", "main"),
        (("default",), "default", "main", None),
    ],
)
def test_the_base_line_of_a_pull_request(bases: tuple[str, ...], base: str, default: str, line: str | None) -> None:
    assert base_line_of(replace(PLAIN, bases=bases), base, default) == line


@pytest.mark.parametrize(
    ("glob", "yes", "no"),
    [
        ("*", ["a", "a.b", ""], ["a/b"]),
        ("**", ["a", "a/b", "a/b/c"], []),
        ("a/**", ["a/b", "a/b/c"], ["a", "b/a/c"]),
        ("**/a", ["a", "b/a", "b/c/a"], ["ba", "a/b"]),
        ("a/**/b", ["a/b", "a/x/b", "a/x/y/b"], ["ab", "a/b/c"]),
        ("a?c", ["abc"], ["ac", "a/c", "abbc"]),
        ("v[0-9]", ["v1"], ["v", "v10", "va"]),
        ("v[!0-9]", ["va"], ["v1", "v/"]),
        ("a.b+(c)", ["a.b+(c)"], ["axb+(c)", "a.bb(c)"]),
        ("größe-*", ["größe-💥"], ["GRÖSSE-1"]),
        ("*a*a*a*a*a*a*b", ["aaaaaab"], ["a" * 3000]),
    ],
)
def test_globs(glob: str, yes: list[str], no: list[str]) -> None:
    pattern = compile_glob(glob)
    assert [name for name in yes if not pattern.fullmatch(name)] == []
    assert [name for name in no if pattern.fullmatch(name)] == []


HARMFUL = ["(a|a)*b", "(a*)*b", "(?:a+a+)+b", "(.*a){20}b", "(a?){250}a{250}b", "(?:.*.*.*)*b"]
WORST_GLOB = ("**a" * MAX_GLOB)[: MAX_GLOB - 3]


def test_expressions_and_globs_of_an_owner_take_linear_time() -> None:
    """With an engine that backtracks each of these takes longer than the universe."""
    worst = replace(PLAIN, exclude=tuple(f"{WORST_GLOB}{number}" for number in range(MAX_GLOBS)))
    pipelines = [*(replace(PLAIN, branches=text) for text in HARMFUL), worst]
    for pipeline in pipelines:
        key_of(pipeline, "a")
    began = time.thread_time()
    for pipeline in pipelines:
        key_of(pipeline, "a" * 1000)
    assert time.thread_time() - began < 5.0


@pytest.mark.parametrize("key", ["exclude", "bases"])
def test_globs_are_bounded_in_length_and_number(key: str) -> None:
    def problems(globs: list[str]) -> list[str]:
        text = f"version: 1\npipelines: {{p: {{{key}: {globs}, builds: {{a: {{}}}}}}}}\n"
        return [str(problem) for problem in read_config(text, owner="acme", file="f").problems]

    assert problems(["a" * MAX_GLOB] * MAX_GLOBS) == []
    assert f"1 to {MAX_GLOB} characters" in problems(["a" * (MAX_GLOB + 1)])[0]
    assert f"at most {MAX_GLOBS} items" in problems(["a"] * (MAX_GLOBS + 1))[0]
