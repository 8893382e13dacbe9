"""The forms of what callers send: names, ids, limits and bodies. Strict, so that nothing odd reaches the database.

Law: text has a length and no control character; what has another form is a 422 that names the part.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated

from fastapi import Header, Path, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

LONGEST_REF = 250
_BAD_REF = re.compile(r"[ ~^:?*\[\\]|\.\.|@\{|//|(?:^|/)\.|^[-/]|[/.]$|\.lock(?:/|$)|^@$")


def printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must not hold control characters or line ends")
    return text


def branch_name(text: str) -> str:
    if _BAD_REF.search(printable(text)):
        raise ValueError("is no name that git allows for a branch")
    return text


Text = Annotated[str, AfterValidator(printable)]
BranchName = Annotated[str, Field(min_length=1, max_length=LONGEST_REF), AfterValidator(branch_name)]
Key = Annotated[str, Field(min_length=1, max_length=LONGEST_REF), AfterValidator(printable)]
RepositoryName = Annotated[str, Field(pattern=r"^(?:[A-Za-z0-9_-]{1,39}/)?[A-Za-z0-9._-]{1,100}$")]

OwnerPath = Annotated[
    str, Path(pattern=r"^[A-Za-z0-9_-]{1,39}$", description="The owner's login; case does not count.")
]
PipelinePath = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,100}$", description="As the config names it.")]
FleetPath = PipelinePath
IdPath = Annotated[str, Path(alias="id", pattern=r"^[!-~]{1,64}$")]
DeliveryPath = Annotated[str, Path(alias="id", pattern=r"^[!-~]{1,100}$", description="GitHub's `X-GitHub-Delivery`.")]
TokenPath = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]

Limit = Annotated[int, Query(ge=1, le=100, description="So many items at most.")]
Cursor = Annotated[str | None, Query(min_length=1, max_length=500, description="`next_cursor` of the former answer.")]
OwnerQuery = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_-]{1,39}$", description="Of this owner only.")]
PipelineQuery = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9._-]{1,100}$")]
IdQuery = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9-]{1,64}$")]
RepositoryQuery = Annotated[
    RepositoryName | None, Query(description="Those that have a part in `name` or `owner/name`; case does not count.")
]
SearchQuery = Annotated[
    Text | None,
    Query(min_length=1, max_length=200, description="Part of the key or of the verdict; case does not count."),
]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[!-~]+$",
        description="The same key with the same request is answered the same again for 24 hours and done once; with "
        "another request it is a 422. Kept per token.",
    ),
]


class SetStateName(StrEnum):
    OPEN = "open"
    LANDING = "landing"
    TORN = "torn"
    MERGED = "merged"
    CLOSED = "closed"


class Body(BaseModel):
    """What is misspelt is an error, not nothing."""

    model_config = ConfigDict(extra="forbid", strict=True)


class RunRequest(Body):
    """Exactly one of `branch` and `key`. `fresh`: nothing is reused."""

    branch: BranchName | None = Field(
        default=None,
        description="One of a change set runs the set; one of no set is built wherever it exists, without a status.",
    )
    key: Key | None = Field(default=None, description="The key of an open change set.")
    fresh: bool = False

    @model_validator(mode="after")
    def _one(self) -> RunRequest:
        if (self.branch is None) == (self.key is None):
            raise ValueError('give either "branch" or "key"')
        return self


class FleetRequest(Body):
    """Nothing at all: every repository of the fleet, as the config says."""

    repositories: Text | list[Text] | None = Field(
        default=None,
        description="Short or full names and globs, as a list or with commas between, in any case; `failed`: those "
        "that did not pass in the last run; empty: all.",
        max_length=50_000,
    )
    ref: BranchName | None = Field(default=None, description="Branch or tag, in the place of the config's.")
    inputs: dict[Text, str] = Field(default={}, max_length=25, description="Added to the config's.")

    @property
    def names(self) -> list[str]:
        return [self.repositories] if isinstance(self.repositories, str) else self.repositories or []


class RetryRequest(Body):
    """What to build again: names of builds or repositories; empty: everything that failed."""

    repositories: list[RepositoryName] = Field(default=[], max_length=500)
