"""CONTRACT §1: a malformed setting stops whatever reads it with one line that names it, and status 2."""

from __future__ import annotations

import pytest

from app.cli import main

COMMANDS = {
    "serve": ["serve", "--port", "0"],
    "worker": ["worker"],
    "token": ["token", "list"],
    "settings": ["settings"],
}

MALFORMED = {
    "LOCKSTEP_DATABASE_URL": "postgresql://u:swordfish@h:notaport/db",
    "LOCKSTEP_DATA_DIR": "~nobody-of-this-name/swordfish",
    "LOCKSTEP_APP_ID": "swordfish",
    "LOCKSTEP_PRIVATE_KEY": "swordfish",
    "LOCKSTEP_PRIVATE_KEY_FILE": "/",
    "LOCKSTEP_CLIENT_SECRET": "swordfish",
    "LOCKSTEP_ALLOWED_OWNERS": "acme/repoA",
    "LOCKSTEP_GITHUB_API_URL": "https://u:swordfish@[::1",
    "LOCKSTEP_GITHUB_URL": "https://u:swordfish@h:notaport",
    "LOCKSTEP_PUBLIC_URL": "https://u:swordfish@h/%",
    "LOCKSTEP_CONFIG_REPOSITORY": "acme/orchestrator",
    "LOCKSTEP_CONFIG_PATH": "/",
    "LOCKSTEP_CONFIG_FILE": "/",
    "LOCKSTEP_INGEST": "swordfish",
    "LOCKSTEP_ENV_FILE": "/",
}
"""The webhook's secrets, the client id and the messages' variables may hold any text."""


def refused(capsys: pytest.CaptureFixture[str], command: str) -> str:
    with pytest.raises(SystemExit) as end:
        main(COMMANDS[command])
    said = capsys.readouterr().err
    assert end.value.code == 2, said
    lines = [line for line in said.splitlines() if line.startswith("lockstep: ")]
    assert len(lines) == 1, said
    return lines[0]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("variable", MALFORMED)
def test_a_malformed_setting_stops_every_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variable: str, command: str
) -> None:
    monkeypatch.setenv(variable, MALFORMED[variable])
    said = refused(capsys, command)
    assert variable in said or variable == "LOCKSTEP_CLIENT_SECRET"
    assert "swordfish" not in said.replace("~nobody-of-this-name/swordfish", "")


@pytest.mark.parametrize("command", ["serve", "token"])
@pytest.mark.parametrize("place", ["/proc/nope", "/dev/null/x", f"/tmp/{'x' * 300}"])
def test_a_data_directory_that_cannot_be_made_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, place: str, command: str
) -> None:
    monkeypatch.setenv("LOCKSTEP_DATA_DIR", place)
    assert refused(capsys, command).startswith(f"lockstep: LOCKSTEP_DATA_DIR: no database can be kept in {place}")
