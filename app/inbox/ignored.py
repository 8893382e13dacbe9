"""Which deliveries nothing follows from, and why: the sentences that the page of deliveries shows.

Law: a delivery is never dropped in silence. A reason names the event and what is missing, or why nothing depends on it;
of the payload's values it repeats an action or a login at most.
"""

from __future__ import annotations

from pydantic import ValidationError

from app.inbox.notices import Ignored

PULL_ACTIONS = frozenset(
    {
        "opened",
        "reopened",
        "synchronize",
        "edited",
        "closed",
        "converted_to_draft",
        "ready_for_review",
        "enqueued",
        "dequeued",
    }
)
"""Those after which a verdict may differ. Others (labeled, assigned, …) only repeat what is known, perhaps late."""
REPOSITORY_ACTIONS = frozenset(
    {"renamed", "transferred", "archived", "unarchived", "privatized", "publicized", "edited"}
)
INSTALLATION_ACTIONS = frozenset({"created", "deleted", "suspend", "unsuspend", "new_permissions_accepted"})
MERGE_GROUP_ACTIONS = frozenset({"checks_requested", "destroyed"})
COMMENT_ACTIONS = frozenset({"created", "deleted"})
AUTHORIZATION_ACTIONS = frozenset({"revoked"})
"""GitHub tells of no other."""

READ: dict[str, frozenset[str] | None] = {
    "pull_request": PULL_ACTIONS,
    "push": None,
    "workflow_run": None,
    "issue_comment": COMMENT_ACTIONS,
    "installation": INSTALLATION_ACTIONS,
    "installation_repositories": None,
    "repository": REPOSITORY_ACTIONS,
    "merge_group": MERGE_GROUP_ACTIONS,
    "repository_dispatch": None,
    "workflow_dispatch": None,
    "github_app_authorization": AUTHORIZATION_ACTIONS,
}
"""The events that are read at all (the keys of ``translate``'s table), each with its actions; None: all of them."""

_NOTHING_DEPENDS = {
    "ping": "GitHub's greeting: the webhook works",
    "create": "the push that comes with it also tells the commit",
    "delete": "the push that comes with it also tells the commit",
    "check_run": "verdicts are commit statuses, and results are read from workflow runs",
    "check_suite": "verdicts are commit statuses, and results are read from workflow runs",
    "status": "verdicts stand on workflow runs, not on other statuses",
    "workflow_job": "the run that the job belongs to tells enough",
    "pull_request_review": "reviews are read when somebody wants to merge",
    "deployment_review": "the run that waits for the approval tells so itself",
    "installation_target": "the account's new name comes with the next delivery from it",
}


def is_read(event: str, action: str | None) -> bool:
    """Whether anything can follow from such a delivery: only then its payload is worth a request."""
    actions = READ.get(event, frozenset())
    return actions is None or action in actions


def nothing_depends_on(event: str) -> Ignored:
    """An event that is not read at all."""
    return Ignored(f"{event}: {_NOTHING_DEPENDS.get(event, 'no event that Lockstep knows')}")


def unused(event: str, action: str) -> Ignored:
    """An action that is not read, of an event that is."""
    return Ignored(f"{event} {action}: nothing here depends on it")


def not_as_expected(event: str, error: ValidationError) -> Ignored:
    """A payload of another shape: the first few things that are missing or malformed, by their path."""
    found = error.errors(include_input=False, include_url=False, include_context=False)
    told = [
        f"{'.'.join(map(str, each['loc'])) or 'the body'}: {_complaint(each['type'], each['msg'])}" for each in found
    ]
    more = f" (and {len(told) - 3} more)" if len(told) > 3 else ""
    return Ignored(f"{event}: not as expected: {'; '.join(told[:3])}{more}")


def _complaint(kind: str, message: str) -> str:
    return "missing" if kind == "missing" else message
