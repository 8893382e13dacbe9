"""Errors made for the person at the terminal.

Law: one sentence that says what is wrong, where, and how to mend it; no secret in it; and the exit status it ends with
(0 done, 1 the answer is no, 2 wrong use, 3 could not reach what it needs).
"""

from __future__ import annotations

from typing import ClassVar


class OperatorError(Exception):
    """Something was asked for in a way that cannot work; shown without a traceback."""

    exit_code: ClassVar[int] = 2


class Unreachable(OperatorError):
    """What is needed for the task (a server, a program, a file) could not be reached."""

    exit_code: ClassVar[int] = 3
