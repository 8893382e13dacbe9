"""Nobody but the GitHub room asks servers for anything, and that room asks GitHub alone; messages are sent, not asked.

A config belongs to an owner, whom the operator need not trust: no address in it may ever be asked for.
"""

from __future__ import annotations

import pytest

from app.config import read_config
from tests.house_rules.source import Source, sources

CLIENTS = {
    "httpx",
    "httpcore",
    "requests",
    "urllib3",
    "aiohttp",
    "urllib.request",
    "http.client",
    "websockets",
    "smtplib",
}
MAY_ASK = {
    "app/notify/sender.py": "messages go to addresses that the operator set in variables",
    "app/cli/api.py": "the operator's terminal asks the operator's Lockstep",
    "app/simulator": "the pretend GitHub sends webhooks to the address it was started with",
    "app/demo": "both ends are its own, on loopback",
}


def asks(source: Source) -> set[str]:
    return {name for name in source.imported() for client in CLIENTS if f"{name}.".startswith(f"{client}.")}


@pytest.mark.parametrize("source", sources("app"), ids=lambda source: source.name)
def test_only_the_github_room_speaks_http(source: Source) -> None:
    if source.room != "github" and not source.name.startswith(tuple(MAY_ASK)):
        assert asks(source) == set()


def test_the_rule_sees_what_it_looks_for() -> None:
    assert any(asks(source) for source in sources("app/github"))


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:9/",
        "http://localhost/",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]/",
        "file:///etc/passwd",
        "https://hooks.example.org/x",
    ],
)
@pytest.mark.parametrize("notify", ["slack: {webhook_env: '%s'}", "webhook: {url_env: '%s'}", "webhook: {url: '%s'}"])
def test_a_config_names_variables_of_the_operator_and_no_addresses(notify: str, address: str) -> None:
    text = f"version: 1\nnotify: {{{notify % address}}}\n"
    assert read_config(text, owner="acme", file="f").problems


@pytest.mark.parametrize(
    "name", ["PATH", "LOCKSTEP_PRIVATE_KEY", "LOCKSTEP_NOTIFY_OTHER_HOOK", "LOCKSTEP_NOTIFY_ACME_"]
)
def test_a_config_names_no_variable_but_its_owners(name: str) -> None:
    text = f"version: 1\nnotify: {{slack: {{webhook_env: {name}}}}}\n"
    assert read_config(text, owner="acme", file="f").problems
