"""What people write does no harm on any surface: every page that links lead to, the API, the statuses, the comments.

Nothing of it becomes an element, an attribute or an address; nothing acts unseen; on GitHub it mentions nobody, refers
to nothing and is no markup.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator, Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import pytest_asyncio
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.web.reception import CONFIG, Browser, Reception, reception

ACTS = "<img/src=x/onerror=alert(1)><script>alert(1)</script>\"'`|&#60;b&#62;@ann#1!(https://evil.example)"
UNSEEN = "\x07\x1b\u202egnp\u2066\u200f\ufffe"
TITLE = f"{ACTS} [x](javascript:alert(1)) ![y](//evil.example/y) ~~~ {UNSEEN}\n\n# a heading\n<!-- "
KEY = "DPTA-1<img/src=x/onerror=alert(1)>\"'`|&#60;@ann#1!(evil.example)"
"""What a branch may be called: Git forbids blanks, brackets, backslashes and control characters."""
LOGIN = f"e<b>ve{UNSEEN}"
LEAD = {"a": "href", "form": "action", "link": "href", "script": "src", "img": "src"}
ELEMENTS = frozenset(
    re.findall(
        r"\w+",
        "html head meta title link script body header nav main footer section div p h1 h2 h3 a span code pre "
        "strong time ul ol li dl dt dd small br form button input label select option details summary "
        "noscript table caption thead tbody tr th td svg g rect text path circle line ",
    )
)
WHAT_ACTS_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
OURS = {"br", "sub", "/sub", "details", "/details", "summary", "/summary"}


class Page(HTMLParser):
    """Its addresses, and whatever in it is none of ours."""

    def __init__(self, site: str, text: str) -> None:
        super().__init__()
        self.site = site
        self.leads: set[str] = set()
        self.wrong: list[str] = [f"acts unseen: {found!r}" for found in WHAT_ACTS_UNSEEN.findall(text)]
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ELEMENTS:
            self.wrong.append(f"<{tag}>")
        for name, value in attrs:
            if name.startswith("on") or name in ("style", "srcdoc", "formaction"):
                self.wrong.append(f"{tag} {name}={value}")
        address = dict(attrs).get(LEAD.get(tag, ""))
        if address is not None:
            self._leads_to(tag, urljoin(self.site, address))

    def _leads_to(self, tag: str, address: str) -> None:
        if not address.startswith("data:,") and urlsplit(address).hostname != "127.0.0.1":
            self.wrong.append(f"leads to {address}")
        if tag == "a" and address.startswith(self.site):
            self.leads.add(address.removeprefix(self.site).partition("#")[0])

    def handle_decl(self, decl: str) -> None:
        if decl.lower() != "doctype html":
            self.wrong.append(f"<!{decl}>")

    def handle_comment(self, data: str) -> None:
        self.wrong.append(f"<!--{data}-->")


async def _all_pages(site: str, browser: Browser, *begin: str) -> dict[str, str]:
    """Whatever is reached by links from these."""
    found: dict[str, str] = {}
    waiting = [*begin]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        answer = await browser.get(path)
        assert answer.status_code < 500, path
        if not answer.headers.get("content-type", "").startswith("text/html"):
            continue
        assert "script-src 'self'" in answer.headers["content-security-policy"], path
        found[path] = answer.text
        assert len(found) < 200
        page = Page(site, answer.text)
        assert page.wrong == [], path
        waiting += sorted(page.leads)
    return found


@pytest_asyncio.fixture
async def house(database_url: str) -> AsyncIterator[Reception]:
    """Somebody writes whatever is let through, wherever it is let through."""
    async with reception(database_url) as house:
        text = CONFIG.replace("DPTA-\\d+", "DPTA-.+").replace("comment: false", "comment: true")
        text = text.replace("repoC]}", f"repoC], inputs: {{id: {json.dumps(ACTS)}}}}}")
        await _push_config(house, text)
        yield house


async def _push_config(house: Reception, text: str) -> None:
    body = {"repository": "acme/orchestrator", "branch": "main", "files": {"orchestrator.yml": text}, "actor": "ann"}
    await house.play.world("/push", body)
    await house.play.settle(30)


async def _opened(house: Reception) -> int:
    await house.play.branch("A", name=KEY)
    body = {"repository": "acme/repoA", "head": KEY, "base": "main", "title": TITLE, "body": TITLE, "actor": "ann"}
    number = int((await house.play.world("/pulls", body))["number"])
    await house.play.settle(30)
    return number


async def _delivered(house: Reception, event: str, payload: Any, guid: str) -> int:
    """As GitHub signs it, with everything beyond ASCII escaped, so that it can hold what no UTF-8 can."""
    body = json.dumps(payload).encode()
    key = house.web.settings.webhook_secret[0].get_secret_value().encode()
    headers = {
        "content-type": "application/json",
        "x-github-event": event,
        "x-github-delivery": guid,
        "x-hub-signature-256": "sha256=" + hmac.new(key, body, hashlib.sha256).hexdigest(),
    }
    answer = await house.play.people.post(house.play.hook, content=body, headers=headers)
    await house.play.settle(60)
    return answer.status_code


async def _last(house: Reception, event: str) -> Any:
    sent = [one for one in await house.play.log() if one["kind"] == "delivery" and one["query"]["event"] == event]
    return json.loads(json.dumps(sent[-1]["body"]))


async def _everything_is_said(house: Reception) -> None:
    number = await _opened(house)
    for body in (
        f"/orchestrate retry {ACTS}",
        f"/orchestrate {ACTS}",
        "/orchestrate explain",
        f"/orchestrate run --{ACTS}",
    ):
        await house.play.comment("A", number, body)
    await house.play.settle(60)
    pull = await _last(house, "pull_request")
    pull["sender"]["login"] = pull["pull_request"]["user"]["login"] = LOGIN
    pull["pull_request"]["title"] = TITLE + "\x00"
    pull["pull_request"]["updated_at"] = "2030-01-01T00:00:00Z"
    assert await _delivered(house, "pull_request", pull, "odd-pull") == 202
    run = await _last(house, "workflow_run")
    run["workflow_run"] |= {"name": ACTS, "display_title": TITLE, "conclusion": ACTS, "html_url": "javascript:alert(1)"}
    run["workflow_run"] |= {"status": "completed", "updated_at": "2030-01-01T00:00:00Z"}
    run["action"] = "completed"
    assert await _delivered(house, "workflow_run", run, "odd-run") == 202
    assert await _delivered(house, "x<script>alert(1)</script>", {"action": ACTS, "note": UNSEEN}, "odd-event") in (
        202,
        400,
    )
    ann = await house.logs_in("ann")
    begun = await ann.sends(
        "/fleets/acme/scan", **await ann.hidden("/fleets/acme/scan"), inputs=json.dumps({"id": TITLE})
    )
    assert begun.status_code == 303, begun.text
    await house.play.settle(60)
    await _push_config(
        house, f"version: 1\n{json.dumps(ACTS)}: 1\npipelines: {{{json.dumps(TITLE)}: {{branches: '('}}}}\n"
    )


async def test_no_page_holds_anything_that_acts(house: Reception) -> None:
    await _everything_is_said(house)
    odd = quote(ACTS, safe="")
    beginnings = [
        *("/", "/config", "/deliveries", "/fleets", "/status", "/deliveries/odd-pull", "/deliveries/odd-run"),
        *(
            "/deliveries/odd-event",
            f"/change-sets/{odd}",
            f"/orchestrations/{odd}",
            f"/pipelines/acme/{odd}",
            f"/{odd}",
        ),
        *(
            f"/?q={odd}&pipeline={odd}&state={odd}",
            f"/deliveries?outcome={odd}&cursor={odd}",
            f"/login/callback?error={odd}",
        ),
        *(f"/fleets/acme/{odd}", f"/static/{odd}", "/pipelines/acme/product", "/fleets/acme/scan"),
    ]
    operator = await house.operator()
    for browser in (operator, await house.logs_in("ann"), await house.browser()):
        pages = await _all_pages(house.address, browser, *beginnings)
        assert len(pages) > 12
    shown = "\n".join((await _all_pages(house.address, operator, "/")).values())
    for said in ("onerror=alert(1)", "acme/repoA", "scan"):
        assert said in shown, f"{said} is shown nowhere, so that this proves nothing"


async def test_nothing_acts_on_github(house: Reception) -> None:
    await _everything_is_said(house)
    statuses = [
        one["body"] for one in await house.play.log() if one["kind"] == "request" and "/statuses/" in one["path"]
    ]
    said = [one["description"] for one in statuses if one]
    assert any("onerror" in one for one in said)
    assert [one for one in said if not one.isprintable() or len(one) > 140] == []
    comments = (await house.play.state())["repositories"]["acme/repoA"]["comments"]
    ours = [str(one["body"]) for one in comments if one["by_app"]]
    assert len(ours) >= 3
    assert any("onerror" in one for one in ours)
    for body in ours:
        assert WHAT_ACTS_UNSEEN.search(body) is None
        assert list(_acting(MarkdownIt("gfm-like").parse(body))) == [], body


def _acting(tokens: list[Token]) -> Iterator[str]:
    for token in tokens:
        yield from _acting(token.children or [])
        if token.type in ("html_inline", "html_block"):
            for tag in re.findall(r"<([^>]*)>?", token.content):
                if tag not in OURS and not tag.startswith("!-- lockstep "):
                    yield f"HTML {token.content}"
        elif token.type == "link_open" and not str(token.attrs["href"]).startswith("http://127.0.0.1"):
            yield f"link {token.attrs['href']}"
        elif token.type in ("image", "heading_open") or (token.type == "text" and re.search(r"[@#]\w", token.content)):
            yield f"{token.type} {token.content or token.tag}"
