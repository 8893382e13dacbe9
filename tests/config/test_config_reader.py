"""What a good file becomes."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from app.config import read_config
from app.config.bots import BOT_BRANCHES
from app.config.inputs import TEMPLATES
from app.domain.manifest import TEMPLATE
from app.domain.pipeline import (
    Absent,
    BaseMoved,
    BuildSpec,
    Config,
    Discovery,
    Fleet,
    Landing,
    Listed,
    Looks,
    MergeMethod,
    MergeMode,
    Missed,
    OnFailure,
    Overlap,
    Pipeline,
    Schedule,
    Share,
    Start,
    Then,
    Unmatched,
)
from tests.config.examples import FULL, SMALL

CONTRACT = Path(__file__).resolve().parents[3] / "shared" / "CONTRACT.md"

CHAIN = """\
version: 1
pipelines:
  product:
    builds:
      repoE: {needs: [repoD, repoC]}
      repoD: {needs: [repoB]}
      repoC: {needs: [repoA]}
      repoB: {needs: [repoA]}
      repoA: {}
"""


def good(text: str, owner: str = "acme") -> Config:
    parsed = read_config(text, owner=owner)
    assert parsed.problems == ()
    assert parsed.config is not None
    return parsed.config


def only_pipeline(text: str) -> Pipeline:
    [pipeline] = good(text).pipelines
    return pipeline


def minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


def test_a_small_file_takes_the_defaults_of_the_domain() -> None:
    builds = (
        BuildSpec(name="repoA", repository="repoA"),
        BuildSpec(name="repoB", repository="repoB", needs=("repoA",)),
    )
    expected = Pipeline(owner="acme", name="product", builds=builds, exclude=BOT_BRANCHES)
    assert good(SMALL) == Config(owner="acme", pipelines=(expected,))


def test_a_file_that_says_everything_is_understood() -> None:
    usual = BuildSpec("", "", "ci.yml", timeout=minutes(45), start_timeout=minutes(5), retries=2)
    inputs = {"id": "{attempt.id}", "json": '{"a": {"b": [1]}}', "n": "1.10", "flag": "true"}
    builds = (
        replace(usual, name="repoA", repository="repoA", timeout=minutes(10)),
        replace(usual, name="repoB", repository="repoB", needs=("repoA",)),
        replace(usual, name="repoC", repository="repoC", needs=("repoA",), retries=1, inputs=inputs),
        replace(usual, name="repoD", repository="repoD", needs=("repoA",), required=False),
        replace(usual, name="e-full", repository="repoE", workflow="full.yml", needs=("repoB", "repoC", "repoD")),
    )
    assert only_pipeline(FULL) == Pipeline(
        owner="acme",
        name="product",
        builds=builds,
        branches=r"DPTA-\d+",
        exclude=("experiment/**", *BOT_BRANCHES),
        bases=("default", "release/*"),
        start=Start.COMMAND,
        settle=timedelta(seconds=20),
        settle_max=minutes(5),
        unmatched=Unmatched.BLOCK,
        absent=Absent.BASE,
        status="product-build",
        comment=False,
        max_parallel=4,
        on_failure=OnFailure.CONTINUE,
        reuse_for=timedelta(days=1, hours=12),
        base_moved=BaseMoved.REBUILD,
        landing=Landing(MergeMode.TOGETHER, MergeMethod.REBASE, delete_branches=True),
    )


def test_fleets_that_say_everything_are_understood() -> None:
    numpy = Listed("numpy", "other.yml", "master", {"deep": "true"})
    berlin = Schedule("0 2 * * *", "Europe/Berlin", minutes(10), Missed.RUN_ONCE, ("mon-fri", "sun"))
    nightly = Fleet(
        owner="acme",
        name="nightly",
        workflow="scan.yml",
        repositories=(Listed("scipy"), numpy, Listed("team-*")),
        inputs={"level": "3"},
        schedules=(berlin,),
        rerun_failed=1,
        overlap=Overlap.QUEUE,
        waves=(Share(3), Share(10, percent=True), Share(100, percent=True)),
        stop_after=Share(20, percent=True),
        then=Then("dashboard", "collect.yml", inputs={"summary": "{run.summary_url}"}),
        links={"The dashboard": "https://example.org/nightly"},
    )
    chosen = Discovery(having_workflow=True, topic="python", visibility=Looks.PRIVATE, exclude=("x", "old-*"))
    found = Fleet(owner="acme", name="found", workflow="scan.yml", repositories=chosen)
    assert good(FULL).fleets == (nightly, found)


def test_a_fleet_may_name_its_repositories_in_full() -> None:
    listed = "[acme/a, {repository: Acme/B, workflow: b.yml}]"
    text = f"version: 1\nfleets: {{f: {{workflow: w.yml, repositories: {listed}}}}}\n"
    assert good(text).fleets[0].repositories == (Listed("a"), Listed("B", "b.yml"))


@pytest.mark.parametrize(
    ("share", "total", "count"),
    [
        (Share(3), 2, 3),
        (Share(10, percent=True), 11, 2),
        (Share(1, percent=True), 1, 1),
        (Share(100, percent=True), 7, 7),
    ],
)
def test_a_share_is_rounded_up(share: Share, total: int, count: int) -> None:
    assert share.of(total) == count


def test_the_example_of_the_contract_is_understood() -> None:
    if not CONTRACT.exists():
        pytest.skip("the contract is not beside this checkout")
    found = re.search(r"^## 3\. .*?^```yaml\n(.*?)^```", CONTRACT.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert found is not None
    pipeline = only_pipeline(found[1])
    assert [(build.name, build.repository, build.needs) for build in pipeline.builds] == [
        ("repoA", "repoA", ()),
        ("repoB", "repoB", ("repoA",)),
        ("repoC", "repoC", ("repoA",)),
        ("repoD", "repoD", ("repoA",)),
        ("e-full", "repoE", ("repoB", "repoC", "repoD")),
    ]
    assert pipeline.builds[0].timeout == minutes(10)
    assert pipeline.builds[2].inputs == {"orchestrator_runid": "{attempt.id}", "manifest": "{manifest}"}
    assert pipeline.landing == Landing(MergeMode.UNLOCK, MergeMethod.SQUASH, delete_branches=True)


def test_builds_come_upstream_first_whatever_the_order_in_the_file() -> None:
    names = [build.name for build in only_pipeline(CHAIN).builds]
    assert sorted(names) == ["repoA", "repoB", "repoC", "repoD", "repoE"]
    assert all(
        names.index(need) < names.index(build.name) for build in only_pipeline(CHAIN).builds for need in build.needs
    )


@pytest.mark.parametrize("text", ["version: 1\n", "version: 1\npipelines:\nfleets:\nnotify:\ndefaults:\n"])
def test_every_section_may_be_left_out_or_empty(text: str) -> None:
    assert good(text) == Config(owner="acme")


@pytest.mark.parametrize(
    ("written", "value"),
    [("", timedelta(days=7)), ("reuse: true", timedelta(days=7)), ("reuse: {}", timedelta(days=7)),
     ("reuse: false", None), ("reuse: {for: 2h}", timedelta(hours=2))],
)  # fmt: skip
def test_reuse(written: str, value: timedelta | None) -> None:
    pipeline = only_pipeline(f"version: 1\npipelines: {{p: {{builds: {{a: }}, {written}}}}}")
    assert pipeline.reuse_for == value


@pytest.mark.parametrize(
    ("written", "value"),
    [("30s", timedelta(seconds=30)), ("0s", timedelta(0)), ("1h", timedelta(hours=1)),
     ("1d", timedelta(days=1)), ("1h2m3s", timedelta(hours=1, minutes=2, seconds=3))],
)  # fmt: skip
def test_durations(written: str, value: timedelta) -> None:
    pipeline = only_pipeline(f"version: 1\npipelines: {{p: {{settle: {written}, settle_max: 1d, builds: {{a: }}}}}}")
    assert pipeline.settle == value


def test_words_that_yaml_1_1_takes_for_booleans_and_numbers_stay_words() -> None:
    text = """\
