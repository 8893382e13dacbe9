"""Which change set a branch belongs to: its key and its base line.

Law: pure, linear in the length of the names, and case-sensitive as branches are. Patterns are compiled once per text.
"""

from __future__ import annotations

from app.config.patterns import compile_glob, compile_globs, compile_regex
from app.domain.pipeline import DEFAULT_BASE, Pipeline

_KEY = "key"


def key_of(pipeline: Pipeline, branch: str) -> str | None:
    """The key that ``branch`` gives, or None where it belongs to no set of this pipeline.

    None: an ``exclude`` glob matches, the expression does not match the whole name, or its group ``key`` is empty.
    """
    if compile_globs(pipeline.exclude).fullmatch(branch) is not None:
        return None
    if pipeline.branches is None:
        return branch
    pattern = compile_regex(pipeline.branches)
    match = pattern.fullmatch(branch)
    if match is None:
        return None
    return (match.group(_KEY) or None) if _KEY in pattern.groupindex else branch


def base_line_of(pipeline: Pipeline, base_branch: str, default_branch: str) -> str | None:
    """The base line of a pull request into ``base_branch``, or None where the pipeline does not group such.

    "default" where that is the repository's default branch and ``bases`` holds ``default``; else the branch's name
    where one of the names or globs matches it.
    """
    if base_branch == default_branch and DEFAULT_BASE in pipeline.bases:
        return DEFAULT_BASE
    named = (glob for glob in pipeline.bases if glob != DEFAULT_BASE)
    return base_branch if any(compile_glob(glob).fullmatch(base_branch) for glob in named) else None
