"""How things are addressed at GitHub: base URLs of its three forms, and path segments.

Law: every name that comes from outside goes into a path through ``segment``; a slash, dot or percent sign in a branch
name never changes which endpoint is called.
"""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import quote

import httpx


def segment(name: str) -> str:
    """One path segment, fully percent-encoded; ``.`` and ``..`` too, which URL libraries would otherwise resolve."""
    return name.replace(".", "%2E") if name in (".", "..") else quote(name, safe="")


def segments(path: str) -> str:
    """A path inside a repository: its slashes stay slashes."""
    return "/".join(segment(part) for part in path.strip("/").split("/"))


def repository_path(owner: str, repo: str) -> str:
    return f"/repos/{segment(owner)}/{segment(repo)}"


def graphql_url(api_url: str) -> str:
    """GraphQL's address beside a REST base URL (FACTS §9).

    ``https://api.github.com`` → ``…/graphql`` · ``https://HOST/api/v3`` (GHES) → ``https://HOST/api/graphql``.
    """
    base = api_url.rstrip("/")
    return base.removesuffix("/v3") + "/graphql" if base.endswith("/api/v3") else base + "/graphql"


def same_origin(one: httpx.URL, other: httpx.URL) -> bool:
    return (one.scheme, one.host, one.port) == (other.scheme, other.host, other.port)


def is_loopback(url: str) -> bool:
    host = httpx.URL(url).host
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
