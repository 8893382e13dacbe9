"""What the App hears of: what it subscribed to, where the installation's permissions allow it.

Law: an event needs the permission that GitHub's documentation names for it; what concerns the installation itself is
always told (FACTS §7).
"""

from __future__ import annotations

from app.simulator.access import Caller
from app.simulator.model import Installation

OF_THE_APP = {"github_app_authorization"}
"""What concerns no installation: the App hears it wherever it is installed, and where it is not."""
ALWAYS = {"installation", "installation_repositories", "installation_target", "ping"}
NEEDS = {
    "check_run": "checks=read",
    "check_suite": "checks=read",
    "create": "contents=read",
    "delete": "contents=read",
    "issue_comment": "issues=read;pull_requests=read",
    "issues": "issues=read",
    "merge_group": "merge_queues=read",
    "pull_request": "pull_requests=read",
    "pull_request_review": "pull_requests=read",
    "push": "contents=read",
    "repository": "metadata=read",
    "repository_dispatch": "contents=read",
    "repository_ruleset": "administration=read",
    "status": "statuses=read",
    "workflow_dispatch": "contents=read",
    "workflow_run": "actions=read",
}


def hears(installation: Installation, event: str) -> bool:
    """Whether GitHub tells this installation of such an event."""
    if event in ALWAYS:
        return True
    if installation.suspended_at is not None or event not in installation.events:
        return False
    return Caller("installation", installation, installation.permissions).may(NEEDS[event])
