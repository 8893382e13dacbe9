"""``serve`` and ``worker`` as processes: how they start, what they say, and that SIGTERM is a clean end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from app.cli import main
from tests.leaks import guard, look

SECRET = guard("a webhook secret of this test", "webhook secret")


@contextmanager
def process(*arguments: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LOCKSTEP_")}
    command = [sys.executable, "-m", "app", *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment | variables) as started:
        try:
            yield started
        finally:
            started.kill()


def lines_until(started: subprocess.Popen[str], event: str) -> list[dict[str, Any]]:
    """What it logs, up to the line of this event."""
    assert started.stderr is not None
    lines: list[dict[str, Any]] = []
    for line in started.stderr:
        look("what a program printed", line)
        lines.append(json.loads(line))
        if lines[-1]["event"] == event:
            return lines
    raise AssertionError(f"no {event!r} in {lines}")


def ended(started: subprocess.Popen[str], number: int = signal.SIGTERM) -> tuple[int, str]:
    """Status and remaining log after a signal."""
    started.send_signal(number)
    _, rest = started.communicate(timeout=60)
    return started.returncode, rest


def a_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return guard(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(), "private key")


def test_without_anything_set_it_serves_and_says_what_to_set(tmp_path: Path) -> None:
    with process("serve", "--port", "0", LOCKSTEP_DATA_DIR=str(tmp_path)) as started:
        lines = lines_until(started, f"Started server process [{started.pid}]")
        said = {line["event"]: line for line in lines}
        assert any(event.startswith("LOCKSTEP_DATABASE_URL is not set") for event in said)
        assert any(event.startswith("not set up: set LOCKSTEP_APP_ID") for event in said)
        address = said["serving"]["address"]
        ready = httpx.get(f"{address}/readyz", trust_env=False)
        assert (ready.status_code, ready.json()["database"]) == (503, {"ready": True})
        with httpx.Client(trust_env=False, follow_redirects=True) as browser:
            assert "Change sets" in browser.get(said["serving"]["pages"]).text
        delivery = httpx.post(f"{address}/webhooks/github", content=b"{}", trust_env=False)
        assert delivery.status_code == 401
        assert ended(started)[0] == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_with_credentials_a_worker_works_beside_until_the_end(database_url: str, number: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        variables = {
            "LOCKSTEP_DATABASE_URL": database_url,
            "LOCKSTEP_APP_ID": "7",
            "LOCKSTEP_PRIVATE_KEY": a_key(),
            "LOCKSTEP_WEBHOOK_SECRET": SECRET,
            "LOCKSTEP_GITHUB_API_URL": f"http://127.0.0.1:{silent.getsockname()[1]}",
        }
        with process("serve", "--port", "0", **variables) as started:
            lines = lines_until(started, f"Started server process [{started.pid}]")
            serving = next(line for line in lines if line["event"] == "serving")
            assert serving["worker"] is True
            ready = httpx.get(f"{serving['address']}/readyz", trust_env=False).json()
            assert ready["set_up"] == {"ready": True}
            status, rest = ended(started, number)
    assert status == 0, rest
    assert SECRET not in rest + json.dumps(lines)
    assert "BEGIN" not in rest + json.dumps(lines)


def test_a_worker_ends_cleanly(database_url: str) -> None:
    variables = {
        "LOCKSTEP_DATABASE_URL": database_url,
        "LOCKSTEP_APP_ID": "7",
        "LOCKSTEP_PRIVATE_KEY": a_key(),
        "LOCKSTEP_WEBHOOK_SECRET": SECRET,
        "LOCKSTEP_GITHUB_API_URL": "http://127.0.0.1:1",
    }
    with process("worker", **variables) as started:
        lines_until(started, "worker started")
        status, rest = ended(started)
        assert status == 0, rest


def test_a_worker_needs_a_database(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["worker"])
    assert end.value.code == 2
    assert "LOCKSTEP_DATABASE_URL is missing" in capsys.readouterr().err


def test_a_config_file_has_to_be_good_for_each_owner_that_is_allowed(
    database_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "orchestrator.yml"
    file.write_text("version: 1\npipelines: {p: {builds: {acme/a: }}}\n")
    variables = {"DATABASE_URL": database_url, "APP_ID": "7", "PRIVATE_KEY": a_key(), "WEBHOOK_SECRET": SECRET}
    for name, value in (variables | {"CONFIG_FILE": str(file), "ALLOWED_OWNERS": "acme,octo"}).items():
        monkeypatch.setenv(f"LOCKSTEP_{name}", value)
    with pytest.raises(SystemExit) as end:
        main(["worker"])
    assert end.value.code == 2
    said = capsys.readouterr().err
    assert "LOCKSTEP_CONFIG_FILE is no good config for octo (problems: 1); the first: orchestrator.yml:2:" in said


def test_an_address_that_is_taken_is_said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit) as end:
            main(["serve", "--port", str(port)])
    assert end.value.code == 3
    assert f"Cannot listen on 127.0.0.1:{port}" in capsys.readouterr().err
