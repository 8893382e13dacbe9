"""What people say: comments, reactions, issues and reviews."""

from __future__ import annotations

from typing import Any

from app.simulator.errors import Refusal, invalid
from app.simulator.model import Account, Comment, Issue, Pull, Reaction, Repository, Review
from app.simulator.render import pulls as shapes
from app.simulator.render.accounts import user
from app.simulator.world import World

Json = dict[str, Any]

CONTENTS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes")
MAX_BODY = 65_536


def subject(repository: Repository, number: int) -> Pull | Issue:
    """The pull request or issue of this number."""
    found = repository.pulls.get(number) or repository.issues.get(number)
    if found is None:
        raise Refusal(404, "Not Found")
    return found


def comment(world: World, repository: Repository, number: int, body: Any, actor: Account, by_app: bool) -> Comment:
    """Say something."""
    about = subject(repository, number)
    _check_body(body)
    now = world.clock.now()
    made = Comment(world.numbers.next("Comment"), number, body, actor, by_app, now, now)
    repository.comments[made.id] = made
    _tell(world, repository, about, made, "created", actor)
    return made


def edit(world: World, repository: Repository, made: Comment, body: Any, actor: Account) -> None:
    """Say it differently."""
    _check_body(body)
    changes = {"body": {"from": made.body}}
    made.body, made.updated_at = body, world.clock.now()
    _tell(world, repository, subject(repository, made.number), made, "edited", actor, changes=changes)


def delete(world: World, repository: Repository, made: Comment, actor: Account) -> None:
    """Take it back."""
    del repository.comments[made.id]
    _tell(world, repository, subject(repository, made.number), made, "deleted", actor)


def find(repository: Repository, number: int) -> Comment:
    """A comment by its number."""
    if number not in repository.comments:
        raise Refusal(404, "Not Found")
    return repository.comments[number]


def react(world: World, made: Comment, content: Any, actor: Account) -> tuple[Reaction, bool]:
    """Add an emoji; the flag says whether it is new (FACTS §8)."""
    if content not in CONTENTS:
        raise invalid("Reaction", "content", "invalid")
    for given in made.reactions:
        if given.user is actor and given.content == content:
            return given, False
    given = Reaction(world.numbers.next("Reaction"), content, actor, world.clock.now())
    made.reactions.append(given)
    world.note("reaction", comment_id=made.id, content=content, actor=actor.login)
    return given, True


def open_issue(world: World, repository: Repository, title: str, body: str, actor: Account) -> Issue:
    """Open an issue (that is no pull request)."""
    number = repository.number()
    made = Issue(world.numbers.next("Issue"), number, title, body, actor, world.clock.now())
    repository.issues[number] = made
    payload = {"action": "opened", "issue": shapes.issue(world, repository, made), "sender": user(world, actor)}
    world.emit("issues", "opened", repository, payload)
    return made


def review(world: World, repository: Repository, pull: Pull, state: str, body: str, actor: Account) -> Review:
    """Approve, ask for changes, or just comment."""
    given = Review(world.numbers.next("Review"), actor, state, body, pull.head_sha, world.clock.now())
    pull.reviews.append(given)
    shape = shapes.review(world, repository, pull, given)
    payload = {
        "action": "submitted",
        "review": shape | {"state": state.lower()},
        "pull_request": shapes.pull_simple(world, repository, pull),
        "sender": user(world, actor),
    }
    world.emit("pull_request_review", "submitted", repository, payload)
    return given


def _check_body(body: Any) -> None:
    if not isinstance(body, str) or not body.strip():
        raise invalid("IssueComment", "body", "missing_field")
    if len(body) > MAX_BODY:
        raise invalid("IssueComment", "body", "custom", f"body is too long (maximum is {MAX_BODY} characters)")


def _tell(
    world: World, repository: Repository, about: Pull | Issue, made: Comment, action: str, actor: Account, **more: Any
) -> None:
    world.note("comment", repository=repository.full_name, number=made.number, comment_id=made.id, action=action,
               actor=actor.login, body=made.body)  # fmt: skip
    payload = {
        "action": action,
        **more,
        "issue": shapes.issue(world, repository, about),
        "comment": shapes.comment(world, repository, made),
        "sender": user(world, actor),
    }
    world.emit("issue_comment", action, repository, payload)
