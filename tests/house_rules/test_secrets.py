"""The search for secrets in all that tests show can fail: each way in which one could get out is seen red here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.house_rules.source import ROOT
from tests.leaks import guard, kinds_in

SHOWN = """
import asyncio, logging, subprocess, sys

import httpx
import pytest

from tests.leaks import Leaks, guard

SECRET = guard("correct " + "horse battery", "webhook secret")


def answers(text, status=200):
    return httpx.MockTransport(lambda request: httpx.Response(status, text=text))


def test_printed():
    print("it is", SECRET)


def test_logged():
    logging.getLogger("a").warning("it is %s", SECRET)


def test_printed_by_a_program():
    subprocess.run([sys.executable, "-c", f"print({SECRET!r})"], capture_output=True)


def test_printed_and_taken_away(capsys):
    print("it is", SECRET)
    capsys.readouterr()


def test_sent():
    httpx.Client(transport=answers("")).post("http://a/b", json={"it": SECRET})


def test_asked():
    httpx.Client(transport=answers("")).get("http://a/b", params={"it": "ghs_" + 36 * "a"})


def test_sent_in_a_header():
    httpx.Client(transport=answers("")).get("http://a/b", headers={"x-it": SECRET})


def test_answered():
    async def ask():
        async with httpx.AsyncClient(transport=answers(f"<p>{SECRET}</p>")) as client:
            await client.get("http://a/b")
    asyncio.run(ask())


def test_good_authorization():
    httpx.Client(transport=answers("")).get("http://a/b", headers={"authorization": SECRET})


def test_good_token():
    httpx.Client(transport=answers("ghs_" + 36 * "a")).post("http://a/app/installations/1/access_tokens")


@pytest.mark.shows("webhook secret")
def test_good_on_purpose():
    print("it is", SECRET)
"""


def test_a_secret_that_is_shown_fails_the_run(tmp_path: Path) -> None:
    (tmp_path / "test_shown.py").write_text(SHOWN)
    (tmp_path / "conftest.py").write_text(
        "from tests.leaks import Leaks\ndef pytest_configure(config):\n    config.pluginmanager.register(Leaks())\n"
    )
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-c",
        "/dev/null",
        f"--rootdir={tmp_path}",
    ]
    ended = subprocess.run(
        [*command, "--import-mode=importlib", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    names = [line.split("::")[1].partition(" ")[0] for line in ended.stdout.splitlines() if line.startswith("FAILED")]
    wanted = [line[4:-3].partition("(")[0] for line in SHOWN.splitlines() if line.startswith("def test_")]
    assert names == [name for name in wanted if "good" not in name], ended.stdout
    assert ended.returncode == 1
    assert "test_shown.py::test_sent shows a secret: webhook secret in the body of POST /b" in ended.stdout
    assert "correct horse" not in ended.stdout + ended.stderr


KEY = "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIEowIBAAKCAQEA" * 4 + "\n" + "abcdefghijklmnop" * 4 + "\n"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (KEY, "private key"),
        (KEY.replace("\n", "\\n"), "private key"),
        ("ghs_" + "a" * 36, "installation token"),
        ("token=ghs_7_" + "a-b_" * 90, "installation token"),
        (f'"lockstep_{"a" * 43}"', "API token"),
        (f"eyJ{'a' * 20}.eyJ{'b' * 60}.{'c' * 300}", "App JWT"),
    ],
)
def test_the_forms_of_secrets_are_known(text: str, kind: str) -> None:
    assert kind in kinds_in(f"before {text} after")


@pytest.mark.parametrize("text", ["lockstep_deliveries", "ghs_short", "-----BEGIN PUBLIC KEY-----", "eyJ.eyJ.x"])
def test_what_only_looks_alike_is_none(text: str) -> None:
    assert kinds_in(text) == set()


def test_a_short_secret_is_no_secret() -> None:
    with pytest.raises(ValueError, match="ordinary word"):
        guard("hunter2", "webhook secret")
