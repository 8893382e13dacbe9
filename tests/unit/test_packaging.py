"""The files around the code agree with each other: locks, image, compose file, the App's manifest, CI."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tomllib
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import ROOT

LOCKS = ["requirements.lock", "requirements-dev.lock", "requirements-browser.lock"]
EVENTS_NEEDED = {
    *(
        "pull_request",
        "pull_request_review",
        "push",
        "create",
        "delete",
        "issue_comment",
        "workflow_run",
        "check_suite",
    ),
    *("check_run", "merge_group", "repository", "repository_ruleset", "workflow_dispatch", "repository_dispatch"),
}
PERMISSION_OF_EVENT = {
    "actions": {"workflow_run"},
    "administration": {"repository_ruleset"},
    "checks": {"check_run", "check_suite"},
    "contents": {"push", "create", "delete", "workflow_dispatch", "repository_dispatch"},
    "issues": {"issue_comment"},
    "merge_queues": {"merge_group"},
    "metadata": {"repository"},
    "pull_requests": {"pull_request", "pull_request_review"},
}


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def pyproject() -> dict[str, Any]:
    return tomllib.loads(text("pyproject.toml"))["project"]  # type: ignore[no-any-return]


def locked(name: str) -> dict[str, str]:
    """Each locked package (normalised name) with its version."""
    pins = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;]+)", text(name), re.MULTILINE)
    return {canonicalize_name(package): version for package, version in pins}


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_pins_every_package_by_hash_and_names_no_address(name: str) -> None:
    content = text(name)
    assert "://" not in content
    for block in re.split(r"\n(?=\S)", content.strip()):
        assert re.match(r"[a-z0-9][A-Za-z0-9._-]*(\[[a-z, ]+\])?==\S+", block), block
        assert "--hash=sha256:" in block, block


def test_the_lock_of_npm_pins_every_package_by_hash_and_names_no_address() -> None:
    content = text("tests/browser/package-lock.json")
    assert "://" not in content
    root, *packages = json.loads(content)["packages"].values()
    assert root["devDependencies"] == json.loads(text("tests/browser/package.json"))["devDependencies"]
    assert all(package["integrity"].startswith("sha512-") for package in packages)


def test_the_locks_satisfy_what_the_project_asks_for() -> None:
    project = pyproject()
    wanted = {"requirements.lock": project["dependencies"]}
    wanted["requirements-dev.lock"] = [
        *project["dependencies"],
        *(each for extra in project["optional-dependencies"].values() for each in extra),
    ]
    for name, requirements in wanted.items():
        pins = locked(name)
        for requirement in map(Requirement, requirements):
            assert pins[canonicalize_name(requirement.name)] in requirement.specifier, f"{requirement} in {name}"


def test_what_runs_is_what_was_tested() -> None:
    tested = locked("requirements-dev.lock")
    for package, version in {**locked("requirements.lock"), **locked("requirements-browser.lock")}.items():
        assert tested.get(package, package == "playwright" and version) == version, package


def test_everything_the_image_copies_exists_and_is_let_in() -> None:
    copies = re.findall(r"^COPY (?!--from)(.+)$", text("Dockerfile"), re.MULTILINE)
    sources = [source for copy in copies for source in copy.split()[:-1]]
    assert sources
    let_in = {line[1:] for line in text(".dockerignore").splitlines() if line.startswith("!")}
    for source in sources:
        assert (ROOT / source).exists(), source
        assert source in let_in, source


def test_the_image_runs_without_root_and_checks_its_health() -> None:
    dockerfile = text("Dockerfile")
    assert re.search(r"^USER 10001$", dockerfile, re.MULTILINE)
    assert "/healthz" in dockerfile
    assert "curl" not in dockerfile
    [command] = re.findall(r'CMD \["python", "-c", "(.+)"\]', dockerfile)
    compile(command, "HEALTHCHECK", "exec")


def test_the_image_takes_its_build_tool_from_the_lock() -> None:
    [script] = re.findall(r"sed -n '(.+?)' requirements-dev.lock", text("Dockerfile"))
    done = subprocess.run(["sed", "-n", script, "requirements-dev.lock"], cwd=ROOT, capture_output=True, text=True)
    lines = done.stdout.strip().splitlines()
    assert lines[0].startswith("setuptools==")
    assert len(lines) > 1
    assert all(line.strip().startswith("--hash=sha256:") for line in lines[1:])


def test_the_compose_file_brings_postgres_web_and_worker() -> None:
    services = yaml.safe_load(text("docker-compose.yml"))["services"]
    assert set(services) == {"postgres", "web", "worker"}
    assert services["web"]["command"] == ["serve", "--no-worker", "--host", "0.0.0.0"]
    assert services["worker"]["command"] == ["worker"]
    for name in ("web", "worker"):
        assert "@postgres:5432/" in services[name]["environment"]["LOCKSTEP_DATABASE_URL"]
        assert services[name]["depends_on"].keys() <= services.keys()


def test_the_manifest_is_private_and_has_the_events_with_their_permissions() -> None:
    manifest = yaml.safe_load(text("app.yml"))
    assert manifest["public"] is False
    assert manifest["hook_attributes"]["url"].endswith("/webhooks/github")
    events = manifest["default_events"]
    assert set(events) == EVENTS_NEEDED
    assert len(events) == len(set(events))
    assert set().union(*PERMISSION_OF_EVENT.values()) == EVENTS_NEEDED
    assert manifest["default_permissions"].keys() >= PERMISSION_OF_EVENT.keys()
    for write in ("actions", "statuses", "contents", "pull_requests", "issues"):
        assert manifest["default_permissions"][write] == "write"
    assert manifest["default_permissions"]["metadata"] == "read"


def test_every_permission_and_event_says_what_needs_it() -> None:
    sections = text("app.yml").split("\ndefault_permissions:\n")[1]
    lines = [line for line in sections.splitlines() if line.strip() and line != "default_events:"]
    assert len(lines) > 20
    for line in lines:
        assert re.fullmatch(r"  (- )?[a-z_]+(: (read|write))? # \S.{10,}", line), line


def test_continuous_integration_can_be_started() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", str(script)], check=True)


def test_every_target_of_the_makefile_is_explained() -> None:
    done = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    targets = re.findall(r"^\.PHONY: (.+)$", text("Makefile"), re.MULTILINE)[0].split()
    for target in set(targets) - {"help"}:
        assert re.search(rf"^make {target}\s+\S", done.stdout, re.MULTILINE), target
