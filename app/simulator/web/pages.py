"""The few pages a person sees on the way through GitHub: plain HTML, nothing to load."""

from __future__ import annotations

from html import escape

from app.simulator.rest.routing import Answer

HTML = {"content-type": "text/html; charset=utf-8"}


def page(status: int, title: str, *parts: str) -> Answer:
    """A page; ``parts`` are HTML already."""
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
    return Answer(status, f"{head}<h1>{escape(title)}</h1>{''.join(parts)}</html>", dict(HTML))


def not_found() -> Answer:
    """Nothing is here, or nothing for you."""
    return page(404, "Page not found", text("This is not the web page you are looking for."))


def text(words: str) -> str:
    """A paragraph."""
    return f"<p>{escape(words)}</p>"


def links(targets: dict[str, str]) -> str:
    """A list of links, by what each says."""
    items = (f'<li><a href="{escape(url)}">{escape(words)}</a></li>' for words, url in targets.items())
    return f"<ul>{''.join(items)}</ul>"
