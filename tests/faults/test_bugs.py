"""The planted bugs stay planted: each patch still applies to the code as it is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.faults.plant import ROOT, apply, bugs

NAMED = {
    "ack-before-commit",
    "attempt-check-dropped",
    "dispatch-before-the-withdrawal-was-acknowledged",
    "head-check-of-the-run-dropped",
    "null-read-as-absent",
    "one-poisoned-delivery-kills-its-batch",
    "resend-on-502",
    "sign-not-the-weakest",
    "stale-sweep-overwrites-a-head",
    "success-of-a-superseded-manifest",
}


def test_all_ten_are_there() -> None:
    assert {patch.stem for patch in bugs()} == NAMED


@pytest.mark.skipif(shutil.which("git") is None, reason="git applies the patches")
@pytest.mark.parametrize("patch", bugs(), ids=lambda patch: patch.stem)
def test_a_planted_bug_still_applies(patch: Path) -> None:
    problem = apply(patch, ROOT, "--check")
    assert not problem, f"write {patch.name} anew: {problem}"
