"""Slash commands: what is one, what it says, and what hostile text can do (nothing)."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.inbox.commands import (
    MOST_COMMANDS,
    Adopt,
    Cancel,
    Command,
    Expect,
    Explain,
    Fleet,
    Help,
    Invalidate,
    Link,
    Merge,
    Misused,
    Override,
    PullReference,
    Retry,
    Revert,
    Run,
    Status,
    Unknown,
    Unlink,
    parse_commands,
)

SHA = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/orchestrate", Run()),
        ("/orchestrate   ", Run()),
        ("/orchestrate run", Run()),
        ("/Orchestrate RUN --Fresh", Run(fresh=True)),
        ("/orchestrate --fresh", Run(fresh=True)),
        ("/orchestrate —fresh", Run(fresh=True)),
        ("/orchestrate\u00a0run", Run()),
        ("/orchestrate --pipeline product", Run(pipeline="product")),
        ("/orchestrate --pipeline=product run", Run(pipeline="product")),
        ('/orchestrate run --pipeline "my product"', Run(pipeline="my product")),
        ("/orchestrate retry", Retry()),
        (
            "/orchestrate retry repoB, RepoC --pipeline Product repoD",
            Retry(("repob", "repoc", "repod"), pipeline="Product"),
        ),
        ("/orchestrate cancel", Cancel()),
        ("/orchestrate invalidate", Invalidate()),
        ("/orchestrate status", Status()),
        ("/orchestrate explain", Explain()),
        ("/orchestrate help", Help()),
        ("/orchestrate link acme/repoB#12", Link((PullReference("acme/repoB", 12),))),
        (
            "/orchestrate unlink https://github.example/acme/b.c/pull/3 acme/d#4",
            Unlink((PullReference("acme/b.c", 3), PullReference("acme/d", 4))),
        ),
        ("/orchestrate expect repoB", Expect(("repob",))),
        ("/orchestrate merge", Merge()),
        ("/orchestrate revert", Revert()),
        (f"/orchestrate adopt {SHA.upper()}", Adopt(SHA)),
        ('/orchestrate override "the tests -- they lie"', Override("the tests -- they lie")),
        ("/orchestrate override “from a telephone” --pipeline x", Override("from a telephone", pipeline="x")),
        ("/orchestrate fleet ort", Fleet("ort")),
        ("/orchestrate fleet ort scipy,acme/numpy team-*", Fleet("ort", ("scipy", "acme/numpy", "team-*"))),
        ("/orchestrate mrege", Unknown("mrege", "merge")),
        ("/orchestrate xyzzy --pipeline x", Unknown("xyzzy", None, pipeline="x")),
        ("/orchestrate run --frsh", Unknown("--frsh", "--fresh")),
        ("/orchestrate run --loud", Unknown("--loud", None)),
        ("/orchestrate merge not yet", Misused("merge", "/orchestrate merge")),
        ("/orchestrate run please", Misused("run", "/orchestrate run [--fresh]")),
        ("/orchestrate cancel --fresh", Misused("cancel", "/orchestrate cancel")),
        ("/orchestrate link", Misused("link", "/orchestrate link owner/repository#12")),
        ("/orchestrate link acme/b#1 nonsense", Misused("link", "/orchestrate link owner/repository#12")),
        ("/orchestrate expect", Misused("expect", "/orchestrate expect repository…")),
        ("/orchestrate override", Misused("override", '/orchestrate override "reason"')),
        ('/orchestrate override ""', Misused("override", '/orchestrate override "reason"')),
        (
            f"/orchestrate adopt {SHA[:12]}",
            Misused("adopt", "/orchestrate adopt SHA (all 40 digits of the fork's head)"),
        ),
        ("/orchestrate fleet", Misused("fleet", "/orchestrate fleet NAME [repository…]")),
        ("/orchestrate status --pipeline", Misused("--pipeline", "/orchestrate … --pipeline NAME")),
        ("/orchestrate " + "x" * 3000, Misused("/orchestrate", "at most 2000 characters in one command")),
        ("/orchestrate " + "x" * 100, Unknown("x" * 40, None)),
    ],
)
def test_a_line_says_one_command(text: str, command: Command) -> None:
    assert parse_commands(text) == (command,)


def test_several_lines_in_order_whatever_their_ends() -> None:
    text = "Well.\r\n/orchestrate cancel\r   /orchestrate run --fresh\n\n/orchestrate status"
    assert parse_commands(text) == (Cancel(), Run(fresh=True), Status())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Please /orchestrate merge",
        "/orchestrated",
        "/orchestrate-merge",
        "- /orchestrate merge",
        "`/orchestrate merge`",
        "    /orchestrate merge",
        "\t/orchestrate merge",
        "> /orchestrate merge",
        ">/orchestrate merge",
        "```\n/orchestrate merge\n```",
        "```sh\n/orchestrate merge\n~~~\n/orchestrate merge",
        "~~~ `x`\n/orchestrate merge\n~~~",
        "````\n```\n/orchestrate merge\n````",
        "```\n    ```\n/orchestrate merge\n```",
        "- ```\n  /orchestrate merge\n  ```",
        "1. like so:\n   ```\n   /orchestrate merge\n   ```",
        "10. - ~~~\n      x\n/orchestrate merge\n      ~~~",
        "<!--\n/orchestrate merge\n-->",
        "text <!-- hidden\n/orchestrate merge\nup to --> here",
        "<!-- never closed\n\n/orchestrate merge",
        "<!-- a --> <!-- b\n/orchestrate merge\n-->",
        "<pre>\n/orchestrate merge\n</pre>",
        "<PRE class=x>\n\n/orchestrate merge\n</PRE>",
        "<blockquote>\n\n/orchestrate merge\n\n</blockquote>",
        "<code>\n/orchestrate merge\n</code>",
        "see `a\n/orchestrate merge\nb` there",
        "see ``a ` b\n/orchestrate merge\n` c`` there",
        "a\u2028/orchestrate merge",
        "a\x0b/orchestrate merge",
    ],
)
def test_what_is_no_plain_line_is_no_command(text: str) -> None:
    assert parse_commands(text) == ()


@pytest.mark.parametrize(
    "text",
    [
        "```\ncode\n```\n/orchestrate merge",
        "~~~~\n~~~\n~~~~~  \n/orchestrate merge",
        "```not a fence`\n/orchestrate merge",
        "<!-- note --> hello\n/orchestrate merge",
        "/orchestrate merge <!-- because -->",
        "<!--\nnote\n-->\n/orchestrate merge",
        "it says <!-- but never ends\n/orchestrate merge",
        "<pre>x</pre>\n/orchestrate merge",
        "<pretty>\n/orchestrate merge",
        "> what now?\n/orchestrate merge",
        "> ```\n> code\n\n/orchestrate merge",
        "a stray ` here\n/orchestrate merge",
        "a stray ` here\n\n/orchestrate merge\n\nand ` there",
        "`a` and `b\nc`\n/orchestrate merge",
    ],
)
def test_what_stands_around_it_does_not_hide_a_command(text: str) -> None:
    assert parse_commands(text) == (Merge(),)


def test_the_number_of_commands_is_bounded_and_that_is_said() -> None:
    parsed = parse_commands("/orchestrate status\n" * (MOST_COMMANDS + 5))
    assert parsed[:-1] == (Status(),) * MOST_COMMANDS
    assert parsed[-1] == Misused("/orchestrate", "at most 10 commands in one comment")
    assert parse_commands("/orchestrate status\n" * MOST_COMMANDS) == (Status(),) * MOST_COMMANDS


HOSTILE = [
    "<!--",
    "`",
    "` `` ",
    "- ",
    "1. ",
    "> ",
    "-->\n<!--",
    "```\n~~~\n",
    "<pre",
    "<pre>\n</pre>\n",
    "\n/orchestrate zzzzzzzz",
    "/orchestrate ",
    '/orchestrate "',
    "/orchestrate “",
    "--pipeline ",
    "\r",
    " ",
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_reading_is_linear(piece: str) -> None:
    """Eight times the text may take about eight times as long; a quadratic reader would take 64 times."""

    def seconds(length: int) -> float:
        text = "/orchestrate " * (length % 2) + piece * (length // len(piece))
        began = time.process_time()
        parse_commands(text)
        return time.process_time() - began

    short = min(seconds(32_000) for _ in range(3))
    long = min(seconds(256_000) for _ in range(3))
    assert long < 0.05 + 24 * short


FRAGMENTS = [
    "/orchestrate", " merge", " run", "\n", "\r\n", "`", "```", "~~~", "> ", "- ", "<!--", "-->", "<pre>", "</pre>",
    "    ", "\t", '"', "“", "--fresh", "--pipeline", " x", "\x00", "\ud800", "#", "acme/a#1",
]  # fmt: skip


@given(st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=3), max_size=40).map("".join))
def test_no_text_breaks_the_reader(text: str) -> None:
    parsed = parse_commands(text)
    assert len(parsed) <= min(MOST_COMMANDS + 1, text.lower().count("/orchestrate"))


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=30).map("".join))
def test_nothing_inside_a_fence_is_a_command(text: str) -> None:
    inside = text.replace("`", "'")
    assert parse_commands(f"`````\n{inside}\n`````") == ()
