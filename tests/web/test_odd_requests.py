"""Random odd requests, made from the document's own routes: whatever comes, the answer is never 5xx."""

from __future__ import annotations

import random
from typing import Any
from urllib.parse import quote

import pytest

from tests.web.office import Office

ODD: list[Any] = [
    "", " ", "\x00", "a\x00b", "\n", "\u202e", "\ufffd", "\U0001f680", "a" * 3000, "%", "%00", "../..", "'; --", "{}",
    "null", "-1", "0", "1e999", "9" * 40, "true", "DPTA-1", "acme", "product", "main", "open", "repoA", "*", "\\", "//",
]  # fmt: skip
VALUES: list[Any] = [*ODD, None, True, 0, -1, 2**70, 1.5, [], {}, [[]], {"branch": "main"}, ["a"] * 600]
FIELDS = ["branch", "key", "fresh", "repositories", "name", "scopes", "owner", "other", "\x00"]


@pytest.mark.parametrize("seed", range(4))
async def test_no_request_makes_an_error_of_ours(office: Office, seed: int) -> None:
    print(f"seed {seed}")  # noqa: T201 - by which a failure can be replayed
    dice = random.Random(seed)
    document = (await office.call("GET", "/api/v1/openapi.json")).json()
    state = await office.frozen(await office.opened())
    assert state.orchestration is not None
    known = {"owner": "acme", "pipeline": "product", "id": dice.choice([state.id, state.orchestration.id]), "name": "x"}
    tokens = [await office.token("admin"), await office.token("run", owner="acme"), "nonsense"]
    del document["paths"]["/api/v1/stream"]  # its answer never ends
    operations = [(path, method) for path, item in document["paths"].items() for method in item]
    for _ in range(150):
        path, method = dice.choice(operations)
        for name, good in known.items():
            value = good if dice.random() < 0.7 else str(dice.choice(ODD))
            path = path.replace(f"{{{name}}}", quote(value, safe=dice.choice(["", "/"])))
        names = dice.choices(["limit", "cursor", "q", "owner", "state", "repository", "change_set", "x"], k=2)
        query = "&".join(f"{name}={quote(str(dice.choice(ODD)))}" for name in names) if dice.random() < 0.5 else ""
        body = {dice.choice(FIELDS): dice.choice(VALUES) for _ in range(dice.randint(0, 3))}
        more = {"json": dice.choice([body, body, dice.choice(VALUES)])} if method == "post" else {}
        headers = {"host": dice.choice(["lockstep.test", "[", "a b", "x:y", "\\"]), **_key(dice)}
        answer = await office.call(method, f"{path}?{query}", dice.choice(tokens), headers=headers, **more)
        assert answer.status_code < 500, (seed, method, path, query, more, answer.text)
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json", (method, path)


def _key(dice: random.Random) -> dict[str, str]:
    return {"idempotency-key": dice.choice(["k", "", " ", "a" * 300, "k k"])} if dice.random() < 0.3 else {}
