"""GitHub's REST API, one module for each family of operations.

Law: a handler is short: read the request, let the world act, render. Importing the modules registers their routes.
"""

from app.simulator.rest import (
    actions,
    apps,
    checks,
    comments,
    commits,
    contents,
    git,
    hooks,
    installations,
    manifests,
    merge_async,
    meta,
    pulls,
    repositories,
    rulesets,
    user,
)

__all__ = [
    "actions",
    "apps",
    "checks",
    "comments",
    "commits",
    "contents",
    "git",
    "hooks",
    "installations",
    "manifests",
    "merge_async",
    "meta",
    "pulls",
    "repositories",
    "rulesets",
    "user",
]
