"""Making repositories, branches, pushes, pull requests and scripts from what a seed or a person asks for.

Law: one reading of each form, for the seed file and the control surface alike.
"""

from __future__ import annotations

from typing import Any

import yaml

from app.simulator import pulls, refs, workflows
from app.simulator.errors import ControlError
from app.simulator.faults import seconds_of
from app.simulator.ids import node_id
from app.simulator.model import Account, Pull, Repository, Ruleset
from app.simulator.runs import CONCLUSIONS
from app.simulator.world import Script, World

Json = dict[str, Any]

REPOSITORY_KEYS = {
    "default_branch", "files", "required", "branches", "visibility", "private", "archived", "topics", "merge_queue",
    "methods", "delete_branch_on_merge", "disabled", "disabled_workflows", "strict",
}  # fmt: skip
SCRIPT_KEYS = {
    "repository",
    "workflow",
    "queue",
    "length",
    "conclusion",
    "when",
    "attempt",
    "times",
    "cancel",
    "silent",
}
PULL_KEYS = {"repository", "head", "base", "title", "body", "actor", "fork", "draft"}


def only(what: str, body: Json, keys: set[str]) -> None:
    """Refuse keys nobody knows."""
    unknown = sorted(str(key) for key in body if key not in keys)
    if unknown:
        raise ControlError(f"{what} does not know {', '.join(unknown)}; it knows {', '.join(sorted(keys))}")


def find(world: World, name: str, owner: str | None = None) -> Repository:
    """A repository by its full name, or by its short one where the owner is plain."""
    full_name = name if "/" in str(name) or owner is None else f"{owner}/{name}"
    found = world.find_repository(str(full_name))
    if found is None:
        raise ControlError(f'there is no repository "{full_name}"')
    return found


def person(world: World, login: str | None, repo: Repository) -> Account:
    """Who acts: the one named, else an administrator of the owner, else the owner."""
    if login:
        return world.account(login)
    admins = [who for (who, where), level in world.grants.items() if where == repo.owner.login.lower() and
              level == "admin"]  # fmt: skip
    return world.account(admins[0]) if admins else repo.owner


def repository(world: World, full_name: str, about: Json) -> Repository:
    """Make a repository with its first commit, its branches and its rules; silently."""
    only(full_name, about, REPOSITORY_KEYS)
    owner_name, slash, name = full_name.partition("/")
    if not slash or not name or world.find_repository(full_name):
        raise ControlError(f'"{full_name}" must be owner/name and new')
    visibility = about.get("visibility") or ("public" if about.get("private") is False else "private")
    owner = world.account(owner_name, "Organization")
    repo = world.add_repository(owner, name, about.get("default_branch", "main"), visibility)
    files = {str(path): file_text(text) for path, text in (about.get("files") or {}).items()}
    files.setdefault("README.md", f"# {name}\n")
    first = repo.store.commit(files, (), f"Begin {full_name}", owner_name, world.clock.now())
    repo.branches[repo.default_branch] = first.sha
    workflows.discover(world, repo, first.sha)
    repo.topics = list(about.get("topics") or [])
    repo.archived, repo.disabled = bool(about.get("archived", False)), bool(about.get("disabled", False))
    repo.methods = set(about.get("methods") or ("merge", "squash", "rebase"))
    repo.delete_branch_on_merge = bool(about.get("delete_branch_on_merge", False))
    _branches(world, repo, about.get("branches") or [])
    for file in about.get("disabled_workflows") or []:
        repo.workflows[workflows.FOLDER + file].state = "disabled_manually"
    _rules(world, repo, about)
    return repo


def note_planted(world: World, repo: Repository) -> None:
    """Say in the log how a repository began, so that the log alone tells the whole world."""
    texts = repo.store.commits[repo.branches[repo.default_branch]].files
    world.note(
        "planted", repository=repo.full_name, repository_id=repo.id, node_id=node_id("Repository", repo.id),
        default_branch=repo.default_branch, visibility=repo.visibility, fork_of=repo.parent,
        branches=dict(repo.branches), files=dict(texts),
    )  # fmt: skip


def _branches(world: World, repo: Repository, given: Any) -> None:
    """A list: each with a commit of its own. A mapping: ``{name: {from, files}}``, no files meaning no commit."""
    named = dict.fromkeys(given) if isinstance(given, list) else given
    for name, about in named.items():
        refs.check_name(str(name))
        wish: Json = {"files": {f"changes/{name}.txt": f"{name}\n"}} if about is None else about
        only(f"branch {name}", wish, {"from", "files"})
        start = refs.resolve(repo, str(wish.get("from") or repo.default_branch))
        if start is None:
            raise ControlError(f'branch {name} of {repo.full_name} cannot begin at "{wish.get("from")}"')
        sha = start
        if wish.get("files"):
            files = {str(path): file_text(text) for path, text in wish["files"].items()}
            sha = refs.write(world, repo, (start,), dict(files), f"Work on {name}", repo.owner.login).sha
        repo.branches[str(name)] = sha
        workflows.discover(world, repo, sha)


