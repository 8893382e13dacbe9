"""The JSON Schema says what the reader says, as far as a schema can."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from app.config import read_config, schema
from tests.config.examples import FULL, SMALL, cases

VALIDATOR = Draft202012Validator(schema())

BEYOND_A_SCHEMA = (
    *("duplicate", "not acme's", "in a cycle", "in needs of build", "must not exceed", "share", "unknown template"),
    *("named group", "is not a regular expression", "is not a glob", "must be from", "must be a time zone", "${{"),
    *("must have five fields", "has a bad", "must not be", "must hold weekdays", "at most 100%", "starts with"),
    *("must be a branch or a tag", "characters without space", "the tag", '"<<" merges', "stands inside", "no anchor"),
    *("not valid YAML", "a key must be text", "more than one YAML document", "the file is empty", "of a mapping"),
    "not 1.0",
)
"""Words of problems that no schema can find, or only with expressions that editors show instead of help."""


def found_by_schema(text: str) -> bool:
    return not VALIDATOR.is_valid(yaml.safe_load(text))


def schema_cases() -> Iterator[str]:
    for _, text, problems in cases():
        if any(not any(words in problem for words in BEYOND_A_SCHEMA) for problem in problems):
            yield text


def test_it_is_a_schema_and_every_key_is_explained() -> None:
    Draft202012Validator.check_schema(schema())

    def properties(part: Any) -> Iterator[dict[str, Any]]:
        if isinstance(part, dict):
            yield from part.get("properties", {}).values()
        for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
            yield from properties(inner)

    keys = list(properties(schema()))
    assert len(keys) > 60
    assert [key for key in keys if not key.get("description", "").endswith((".", ")"))] == []


@pytest.mark.parametrize("text", [FULL, SMALL, "version: 1\n"], ids=["full", "small", "smallest"])
def test_good_files_are_good_for_both(text: str) -> None:
    assert read_config(text, owner="acme").problems == ()
    assert [error.message for error in VALIDATOR.iter_errors(yaml.safe_load(text))] == []


@pytest.mark.parametrize("text", list(schema_cases()))
def test_bad_files_are_bad_for_both(text: str) -> None:
    assert read_config(text, owner="acme").problems
    assert found_by_schema(text)


def test_most_of_the_table_is_in_reach_of_a_schema() -> None:
    assert len(list(schema_cases())) > 60


@pytest.mark.parametrize(
    "line",
    ["timeout: 1h30m", "retries: 0", "retries: 10", "needs:", "needs: []", "required: yes", "inputs:",
     "workflow: a.yaml", "workflow: .github/workflows/a.yml",
     "inputs: {a: 1, b: true, c: 1.5, d: ''}", "repository: acme/x"],
)  # fmt: skip
def test_what_a_build_may_say_is_good_for_both(line: str) -> None:
    text = f"version: 1\npipelines: {{p: {{builds: {{a: {{{line} }}}}}}}}"
    assert read_config(text, owner="acme").problems == ()
    assert not found_by_schema(text)


@pytest.mark.parametrize(
    "line",
    ["branches: null", "exclude:", "bases: [default, 1.10]", "reuse: false", "reuse: true", "reuse:", "merge:",
     "settle: 0s", "comment: off", "merge: {mode: together}", "status: 'a / b (c)'",
     "branches: '(?P<key>[A-Z]+-\\d+).*'"],
)  # fmt: skip
def test_what_a_pipeline_may_say_is_good_for_both(line: str) -> None:
    text = f"version: 1\npipelines:\n  p:\n    {line}\n    builds: {{a: }}\n"
    assert read_config(text, owner="acme").problems == ()
    assert not found_by_schema(text)


@pytest.mark.parametrize(
    "line",
    ["waves: null", "waves: [1, 50%]", "stop_after: 3", "then: null", "schedules: [{cron: '*/5 0-3 L * 1#2'}]",
     "links:", "ref: release/1.x", "ref: 1.10", "follow: false", "schedules: [{cron: '0 2 * * MON', only: null}]"],
)  # fmt: skip
def test_what_a_fleet_may_say_is_good_for_both(line: str) -> None:
    text = f"version: 1\nfleets:\n  f:\n    workflow: a.yml\n    repositories: [x, 'y-*']\n    {line}\n"
    assert read_config(text, owner="acme").problems == ()
    assert not found_by_schema(text)


def test_the_defaults_it_names_are_those_that_the_reader_takes() -> None:
    parts = schema()["properties"]
    keys = parts["pipelines"]["additionalProperties"]["properties"]
    builds = keys["builds"]["additionalProperties"]["properties"]
    said = {name: key["default"] for name, key in keys.items() if "default" in key and name != "merge"}
    said["builds"] = {"a": {name: key["default"] for name, key in builds.items() if "default" in key}}
    said["merge"] = {name: key["default"] for name, key in keys["merge"]["properties"].items()}
    explicit = yaml.safe_dump({"version": 1, "pipelines": {"p": said}})
    implicit = read_config("version: 1\npipelines: {p: {builds: {a: }}}", owner="acme")
    assert read_config(explicit, owner="acme") == implicit
    assert implicit.config is not None
