"""The git side of the world: commits with parents and files, what changed, what merges.

Law: objects are never altered. Forks share one store with what they were forked from, as on GitHub, so a commit pushed
to a fork can carry statuses in the repository above it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

Files = Mapping[str, str]


@dataclass(frozen=True)
class Commit:
    """One commit and the whole of its tree, flat: path to text."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    message: str
    author: str
    email: str
    date: datetime
    files: Files
    generation: int


def blob_sha(text: str) -> str:
    """Git's own name of a file's content."""
    data = text.encode("utf-8", "replace")
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def tree_sha(files: Files) -> str:
    """Git's own name of a directory with everything below it."""
    entries: dict[str, tuple[bytes, str]] = {}
    folders: dict[str, dict[str, str]] = {}
    for path, text in files.items():
        head, slash, rest = path.partition("/")
        if slash:
            folders.setdefault(head, {})[rest] = text
        else:
            entries[head] = (b"100644", blob_sha(text))
    entries.update({name: (b"40000", tree_sha(inner)) for name, inner in folders.items()})
    body = b"".join(
        mode + b" " + name.encode() + b"\0" + bytes.fromhex(sha)
        for name, (mode, sha) in sorted(entries.items(), key=lambda e: e[0] + ("/" if e[1][0] == b"40000" else ""))
    )
    return hashlib.sha1(b"tree %d\0" % len(body) + body, usedforsecurity=False).hexdigest()


class ObjectStore:
    """All commits of a repository and its forks."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.commits: dict[str, Commit] = {}

    def commit(self, files: Files, parents: tuple[str, ...], message: str, author: str, date: datetime) -> Commit:
        """Make a commit. Two commits never share a name, even if made in the same second with the same content."""
        tree = tree_sha(files)
        text = "\n".join([tree, *parents, author, date.isoformat(), message, f"{self.name} {len(self.commits)}"])
        sha = hashlib.sha1(text.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()
        generation = 1 + max((self.commits[parent].generation for parent in parents), default=0)
        email = f"{author}@users.noreply.github.com"
        made = Commit(sha, tree, parents, message, author, email, date, dict(files), generation)
        self.commits[sha] = made
        return made

    def ancestors(self, sha: str) -> set[str]:
        """The commit itself and everything it was made from."""
        seen: set[str] = set()
        waiting = [sha]
        while waiting:
            current = waiting.pop()
            if current not in seen:
                seen.add(current)
                waiting.extend(self.commits[current].parents)
        return seen

    def contains(self, tip: str, sha: str) -> bool:
        """Whether ``sha`` is in the history of ``tip``."""
        return sha in self.ancestors(tip)

    def merge_base(self, one: str, other: str) -> str | None:
        """The youngest commit both histories have."""
        common = self.ancestors(one) & self.ancestors(other)
        return max(common, key=lambda sha: (self.commits[sha].generation, sha), default=None)

    def between(self, base: str, head: str) -> list[Commit]:
        """What ``head`` has and ``base`` has not, oldest first."""
        missing = self.ancestors(head) - self.ancestors(base)
        return sorted((self.commits[sha] for sha in missing), key=lambda commit: (commit.generation, commit.sha))

    def changed(self, old: str | None, new: str) -> dict[str, str | None]:
        """Paths whose content differs, with what they hold in ``new`` (``None``: removed)."""
        before: Files = self.commits[old].files if old else {}
        after = self.commits[new].files
        return {
            path: after.get(path)
            for path in sorted(before.keys() | after.keys())
            if before.get(path) != after.get(path)
        }

    def merged_files(self, base: str, head: str) -> dict[str, str] | None:
        """The tree that merging ``head`` into ``base`` gives, or ``None`` for a conflict (both changed one file)."""
        fork_point = self.merge_base(base, head)
        theirs, ours = self.changed(fork_point, head), self.changed(fork_point, base)
        if any(path in ours and ours[path] != content for path, content in theirs.items()):
            return None
        files = dict(self.commits[base].files)
        for path, content in theirs.items():
            if content is None:
                files.pop(path, None)
            else:
                files[path] = content
        return files
