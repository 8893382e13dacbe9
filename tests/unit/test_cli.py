"""The top of the command line: what it lists, what its exit status says, what it does not import."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from app.cli import COMMANDS, Command, build, load, main
from app.errors import OperatorError, Unreachable

HEAVY = {
    "alembic",
    "cryptography",
    "fastapi",
    "githubkit",
    "procrastinate",
    "psycopg",
    "pydantic",
    "rich",
    "sqlalchemy",
}


def unreachable() -> None:
    raise Unreachable("There is no database at db:5432. Start it.")


def wrong_use() -> None:
    raise OperatorError("LOCKSTEP_APP_ID is missing.")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_can_be_imported_and_explains_itself(command: Command) -> None:
    result = CliRunner().invoke(load(command), ["--help"])
    assert result.exit_code == 0, result.output
    assert result.output.startswith("Usage: ")


def test_the_top_level_lists_all_commands() -> None:
    result = CliRunner().invoke(build(COMMANDS), ["--help"])
    assert result.exit_code == 0
    for command in COMMANDS:
        assert command.name in result.output
        assert command.summary[:30] in result.output


def test_asking_for_help_imports_nothing_heavy() -> None:
    program = "import sys, app.cli\ntry: app.cli.main(['--help'])\nfinally: sys.stderr.write(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stderr.split())


@pytest.mark.parametrize(
    ("function", "status", "said"),
    [("unreachable", 3, "There is no database at db:5432."), ("wrong_use", 2, "LOCKSTEP_APP_ID is missing.")],
)
def test_an_operators_error_is_one_line_and_a_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], function: str, status: int, said: str
) -> None:
    monkeypatch.setattr("app.cli.COMMANDS", (Command("try", f"{__name__}:{function}", "Try."),))
    with pytest.raises(SystemExit) as end:
        main(["try"])
    assert end.value.code == status
    assert capsys.readouterr().err.startswith(f"lockstep: {said}")


@pytest.mark.parametrize("arguments", [["no-such-command"], ["settings", "--no-such-option"], ["settings", "surplus"]])
def test_wrong_use_is_status_2(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert "Usage: lockstep" in capsys.readouterr().err


def test_settings_shows_secrets_as_stars(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("LOCKSTEP_DATABASE_URL", "postgres://lock:hidden-one@db/lockstep")
    monkeypatch.setenv("LOCKSTEP_WEBHOOK_SECRET", "hidden-two, hidden-three")
    monkeypatch.setenv("LOCKSTEP_NOTIFY_ACME_SLACK", "hidden-four")
    for arguments in (["settings"], ["settings", "--json"]):
        with pytest.raises(SystemExit) as end:
            main(arguments)
        assert end.value.code == 0
        shown = capsys.readouterr().out
        assert "hidden" not in shown
    values = json.loads(shown)
    assert values["LOCKSTEP_DATABASE_URL"] == "postgresql+psycopg://lock:********@db/lockstep"
    assert values["LOCKSTEP_WEBHOOK_SECRET"] == ["********", "********"]
    assert values["LOCKSTEP_NOTIFY_ACME_SLACK"] == "********"
    assert values["LOCKSTEP_APP_ID"] is None


def test_settings_names_what_is_misspelt(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("LOCKSTEP_WEBHOOK_SECRETS", "x")
    with pytest.raises(SystemExit):
        main(["settings"])
    assert "LOCKSTEP_WEBHOOK_SECRETS is no setting" in capsys.readouterr().err


@pytest.mark.parametrize(("secret", "said"), [("", True), ("made for a test", False)])
def test_settings_say_what_does_nothing_by_itself(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], secret: str, said: bool
) -> None:
    monkeypatch.setenv("LOCKSTEP_CLIENT_ID", "Iv1.made")
    monkeypatch.setenv("LOCKSTEP_CLIENT_SECRET", secret)
    with pytest.raises(SystemExit):
        main(["settings"])
    assert ("LOCKSTEP_CLIENT_ID does nothing without LOCKSTEP_CLIENT_SECRET" in capsys.readouterr().err) == said
