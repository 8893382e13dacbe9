"""Comments and reactions over the API, on pull requests and issues alike."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from app.simulator import conversation
from app.simulator.errors import Refusal, inaccessible
from app.simulator.render import pulls as shapes
from app.simulator.rest.routing import Answer, Call, of_type, route, wants

Json = dict[str, Any]

_READ, _WRITE = "issues=read;pull_requests=read", "issues=write;pull_requests=write"


@route("GET", "/repos/{owner}/{repo}/issues/{issue_number}/comments", needs=_READ)
def list_comments(call: Call) -> Answer:
    """A conversation, oldest first; the youngest may not be listed yet."""
    number, lag = call.number("issue_number"), timedelta(seconds=call.world.lag.lists)
    conversation.subject(call.repo, number)
    made = [comment for comment in call.repo.comments.values() if comment.number == number]
    made = [comment for comment in made if not lag or comment.created_at <= call.world.clock.now() - lag]
    since = call.query.get("since")
    if since:
        made = [comment for comment in made if comment.updated_at >= datetime.fromisoformat(since)]
    return call.page(made, render=lambda comment: shapes.comment(call.world, call.repo, comment))


@route("POST", "/repos/{owner}/{repo}/issues/{issue_number}/comments", needs=_WRITE)
def create_comment(call: Call) -> Answer:
    """Say something."""
    number, text = call.number("issue_number"), wants(call.body, "body", str, "IssueComment")
    made = conversation.comment(call.world, call.repo, number, text, call.actor, by_app=True)
    url = f"{call.world.base_url}/repos/{call.repo.full_name}/issues/comments/{made.id}"
    return Answer(201, shapes.comment(call.world, call.repo, made), {"location": url})


@route("GET", "/repos/{owner}/{repo}/issues/comments/{comment_id}", needs=_READ)
def get_comment(call: Call) -> Answer:
    """One comment."""
    made = conversation.find(call.repo, call.number("comment_id"))
    return Answer(200, shapes.comment(call.world, call.repo, made))


@route("PATCH", "/repos/{owner}/{repo}/issues/comments/{comment_id}", needs=_WRITE)
def edit_comment(call: Call) -> Answer:
    """Change one."""
    made = conversation.find(call.repo, call.number("comment_id"))
    text = wants(call.body, "body", str, "IssueComment")
    conversation.edit(call.world, call.repo, made, text, call.actor)
    return Answer(200, shapes.comment(call.world, call.repo, made))


@route("DELETE", "/repos/{owner}/{repo}/issues/comments/{comment_id}", needs=_WRITE)
def delete_comment(call: Call) -> Answer:
    """Remove one."""
    made = conversation.find(call.repo, call.number("comment_id"))
    conversation.delete(call.world, call.repo, made, call.actor)
    return Answer(204)


@route("GET", "/repos/{owner}/{repo}/issues/{issue_number}", needs=_READ)
def get_issue(call: Call) -> Answer:
    """An issue, or a pull request seen as one."""
    about = conversation.subject(call.repo, call.number("issue_number"))
    return Answer(200, shapes.issue(call.world, call.repo, about) | {"closed_by": None})


@route("GET", "/repos/{owner}/{repo}/issues/comments/{comment_id}/reactions", needs="issues=read")
def list_reactions(call: Call) -> Answer:
    """Who reacted how."""
    made = conversation.find(call.repo, call.number("comment_id"))
    return call.page(made.reactions, render=lambda given: shapes.reaction(call.world, given))


@route("POST", "/repos/{owner}/{repo}/issues/comments/{comment_id}/reactions", needs="issues=write")
def create_reaction(call: Call) -> Answer:
    """React: 201, or 200 where the same reaction stands already (FACTS §8)."""
    made = conversation.find(call.repo, call.number("comment_id"))
    content = wants(call.body, "content", str, "Reaction")
    given, new = conversation.react(call.world, made, content, call.actor)
    return Answer(201 if new else 200, shapes.reaction(call.world, given))


@route("DELETE", "/repos/{owner}/{repo}/issues/comments/{comment_id}/reactions/{reaction_id}", needs="issues=write")
def delete_reaction(call: Call) -> Answer:
    """Take a reaction back; only one's own."""
    made = conversation.find(call.repo, call.number("comment_id"))
    number = call.number("reaction_id")
    given = next((one for one in made.reactions if one.id == number), None)
    if given is None:
        raise Refusal(404, "Not Found")
    if given.user is not call.actor:
        raise inaccessible()
    made.reactions.remove(given)
    return Answer(204)


@route("POST", "/repos/{owner}/{repo}/issues", needs="issues=write")
def create_issue(call: Call) -> Answer:
    """Open an issue."""
    title = wants(call.body, "title", str, "Issue")
    text = of_type(call.body, "body", str, "Issue", "")
    made = conversation.open_issue(call.world, call.repo, title, text, call.actor)
    return Answer(201, shapes.issue(call.world, call.repo, made) | {"closed_by": None})
