"""What goes wrong between us and GitHub in a seed, by the simulator's faults and lags.

Law: every kind is drawn for a seed with the same chance; what was drawn comes at a random moment and ends with the
faults of the seed at the latest.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from random import Random

from tests.harness.control import Control, Json

CHANCE = 0.5
SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
PRIMARY = "API rate limit exceeded for installation ID 1."

LAGS = {"lists": [5, 30], "mergeability": [3, 20], "statuses": [3, 20], "tokens": [1, 4]}
"""Seconds; a token is seen everywhere after about five (FACTS §7)."""

DISPATCH, STATUS, ANY, GRAPHQL = "/repos/*/actions/workflows/*/dispatches", "/repos/*/statuses/*", "*", "/graphql"


class Weather:
    def __init__(self, control: Control, rng: Random, now: Callable[[], datetime]) -> None:
        self._control, self._rng, self._now = control, rng, now
        self.kinds: Mapping[str, Callable[[], Awaitable[None]]] = {
            "dropped": self._drop,
            "doubled": self._double,
            "delayed": self._delay,
            "reordered": self._reorder,
            "answer lost": self._lose_answers,
            "502": self._bad_gateway,
            "429": self._too_many,
            "403": self._limited,
            "reset": self._reset,
            "late": self._late,
            "null": self._null,
            "lag": self._lag,
        }

    def drawn(self) -> list[Callable[[], Awaitable[None]]]:
        """The kinds that this seed sees, some of them twice."""
        kinds = [kind for kind in self.kinds.values() if self._rng.random() < CHANCE]
        return kinds + [kind for kind in kinds if self._rng.random() < 0.4]

    async def _fault(self, on: str, do: str, value: object = None, times: int = 1, **match: str) -> None:
        chance = self._rng.choice([0.3, 0.6, 1.0])
        body: Json = {"on": on, "do": do, "value": value, "times": times, "match": match}
        await self._control.call("POST", "/faults", {**body, "probability": chance, "seed": self._rng.randint(0, 999)})

    async def _always(self, do: str, value: object, times: int, path: str) -> None:
        """So many requests in a row."""
        body: Json = {"on": "request", "do": do, "value": value, "times": times, "match": {"path": path}}
        await self._control.call("POST", "/faults", body)

    def _event(self) -> str:
        return self._rng.choice(["*", "push", "pull_request", "pull_request", "workflow_run", "workflow_run"])

    async def _drop(self) -> None:
        lost = self._rng.choice([None, None, "unrecorded"])
        await self._fault("delivery", "drop", lost, times=self._rng.randint(1, 5), event=self._event())

    async def _double(self) -> None:
        await self._fault("delivery", "double", times=self._rng.randint(1, 8), event=self._event())

    async def _delay(self) -> None:
        seconds = self._rng.choice([2, 15, 90])
        await self._fault("delivery", "delay", seconds, times=self._rng.randint(1, 6), event=self._event())

    async def _reorder(self) -> None:
        """What comes later overtakes it."""
        await self._fault("delivery", "hold", None, times=self._rng.randint(2, 6), event=self._event())

    async def _lose_answers(self) -> None:
        path = self._rng.choice([DISPATCH, DISPATCH, STATUS, GRAPHQL, ANY])
        await self._fault("request", "lose_answer", times=self._rng.randint(1, 3), path=path)

    async def _bad_gateway(self) -> None:
        path = self._rng.choice([DISPATCH, DISPATCH, STATUS, GRAPHQL, ANY])
        await self._fault("request", "status", 502, times=self._rng.choice([1, 2, 4, 8]), path=path)

    async def _too_many(self) -> None:
        value = {"status": 429, "headers": {"retry-after": "20"}, "body": {"message": SECONDARY}}
        await self._fault("request", "status", value, path=self._rng.choice([DISPATCH, STATUS, GRAPHQL, ANY]))

    async def _limited(self) -> None:
        reset = int((self._now() + timedelta(seconds=45)).timestamp())
        headers = {"x-ratelimit-remaining": "0", "x-ratelimit-limit": "5000", "x-ratelimit-reset": str(reset)}
        primary = {"status": 403, "headers": headers, "body": {"message": PRIMARY}}
        secondary = {"status": 403, "headers": {"retry-after": "30"}, "body": {"message": SECONDARY}}
        value = self._rng.choice([primary, secondary])
        await self._fault("request", "status", value, path=self._rng.choice([DISPATCH, STATUS, GRAPHQL, ANY]))

    async def _reset(self) -> None:
        path = self._rng.choice([DISPATCH, STATUS, GRAPHQL, ANY])
        await self._fault("request", "reset", times=self._rng.randint(1, 3), path=path)

    async def _late(self) -> None:
        """An answer takes its time; or the request itself is long on its way."""
        seconds = self._rng.choice([1, 4])
        value = self._rng.choice([seconds, {"before": seconds}])
        await self._fault("request", "delay", value, path=self._rng.choice([DISPATCH, STATUS, STATUS, GRAPHQL]))

    async def _null(self) -> None:
        """GraphQL answers, but not for one repository."""
        repository = self._rng.choice("ABC")
        kind = self._rng.choice(["INTERNAL", "FORBIDDEN"])
        value = {"graphql_null": f"acme/repo{repository}", "type": kind}
        await self._always("status", value, self._rng.choice([3, 10, 30]), GRAPHQL)

    async def no_statuses(self) -> None:
        """GitHub takes no status for a while."""
        await self._always("status", 502, 6, STATUS)

    async def _lag(self) -> None:
        """What happened is not seen at once."""
        names = self._rng.sample(sorted(LAGS), 2)
        await self._control.call("POST", "/lag", {name: self._rng.choice(LAGS[name]) for name in names})
        await self._control.call("POST", "/notes", {"what": "lag", "of": names})

    async def release(self) -> None:
        """What was held back arrives in the middle of it all."""
        for fault in await self._control.call("GET", "/faults"):
            if (fault["on"], fault["do"]) == ("delivery", "hold"):
                await self._control.call("DELETE", f"/faults/{fault['id']}")

    async def end(self) -> None:
        """The sky clears: nothing strikes any more, what was held goes on."""
        await self._control.call("DELETE", "/faults")
        await self._control.call("POST", "/lag", dict.fromkeys(LAGS, 0))
        await self._control.call("POST", "/limits", {"reset": True})
