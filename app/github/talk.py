"""What Lockstep says at GitHub: commit statuses, reactions, comments.

Law: a status may be written twice, a comment may not (P5): a comment whose answer was lost is ``Unclear`` and is looked
up by its marker before anything is written again.
"""

from __future__ import annotations

from datetime import datetime

from app.github.addresses import repository_path, segment
from app.github.answers import Comment, Created, Done, Gone, Unclear
from app.github.channel import Channel, pages, parsed
from app.github.errors import Acted, Failure
from app.github.pacing import Cost, Priority
from app.github.payloads import Comments, CreatedBody, timestamp
from app.github.wire import Call

LONGEST_DESCRIPTION = 140
"""Characters that GitHub takes in a status description (FACTS §5)."""


async def set_status(
    channel: Channel,
    owner: str,
    repo: str,
    sha: str,
    state: str,
    context: str,
    description: str,
    target_url: str | None,
) -> Done | Gone | Failure:
    """See ``InstallationClient.set_status``."""
    if len(description) > LONGEST_DESCRIPTION:
        raise ValueError(f"A status description has at most {LONGEST_DESCRIPTION} characters: {description!r}")
    body = {"state": state, "context": context, "description": description}
    if target_url is not None:
        body["target_url"] = target_url
    call = Call("POST", f"{repository_path(owner, repo)}/statuses/{segment(sha)}", body=body)
    # All but a success shuts a lock or withdraws one, and that is the first thing sent (P2).
    answer = await channel.act(call, Priority.SUCCESS if state == "success" else Priority.WITHDRAWAL)
    if isinstance(answer, Failure):
        gone = answer.status == 422 and "no commit found" in answer.message.lower()
        return Gone(answer.reason, answer.request_id) if gone else answer
    return Done(answer.request_id)


async def react(channel: Channel, owner: str, repo: str, comment_id: int, content: str) -> Done | Failure:
    """See ``InstallationClient.react``."""
    path = f"{repository_path(owner, repo)}/issues/comments/{comment_id}/reactions"
    answer = await channel.act(Call("POST", path, body={"content": content}), Priority.COMMENT)
    return answer if isinstance(answer, Failure) else Done(answer.request_id)


async def create_comment(
    channel: Channel, owner: str, repo: str, number: int, body: str
) -> Created | Unclear | Failure:
    """See ``InstallationClient.create_comment``."""
    call = Call("POST", f"{repository_path(owner, repo)}/issues/{number}/comments", body={"body": body})
    answer = await channel.act(call, Priority.COMMENT, Cost.CONTENT)
    if isinstance(answer, Failure):
        return Unclear(answer.reason, answer.request_id) if answer.acted is Acted.UNCLEAR else answer
    created = parsed(answer, CreatedBody)
    if isinstance(created, Failure):
        return Unclear(created.reason, created.request_id)
    return Created(created.id, answer.request_id)


async def edit_comment(channel: Channel, owner: str, repo: str, comment_id: int, body: str) -> Done | Gone | Failure:
    """See ``InstallationClient.edit_comment``."""
    call = Call("PATCH", f"{repository_path(owner, repo)}/issues/comments/{comment_id}", body={"body": body})
    answer = await channel.act(call, Priority.COMMENT)
    if isinstance(answer, Failure):
        return Gone(answer.reason, answer.request_id) if answer.status in (404, 410) else answer
    return Done(answer.request_id)


async def list_comments(
    channel: Channel, owner: str, repo: str, number: int, since: datetime | None
) -> list[Comment] | Failure:
    """See ``InstallationClient.list_comments``."""
    path = f"{repository_path(owner, repo)}/issues/{number}/comments"
    wanted = {} if since is None else {"since": timestamp(since)}
    found = await pages(channel, path, Comments, **wanted)
    return found if isinstance(found, Failure) else [one.fact() for page in found for one in page.root]
