"""Reading whether a fleet's workflow can run in each of many repositories; the law is that of ``set_answers``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from app.github.addresses import graphql_url
from app.github.answers import TargetAnswer, Unreadable
from app.github.channel import Channel
from app.github.documents import MOST_IDS, READ_TARGETS
from app.github.errors import Failure
from app.github.pacing import Cost, Priority
from app.github.payloads import visibility
from app.github.set_answers import NOTHING, RefNode, RepositoryNode, answered, lacking, misplaced, unreadable_at
from app.github.tokens import TokenClass
from app.github.wire import Call

Targets = dict[str, TargetAnswer | Unreadable]


class _Blob(BaseModel):
    oid: str


class _Topic(BaseModel):
    name: str


class _TopicNode(BaseModel):
    topic: _Topic


class _Topics(BaseModel):
    nodes: list[_TopicNode]


class _Target(RepositoryNode):
    file: _Blob | None


class _Named(BaseModel):
    branch: RefNode | None
    tag: RefNode | None


class _WithTopics(BaseModel):
    topics: _Topics = Field(alias="repositoryTopics")


async def read_targets(
    channel: Channel, api_url: str, node_ids: Sequence[str], workflow: str, ref: str | None, *, topics: bool
) -> Targets | Failure:
    """See ``InstallationClient.read_targets``."""
    variables = {
        "file": f"{ref or 'HEAD'}:.github/workflows/{workflow}",
        "named": ref is not None,
        "branch": f"refs/heads/{ref or ''}",
        "tag": f"refs/tags/{ref or ''}",
        "topics": topics,
    }
    found: Targets = {}
    asked = list(dict.fromkeys(node_ids))
    for start in range(0, len(asked), MOST_IDS):
        ids = asked[start : start + MOST_IDS]
        body = {"query": READ_TARGETS, "variables": {**variables, "ids": ids}}
        call = Call("POST", graphql_url(api_url), body=body, versioned=False)
        reply = await channel.call(call, TokenClass.READ, Priority.FLEET, Cost.GRAPHQL)
        if isinstance(reply, Failure):
            return reply
        answer = answered(reply, len(ids), channel.clock())
        if isinstance(answer, Failure):
            return answer
        nodes, faults = answer
        for at, (one, node) in enumerate(zip(ids, nodes, strict=True)):
            known = _target(node, named=ref is not None, topics=topics)
            found[one] = unreadable_at(faults[at]) if at in faults else known
    return found


def _target(node: dict[str, Any] | None, *, named: bool, topics: bool) -> TargetAnswer | Unreadable:
    if node is None:
        return NOTHING
    if node.get("__typename") != "Repository":
        return misplaced(node)
    try:
        plain = _Target.model_validate(node)
        tip = plain.default
        if named:
            refs = _Named.model_validate(node)
            tip = refs.branch or refs.tag
        words = _WithTopics.model_validate(node).topics.nodes if topics else []
    except ValidationError as error:
        return lacking(error)
    return TargetAnswer(
        id=plain.id,
        full_name=plain.full_name,
        archived=plain.archived,
        disabled=plain.disabled,
        visibility=visibility(plain.visibility),
        ref=tip.name if tip else None,
        tip=tip.target.oid if tip else None,
        has_workflow=plain.file is not None,
        topics=frozenset(one.topic.name.lower() for one in words),
    )
