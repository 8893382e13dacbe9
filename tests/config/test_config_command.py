"""``lockstep config check`` and ``lockstep config schema``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli.config import config
from app.config import schema
from app.errors import OperatorError
from tests.config.examples import FULL, SMALL


def written(directory: Path, text: str) -> str:
    path = directory / "orchestrator.yml"
    path.write_bytes(text.encode("utf-8", errors="surrogateescape"))
    return str(path)


def test_a_good_file_ends_with_0_and_shows_how_it_is_understood(tmp_path: Path) -> None:
    path = written(tmp_path, SMALL)
    result = CliRunner().invoke(config, ["check", path])
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        f"{path}: good",
        "pipeline product, status orchestrator-build:",
        "  repoA: build.yml of repoA",
        "  repoB: build.yml of repoB, after repoA",
    ]


def test_problems_end_with_1_a_line_each(tmp_path: Path) -> None:
    path = written(tmp_path, "version: 1\npipelines: {p: {builds: {a: {need: [b]}}, start: now}}\n")
    result = CliRunner().invoke(config, ["check", path])
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        f'{path}:2:30: unknown key "need" in build a. Did you mean "needs"?',
        f'{path}:2:50: "start" in pipeline p must be auto or command, not "now". Choose one of auto, command.',
    ]


def test_the_owner_is_compared_where_it_is_given(tmp_path: Path) -> None:
    path = written(tmp_path, FULL)
    assert CliRunner().invoke(config, ["check", path]).exit_code == 0
    assert CliRunner().invoke(config, ["check", path, "--owner", "acme"]).exit_code == 0
    result = CliRunner().invoke(config, ["check", path, "--owner", "other"])
    assert result.exit_code == 1
    assert "which is not other's" in result.stdout


def test_json_for_programs(tmp_path: Path) -> None:
    good = CliRunner().invoke(config, ["check", written(tmp_path, SMALL), "--json"])
    assert good.exit_code == 0
    answer = json.loads(good.stdout)
    assert (answer["good"], answer["problems"]) == (True, [])
    assert [build["needs"] for build in answer["pipelines"][0]["builds"]] == [[], ["repoA"]]
    path = written(tmp_path, "version: 2\n")
    bad = CliRunner().invoke(config, ["check", path, "--json"])
    assert bad.exit_code == 1
    assert json.loads(bad.stdout)["problems"] == [
        {
            "file": path,
            "line": 1,
            "column": 10,
            "message": '"version" in the file must be 1, not 2',
            "suggestion": "This Lockstep reads version 1 of the format.",
        }
    ]


def test_bytes_that_are_no_utf_8_are_a_problem(tmp_path: Path) -> None:
    result = CliRunner().invoke(config, ["check", written(tmp_path, "version: 1\n# caf\udce9\n")])
    assert result.exit_code == 1
    assert result.stdout.endswith(":2:6: this byte is not UTF-8. Save the file as UTF-8.\n")


@pytest.mark.parametrize("name", ["missing.yml", "."])
def test_a_file_that_cannot_be_read_is_wrong_use(tmp_path: Path, name: str) -> None:
    result = CliRunner().invoke(config, ["check", str(tmp_path / name)])
    assert isinstance(result.exception, OperatorError)
    assert result.exception.exit_code == 2
    assert str(tmp_path) in str(result.exception)


def test_the_schema_is_printed_as_json() -> None:
    result = CliRunner().invoke(config, ["schema"])
    assert result.exit_code == 0
    assert json.loads(result.stdout) == schema()
