"""What people do on GitHub in a seed, one random act at a time, by the simulator's control surface.

Law: an act that the world refuses (nothing to close, a merge that is blocked) is no act; another one is tried.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from random import Random

from tests.faults.scene import LINE, OWNER, Scene
from tests.harness.control import Control, Json, Refused

Act = Callable[[], Awaitable[bool]]

COMMANDS = ("retry", "retry", "run", "run --fresh", "cancel", "invalidate")
TRIES = 12


class People:
    """``keys``: branch names of change sets; few, so that much happens to each."""

    def __init__(self, control: Control, scene: Scene, rng: Random) -> None:
        self._control, self._scene, self._rng = control, scene, rng
        self._keys = [f"S-{number}" for number in range(1, rng.randint(2, 3) + 1)]
        self._made = 0
        self._former: dict[tuple[str, str], str] = {}
        self._later: list[Act] = []
        self._repositories: dict[str, Json] = {}

    async def begin(self) -> None:
        """A few pull requests to begin with."""
        await self._look()
        for key in self._keys:
            for name in self._rng.sample(self._scene.repositories, self._rng.randint(2, 3)):
                await self._opens(name, key)

    async def act(self) -> None:
        """Something happens."""
        for _ in range(TRIES):
            await self._look()
            if self._later and self._rng.random() < 0.25:
                chosen = self._later.pop()
            else:
                chosen = self._rng.choices([act for act, _ in self._acts()], [weight for _, weight in self._acts()])[0]
            try:
                if await chosen():
                    return
            except Refused:
                continue

    def _acts(self) -> list[tuple[Act, float]]:
        return [
            (self._push, 9),
            (self._rewrite, 3),
            (self._open, 3),
            (self._open_other_line, 1.5 if self._scene.two_lines else 0),
            (self._open_twin, 2.5),
            (self._open_alone, 1),
            (self._open_fork, 0.3),
            (self._close, 1.5),
            (self._reopen, 2),
            (self._retarget, 1),
            (self._merge, 4),
            (self._delete, 0.7),
            (self._branch_only, 0.7),
            (self._back, 1),
            (self._command, 3),
            (self._stranger, 0.5),
        ]

    async def _look(self) -> None:
        state = await self._control.state()
        self._repositories = {name: state["repositories"][f"{OWNER}/{name}"] for name in self._scene.repositories}

    def _pulls(self, state: str = "open", merged: bool = False) -> list[tuple[str, Json]]:
        return [
            (name, pull)
            for name, repository in self._repositories.items()
            for pull in repository["pulls"].values()
            if pull["state"] == state and bool(pull["merged"]) is merged
        ]

    def _one(self, pulls: list[tuple[str, Json]]) -> tuple[str, Json] | None:
        return self._rng.choice(pulls) if pulls else None

    async def _call(self, path: str, **body: object) -> Json:
        return dict(await self._control.call("POST", path, body))

    async def _commit(self, name: str, branch: str, force: bool = False) -> str:
        """A commit on a branch, made if need be; now and then one that does not build, is slow, or passes later."""
        self._made += 1
        made = await self._call(
            "/push",
            repository=f"{OWNER}/{name}",
            branch=branch,
            files={f"changes/{branch}-{self._made}.txt": f"{self._made}\n"},
            force=force,
            actor="bob",
        )
        await self._script(str(made["sha"]))
        if made["before"]:
            self._former[(name, branch)] = str(made["before"])
        return str(made["sha"])

    async def _script(self, sha: str) -> None:
        chance = self._rng.random()
        when = {"sha": sha}
        if chance < 0.14:
            await self._call("/scripts", when=when, queue=1, length=4, conclusion="failure")
        elif chance < 0.22:
            await self._call("/scripts", when=when, queue=1, length=4, conclusion="failure", times=1)
        elif chance < 0.25:
            await self._call("/scripts", when=when, queue=1, length=None)
        elif chance < 0.32:
            await self._call("/scripts", when=when, queue=0, length=0)
        elif chance < 0.36:
            await self._call("/scripts", when=when, queue=2, length=2, silent=True)

    async def _opens(self, name: str, branch: str, base: str = "main") -> bool:
        if branch not in self._repositories[name]["branches"]:
            await self._commit(name, branch)
        await self._call("/pulls", repository=f"{OWNER}/{name}", head=branch, base=base, actor="bob")
        return True

    async def _open(self) -> bool:
        return await self._opens(self._rng.choice(self._scene.repositories), self._rng.choice(self._keys))

    async def _open_other_line(self) -> bool:
        return await self._opens(self._rng.choice(self._scene.repositories), self._rng.choice(self._keys), LINE)

    async def _open_twin(self) -> bool:
        """The commit of one set is a head of another one as well."""
        found, key = self._one(self._own()), self._rng.choice(self._keys)
        if found is None or key in self._repositories[found[0]]["branches"]:
            return False
        place = {"repository": f"{OWNER}/{found[0]}", "branch": key, "from": found[1]["head_sha"]}
        await self._call("/branches", **place)
        await self._call("/pulls", repository=f"{OWNER}/{found[0]}", head=key, base="main", actor="bob")
        return True

    async def _open_alone(self) -> bool:
        return await self._opens(self._rng.choice(self._scene.repositories), f"fix-{self._rng.randint(1, 3)}")

    async def _open_fork(self) -> bool:
        name, key = self._rng.choice(self._scene.repositories), self._rng.choice(self._keys)
        await self._call("/pulls", repository=f"{OWNER}/{name}", head=key, base="main", fork="eve", actor="eve")
        return True

    async def _branch_only(self) -> bool:
        await self._commit(self._rng.choice(self._scene.repositories), self._rng.choice(self._keys))
        return True

    async def _push(self) -> bool:
        return await self._moves(force=False)

    async def _rewrite(self) -> bool:
        return await self._moves(force=True)

    async def _moves(self, force: bool) -> bool:
        found = self._one(self._own())
        if found is None:
            return False
        await self._commit(found[0], found[1]["head"]["ref"], force)
        return True

    def _own(self) -> list[tuple[str, Json]]:
        """Open pull requests that come from no fork."""
        return [(name, pull) for name, pull in self._pulls() if pull["head"]["repository"] == f"{OWNER}/{name}"]

    async def _back(self) -> bool:
        """A branch is put back to where it was before."""
        ready = [place for place in self._former if place[1] in self._repositories[place[0]]["branches"]]
        return await self._put_back(*self._rng.choice(ready)) if ready else False

    async def _put_back(self, name: str, branch: str) -> bool:
        sha = self._former.pop((name, branch), None)
        if sha is None or branch not in self._repositories[name]["branches"]:
            return False
        await self._call("/push", repository=f"{OWNER}/{name}", branch=branch, sha=sha, actor="bob")
        return True

    async def end(self) -> None:
        """What was still to be put back is."""
        while self._later:
            await self._look()
            with suppress(Refused):
                await self._later.pop()()

    async def push(self) -> None:
        """Somebody pushes to an open pull request."""
        await self._look()
        await self._push()

    def somewhere(self) -> str:
        """The short name of a repository."""
        return self._rng.choice(self._scene.repositories)

    async def push_unheard(self, name: str) -> None:
        """Pushes to the pull requests of a repository that no delivery tells of. They are put back later, told of."""
        await self._look()
        for branch in sorted({pull["head"]["ref"] for place, pull in self._own() if place == name}):
            for event in ("push", "pull_request"):
                match = {"event": event, "repository": f"{OWNER}/{name}"}
                lost: Json = {"on": "delivery", "do": "drop", "value": "unrecorded", "times": 1, "match": match}
                await self._control.call("POST", "/faults", lost)
            await self._commit(name, branch)
            self._later.append(partial(self._put_back, name, branch))

    async def _change(self, found: tuple[str, Json] | None, **body: object) -> bool:
        if found is None:
            return False
        await self._call(f"/pulls/{OWNER}/{found[0]}/{found[1]['number']}", actor="bob", **body)
        return True

    async def _close(self) -> bool:
        return await self._change(self._one(self._pulls()), state="closed")

    async def _reopen(self) -> bool:
        return await self._change(self._one(self._pulls("closed")), state="open")

    async def _retarget(self) -> bool:
        found = self._one(self._pulls())
        other = LINE if found and found[1]["base"]["ref"] == "main" else "main"
        return await self._change(found, base=other)

    async def _merge(self) -> bool:
        ready = [(name, pull) for name, pull in self._pulls() if pull["can_merge"]]
        found = self._one(ready)
        if found is None:
            return False
        await self._call("/merge", repository=f"{OWNER}/{found[0]}", number=found[1]["number"], actor="ann")
        return True

    async def _delete(self) -> bool:
        found = self._one([*self._pulls("closed", merged=True), *self._pulls("closed")])
        if found is None:
            return False
        await self._call("/branches", repository=f"{OWNER}/{found[0]}", branch=found[1]["head"]["ref"], delete=True)
        return True

    async def _command(self) -> bool:
        return await self._says(f"/orchestrate {self._rng.choice(COMMANDS)}", self._rng.choice(["ann", "bob"]))

    async def is_green(self) -> bool:
        """Somebody could merge a pull request of his own branch now."""
        await self._look()
        return any(pull["can_merge"] for _, pull in self._own())

    async def push_to_green(self) -> None:
        name, pull = self._rng.choice([(name, pull) for name, pull in self._own() if pull["can_merge"]])
        await self._commit(name, pull["head"]["ref"])

    async def poison(self) -> None:
        """An event with a text that Postgres cannot hold."""
        body = {"repository": f"{OWNER}/{self._scene.repositories[0]}", "event_type": "nightly\x00build"}
        await self._control.call("POST", "/dispatch", body)

    async def _stranger(self) -> bool:
        return await self._says("/orchestrate run", "eve")

    async def _says(self, body: str, actor: str) -> bool:
        found = self._one(self._pulls())
        if found is None:
            return False
        await self._call(
            "/comments", repository=f"{OWNER}/{found[0]}", number=found[1]["number"], body=body, actor=actor
        )
        return True
