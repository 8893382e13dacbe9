"""Rulesets over the API, of repositories and organisations (FACTS §5)."""

from __future__ import annotations

from typing import Any

from app.simulator import rules
from app.simulator.errors import Refusal, inaccessible, invalid, not_found
from app.simulator.model import Repository, Ruleset
from app.simulator.render import accounts, commits
from app.simulator.rest.routing import Answer, Call, of_type, route, wants
from app.simulator.world import World

Json = dict[str, Any]

TYPES = {
    "creation", "update", "deletion", "required_linear_history", "merge_queue", "required_deployments",
    "required_signatures", "pull_request", "required_status_checks", "non_fast_forward", "commit_message_pattern",
    "commit_author_email_pattern", "committer_email_pattern", "branch_name_pattern", "tag_name_pattern", "workflows",
    "code_scanning", "copilot_code_review", "file_path_restriction", "max_file_path_length",
    "file_extension_restriction", "max_file_size",
}  # fmt: skip


@route("GET", "/repos/{owner}/{repo}/rules/branches/{branch+}")
def branch_rules(call: Call) -> Answer:
    """Every rule in force for a branch, whether it exists or not."""
    found = rules.in_force(call.world, call.repo, call.params["branch"])

    def shape(pair: tuple[Ruleset, Json]) -> Json:
        source = "Repository" if pair[0].repository_id else "Organization"
        return pair[1] | {"ruleset_source_type": source, "ruleset_source": pair[0].source, "ruleset_id": pair[0].id}

    return call.page(found, render=shape)


@route("GET", "/repos/{owner}/{repo}/rulesets")
def list_rulesets(call: Call) -> Answer:
    """A repository's rulesets and, unless ``includes_parents=false``, its organisation's."""
    parents = call.query.get("includes_parents", "true") != "false"
    found = [
        made
        for made in call.world.rulesets.values()
        if made.repository_id == call.repo.id
        or (parents and made.repository_id is None and made.source.lower() == call.repo.owner.login.lower())
    ]
    return call.page(found, render=lambda made: commits.ruleset(call.world, made, with_rules=False))


def _find(call: Call) -> Ruleset:
    found = call.world.rulesets.get(call.number("ruleset_id"))
    if found is None:
        raise not_found()
    if call.found is not None:
        own = found.repository_id == call.found.id
        inherited = found.repository_id is None and found.source.lower() == call.found.owner.login.lower()
        if not own and not (inherited and call.method == "GET"):
            raise not_found()
    elif found.repository_id is not None or found.source.lower() != call.params["org"].lower():
        raise not_found()
    return found


@route("GET", "/repos/{owner}/{repo}/rulesets/{ruleset_id}")
def get_ruleset(call: Call) -> Answer:
    """One ruleset with its rules."""
    return Answer(200, commits.ruleset(call.world, _find(call)))


@route("POST", "/repos/{owner}/{repo}/rulesets", needs="administration=write")
def create_ruleset(call: Call) -> Answer:
    """Make one."""
    made = from_body(call.world, call.body, call.repo, call.repo.full_name)
    _tell(call, made, "created")
    return Answer(201, commits.ruleset(call.world, made))


@route("PUT", "/repos/{owner}/{repo}/rulesets/{ruleset_id}", needs="administration=write")
def update_ruleset(call: Call) -> Answer:
    """Change what is sent, keep the rest."""
    made, body = _find(call), call.body
    if "rules" in body:
        _check_rules(of_type(body, "rules", list, "Ruleset", []))
    for name in ("name", "target", "enforcement", "conditions", "rules", "bypass_actors"):
        if body.get(name) is not None:
            setattr(made, name, body[name])
    made.updated_at = call.world.clock.now()
    _tell(call, made, "edited")
    return Answer(200, commits.ruleset(call.world, made))


@route("DELETE", "/repos/{owner}/{repo}/rulesets/{ruleset_id}", needs="administration=write")
def delete_ruleset(call: Call) -> Answer:
    """Remove one."""
    made = call.world.rulesets.pop(_find(call).id)
    _tell(call, made, "deleted")
    return Answer(204)


