"""Logs: structured, and without a secret in any form."""

from __future__ import annotations

import io
import json
import logging
import time
from collections.abc import Iterator

import pytest
import structlog

from app.logs import configure, masker


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield io.StringIO()
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_lines_of_ours_and_of_libraries_are_json_with_the_same_fields(stream: io.StringIO) -> None:
    configure(stream=stream)
    structlog.get_logger("app.inbox").info("kept", delivery="d-1")
    logging.getLogger("somebodys.library").warning("slow %s", "client")
    ours, theirs = map(json.loads, stream.getvalue().splitlines())
    assert (ours["event"], ours["delivery"], ours["level"], ours["logger"]) == ("kept", "d-1", "info", "app.inbox")
    assert (theirs["event"], theirs["level"], theirs["logger"]) == ("slow client", "warning", "somebodys.library")
    assert ours["timestamp"].endswith("Z")


@pytest.mark.parametrize("json_lines", [True, False])
def test_known_secrets_and_forms_of_credentials_are_masked_everywhere(stream: io.StringIO, json_lines: bool) -> None:
    secret = 'first line\n"quoted" second'
    configure([secret], json_lines=json_lines, stream=stream)
    log = structlog.get_logger("app")
    log.info("a", value=secret, token="ghs_" + "x1" * 20, nested={"url": "postgresql://me:password@db/x"})
    try:
        raise RuntimeError(f"-----BEGIN RSA PRIVATE KEY-----\nMIIabc\n-----END RSA PRIVATE KEY----- {secret}")
    except RuntimeError:
        logging.getLogger("library").exception("b")
    said = stream.getvalue()
    for hidden in ("first line", "second", "x1x1", "password", "MIIabc"):
        assert hidden not in said
    assert "RuntimeError" in said
    assert "@db/x" in said


def test_debug_lines_and_requests_of_the_http_client_are_left_out(stream: io.StringIO) -> None:
    configure(stream=stream)
    structlog.get_logger("app").debug("detail")
    logging.getLogger("httpx").info("GET https://api.github.com/app")
    assert stream.getvalue() == ""


def test_short_values_do_not_turn_words_into_stars() -> None:
    assert masker(["a", "12"])("a walk of 12 miles") == "a walk of 12 miles"
    assert masker(["secret"])("a secret walk") == "a ******** walk"


@pytest.mark.parametrize("json_lines", [True, False])
@pytest.mark.parametrize("odd", ["\n", "\r", "\x1b[2J", "\x9b2J", "\u2028", "\u202e", "\x00"], ids=ascii)
def test_what_people_wrote_makes_no_line_and_orders_no_terminal(
    stream: io.StringIO, json_lines: bool, odd: str
) -> None:
    configure(json_lines=json_lines, stream=stream)
    log = structlog.get_logger("app")
    log.info("kept", action=f"opened{odd}forged", spaced=f"a b{odd}forged", nested={"deep": f"x{odd}y"})
    logging.getLogger("library").warning("odd %s", f"text{odd}forged")
    said = stream.getvalue()
    assert odd == "\n" or odd not in said
    assert len(said.splitlines()) == 2


def test_a_traceback_orders_no_terminal(stream: io.StringIO) -> None:
    configure(json_lines=False, stream=stream)
    try:
        raise ValueError("bad \x1b[2J thing")
    except ValueError:
        structlog.get_logger("app").exception("failed")
    assert "\x1b[2J" not in stream.getvalue()
    assert "ValueError: bad \\u001b[2J thing" in stream.getvalue()


@pytest.mark.parametrize(
    "text",
    ["eyJ", "eyJaaaaaaaa.", "://a:", "://x:a@", "-----BEGIN ", "-----BEGIN A PRIVATE KEY-----", "ghs_", "github_pat_"],
)
def test_masking_is_linear(text: str) -> None:
    """A few hundredths of a second; where each beginning is tried to the end of the line, minutes."""
    mask, line = masker(["topsecret"]), text * 200_000
    began = time.thread_time()
    mask(line)
    assert time.thread_time() - began < 5.0
