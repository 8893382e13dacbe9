"""People who have logged in with GitHub: known by a random cookie, and shown what GitHub lists for them.

Law: what somebody can read is asked again once it is five minutes old, by one at a time. Where GitHub cannot be asked
the old answer holds for five minutes more; after that nothing is shown, but why. What GitHub does not accept any more
is no login (decision 0011).
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from app.github import Failure, Grant, People, Rights, User
from app.github.people import ENDED
from app.store.sessions import (
    Session,
    begin_session,
    end_session,
    keep_problem,
    keep_rights,
    keep_sealed,
    live_session,
    take_turn,
)
from app.store.transaction import transaction
from app.web.context import WebContext

SESSION = "lockstep_session"
"""The cookie's name."""
VALID = timedelta(hours=12)
FRESH = timedelta(minutes=5)
USABLE = timedelta(minutes=10)
TURN = timedelta(seconds=30)
"""So long everybody waits for one who died while asking."""
PAUSE = timedelta(seconds=15)
"""Before GitHub is asked again that could not be asked."""
LOOKS, LOOK_SECONDS = 30, 0.1
ASKED_NOW = "GitHub is being asked just now"

_log = structlog.get_logger(__name__)


class Blind(Exception):
    """What a person can read is not known: nothing can be shown. Its text says why."""


def sha256_of(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()


async def begun(web: WebContext, people: People, grant: Grant, user: User, rights: Rights) -> str:
    """A new session; the cookie's value."""
    cookie, now = secrets.token_urlsafe(32), web.clock()
    sha256 = sha256_of(cookie)
    session = Session(
        sha256=sha256,
        user_id=user.id,
        login=user.login,
        sealed=people.close(grant, _place(user.id, sha256)),
        readable=rights.readable,
        writable=rights.writable,
        read_at=now,
        created_at=now,
        expires_at=_end(now + VALID, grant),
    )
    async with transaction(web.engine) as connection:
        await begin_session(connection, session)
    return cookie


async def ended(web: WebContext, cookie: str) -> None:
    async with transaction(web.engine) as connection:
        await end_session(connection, sha256_of(cookie))


async def visiting(web: WebContext, cookie: str | None) -> Session | None:
    """The session of this cookie, with what its person can read; None: there is none, or it has ended.

    :raises Blind: what they can read cannot be told just now.
    """
    people = web.people
    if people is None or not cookie:
        return None
    for _ in range(LOOKS):
        session = await _live(web, cookie)
        if session is None or web.clock() < session.read_at + FRESH:
            return session
        mine = await _turn(web, session)
        if mine is not None:
            session = await _asked(web, people, mine)
        if session is None or web.clock() < session.read_at + USABLE:
            return session
        if session.problem is not None:
            raise Blind(session.problem)
        await asyncio.sleep(LOOK_SECONDS)
    raise Blind(ASKED_NOW)


async def _live(web: WebContext, cookie: str) -> Session | None:
    async with transaction(web.engine) as connection:
        return await live_session(connection, sha256_of(cookie), web.clock())


async def _turn(web: WebContext, session: Session) -> Session | None:
    now = web.clock()
    async with transaction(web.engine) as connection:
        return await take_turn(connection, session, now, now + TURN)


async def _asked(web: WebContext, people: People, session: Session) -> Session | None:
    """What GitHub says now; as it was, with the problem, where it cannot be asked; None: the login has ended."""
    now = web.clock()
    grant = people.open(session.sealed, _place(session.user_id, session.sha256))
    if grant is None:
        await _over(web, session, "its seal does not open: the App's key was changed")
        return None
    if not grant.fresh(now):
        renewed = await people.renew(grant)
        if isinstance(renewed, Failure):
            return await _failed(web, session, renewed)
        kept = await _renewed(web, people, session, renewed)
        if kept is None:
            return None
        session, grant = kept, renewed
    found = await known(people, grant)
    if isinstance(found, Failure):
        return await _failed(web, session, found)
    user, rights = found
    if user.id != session.user_id:
        await _over(web, session, "GitHub says that it is somebody else's")
        return None
    told = replace(
        session, login=user.login, readable=rights.readable, writable=rights.writable, read_at=now, problem=None
    )
    async with transaction(web.engine) as connection:
        return told if await keep_rights(connection, told) else None


async def known(people: People, grant: Grant) -> tuple[User, Rights] | Failure:
    """Who it is and what they can read. A login may be another by now, and somebody else may bear the old one."""
    user = await people.user(grant)
    if isinstance(user, Failure):
        return user
    rights = await people.rights(grant)
    return rights if isinstance(rights, Failure) else (user, rights)


async def _renewed(web: WebContext, people: People, session: Session, grant: Grant) -> Session | None:
    """Kept at once: the tokens before are of no use any more."""
    sealed = people.close(grant, _place(session.user_id, session.sha256))
    end = _end(session.expires_at, grant)
    async with transaction(web.engine) as connection:
        kept = await keep_sealed(connection, session, sealed, end)
    return replace(session, sealed=sealed, expires_at=end) if kept else None


async def _failed(web: WebContext, session: Session, failure: Failure) -> Session | None:
    if failure.status == 401 or failure.message in ENDED:
        await _over(web, session, failure.reason)
        return None
    _log.warning("what somebody can read could not be asked", login=session.login, why=failure.reason)
    async with transaction(web.engine) as connection:
        await keep_problem(connection, session, failure.reason, web.clock() + PAUSE)
    return replace(session, problem=failure.reason)


async def _over(web: WebContext, session: Session, why: str) -> None:
    _log.info("a login has ended", login=session.login, why=why)
    async with transaction(web.engine) as connection:
        await end_session(connection, session.sha256, session.sealed)


def _place(user_id: int, sha256: str) -> tuple[int, str]:
    return user_id, f"session {sha256}"


def _end(latest: datetime, grant: Grant) -> datetime:
    return min(latest, grant.ends_at) if grant.ends_at is not None else latest
