"""Numbers and global node ids, as GitHub hands them out.

Law: a node id says what it names (``R_…`` a repository, ``PR_…`` a pull request), and naming is reversible, because
GraphQL looks things up by it.
"""

from __future__ import annotations

import base64
import binascii
import itertools
from collections import defaultdict
from collections.abc import Iterator

PREFIXES = {
    "App": "A",
    "Bot": "BOT",
    "CheckRun": "CR",
    "CheckSuite": "CS",
    "Commit": "C",
    "Installation": "INS",
    "Issue": "I",
    "IssueComment": "IC",
    "Job": "CJ",
    "Organization": "O",
    "PullRequest": "PR",
    "PullRequestReview": "PRR",
    "Reaction": "REA",
    "Ref": "REF",
    "Repository": "R",
    "RepositoryRuleset": "RRS",
    "MergeQueueEntry": "MQE",
    "StatusContext": "SC",
    "User": "U",
    "Workflow": "W",
    "WorkflowRun": "WFR",
}
KINDS = {prefix: kind for kind, prefix in PREFIXES.items()}


def node_id(kind: str, name: int | str) -> str:
    """The global id of a thing, from its kind and its number (or sha, or name)."""
    text = base64.urlsafe_b64encode(str(name).encode()).decode().rstrip("=")
    return f"{PREFIXES[kind]}_k{text}"


def read_node_id(node: str) -> tuple[str, str] | None:
    """Kind and number of a global id; ``None`` for what was never one."""
    prefix, _, text = node.partition("_k")
    if prefix not in KINDS:
        return None
    try:
        name = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return KINDS[prefix], name


STARTS = {"Repository": 1001, "Run": 9_000_001, "Comment": 500_001, "Delivery": 70_000_001, "Pull": 300_001}


class Numbers:
    """Counters, one for each kind, far enough apart that two kinds are not mistaken for each other."""

    def __init__(self) -> None:
        self._counters: dict[str, Iterator[int]] = defaultdict(lambda: itertools.count(101))
        for kind, start in STARTS.items():
            self._counters[kind] = itertools.count(start)

    def next(self, kind: str) -> int:
        """A fresh number of this kind."""
        return next(self._counters[kind])
