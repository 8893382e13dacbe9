"""Files: the contents API, reading by branch, tag or sha, and writing."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from app.simulator import refs
from app.simulator.errors import Refusal, inaccessible, not_found, unprocessable
from app.simulator.git import blob_sha
from app.simulator.render import commits
from app.simulator.rest.routing import Answer, Call, route, wants
from app.simulator.workflows import FOLDER

Json = dict[str, Any]


@route("GET", "/repos/{owner}/{repo}/contents/{path+}", needs="contents=read")
def get_content(call: Call) -> Answer:
    """A file in base64, or a directory's list; ``Accept: …raw`` answers the text itself."""
    repo, path = call.repo, call.params["path"].strip("/")
    ref = call.query.get("ref") or repo.default_branch
    sha = refs.resolve(repo, ref)
    if sha is None:
        raise Refusal(404, f"No commit found for the ref {ref}")
    files = repo.store.commits[sha].files
    if path in files:
        if "raw" in call.headers.get("accept", ""):
            return Answer(200, files[path], {"content-type": "application/vnd.github.raw+json; charset=utf-8"})
        return Answer(200, commits.content_file(call.world, repo, path, files[path], ref))
    return _directory(call, files, path, ref)


@route("GET", "/repos/{owner}/{repo}/contents", needs="contents=read")
def get_root(call: Call) -> Answer:
    """The list of the top directory."""
    repo = call.repo
    ref = call.query.get("ref") or repo.default_branch
    sha = refs.resolve(repo, ref)
    if sha is None:
        raise Refusal(404, f"No commit found for the ref {ref}")
    return _directory(call, repo.store.commits[sha].files, "", ref)


def _directory(call: Call, files: Any, path: str, ref: str) -> Answer:
    prefix = f"{path}/" if path else ""
    below = sorted({prefix + name[len(prefix) :].split("/", 1)[0] for name in files if name.startswith(prefix)})
    if not below:
        raise not_found()
    return Answer(200, [commits.content_entry(call.world, call.repo, name, files.get(name), ref) for name in below])


@route("PUT", "/repos/{owner}/{repo}/contents/{path+}", needs="contents=write")
def put_content(call: Call) -> Answer:
    """Write a file in a commit of its own."""
    body, path = call.body, call.params["path"]
    message = wants(body, "message", str, "Content")
    try:
        text = base64.b64decode(wants(body, "content", str, "Content"), validate=False).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise unprocessable("content is not valid Base64") from error
    branch, tip, present = _place(call, body, path)
    made = refs.write(call.world, call.repo, (tip,), {path: text}, message, call.actor.login)
    refs.move(call.world, call.repo, branch, made.sha, call.actor)
    content = commits.content_entry(call.world, call.repo, path, text, branch)
    shape = commits.git_commit(call.world, call.repo, made)
    return Answer(200 if present else 201, {"content": content, "commit": shape})


@route("DELETE", "/repos/{owner}/{repo}/contents/{path+}", needs="contents=write")
def delete_content(call: Call) -> Answer:
    """Remove a file in a commit of its own."""
    body, path = call.body, call.params["path"]
    message = wants(body, "message", str, "Content")
    branch, tip, present = _place(call, body, path)
    if not present:
        raise not_found()
    made = refs.write(call.world, call.repo, (tip,), {path: None}, message, call.actor.login)
    refs.move(call.world, call.repo, branch, made.sha, call.actor)
    return Answer(200, {"content": None, "commit": commits.git_commit(call.world, call.repo, made)})


def _place(call: Call, body: Json, path: str) -> tuple[str, str, bool]:
    """Branch, its tip, and whether the file is there; the ``sha`` sent must be the file's."""
    if path.startswith(FOLDER) and not call.caller.may("workflows=write"):
        raise inaccessible()
    branch = body.get("branch") or call.repo.default_branch
    tip = call.repo.branches.get(branch)
    if tip is None:
        raise Refusal(404, f"Branch {branch} not found")
    text = call.repo.store.commits[tip].files.get(path)
    if text is not None and "sha" not in body:
        raise unprocessable('Invalid request.\n\n"sha" wasn\'t supplied.')
    if text is not None and body["sha"] != blob_sha(text):
        raise Refusal(409, f"{path} does not match {body['sha']}")
    return branch, tip, text is not None
