"""A person who takes back that the App acts for them is logged in to the pages no longer."""

from __future__ import annotations

from app.inbox.notices import AuthorizationNotice
from app.jobs.river import River
from app.store.sessions import end_sessions_of


async def route_authorization(river: River, notice: AuthorizationNotice) -> str | None:
    if await end_sessions_of(river.connection, notice.user_id):
        return None
    return f"github_app_authorization revoked: {notice.actor or 'this person'} is not logged in here"
