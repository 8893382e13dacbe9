"""Repositories under their numbers, and under the names they had: what a path leads to.

Law: ``/repositories/{id}/…`` is ``/repos/{owner}/{repo}/…`` under a name that never changes; an old name leads there.
"""

from __future__ import annotations

from urllib.parse import urlencode

from app.simulator.access import Caller
from app.simulator.errors import not_found
from app.simulator.model import Repository
from app.simulator.rest.routing import Answer
from app.simulator.world import World


def by_number(world: World, path: str) -> tuple[str, Repository | None]:
    """The path with the name for the number, and the repository; the path itself where it has no number."""
    parts = path.split("/", 3)
    if len(parts) < 3 or parts[1] != "repositories":
        return path, None
    repository = world.repositories.get(int(parts[2])) if parts[2].isdigit() else None
    if repository is None:
        return path, None
    tail = f"/{parts[3]}" if len(parts) > 3 else ""
    return f"/repos/{repository.full_name}{tail}", repository


def moved(
    world: World, caller: Caller, path: str, params: dict[str, str], method: str, query: dict[str, str]
) -> Answer:
    """An old name: 301 to a reader, 307 to a writer (FACTS §9)."""
    number = world.old_names.get(f"{params['owner']}/{params['repo']}".lower())
    repository = world.repositories.get(number or 0)
    if repository is None or (repository.private and not caller.sees(repository)):
        raise not_found()
    tail = path.split("/", 4)[4:]
    url = f"{world.base_url}/repositories/{repository.id}" + "".join(f"/{part}" for part in tail)
    if query:
        url += "?" + urlencode(query)
    reading = method == "GET"
    words = "Moved Permanently" if reading else "Temporary Redirect"
    body = {"message": words, "url": url, "documentation_url": "https://docs.github.com/rest"}
    return Answer(301 if reading else 307, body, {"location": url})
