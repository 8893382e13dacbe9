"""A notice becomes events, one per change set it concerns, in one transaction (law 8).

Law: routing only learns and asks; what a set makes of it is ``decide``'s. A notice that concerns nothing of ours is
ignored with a sentence that says why.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from app.inbox.notices import (
    AuthorizationNotice,
    CommentGoneNotice,
    CommentNotice,
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
from app.jobs.context import Context
from app.jobs.river import River
from app.jobs.routing.comments import route_comment, route_comment_gone
from app.jobs.routing.gate import admitted
from app.jobs.routing.groups import route_group
from app.jobs.routing.installations import route_installation, route_repositories
from app.jobs.routing.people import route_authorization
from app.jobs.routing.pulls import route_pull
from app.jobs.routing.pushes import route_push
from app.jobs.routing.runs import route_run
from app.jobs.routing.triggers import route_trigger
from app.store.history import Cause


async def route(
    context: Context, connection: AsyncConnection, notice: Notice, cause: Cause, received_at: datetime | None = None
) -> str | None:
    """Feed the sets that a notice concerns. None: it was handled; else why it was ignored.

    :param received_at: when it came; None: now.
    """
    river = River.of(context, connection)
    if isinstance(notice, AuthorizationNotice):
        return await route_authorization(river, notice)
    if isinstance(notice, InstallationNotice):
        return await route_installation(context, river, notice)
    if isinstance(notice, InstallationRepositoriesNotice):
        return await route_repositories(context, river, notice)
    refusal = await admitted(context, river, notice.installation_id, notice.repository)
    if refusal is not None:
        return refusal
    if isinstance(notice, CommentNotice):
        return await route_comment(context, river, notice, received_at or river.now)
    return await _of_a_repository(context, river, notice, cause)


async def _of_a_repository(
    context: Context,
    river: River,
    notice: PullNotice
    | PushNotice
    | RunNotice
    | CommentGoneNotice
    | RepositoryNotice
    | MergeGroupNotice
    | RepositoryDispatchNotice
    | WorkflowDispatchNotice,
    cause: Cause,
) -> str | None:
    match notice:
        case PullNotice():
            return await route_pull(context, river, notice, cause)
        case PushNotice():
            return await route_push(context, river, notice, cause)
        case RunNotice():
            return await route_run(context, river, notice, cause)
        case CommentGoneNotice():
            return await route_comment_gone(river, notice)
        case RepositoryNotice():
            return None  # what it says of its repository was heard at the gate
        case MergeGroupNotice():
            return await route_group(river, notice, cause)
        case RepositoryDispatchNotice() | WorkflowDispatchNotice():
            return await route_trigger(context, river, notice, cause)
