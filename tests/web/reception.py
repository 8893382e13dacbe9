"""People at their browsers in front of the whole service, on a real socket, with the simulated GitHub behind it.

Law: a browser keeps cookies and follows nothing by itself; who sits at it is told to GitHub alone.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from html import unescape
from typing import Any

import httpx

from app.main import web_of
from app.store.access import create_token
from app.store.transaction import transaction
from app.web.access import new_token, sha256_of
from app.web.application import create_application
from app.web.context import WebContext
from tests.jobs.play import BUILD, Play, playing
from tests.leaks import guard
from tests.web.streams import DEADLINE, served

CONFIG = """\
version: 1
defaults: {workflow: build.yml}
pipelines:
  product:
    branches: 'DPTA-\\d+'
    settle: 10s
    comment: false
    builds: {repoA: {}, repoB: {needs: [repoA]}, repoC: {}}
fleets:
  scan: {workflow: build.yml, repositories: [repoA, repoB, repoC]}
"""
PEOPLE = {
    "ann": {"acme": "admin"},
    "bob": {"acme/repoA": "write"},
    "carl": {"acme/repoA": "read", "acme/repoB": "read", "acme/orchestrator": "read"},
    "dora": {"acme/orchestrator": "write", "acme/repoA": "read"},
    "eve": {},
}
"""repoC is public."""


def seed() -> dict[str, Any]:
    files = {".github/workflows/build.yml": BUILD}
    built = {f"acme/repo{letter}": {"files": files} for letter in "AB"}
    return {
        "owners": {"acme": {"kind": "organization"}},
        "people": PEOPLE,
        "repositories": {
            "acme/orchestrator": {"files": {"orchestrator.yml": CONFIG}},
            **built,
            "acme/repoC": {"files": files, "visibility": "public"},
        },
        "scripts": [{"workflow": "build.yml", "queue": "5s", "length": None}],
    }


@dataclass
class Browser:
    http: httpx.AsyncClient

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.http.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    async def text(self, path: str) -> str:
        answer = await self.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return answer.text

    async def hidden(self, path: str) -> dict[str, str]:
        """What the last form of this page holds unseen."""
        text = (await self.get(path)).text
        return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', text))

    async def sends(self, path: str, **fields: str) -> httpx.Response:
        return await self.http.post(path, data=fields)


@dataclass
class Reception:
    play: Play
    web: WebContext
    address: str
    stack: AsyncExitStack

    async def browser(self) -> Browser:
        client = httpx.AsyncClient(base_url=self.address, trust_env=False, timeout=DEADLINE)
        return Browser(await self.stack.enter_async_context(client))

    async def way_back(self, browser: Browser, login: str, then: str = "/") -> str:
        """Where GitHub sends the browser that came to log in."""
        await self.play.world("/sign-in", {"login": login})
        begun = await browser.http.get("/login", params={"next": then})
        assert begun.status_code == 303, begun.text
        agreed = await self.play.people.get(begun.headers["location"])
        assert agreed.status_code == 302, agreed.text
        back = agreed.headers["location"]
        assert back.startswith(f"{self.address}/login/callback?")
        return str(back)

    async def logs_in(self, login: str, then: str = "/") -> Browser:
        browser = await self.browser()
        answer = await browser.get(await self.way_back(browser, login, then))
        assert answer.status_code == 200, answer.text
        return browser

    async def operator(self) -> Browser:
        browser = await self.browser()
        assert (await browser.get(f"/login?token={self.web.visitors.token}")).status_code == 303
        return browser

    async def token(self, owner: str | None) -> str:
        made = new_token()
        async with transaction(self.web.engine) as connection:
            name = f"t{sha256_of(made)[:12]}"
            assert await create_token(connection, name, sha256_of(made), frozenset({"read"}), owner, self.web.clock())
        return made

    async def set_of(self, key: str, *letters: str) -> str:
        """A change set with a pull request in each of these; its id."""
        return (await self.sets_of({key: "".join(letters)}))[key]

    async def sets_of(self, wanted: dict[str, str]) -> dict[str, str]:
        """Change sets by their keys, with pull requests in the repositories of these letters; their ids."""
        for key, letters in wanted.items():
            await self.play.branch(*letters, name=key)
            for letter in letters:
                await self.play.pull(letter, name=key)
        await self.play.settle(60)
        rows = await self.play.rows("SELECT key, id FROM change_sets WHERE kind = 'change_set'")
        return {key: set_id for key, set_id in rows if key in wanted}

    async def passes(self, seconds: float) -> None:
        await self.play.simulator.advance(seconds)


def refreshes_to(page: httpx.Response) -> str | None:
    """Where a page goes on to by itself."""
    found = re.search(r'<meta http-equiv="refresh" content="0; url=([^"]*)">', page.text)
    return unescape(found[1]) if found else None


@asynccontextmanager
async def reception(database_url: str, *, client: bool = True, **more: object) -> AsyncIterator[Reception]:
    """``client``: whether people may log in."""
    secret = guard(secrets.token_hex(20), "client secret") if client else ""
    async with AsyncExitStack() as stack:
        given = {"public_url": None, **more}
        play = await stack.enter_async_context(playing(database_url, seed(), client_secret=secret, **given))
        await play.settle()
        web = web_of(play.service)
        await stack.enter_async_context(web.listening)
        address = await stack.enter_async_context(served(create_application(web)))
        yield Reception(play, web, address, stack)
