"""Whatever is sent to the webhook door: never 5xx, and the worker takes all that was kept to an end without a dead job.

Deliveries are those of the simulated GitHub and GitHub's own examples, changed at random. Signed ones that say nonsense
may well change what is believed; they must not break what works on it.
"""

from __future__ import annotations

import copy
import hmac
import json
import random
from typing import Any

import httpx
from sqlalchemy import text

from tests.fuzz.mutations import EVENTS, ODD_EVENTS, at_edges, mutated
from tests.harness import service as services
from tests.harness.control import Json
from tests.harness.credentials import Credentials
from tests.harness.stage import Stage
from tests.harness.story import Story
from tests.harness.worlds import OWNER
from tests.inbox import examples

DELIVERIES = 160
BATCH = 40
ENDS = text("SELECT guid, event, outcome, reason, body FROM deliveries")
OWN_FAULTS = text("SELECT kind, args, last_error FROM effects WHERE last_error LIKE '%error of Lockstep itself%'")
COMMENTS = [
    "/orchestrate", "/orchestrate status", "/orchestrate retry repoB", "/orchestrate cancel",
    "/orchestrate run --fresh", "/orchestrate invalidate", "/orchestrate --pipeline \x00", "thanks",
    "/orchestrate \x1b[31m|`@everyone",
    "/orchestrate link a/b#1\n" * 20, "```\n/orchestrate", "/orchestrate " + "x" * 5000,
]  # fmt: skip
Base = tuple[str, Json]
Sent = tuple[int, bytes, list[tuple[bytes, bytes]]]


def lived(story: Story) -> list[Base]:
    """What the simulated GitHub tells in a short life, by event."""
    story.opens("repoB", "repoD").builds("repoB", "repoD").passes()
    story.comments("repoB", "/orchestrate status")
    story.pushes("repoB").builds("repoB").fails()
    story.opens("repoC", branch="DPTA-7").changes("repoC", base="release/1")
    story.opens("repoE", branch="DPTA-8", fork=True).closes("repoE")
    story.pushes("orchestrator", branch="main", files={"README.md": "changed"})
    return [(one["query"]["event"], one["body"]) for one in story.stage.log if one["kind"] == "delivery"]


def ours(bases: list[Base]) -> list[Base]:
    """GitHub's examples, as if they came from the repositories and the installation of our world."""
    pull = next(one for event, one in bases if event == "pull_request" and one["repository"]["name"] == "repoB")
    home = next(one["repository"] for event, one in bases if one.get("repository", {}).get("name") == "orchestrator")
    found: list[Base] = []
    for name in examples.names():
        event, payload = examples.event_of(name), examples.example(name)
        payload["installation"] |= {"id": pull["installation"]["id"]}
        if "account" in payload["installation"]:
            payload["installation"]["account"] |= {"login": OWNER}
        if "repository" in payload:
            payload["repository"] = copy.deepcopy(home if event.endswith("_dispatch") else pull["repository"])
        if event in EVENTS or name.endswith(f"{event}.default.json"):
            found.append((event, payload))
    return found


def of_now(told: Base, stage: Stage, dice: random.Random) -> Base:
    """As if it were told of this moment and for the first time: what is known or older is no news."""
    event, payload = told[0], copy.deepcopy(told[1])
    for part in ("pull_request", "workflow_run"):
        if part in payload:
            payload[part]["updated_at"] = stage.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    if event == "issue_comment":
        person = {"login": dice.choice(["ann", "eve", "Codertocat"]), "type": "User"}
        payload["comment"] |= {"id": dice.randrange(1, 2**63), "body": dice.choice(COMMENTS), "user": person}
        payload["issue"] |= {"number": 1, "pull_request": {}}
        payload |= {"action": "created", "sender": person}
    if event == "repository_dispatch":
        wanted = {"pipeline": "product", "branch": dice.choice(["DPTA-1122", "main", "x" * 9000, "a b"])}
        payload |= {"action": dice.choice(["orchestrate", "invalidate"]), "client_payload": wanted, "branch": "main"}
    if event == "workflow_dispatch":
        inputs = {"pipeline": "product", "branch": "DPTA-1122", "action": dice.choice(["run", "invalidate"])}
        payload |= {"workflow": ".github/workflows/orchestrate.yml", "inputs": inputs, "ref": "refs/heads/main"}
    if event == "merge_group":
        payload["merge_group"] |= {"head_ref": f"refs/heads/gh-readonly-queue/main/pr-1-{'a' * 40}"}
    return event, payload


def gone(told: Base) -> bool:
    return told[0] == "installation" and told[1]["action"] == "deleted"


