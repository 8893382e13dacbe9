"""Every example delivery of GitHub's is told in our words, or ignored for a reason that can be read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.inbox.notices import (
    AuthorizationNotice,
    CommentNotice,
    Ignored,
    InstallationNotice,
    InstallationRepositoriesNotice,
    MergeGroupNotice,
    Notice,
    PullNotice,
    PushNotice,
    RepositoryDispatchNotice,
    RepositoryNotice,
    RunNotice,
    WorkflowDispatchNotice,
)
from app.inbox.translate import translate
from tests.inbox.examples import event_of, example, names

TOLD: dict[str, type[Notice]] = {
    "installation": InstallationNotice,
    "installation_repositories": InstallationRepositoriesNotice,
    "issue_comment.created": CommentNotice,
    "merge_group": MergeGroupNotice,
    "pull_request": PullNotice,
    "push": PushNotice,
    "repository": RepositoryNotice,
    "repository_dispatch": RepositoryDispatchNotice,
    "workflow_dispatch": WorkflowDispatchNotice,
    "workflow_run": RunNotice,
}
IGNORED = {
    "check_run": "check_run: verdicts are commit statuses, and results are read from workflow runs",
    "check_suite": "check_suite: verdicts are commit statuses, and results are read from workflow runs",
    "create": "create: the push that comes with it also tells the commit",
    "delete": "delete: the push that comes with it also tells the commit",
    "deployment_review": "deployment_review: the run that waits for the approval tells so itself",
    "issue_comment.edited": "issue_comment edited: commands are taken from new comments only",
    "ping": "ping: GitHub's greeting: the webhook works",
    "pull_request.labeled": "pull_request labeled: nothing here depends on it",
    "pull_request_review": "pull_request_review: reviews are read when somebody wants to merge",
    "repository.created": "repository created: nothing here depends on it",
    "status": "status: verdicts stand on workflow runs, not on other statuses",
    "workflow_job": "workflow_job: the run that the job belongs to tells enough",
}
NAMES = names()


@pytest.mark.parametrize("name", NAMES or ["ping.default.json"])
def test_each_example_is_told_or_ignored_for_the_right_reason(name: str) -> None:
    event, said = event_of(name), translate(event_of(name), json.dumps(example(name)).encode())
    key = next(key for key in (".".join(name.split(".")[:2]), event) if key in TOLD or key in IGNORED)
    if isinstance(said, Ignored):
        assert said.reason == IGNORED.get(key)
    else:
        assert type(said) is TOLD.get(key)
        assert isinstance(said, AuthorizationNotice) or said.installation_id > 0


@pytest.mark.skipif(not NAMES, reason="GitHub's example deliveries are not beside the project")
def test_the_tables_name_nothing_that_no_example_shows() -> None:
    shown = {".".join(name.split(".")[:2]) for name in NAMES} | {event_of(name) for name in NAMES}
    assert (TOLD.keys() | IGNORED.keys()) - shown == set()


SCALARS: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
    | st.sampled_from(
        ["0" * 40, "\x00", "closed", "Bot", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", 2**70]
    )
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)


def places(thing: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = thing.items() if isinstance(thing, dict) else enumerate(thing) if isinstance(thing, list) else ()
    return [spot for key, value in inner for spot in [(*path, key), *places(value, (*path, key))]]


@pytest.mark.skipif(not NAMES, reason="GitHub's example deliveries are not beside the project")
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_no_change_to_a_payload_breaks_the_translation(data: st.DataObject) -> None:
    name = data.draw(
        st.sampled_from([name for name in NAMES if event_of(name) in {key.partition(".")[0] for key in TOLD}])
    )
    payload = example(name)
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(places(payload)))
        holder: Any = payload
        for key in path[:-1]:
            holder = holder[key]
        if isinstance(holder, dict) and data.draw(st.booleans()):
            del holder[path[-1]]
        else:
            holder[path[-1]] = data.draw(VALUES)
    said = translate(event_of(name), json.dumps(payload).encode())
    if isinstance(said, Ignored):
        assert said.reason.startswith(event_of(name))
    else:
        assert "\x00" not in repr(said)
        assert "\\x00" not in repr(said)


@given(st.sampled_from([*TOLD, "unheard_of"]), st.dictionaries(st.text(max_size=12), VALUES, max_size=6))
def test_no_object_at_all_breaks_the_translation(key: str, payload: dict[str, Any]) -> None:
    event = key.partition(".")[0]
    said = translate(event, json.dumps(payload).encode())
    assert isinstance(said, Ignored)
    assert said.reason.startswith(f"{event}: ")
