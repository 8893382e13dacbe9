"""Reading one repository: itself, its files, branches, open pull requests, and who may do what in it.

Law (FACTS §9, *404 often means "no permission"*): a 404 says ``Absent`` only after the repository itself has been read.
"""

from __future__ import annotations

import base64
import binascii

from app.domain.facts import Pull, Repository
from app.github import errors
from app.github.addresses import repository_path, segment, segments
from app.github.answers import Absent, FileText, Missing
from app.github.channel import Channel, pages, parsed
from app.github.errors import Acted, Failure, Kind
from app.github.payloads import ComparisonBody, ContentBody, PermissionBody, PullBody, Pulls, RefBody, RepositoryBody
from app.github.wire import Reply

_ROLES = {"admin": "admin", "maintain": "write", "write": "write", "triage": "read", "read": "read", "none": "none"}
"""Each built-in role and what GitHub's older ``permission`` makes of it (FACTS §8)."""

_MOST_FILES = 300
"""GitHub lists no more files of a comparison than that, and does not say whether there are more."""


async def repository(channel: Channel, owner: str, repo: str) -> Repository | Missing | Failure:
    """See ``InstallationClient.repository``."""
    reply = await channel.read(repository_path(owner, repo))
    if isinstance(reply, Failure):
        return Missing(reply.reason, reply.request_id) if reply.status == 404 else reply
    body = parsed(reply, RepositoryBody)
    return body if isinstance(body, Failure) else body.fact()


async def read_file(channel: Channel, owner: str, repo: str, path: str, ref: str | None) -> FileText | Absent | Failure:
    """See ``InstallationClient.read_file``."""
    wanted = {} if ref is None else {"ref": ref}
    reply = await channel.read(f"{repository_path(owner, repo)}/contents/{segments(path)}", **wanted)
    if isinstance(reply, Failure):
        if "no commit found for the ref" in reply.message.lower():
            return reply
        return await _absent(channel, owner, repo, reply)
    return _file_text(reply, path)


async def branch_tip(channel: Channel, owner: str, repo: str, branch: str) -> str | Absent | Failure:
    """See ``InstallationClient.branch_tip``."""
    reply = await channel.read(f"{repository_path(owner, repo)}/git/ref/heads/{segment(branch)}")
    if isinstance(reply, Failure):
        return await _absent(channel, owner, repo, reply)
    found = parsed(reply, RefBody)
    if isinstance(found, Failure):
        return found
    return found.object.sha if found.ref == f"refs/heads/{branch}" else Absent(reply.request_id)


async def pull(channel: Channel, owner: str, repo: str, number: int) -> Pull | Missing | Failure:
    """See ``InstallationClient.pull``."""
    reply = await channel.read(f"{repository_path(owner, repo)}/pulls/{number}")
    if isinstance(reply, Failure):
        return Missing(reply.reason, reply.request_id) if reply.status == 404 else reply
    body = parsed(reply, PullBody)
    return body if isinstance(body, Failure) else body.fact()


async def open_pulls(channel: Channel, owner: str, repo: str) -> list[Pull] | Failure:
    """See ``InstallationClient.open_pulls``."""
    found = await pages(channel, f"{repository_path(owner, repo)}/pulls", Pulls, state="open")
    return found if isinstance(found, Failure) else [pull.fact() for page in found for pull in page.root]


async def is_changed(channel: Channel, owner: str, repo: str, path: str, base: str, head: str) -> bool | Failure:
    """See ``InstallationClient.is_changed``. The first page holds all files that any page would; commits fill it."""
    between = f"{segment(base)}...{segment(head)}"
    reply = await channel.read(f"{repository_path(owner, repo)}/compare/{between}", per_page=1)
    body = reply if isinstance(reply, Failure) else parsed(reply, ComparisonBody)
    if isinstance(body, Failure):
        return body
    files = body.files
    return files is None or len(files) >= _MOST_FILES or any(path in (f.filename, f.previous_filename) for f in files)


async def permission(channel: Channel, owner: str, repo: str, login: str) -> str | Failure:
    """See ``InstallationClient.permission``."""
    reply = await channel.read(f"{repository_path(owner, repo)}/collaborators/{segment(login)}/permission")
    if isinstance(reply, Failure):
        return "none" if reply.status == 404 else reply
    body = parsed(reply, PermissionBody)
    if isinstance(body, Failure):
        return body
    # A custom role counts as the built-in one that it is based on.
    role = body.role_name or ""
    if role in _ROLES and body.permission in (role, _ROLES[role]):
        return role
    return body.permission if body.permission in _ROLES else "none"


async def _absent(channel: Channel, owner: str, repo: str, failure: Failure) -> Absent | Failure:
    if failure.status != 404:
        return failure
    seen = await repository(channel, owner, repo)
    if isinstance(seen, Repository):
        return Absent(failure.request_id)
    return seen if isinstance(seen, Failure) else failure


def _file_text(reply: Reply, path: str) -> FileText | Failure:
    body = parsed(reply, ContentBody)
    if isinstance(body, Failure):
        is_directory = reply.content.lstrip().startswith(b"[")
        return _no_text(reply, f"{path} is a directory, and a file is wanted there") if is_directory else body
    if body.type != "file" or body.encoding != "base64":
        return _no_text(reply, f"{path} is a {body.type} that GitHub does not show as text (over 1 MB?)")
    try:
        return FileText(base64.b64decode(body.content).decode("utf-8"), body.sha)
    except UnicodeDecodeError:
        return _no_text(reply, f"{path} is not UTF-8 text")
    except binascii.Error as error:
        return errors.unreadable(reply, f"the content is no base64: {error}")


def _no_text(reply: Reply, reason: str) -> Failure:
    return Failure(Kind.ASK_A_PERSON, reason, Acted.REFUSED, reply.what, reply.status, request_id=reply.request_id)