def back(bases: list[Base]) -> Base:
    """The installation is there again, as it was: else one lie about it would end the game."""
    told = next(one for event, one in bases if event == "pull_request")
    account = {"login": OWNER, "id": told["repository"]["owner"]["id"]}
    return "installation", {
        "action": "unsuspend",
        "installation": {"id": told["installation"]["id"], "account": account},
    }


def headers(event: str, guid: str, body: bytes, secret: str, dice: random.Random | None) -> list[tuple[bytes, bytes]]:
    """As GitHub sends them; with dice, one time in ten something is odd about them."""
    signature = "sha256=" + hmac.digest(secret.encode(), body, "sha256").hex()
    made = [
        (b"X-GitHub-Event", event.encode()),
        (b"X-GitHub-Delivery", guid.encode()),
        (b"X-Hub-Signature-256", signature.encode()),
        (b"Content-Type", b"application/json"),
    ]
    if dice is None:
        return made
    if dice.random() < 0.1:
        odd = dice.choice([b"", b"\xff", b"a" * 4000, b"%00", b"1", b"sha256=" + b"0" * 64, b"x, y", b"a\tb"])
        made.append(
            (dice.choice([made[dice.randrange(3)][0], b"Content-Type", b"Content-Encoding", b"X-GitHub-Hook-ID"]), odd)
        )
    if dice.random() < 0.03:
        del made[dice.randrange(3)]
    return made


async def send(stage: Stage, sent: list[Sent], batch: list[tuple[bytes, list[tuple[bytes, bytes]]]]) -> None:
    address = services.address(stage._listener) + services.HOOK
    async with httpx.AsyncClient(trust_env=False, verify=False, timeout=30) as client:
        for body, given in batch:
            answer = await client.post(address, content=body, headers=given)
            sent.append((answer.status_code, body, given))


def test_nothing_that_is_delivered_breaks_anything(story: Story, credentials: Credentials, fuzz_seed: int) -> None:
    print(f"seed {fuzz_seed}")  # noqa: T201 - by which a failure can be replayed
    dice = random.Random(fuzz_seed)
    bases = lived(story)
    bases += ours(bases)
    sent: list[Sent] = []
    for first in range(0, DELIVERIES, BATCH):
        # An installation that was deleted never comes back: that is told at the very end.
        told = bases if first + BATCH >= DELIVERIES else [one for one in bases if not gone(one)]
        batch = []
        for number in range(first, first + BATCH):
            event, payload = of_now(dice.choice(told) if number % 10 else back(bases), story.stage, dice)
            body = mutated(payload, dice) if number % 10 else json.dumps(payload).encode()
            said = dice.choice(ODD_EVENTS if dice.random() < 0.3 else EVENTS) if dice.random() < 0.1 else event
            batch.append((body, headers(said, f"fuzz-{number}", body, credentials.webhook_secret, dice)))
        story.stage.run(send(story.stage, sent, batch))
        story.stage.wait(dice.choice([0, 3, 120]))
    story.stage.wait(3600)
    assert [one for one in sent if one[0] >= 500] == []
    assert {one[0] for one in sent} <= {202, 400, 401}
    ended(story.stage)


def ended(stage: Stage) -> None:
    """Every delivery that was kept is handled, or ignored with a reason; no effect met an error of ours."""
    faults, ends = stage.run(rows(stage, OWN_FAULTS)), stage.run(rows(stage, ENDS))
    assert [tuple(one) for one in faults] == []
    failed = [one for one in ends if one.outcome not in ("handled", "ignored")]
    assert not failed, "\n\n".join(f"{one.guid} {one.event}: {one.reason}\n{one.body[:3000]!r}" for one in failed)
    assert [one.guid for one in ends if one.outcome == "ignored" and not one.reason] == []
    assert stage.dead_jobs() == []


async def rows(stage: Stage, query: Any) -> list[Any]:
    async with stage.service.engine.connect() as connection:
        return list(await connection.execute(query))


def test_no_number_is_too_large_and_no_text_too_long_for_its_place(story: Story, credentials: Credentials) -> None:
    """One field at a time, of every event that is read: what no random walk would meet soon enough."""
    dice = random.Random(1)
    bases = lived(story)
    bases = [one for one in [*bases, *ours(bases)] if not gone(one)]
    sent: list[Sent] = []
    for event in EVENTS:
        fitting = [one for one in bases if one[0] == event]
        if not fitting:
            continue
        _, payload = of_now(fitting[-1], story.stage, dice)
        batch = [
            (body, headers(event, f"edge-{event}-{number}", body, credentials.webhook_secret, None))
            for number, body in enumerate(at_edges(payload, dice))
        ]
        story.stage.run(send(story.stage, sent, batch))
        story.stage.pump()
        story.delivers(*back(bases))
    story.stage.wait(600)
    assert {one[0] for one in sent} == {202}
    ended(story.stage)
