"""The stage: an embedded Postgres, the simulated GitHub and the service with its worker, each a process of its own."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from app.errors import Unreachable
from app.postgres import EmbeddedPostgres

APP_ID = 4242
PATIENCE = 30.0
"""Seconds that a process may take until it answers."""


@dataclass(frozen=True)
class Stage:
    """Addresses of what runs, and where each process writes its log."""

    github: str
    service: str
    logs: Path
    database: str


@contextmanager
def stage(seed: Mapping[str, Any]) -> Iterator[Stage]:
    """Everything running and ready; ended, and its files removed, on leaving.

    :raises Unreachable: a process did not come up; the sentence holds the end of its log.
    """
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lockstep-demo-")))
        github_port, service_port = _free_port(), _free_port()
        key, secret = rsa.generate_private_key(65537, 2048), secrets.token_hex(20)
        github, service = f"http://127.0.0.1:{github_port}", f"http://127.0.0.1:{service_port}"
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (place / "public.txt").write_bytes(public)
        (place / "seed.yaml").write_text(yaml.safe_dump(dict(seed)), "utf-8")
        simulator = ["simulate-github", "--port", str(github_port), "--webhook-url", f"{service}/webhooks/github"]
        simulator += ["--webhook-secret", secret, "--app-id", str(APP_ID)]
        simulator += ["--public-key-file", str(place / "public.txt"), "--seed", str(place / "seed.yaml")]
        pretend = stack.enter_context(_process("github", simulator, place, {}))
        database = stack.enter_context(EmbeddedPostgres(fast=True))
        private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
        environment = {
            "LOCKSTEP_DATABASE_URL": database,
            "LOCKSTEP_DATA_DIR": str(place),
            "LOCKSTEP_APP_ID": str(APP_ID),
            "LOCKSTEP_PRIVATE_KEY": private,
            "LOCKSTEP_WEBHOOK_SECRET": secret,
            "LOCKSTEP_GITHUB_API_URL": github,
            "LOCKSTEP_GITHUB_URL": github,
            "LOCKSTEP_PUBLIC_URL": service,
        }
        _wait(pretend, f"{github}/_simulator/clock", place / "github.log")
        serve = stack.enter_context(_process("service", ["serve", "--port", str(service_port)], place, environment))
        _wait(serve, f"{service}/readyz", place / "service.log")
        yield Stage(github, service, place, database)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _process(
    name: str, arguments: list[str], place: Path, variables: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """A command of ours as a child, with none of the caller's ``LOCKSTEP_*`` variables and its output in a file."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("LOCKSTEP_")}
    (place / "no.env").touch()
    environment = {**kept, "LOCKSTEP_ENV_FILE": str(place / "no.env"), **variables}
    with (place / f"{name}.log").open("wb") as log:
        child = subprocess.Popen([sys.executable, "-m", "app", *arguments], env=environment, stdout=log, stderr=log)
        try:
            yield child
        finally:
            child.terminate()
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _wait(child: subprocess.Popen[bytes], address: str, log: Path) -> None:
    """Until the address answers 200."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and child.poll() is None:
        try:
            if httpx.get(address, timeout=2.0, trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.05)
    raise Unreachable(f"{address} did not answer. The end of its log:\n{log.read_text('utf-8', 'replace')[-2000:]}")
