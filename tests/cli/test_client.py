"""``run``, ``status``, ``cancel``, ``retry`` against a Lockstep on loopback: what they print and how they end."""

from __future__ import annotations

import json
import socket

import pytest

from app.cli import main
from app.cli.api import Api
from app.domain.events import DispatchBegan, DispatchRefused
from app.domain.fleet import Barred, Target
from tests.cli.conftest import Served


def lockstep(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    return int(end.value.code or 0)


def test_run_prints_the_orchestration(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    assert lockstep("run", "product", "main", "--owner", "acme", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["kind"], shown["state"]) == ("branch", "waiting")
    assert lockstep("run", "acme/product", "main") == 0
    assert capsys.readouterr().out == f"{shown['id']}: waiting\n"


def test_run_by_key_and_status_by_key_and_id(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    set_id = served.do(served.office.opened())
    assert lockstep("run", "acme/product", "DPTA-1", "--key") == 0
    served.do(served.office.frozen(set_id))
    capsys.readouterr()
    assert lockstep("status") == 0
    assert capsys.readouterr().out.startswith(f"{set_id}  DPTA-1")
    for subject in ("DPTA-1", set_id):
        assert lockstep("status", subject) == 0
        said = capsys.readouterr().out
        assert "DPTA-1 of acme/product (open): pending" in said
        assert "acme/repoA#1 at aaaaaaaaaa" in said
        assert "repoB  skipped" in said
    assert lockstep("status", f"{set_id}-1", "--json") == 0
    assert json.loads(capsys.readouterr().out)["id"] == f"{set_id}-1"
    assert lockstep("status", set_id, "--json") == 0
    assert json.loads(capsys.readouterr().out)["orchestration"]["id"] == f"{set_id}-1"


def test_cancel_then_status_is_a_no(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    set_id = served.do(served.office.opened())
    assert lockstep("cancel", "DPTA-1") == 0
    assert "cancelled" in capsys.readouterr().out
    assert lockstep("status", set_id) == 1


def test_retry_watches_to_the_end(
    served: Served, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    state = served.do(served.office.frozen(served.do(served.office.opened())))

    def refuse(number: int) -> None:
        attempt = f"{state.id}-1-1-{number}"
        served.do(served.office.tell(state.id, DispatchBegan(attempt), DispatchRefused(attempt, "no such workflow")))

    refuse(1)
    pauses: list[float] = []

    def pause(api: Api, seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            refuse(2)

    monkeypatch.setattr(Api, "pause", pause)
    assert lockstep("retry", "DPTA-1", "repoA", "--watch") == 1
    said = capsys.readouterr().out
    assert "repoA  error        no such workflow" in said
    assert pauses == [1.0, 1.0]
    assert lockstep("retry", "DPTA-1", "repoZ") == 2
    assert "no such builds: repoz" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["run", "product", "main"], 2, "Whose pipeline"),
        (["run", "acme/nothing", "main"], 2, "Known: acme/product"),
        (["run", "acme/product", "a b"], 2, "no name that git allows"),
        (["status", "DPTA-404"], 2, "There is no change set or orchestration DPTA-404"),
        (["status", "none-1"], 2, "There is no change set or orchestration none-1"),
        (["cancel", "with space"], 2, "There is no change set"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_wrong_use_is_said(
    served: Served, capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, said: str
) -> None:
    assert lockstep(*arguments) == status
    assert said in capsys.readouterr().err


def test_a_refused_token_is_status_3(
    served: Served, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = served.do(served.office.token("read"))
    for token, said in (("wrong", "not known"), (reader, "scope run")):
        monkeypatch.setenv("LOCKSTEP_TOKEN", token)
        assert lockstep("run", "acme/product", "main") == 3
        error = capsys.readouterr().err
        assert said in error
        assert token not in error


def test_nobody_there_is_status_3(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("LOCKSTEP_URL", f"http://127.0.0.1:{port}")
    assert lockstep("status") == 2
    assert "LOCKSTEP_TOKEN is missing" in capsys.readouterr().err
    monkeypatch.setenv("LOCKSTEP_TOKEN", "anything")
    assert lockstep("status") == 3
    assert "cannot be reached" in capsys.readouterr().err


def test_a_fleet_is_run_and_watched_to_its_end(
    served: Served, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 4, must show 7: what is shown as it goes on is a table that a terminal redraws; here nobody looks."""
    archived = Target("repoA", "repoA", "scan.yml", barred=Barred.SKIPPED, reason="repoA is archived")
    bare = Target("repoB", "repoB", "scan.yml", barred=Barred.ERROR, reason="repoB has no scan.yml")
    pauses: list[float] = []

    def pause(api: Api, seconds: float) -> None:
        pauses.append(seconds)
        served.do(served.office.selected(archived, bare, over=len(pauses) == 2))

    monkeypatch.setattr(Api, "pause", pause)
    assert lockstep("fleet", "run", "acme/scan", "repoA", "REPOB", "--input", "level=9", "--watch") == 1
    said = capsys.readouterr().out
    assert "repoA  skipped      repoA is archived" in said
    assert "repoB  error        repoB has no scan.yml" in said
    assert ": failed" in said.splitlines()[0]
    run = served.do(served.office.fleet_run())
    assert (run.asked, run.inputs, run.ref) == (("repoA", "repoB"), {"level": "9"}, None)


def test_a_fleet_is_asked_for_wrongly(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    assert lockstep("fleet", "run", "scan") == 2
    assert "OWNER/NAME" in capsys.readouterr().err
    assert lockstep("fleet", "run", "acme/scan", "--input", "level") == 2
    assert "KEY=VALUE" in capsys.readouterr().err
    assert lockstep("fleet", "run", "acme/scan", "repoZ") == 2
    assert "repoZ" in capsys.readouterr().err
    assert lockstep("fleet", "run", "scan", "--owner", "acme") == 0
    assert ": waiting" in capsys.readouterr().out
    assert lockstep("fleet", "run", "acme/scan") == 1
    assert "is running" in capsys.readouterr().err