version: 1
pipelines:
  on:
    bases: [no, 1.10, 2024-01-01]
    exclude: [yes, null-*]
    status: off
    builds:
      no: {inputs: {a: yes, b: 010, c: 1e3, d: FALSE, e: 'True', f: "", g: 2024-01-01}}
      010: {needs: [no]}
"""
    pipeline = only_pipeline(text)
    assert (pipeline.name, pipeline.bases, pipeline.status) == ("on", ("no", "1.10", "2024-01-01"), "off")
    assert pipeline.exclude[:2] == ("yes", "null-*")
    assert [build.name for build in pipeline.builds] == ["no", "010"]
    inputs = {"a": "yes", "b": "010", "c": "1e3", "d": "false", "e": "True", "f": "", "g": "2024-01-01"}
    assert pipeline.builds[0].inputs == inputs


@pytest.mark.parametrize("word", ["true", "True", "yes", "on"])
def test_where_a_boolean_is_meant_every_yaml_spelling_is_one(word: str) -> None:
    assert only_pipeline(f"version: 1\npipelines: {{p: {{comment: {word}, builds: {{a: }}}}}}").comment is True


def test_bots_may_be_grouped_and_are_not_listed_twice() -> None:
    head = "version: 1\npipelines: {p: {builds: {a: }, "
    assert only_pipeline(head + "exclude_bots: false, exclude: [x]}}").exclude == ("x",)
    assert only_pipeline(head + "exclude: ['snyk-*']}}").exclude.count("snyk-*") == 1


def test_anchors_aliases_and_merge_keys_work() -> None:
    text = """\
