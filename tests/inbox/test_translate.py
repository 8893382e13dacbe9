"""What a delivery says, field by field, with the shapes that old and other servers send."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from app.domain.facts import Pull, PullState, Repository, Run, RunStatus, Visibility
from app.inbox.ignored import READ, is_read
from app.inbox.notices import (
    AuthorizationNotice,
    CommentGoneNotice,
    CommentNotice,
    Ignored,
    InstallationNotice,
    InstallationRepositoriesNotice,
    MergeGroupNotice,
    NamedRepository,
    Notice,
    PullNotice,
    PushNotice,
    RepositoryDispatchNotice,
    RepositoryNotice,
    RunNotice,
    WorkflowDispatchNotice,
)
from app.inbox.translate import MOST_COMMITS_LISTED, translate

A, B, C, NONE = "a" * 40, "b" * 40, "c" * 40, "0" * 40
REPOSITORY = Repository(42, "acme", "repoA", "R_42", "main", Visibility.INTERNAL)
WHOLE: dict[str, Any] = {
    "installation": {"id": 7},
    "sender": {"login": "ann", "type": "User"},
    "repository": {
        "id": 42,
        "full_name": "acme/repoA",
        "node_id": "R_42",
        "default_branch": "main",
        "visibility": "internal",
        "private": True,
        "archived": False,
    },
}


def said(event: str, **parts: Any) -> Notice | Ignored:
    return translate(event, json.dumps(WHOLE | parts).encode())


def reason(notice: Notice | Ignored) -> str:
    assert isinstance(notice, Ignored)
    return notice.reason


def seen_repository(**changes: Any) -> Repository:
    notice = said("repository", action="renamed", repository=WHOLE["repository"] | changes)
    assert isinstance(notice, RepositoryNotice)
    return notice.repository


@pytest.mark.parametrize(
    ("changes", "visibility"),
    [
        ({}, Visibility.INTERNAL),
        ({"visibility": "public"}, Visibility.PUBLIC),
        ({"visibility": None}, Visibility.PRIVATE),
        ({"visibility": None, "private": False}, Visibility.PUBLIC),
        ({"visibility": "secret", "private": False}, Visibility.PUBLIC),
        ({"visibility": None, "private": None}, Visibility.PRIVATE),
    ],
)
def test_visibility_falls_back_to_what_older_servers_tell(changes: dict[str, Any], visibility: Visibility) -> None:
    assert seen_repository(**changes).visibility is visibility


def test_a_repository_without_node_id_is_one() -> None:
    assert seen_repository(node_id=None, archived=None) == Repository(
        42, "acme", "repoA", "", "main", Visibility.INTERNAL
    )


@pytest.mark.parametrize("missing", ["installation", "repository"])
def test_what_is_missing_is_named(missing: str) -> None:
    payload = {key: value for key, value in WHOLE.items() if key != missing} | {"action": "renamed"}
    told = translate("repository", json.dumps(payload).encode())
    assert told == Ignored(f"repository: not as expected: {missing}: missing")


def test_of_much_that_is_wrong_only_the_first_is_told() -> None:
    told = reason(translate("workflow_run", b'{"workflow_run": {}}'))
    assert told.startswith("workflow_run: not as expected: installation: missing; repository: missing; ")
    assert told.endswith("more)")


def pull_of(**changes: Any) -> dict[str, Any]:
    return {
        "number": 12,
        "state": "open",
        "merged": False,
        "merged_at": None,
        "draft": False,
        "head": {"ref": "DPTA-1/ü.%", "sha": A, "repo": {"id": 42}},
        "base": {"ref": "main", "sha": C},
        "updated_at": "2026-11-21T12:00:00Z",
    } | changes


PULL = Pull(42, 12, "DPTA-1/ü.%", A, "main", datetime(2026, 11, 21, 12, tzinfo=UTC))


def test_a_pull_request_is_told() -> None:
    assert said("pull_request", action="opened", pull_request=pull_of()) == PullNotice(
        7, REPOSITORY, PULL, "opened", "ann"
    )


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"state": "closed"}, "state", PullState.CLOSED),
        ({"state": "closed", "merged": True}, "state", PullState.MERGED),
        ({"state": "closed", "merged": None, "merged_at": "2026-11-21T12:00:00Z"}, "state", PullState.MERGED),
        ({"draft": True}, "draft", True),
        ({"draft": None}, "draft", False),
        ({"head": {"ref": "x", "sha": A, "repo": None}}, "fork", True),
        ({"head": {"ref": "x", "sha": A}}, "fork", True),
        ({"head": {"ref": "x", "sha": A, "repo": {"id": 43}}}, "fork", True),
        ({"head": {"ref": "x", "sha": A, "repo": {"id": 42}}}, "fork", False),
        ({"updated_at": "2026-11-21T13:00:00+01:00"}, "updated_at", PULL.updated_at),
        ({"updated_at": "2026-11-21T12:00:00"}, "updated_at", PULL.updated_at),
    ],
)
def test_the_states_of_a_pull_request(changes: dict[str, Any], field: str, value: object) -> None:
    notice = said("pull_request", action="edited", pull_request=pull_of(**changes))
    assert isinstance(notice, PullNotice)
    assert getattr(notice.pull, field) == value


def test_only_a_push_tells_what_it_replaced() -> None:
    for action, before in (("synchronize", B), ("edited", None)):
        notice = said("pull_request", action=action, pull_request=pull_of(), before=B, after=A)
        assert isinstance(notice, PullNotice)
        assert notice.pull.before == before


def test_a_pull_request_without_a_head_is_ignored() -> None:
    told = reason(said("pull_request", action="opened", pull_request=pull_of(head=None)))
    assert told.startswith("pull_request: not as expected: pull_request.head: ")
    short = pull_of(head={"ref": "x", "sha": "abc"})
    assert "pull_request.head.sha" in reason(said("pull_request", action="opened", pull_request=short))


def push_of(**changes: Any) -> Notice | Ignored:
    listed = [{"added": ["a"], "removed": ["b"], "modified": []}, {"added": None, "modified": ["a", "c"]}]
    whole = {"ref": "refs/heads/feature/x", "before": A, "after": B, "forced": False, "commits": listed}
    return said("push", **(whole | changes))


def test_a_push_is_told() -> None:
    touched = frozenset({"a", "b", "c"})
    assert push_of() == PushNotice(7, REPOSITORY, "feature/x", A, B, touched, False, "ann")


@pytest.mark.parametrize(
    ("changes", "branch", "before", "after", "truncated"),
    [
        ({"before": NONE}, "feature/x", None, B, True),
        ({"after": NONE, "commits": []}, "feature/x", A, None, True),
        ({"forced": True}, "feature/x", A, B, True),
        ({"commits": []}, "feature/x", A, B, True),
        ({"commits": None}, "feature/x", A, B, True),
        ({"commits": [{}] * (MOST_COMMITS_LISTED - 1)}, "feature/x", A, B, False),
        ({"commits": [{}] * MOST_COMMITS_LISTED}, "feature/x", A, B, True),
        ({"ref": "refs/tags/v1"}, None, A, B, False),
    ],
)
def test_the_kinds_of_a_push(
    changes: dict[str, Any], branch: str | None, before: str | None, after: str | None, truncated: bool
) -> None:
    notice = push_of(**changes)
    assert isinstance(notice, PushNotice)
    assert (notice.branch, notice.before, notice.after, notice.truncated) == (branch, before, after, truncated)


def run_of(**changes: Any) -> dict[str, Any]:
    return {
        "id": 99,
        "run_attempt": 2,
        "path": ".github/workflows/build.yml@refs/heads/a/b.yml",
        "head_branch": "DPTA-1",
        "head_sha": A,
        "event": "workflow_dispatch",
        "display_title": "build at-1",
        "actor": {"login": "lockstep[bot]", "type": "Bot"},
        "status": "completed",
        "conclusion": "success",
        "html_url": "https://github.example/acme/repoA/actions/runs/99",
        "created_at": "2026-11-21T12:00:00Z",
        "run_started_at": "2026-11-21T12:01:00Z",
        "updated_at": "2026-11-21T12:02:00Z",
    } | changes


def minute(number: int) -> datetime:
    return datetime(2026, 11, 21, 12, number, tzinfo=UTC)


def test_a_run_is_told() -> None:
    run = Run(
        99, 2, 42, "build.yml", "DPTA-1", A, "workflow_dispatch", "build at-1", "lockstep[bot]", RunStatus.COMPLETED,
        "success", "https://github.example/acme/repoA/actions/runs/99", minute(0), minute(1), minute(2),
    )  # fmt: skip
    assert said("workflow_run", action="completed", workflow_run=run_of()) == RunNotice(7, REPOSITORY, run, "ann")


def test_a_run_of_an_older_server_is_told() -> None:
    bare = {"display_title": None, "actor": None, "head_branch": None, "run_started_at": None, "path": None}
    seen = {key: value for key, value in run_of(**bare).items() if key not in ("run_attempt", "html_url")}
    notice = said("workflow_run", workflow_run=seen, workflow={"path": ".github/workflows/old.yml"})
    assert isinstance(notice, RunNotice)
    run = notice.run
    assert (run.attempt, run.workflow, run.title, run.actor, run.branch) == (1, "old.yml", "", "", "")
    assert (run.url, run.started_at) == ("", None)


def test_a_run_of_no_workflow_or_of_a_status_nobody_knows_is_ignored() -> None:
    nameless = said("workflow_run", workflow_run=run_of(path=None))
    assert reason(nameless) == "workflow_run: not as expected: workflow_run.path: missing"
    assert "workflow_run.status: " in reason(said("workflow_run", workflow_run=run_of(status="dreaming")))


def comment_of(action: str = "created", **changes: Any) -> Notice | Ignored:
    comment = {"id": 5, "body": "/orchestrate", "user": {"login": "bob", "type": "User"}} | changes
    return said("issue_comment", action=action, issue={"number": 12, "pull_request": {"url": "…"}}, comment=comment)


def test_a_comment_is_told() -> None:
    assert comment_of() == CommentNotice(7, REPOSITORY, 12, True, 5, "/orchestrate", "bob")
    assert comment_of(body=None, user=None) == CommentNotice(7, REPOSITORY, 12, True, 5, "", "ann")
    on_issue = said("issue_comment", action="created", issue={"number": 3}, comment={"id": 5, "user": {"login": "bob"}})
    assert on_issue == CommentNotice(7, REPOSITORY, 3, False, 5, "", "bob")


@pytest.mark.parametrize("action", ["edited", "pinned"])
def test_only_new_comments_are_read(action: str) -> None:
    assert reason(comment_of(action)) == f"issue_comment {action}: commands are taken from new comments only"


def test_a_comment_that_is_gone_is_told_whosever_it_was() -> None:
    assert comment_of("deleted") == CommentGoneNotice(7, REPOSITORY, 5, "ann")


def test_comments_of_bots_are_ignored() -> None:
    told = reason(comment_of(user={"login": "lockstep[bot]", "type": "Bot"}))
    assert told == "issue_comment created: lockstep[bot] is a bot, and commands are taken from people only"


def installation_of(**parts: Any) -> dict[str, Any]:
    account = {"login": "acme", "id": 70}
    return {
        "sender": {"login": "ann"},
        "installation": {"id": 7, "account": account, "permissions": {"a": "read"}},
    } | parts


def test_an_installation_is_told() -> None:
    repositories = [
        {"id": 42, "full_name": "acme/repoA", "node_id": None, "private": False},
        {"id": 43, "full_name": "acme/b"},
    ]
    body = json.dumps(installation_of(action="created", repositories=repositories)).encode()
    named = (NamedRepository(42, "acme/repoA", "", False), NamedRepository(43, "acme/b", "", True))
    assert translate("installation", body) == InstallationNotice("created", 7, "acme", 70, named, {"a": "read"}, "ann")
    enterprise = installation_of(action="suspend", installation={"id": 7, "account": {"slug": "corp", "id": 71}})
    told = translate("installation", json.dumps(enterprise).encode())
    assert told == InstallationNotice("suspend", 7, "corp", 71, (), None, "ann")


def test_an_installation_of_nobody_or_with_a_new_action_is_ignored() -> None:
    nameless = installation_of(action="created", installation={"id": 7, "account": {"id": 71}})
    assert "installation.account" in reason(translate("installation", json.dumps(nameless).encode()))
    new = translate("installation", json.dumps(installation_of(action="polished")).encode())
    assert reason(new) == "installation polished: nothing here depends on it"


def test_repositories_that_come_and_go_are_told() -> None:
    added, removed = (
        {"id": 42, "full_name": "acme/a", "node_id": "R_42", "private": True},
        {"id": 43, "full_name": "acme/b"},
    )
    body = json.dumps(
        installation_of(action="added", repositories_added=[added], repositories_removed=[removed])
    ).encode()
    assert translate("installation_repositories", body) == InstallationRepositoriesNotice(
        7, "acme", 70, (NamedRepository(42, "acme/a", "R_42", True),), (NamedRepository(43, "acme/b", "", True),),
        {"a": "read"}, "ann",
    )  # fmt: skip


def test_an_edited_repository_counts_where_its_default_branch_changed() -> None:
    changed = said("repository", action="edited", changes={"default_branch": {"from": "master"}})
    assert changed == RepositoryNotice(7, REPOSITORY, "edited", "ann")
    same = said("repository", action="edited", changes={"description": {"from": None}})
    assert reason(same) == "repository edited: the default branch is the same as before"


def group_of(head_ref: str, **parts: Any) -> Notice | Ignored:
    group = {"head_sha": A, "head_ref": head_ref, "base_sha": B, "base_ref": "refs/heads/release/1"}
    return said("merge_group", merge_group=group, **parts)


def test_a_merge_group_is_told() -> None:
    queue = f"gh-readonly-queue/release/1/pr-104-{C}"
    assert group_of(f"refs/heads/{queue}", action="destroyed", reason="merged") == MergeGroupNotice(
        7, REPOSITORY, "destroyed", A, queue, B, "release/1", (104,), "merged"
    )
    other = group_of("refs/heads/somewhere/else", action="checks_requested")
    assert isinstance(other, MergeGroupNotice)
    assert other.pulls == ()
    assert reason(group_of("x", action="resized")) == "merge_group resized: nothing here depends on it"


def test_a_repository_dispatch_is_told_as_it_can_be_stored() -> None:
    payload = {"branch": "DPTA\x00-1", "deep": [{"k\x00": "v\x00"}]}
    notice = said("repository_dispatch", action="orchestrate", branch="main", client_payload=payload)
    storable = {"branch": "DPTA\ufffd-1", "deep": [{"k\ufffd": "v\ufffd"}]}
    assert notice == RepositoryDispatchNotice(7, REPOSITORY, "main", "orchestrate", storable, "ann")
    nothing = said("repository_dispatch", action="orchestrate", branch="main", client_payload=None, sender=None)
    assert nothing == RepositoryDispatchNotice(7, REPOSITORY, "main", "orchestrate", {}, None)


def test_a_number_that_json_cannot_hold_is_left_out() -> None:
    body = json.dumps(WHOLE | {"action": "x", "branch": "main", "client_payload": {"n": 7}}).replace(
        '"n": 7', '"n": 1e999'
    )
    notice = translate("repository_dispatch", body.encode())
    assert isinstance(notice, RepositoryDispatchNotice)
    assert notice.client_payload == {"n": None}


def test_a_workflow_that_was_run_by_hand_is_told() -> None:
    inputs = {"pipeline": "product", "fresh": True, "count": 3}
    notice = said(
        "workflow_dispatch", workflow=".github/workflows/orchestrate.yml", ref="refs/heads/main", inputs=inputs
    )
    told = {"pipeline": "product", "fresh": "true", "count": "3"}
    assert notice == WorkflowDispatchNotice(7, REPOSITORY, "orchestrate.yml", "main", told, "ann")
    bare = said("workflow_dispatch", workflow="orchestrate.yml", ref="refs/tags/v1", inputs=None)
    assert bare == WorkflowDispatchNotice(7, REPOSITORY, "orchestrate.yml", "refs/tags/v1", {}, "ann")


def test_a_sender_that_is_hard_to_read_spoils_nothing() -> None:
    notice = said("push", ref="refs/heads/x", before=A, after=B, commits=[{}], sender={"id": 1})
    assert isinstance(notice, PushNotice)
    assert notice.actor is None


def test_an_event_that_nobody_knows_is_ignored() -> None:
    assert reason(said("sponsorship")) == "sponsorship: no event that Lockstep knows"


def test_a_body_that_is_no_object_is_ignored() -> None:
    for body in (b"[]", b"7", b"", b"\xff", b"[" * 5000):
        assert isinstance(translate("push", body), Ignored)


@pytest.mark.parametrize("event", [*READ, "ping", "check_run", "status", "unheard_of"])
def test_what_is_not_worth_a_request_is_what_is_ignored(event: str) -> None:
    """``is_read`` and ``translate`` know the same events and actions."""
    assert is_read(event, next(iter(READ.get(event) or {"any"}))) is (event in READ)
    told = translate(event, b"{}")
    assert isinstance(told, Ignored)
    assert ("not as expected" in told.reason) is (event in READ)
    if READ.get(event) is not None:
        assert not is_read(event, "labeled")
        assert not is_read(event, None)


def test_a_person_takes_back_that_the_app_acts_for_them() -> None:
    sender = {"login": "ann", "id": 5, "type": "User"}
    body = {"action": "revoked", "sender": sender}
    assert translate("github_app_authorization", json.dumps(body).encode()) == AuthorizationNotice(5, "ann")
    assert "nothing here depends" in reason(said("github_app_authorization", action="created", sender=sender))
    assert "sender.id: missing" in reason(said("github_app_authorization", action="revoked"))
    assert is_read("github_app_authorization", "revoked")