def _rules(world: World, repo: Repository, about: Json) -> None:
    """``required`` pins contexts to this App on all branches; ``merge_queue`` puts a queue before the default one."""
    now, required = world.clock.now(), about.get("required") or []
    found: list[tuple[str, str, Json]] = []
    if required:
        checks = [_check(world, one) for one in required]
        parameters = {
            "strict_required_status_checks_policy": bool(about.get("strict", False)),
            "do_not_enforce_on_create": True,
            "required_status_checks": checks,
        }
        found.append(("required", "~ALL", {"type": "required_status_checks", "parameters": parameters}))
    if about.get("merge_queue"):
        wish = about["merge_queue"] if isinstance(about["merge_queue"], dict) else {}
        parameters = {
            "check_response_timeout_minutes": 60, "grouping_strategy": "ALLGREEN", "max_entries_to_build": 5,
            "max_entries_to_merge": 5, "merge_method": "MERGE", "min_entries_to_merge": 1,
            "min_entries_to_merge_wait_minutes": 5, **wish,
        }  # fmt: skip
        found.append(("merge queue", "~DEFAULT_BRANCH", {"type": "merge_queue", "parameters": parameters}))
    for name, target, rule in found:
        exclude = ["refs/heads/gh-readonly-queue/**/*"] if target == "~ALL" else []
        made = Ruleset(
            world.numbers.next("Ruleset"), name, "branch", "active",
            {"ref_name": {"include": [target], "exclude": exclude}}, [rule], [], repo.full_name, repo.id, now, now,
        )  # fmt: skip
        world.rulesets[made.id] = made


def _check(world: World, wish: Any) -> Json:
    """A required context: by its name pinned to this App, as a mapping to whom ``integration_id`` says."""
    if not isinstance(wish, dict):
        return {"context": str(wish), "integration_id": world.app.id}
    only("a required context", wish, {"context", "integration_id"})
    if not wish.get("context"):
        raise ControlError('a required context needs "context"')
    pin = {} if wish.get("integration_id") is None else {"integration_id": int(wish["integration_id"])}
    return {"context": str(wish["context"]), **pin}


def script(world: World, body: Json) -> Script:
    """Add a script for runs; the youngest that fits counts. ``length: null`` or ``hold`` never ends by itself."""
    only("a script", body, SCRIPT_KEYS)
    conclusion = body.get("conclusion", "success")
    if conclusion not in CONCLUSIONS:
        raise ControlError(f'"{conclusion}" is no conclusion; say one of {", ".join(CONCLUSIONS)}')
    length = body.get("length", 1)
    made = Script(
        id=len(world.scripts) + 1,
        repository=body.get("repository"),
        workflow=body.get("workflow"),
        queue=seconds_of(body.get("queue", 0)),
        length=None if length in (None, "hold", "forever") else seconds_of(length),
        conclusion=conclusion,
        when={str(name): workflow_text(value) for name, value in (body.get("when") or {}).items()},
        attempt=body.get("attempt"),
        times=body.get("times"),
        cancel=None if body.get("cancel", 0) is None else seconds_of(body.get("cancel", 0)),
        silent=bool(body.get("silent", False)),
    )
    world.scripts.append(made)
    return made


def file_text(content: Any) -> str:
    """What a file holds: text as it is, a mapping or a list as YAML."""
    text = content if isinstance(content, str) else str(yaml.safe_dump(content, sort_keys=False))
    return text.encode("utf-8", "replace").decode()


def workflow_text(value: Any) -> str:
    """An input's value as runs keep it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def push(
    world: World,
    repo: Repository,
    branch: str,
    files: Json | None,
    actor: Account,
    force: bool = False,
    message: str | None = None,
) -> str:
    """Push a commit, making the branch if need be. ``force`` replaces the branch's last commit; answers the new tip."""
    refs.check_name(branch)
    tip = repo.branches.get(branch)
    start = tip or repo.branches[repo.default_branch]
    made_of = repo.store.commits[start].parents[:1] if force and tip else (start,)
    count = len(repo.store.commits)
    changed = {f"changes/{branch}.txt": f"push {count}\n"} if files is None else files
    text = {str(path): None if content is None else file_text(content) for path, content in changed.items()}
    made = refs.write(world, repo, made_of or (start,), text, message or f"Push to {branch}", actor.login)
    refs.move(world, repo, branch, made.sha, actor)
    return made.sha


def fork(world: World, repo: Repository, owner: Account) -> Repository:
    """The fork of a repository with this owner; made on first mention, with the default branch."""
    for other in world.repositories.values():
        if other.parent == repo.id and other.owner is owner:
            return other
    if owner is repo.owner:
        raise ControlError(f"{owner.login} cannot fork a repository of its own; name an actor or fork: login")
    made = world.add_repository(owner, repo.name, repo.default_branch, repo.visibility, repo.store)
    made.parent = repo.id
    made.branches[made.default_branch] = repo.branches[repo.default_branch]
    return made


def pull(world: World, body: Json) -> tuple[Repository, Pull]:
    """Open a pull request; a head with nothing of its own gets a commit first. ``fork``: true, or whose fork."""
    only("a pull request", body, PULL_KEYS)
    for key in ("repository", "head"):
        if not body.get(key):
            raise ControlError(f'a pull request needs "{key}"')
    repo = find(world, body["repository"])
    actor, base = person(world, body.get("actor"), repo), str(body.get("base") or repo.default_branch)
    source, head = repo, str(body["head"])
    if body.get("fork"):
        owner = actor if body["fork"] is True else world.account(str(body["fork"]).partition("/")[0])
        source = fork(world, repo, owner)
    if base not in repo.branches:
        raise ControlError(f'{repo.full_name} has no branch "{base}"')
    tip = source.branches.get(head)
    if tip is None or not repo.store.between(repo.branches[base], tip):
        push(world, source, head, None, actor)
    title = body.get("title") or f"Work on {head}"
    text, draft = body.get("body"), bool(body.get("draft", False))
    return repo, pulls.open_pull(world, repo, (source, head), base, title, text, actor, draft)