version: 1
pipelines:
  p:
    builds:
      a: &slow {timeout: 3h, retries: 1}
      b: *slow
      c: {<<: *slow, retries: 2}
      d: {<<: [{retries: 3}, *slow]}
"""
    builds = only_pipeline(text).builds
    assert [(build.timeout, build.retries) for build in builds] == [(timedelta(hours=3), n) for n in (1, 1, 2, 3)]


def test_names_of_the_owner_are_shortened_and_need_no_case() -> None:
    text = "version: 1\npipelines: {p: {builds: {ACME/repoA: , b: {repository: Acme/repoB, needs: [acme/REPOA]}}}}"
    first, second = only_pipeline(text).builds
    assert (first.name, first.repository, second.repository, second.needs) == ("repoA", "repoA", "repoB", ("repoA",))


def test_pipelines_may_share_a_status_or_a_repository_but_not_both() -> None:
    text = """\
version: 1
pipelines:
  a: {builds: {repoA: , repoB: }}
  b: {builds: {repoC: }}
  c: {status: other, builds: {repoA: }}
"""
    assert [pipeline.name for pipeline in good(text).pipelines] == ["a", "b", "c"]


def test_without_an_owner_names_are_not_compared() -> None:
    text = "version: 1\npipelines: {p: {builds: {x/a: }}}\nnotify: {slack: {webhook_env: LOCKSTEP_NOTIFY_ANY_SLACK}}"
    assert good(text, owner="").pipelines[0].builds[0].repository == "a"


def test_an_owner_with_a_hyphen_names_its_variables_with_an_underscore() -> None:
    good("version: 1\nnotify: {slack: {webhook_env: LOCKSTEP_NOTIFY_ACME_CORP_SLACK}}", owner="acme-Corp")


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm() -> None:
    assert good("\ufeff" + SMALL.replace("\n", "\r\n")) == good(SMALL)


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_is_one_that_rendering_fills_in(name: str) -> None:
    pipeline = only_pipeline(f"version: 1\npipelines: {{p: {{builds: {{a: {{inputs: {{i: 'x{{{name}}}y'}}}}}}}}}}")
    [text] = pipeline.builds[0].inputs.values()
    assert TEMPLATE.sub("-", text) == "x-y"


@pytest.mark.parametrize(
    "text", ['{"a": {"b": "{sha}"}}', "{}", "{0}", "{ nope }", "{{key}}", "{a-b}", "$sha", "%{x y}"]
)
def test_other_braces_are_left_alone(text: str) -> None:
    pipeline = only_pipeline(f"version: 1\npipelines: {{p: {{builds: {{a: {{inputs: {{i: '{text}'}}}}}}}}}}")
    assert pipeline.builds[0].inputs == {"i": text}
