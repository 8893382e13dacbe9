"""Names from outside never change which endpoint is called."""

from __future__ import annotations

import httpx
import pytest

from app.github.addresses import graphql_url, is_loopback, repository_path, same_origin, segment, segments


@pytest.mark.parametrize(
    ("name", "encoded"),
    [
        ("main", "main"),
        ("feature/a.b", "feature%2Fa.b"),
        ("50%", "50%25"),
        ("%2F", "%252F"),
        ("ä?#", "%C3%A4%3F%23"),
        ("..", "%2E%2E"),
        (".", "%2E"),
    ],
)
def test_a_segment_stays_one(name: str, encoded: str) -> None:
    assert segment(name) == encoded
    assert httpx.URL(f"https://x.test/a/{segment(name)}/b").raw_path == f"/a/{encoded}/b".encode()


def test_paths_keep_their_slashes() -> None:
    assert segments("/.github/workflows/a b.yml") == ".github/workflows/a%20b.yml"
    assert segments("a/../b") == "a/%2E%2E/b"
    assert repository_path("acme", "repo.A") == "/repos/acme/repo.A"


@pytest.mark.parametrize(
    ("api", "graphql"),
    [
        ("https://api.github.com", "https://api.github.com/graphql"),
        ("https://api.github.com/", "https://api.github.com/graphql"),
        ("https://github.acme.test/api/v3", "https://github.acme.test/api/graphql"),
        ("https://api.acme.ghe.com", "https://api.acme.ghe.com/graphql"),
    ],
)
def test_graphql_stands_beside_rest(api: str, graphql: str) -> None:
    assert graphql_url(api) == graphql


def test_origins_and_loopback() -> None:
    assert same_origin(httpx.URL("https://a.test/x"), httpx.URL("https://a.test/y"))
    assert not same_origin(httpx.URL("https://a.test"), httpx.URL("http://a.test"))
    assert not same_origin(httpx.URL("https://a.test"), httpx.URL("https://b.test"))
    assert [
        is_loopback(url) for url in ("http://127.0.0.1:1", "http://[::1]", "http://localhost", "https://a.test")
    ] == [
        True,
        True,
        True,
        False,
    ]
