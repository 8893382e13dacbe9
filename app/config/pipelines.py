"""The keys of ``defaults:`` and ``pipelines:``, each with its meaning for people and its default."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from app.config import values
from app.config.common import DAY, GLOB, NAME, PARALLEL, RETRIES, SECOND, TIMEOUT, WORKFLOW, duration, repository
from app.config.inputs import Inputs
from app.config.kinds import Boolean, Choice, Either, ListOf, Text, text
from app.config.sections import Key, Section, Table
from app.config.tree import Scalar
from app.domain.pipeline import Absent, BaseMoved, MergeMethod, MergeMode, OnFailure, Start, Unmatched

_BUILD_NAME: Final = Text(
    lambda place: values.build_name(place.owner), {"type": "string", "pattern": values.REPOSITORY_PATTERN}, located=True
)
_QUIET: Final = duration(timedelta(0), DAY)

_WORKED: Final = {
    "workflow": Key(
        WORKFLOW, "File in .github/workflows that is started; it needs on: workflow_dispatch.", "build.yml"
    ),
    "timeout": Key(TIMEOUT, "How long the run may take from its start; then it is cancelled and has failed.", "60m"),
    "start_timeout": Key(TIMEOUT, "How long the run may take from its dispatch to its start.", "10m"),
    "retries": Key(RETRIES, "How often a failed build is tried again before anything says failure.", 0),
}

DEFAULTS: Final = Section(_WORKED, label="defaults")

BUILD: Final = Section(
    {
        "repository": Key(repository(), "Repository that is built; left out, it is the build's name."),
        **_WORKED,
        "needs": Key(ListOf(_BUILD_NAME), "Builds of this pipeline that must pass before this one starts.", []),
        "required": Key(Boolean(), "false: this build may fail without spoiling the verdict.", True),
        "inputs": Key(Inputs(), "Inputs of the workflow, as text; templates such as {sha} are filled in.", {}),
    }
)

REUSE: Final = Section(
    {"for": Key(duration(SECOND, timedelta(days=365)), "How long a passed result may stand in for a build.", "7d")},
    label="reuse",
)

MERGE: Final = Section(
    {
        "mode": Key(
            Choice(MergeMode), "unlock: people merge, each by itself. together: Lockstep merges all or none.", "unlock"
        ),
        "method": Key(Choice(MergeMethod), "How pull requests are merged.", "squash"),
        "delete_branches": Key(Boolean(), "Delete the set's branches after its last member has merged.", False),
    },
    label="merge",
)

PIPELINE: Final = Section(
    {
        "branches": Key(
            text(values.regex, maxLength=values.MAX_PATTERN),
            "RE2 expression for the whole branch name; the group (?P<key>…) gives the key. "
            "Left out: every branch, by its exact name.",
        ),
        "exclude": Key(
            ListOf(GLOB, most=values.MAX_GLOBS),
            "Globs of branches that are never grouped, beside those of well-known bots.",
            [],
        ),
        "exclude_bots": Key(Boolean(), "false: branches that bots make are grouped like others.", True),
        "bases": Key(
            ListOf(GLOB, least=1, most=values.MAX_GLOBS),
            "Bases whose pull requests are grouped: default (each repository's default branch), names, globs.",
            ["default"],
        ),
        "start": Key(Choice(Start), "auto: builds start by themselves. command: on /orchestrate.", "auto"),
        "settle": Key(_QUIET, "auto starts after this long without a change.", "30s"),
        "settle_max": Key(_QUIET, "At most this long after the first change, however many follow.", "10m"),
        "unmatched": Key(
            Choice(Unmatched),
            "A pull request of no set: alone (a set of one), pass (green at once), block (red).",
            "alone",
        ),
        "absent": Key(
            Choice(Absent), "A repository with neither pull request nor branch: skip, or build its base.", "skip"
        ),
        "status": Key(
            text(values.status, minLength=1, maxLength=values.MAX_STATUS),
            "Context of the commit status. Pipelines that share a repository must differ.",
            "orchestrator-build",
        ),
        "comment": Key(Boolean(), "Keep one comment on each member up to date.", True),
        "max_parallel": Key(PARALLEL, "Builds of one orchestration that run at the same time.", 10),
        "on_failure": Key(
            Choice(OnFailure), "stop: nothing new starts. continue: what is not below the failure goes on.", "stop"
        ),
        "reuse": Key(
            Either(Boolean(), REUSE, lambda node: isinstance(node, Scalar) and not node.is_null),
            "Let a passed result stand in for the same build of the same commits; false: always build.",
            {"for": "7d"},
        ),
        "base_moved": Key(
            Choice(BaseMoved), "keep: the verdict stays when a base moves. rebuild: it is withdrawn.", "keep"
        ),
        "builds": Key(
            Table("build", _BUILD_NAME, BUILD, values.REPOSITORY_PATTERN, least=1),
            "The builds by name. A name alone builds the repository of that name.",
            example="builds: {repoA: {}}",
        ),
        "merge": Key(MERGE, "How a green set is merged."),
    }
)

PIPELINES: Final = Table("pipeline", NAME, PIPELINE, values.NAME_PATTERN)