def _tell(call: Call, made: Ruleset, action: str) -> None:
    """An organisation's rules are told to its installation, without a repository."""
    payload: Json = {
        "action": action,
        "repository_ruleset": commits.ruleset(call.world, made),
        "sender": accounts.user(call.world, call.actor),
        "_installation": call.caller.installation,
    }
    call.world.emit("repository_ruleset", action, call.found, payload)


def _organization(call: Call) -> str:
    owner = call.world.find_account(call.params["org"])
    installation = call.caller.installation
    if owner is None or installation is None or installation.account is not owner:
        raise not_found()
    if not call.caller.may("organization_administration=write"):
        raise inaccessible()
    return owner.login


@route("GET", "/orgs/{org}/rulesets")
def list_organization_rulesets(call: Call) -> Answer:
    """An organisation's rulesets."""
    login = _organization(call)
    found = [made for made in call.world.rulesets.values() if made.repository_id is None and made.source == login]
    return call.page(found, render=lambda made: commits.ruleset(call.world, made, with_rules=False))


@route("POST", "/orgs/{org}/rulesets")
def create_organization_ruleset(call: Call) -> Answer:
    """Make one for many repositories."""
    made = from_body(call.world, call.body, None, _organization(call))
    _tell(call, made, "created")
    return Answer(201, commits.ruleset(call.world, made))


@route("GET", "/orgs/{org}/rulesets/{ruleset_id}")
def get_organization_ruleset(call: Call) -> Answer:
    """One of them."""
    _organization(call)
    return Answer(200, commits.ruleset(call.world, _find(call)))


@route("PUT", "/orgs/{org}/rulesets/{ruleset_id}")
def update_organization_ruleset(call: Call) -> Answer:
    """Change one of them."""
    _organization(call)
    return update_ruleset(call)


@route("DELETE", "/orgs/{org}/rulesets/{ruleset_id}")
def delete_organization_ruleset(call: Call) -> Answer:
    """Remove one of them."""
    _organization(call)
    return delete_ruleset(call)


def _check_rules(found: list[Json]) -> None:
    for rule in found:
        kind = rule.get("type") if isinstance(rule, dict) else None
        if kind not in TYPES:
            raise Refusal(422, f"Invalid request.\n\nInvalid property /rules/0: data matches no possible input: {kind}")
        if kind == "required_status_checks" and not (rule.get("parameters") or {}).get("required_status_checks"):
            raise invalid("Ruleset", "rules", "custom", "Required status checks must be specified")


def from_body(world: World, body: Json, repo: Repository | None, source: str) -> Ruleset:
    """Make a ruleset of what was sent."""
    name = wants(body, "name", str, "Ruleset")
    enforcement = wants(body, "enforcement", str, "Ruleset")
    if enforcement not in ("active", "evaluate", "disabled"):
        raise Refusal(422, "Invalid request.\n\nInvalid property /enforcement: not one of the possible values")
    found = of_type(body, "rules", list, "Ruleset", [])
    _check_rules(found)
    owned = [
        r for r in world.rulesets.values() if r.repository_id == (repo.id if repo else None) and r.source == source
    ]
    if any(made.name == name for made in owned):
        raise invalid("Ruleset", "name", "custom", "Name must be unique")
    now = world.clock.now()
    made = Ruleset(
        id=world.numbers.next("Ruleset"), name=name, target=body.get("target") or "branch", enforcement=enforcement,
        conditions=of_type(body, "conditions", dict, "Ruleset", {"ref_name": {"include": ["~ALL"], "exclude": []}}),
        rules=found, bypass_actors=of_type(body, "bypass_actors", list, "Ruleset", []), source=source,
        repository_id=repo.id if repo else None, created_at=now, updated_at=now,
    )  # fmt: skip
    world.rulesets[made.id] = made
    return made
