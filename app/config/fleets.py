"""The keys of ``fleets:``. They are checked in full today, so that files stay valid when fleets begin to run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from app.config import values
from app.config.common import DAY, HOUR, NAME, PARALLEL, REF, RETRIES, TIMEOUT, WORKFLOW, duration, repository
from app.config.inputs import Inputs
from app.config.kinds import WRONG, Boolean, Choice, Either, JsonSchema, ListOf, Located, Place, Text, text, wrong_type
from app.config.problems import Report, quoted
from app.config.sections import Entry, Key, Section, Table
from app.config.tree import Mapping, Node, Scalar
from app.domain.pipeline import Discovery, Fleet, Listed, Looks, Missed, OnFailure, Overlap, Schedule, Share, Then


class Links:
    """A mapping of titles to addresses."""

    @property
    def schema(self) -> JsonSchema:
        return {"type": ["object", "null"], "additionalProperties": {"type": "string", "pattern": "^https?://"}}

    def read(self, node: Node, place: Place) -> Any:
        if isinstance(node, Scalar) and node.is_null:
            return {}
        if not isinstance(node, Mapping):
            return wrong_type(node, place, "a mapping", "Give each link a title and an address.")
        links = {}
        for key, value in node.pairs:
            title = quoted(key.text)
            read = text(values.url).read(value, place.within(f"link {title} of {place.section}"))
            if read is not WRONG:
                links[key.text] = read
        return links


_REPOSITORIES: Final = Text(
    lambda place: values.repository_glob(place.owner), {"type": "string", "minLength": 1}, located=True
)
_SHARE: Final = Text(
    lambda place: values.share,
    {
        "anyOf": [
            {"type": "integer", "minimum": 1, "maximum": 999_999},
            {"type": "string", "pattern": values.SHARE_PATTERN},
        ]
    },
)

TARGET: Final = Section(
    {
        "repository": Key(repository(located=True), "Repository of the fleet.", example="repository: repoA"),
        "workflow": Key(WORKFLOW, "Workflow of this repository, where it is another than the fleet's."),
        "ref": Key(REF, "Branch or tag of this repository, where it is another than the fleet's."),
        "inputs": Key(Inputs(), "Inputs of this repository, added to the fleet's.", {}),
    },
    nullable=False,
    label="a repository",
)

DISCOVERY: Final = Section(
    {
        "having_workflow": Key(Boolean(), "Only repositories that have the fleet's workflow file.", False),
        "topic": Key(text(values.name, pattern=values.NAME_PATTERN), "Only repositories with this topic."),
        "visibility": Key(Choice(Looks), "Only repositories of this visibility."),
        "exclude": Key(ListOf(_REPOSITORIES), "Repositories or globs that are left out.", []),
    },
    nullable=False,
    label="repositories",
)

SCHEDULE: Final = Section(
    {
        "cron": Key(text(values.cron), "Cron expression of five fields.", example="cron: '0 2 * * *'"),
        "timezone": Key(text(values.timezone), "Time zone of the expression.", "UTC"),
        "jitter": Key(duration(timedelta(0), DAY), "Start up to this much later, so that not all start at once.", "0s"),
        "missed": Key(
            Choice(Missed), "A time that passed while Lockstep was down: skip, or run_once on return.", "skip"
        ),
        "only": Key(ListOf(text(values.weekdays), least=1), "Weekdays on which it runs, such as mon-fri."),
    },
    nullable=False,
    label="a schedule",
)

THEN: Final = Section(
    {
        "repository": Key(repository(), "Repository of the collecting workflow.", example="repository: dashboard"),
        "workflow": Key(
            WORKFLOW, "Workflow that is started when the last run has ended.", example="workflow: collect.yml"
        ),
        "ref": Key(REF, "Branch or tag it is started on.", "default"),
        "inputs": Key(Inputs(), "Its inputs; {run.summary_url} is the summary's address.", {}),
    },
    nullable=False,
    label="then",
)

FLEET: Final = Section(
    {
        "workflow": Key(WORKFLOW, "Workflow that is started in each repository.", example="workflow: scan.yml"),
        "repositories": Key(
            Either(
                DISCOVERY,
                ListOf(Either(TARGET, _REPOSITORIES, lambda n: isinstance(n, Mapping)), least=1),
                lambda n: isinstance(n, Mapping),
            ),
            "The repositories: a list of names, globs and mappings, or one mapping that says how to find them.",
            example="repositories: [repoA]",
        ),
        "ref": Key(REF, "Branch or tag that runs: default is each repository's default branch.", "default"),
        "inputs": Key(Inputs(), "Inputs of the workflow, as text; templates are filled in.", {}),
        "schedules": Key(ListOf(SCHEDULE), "When the fleet runs by itself.", []),
        "follow": Key(Boolean(), "false: trigger and forget.", True),
        "max_parallel": Key(PARALLEL, "Runs at the same time.", 3),
        "spacing": Key(duration(timedelta(0), HOUR), "Time between two triggers.", "10s"),
        "on_failure": Key(Choice(OnFailure), "After a failure: continue, or stop triggering.", "continue"),
        "retries": Key(RETRIES, "How often a refused trigger is tried again.", 2),
        "rerun_failed": Key(RETRIES, "How often a failed run is run again.", 0),
        "overlap": Key(
            Choice(Overlap), "Due while the last one still runs: skip, queue, or cancel the last one.", "skip"
        ),
        "timeout": Key(TIMEOUT, "How long each run may take.", "2h"),
        "waves": Key(ListOf(_SHARE), "Sizes of the waves: counts or percentages of the fleet."),
        "stop_after": Key(_SHARE, "Failures (a count or a percentage) after which no further wave starts."),
        "then": Key(THEN, "Workflow that collects the results at the end."),
        "links": Key(Links(), "Links that the fleet's page shows, by title.", {}),
    },
    nullable=False,
)

FLEETS: Final = Table("fleet", NAME, FLEET, values.NAME_PATTERN)


def check_fleets(named: Sequence[tuple[Located, Entry]], report: Report) -> None:
    """Report repositories that a fleet lists twice: each takes part once."""
    for fleet, entry in named:
        listed = entry.values.get("repositories", ())
        seen: dict[str, Located] = {}
        for item in listed if isinstance(listed, tuple) else ():
            target = item.values.get("repository") if isinstance(item, Entry) else item
            if target is None:
                continue
            first = seen.setdefault(target.value.lower(), target)
            if first is not target:
                message = f"duplicate {quoted(target.value)} in fleet {fleet.value}, first on line {first.mark.line}"
                report.add(target.mark, message, "Keep one of them.")


def assemble_fleets(owner: str, named: Sequence[tuple[Located, Entry]]) -> tuple[Fleet, ...]:
    """All fleets of a file in which nothing is wrong."""
    return tuple(_fleet(owner, name.value, dict(entry.values)) for name, entry in named)


def _fleet(owner: str, name: str, given: dict[str, Any]) -> Fleet:
    then = given.pop("then", None)
    stop_after = given.pop("stop_after", None)
    return Fleet(
        owner=owner,
        name=name,
        repositories=_selection(given.pop("repositories")),
        schedules=tuple(Schedule(**entry.values) for entry in given.pop("schedules", ())),
        waves=tuple(_share(text) for text in given.pop("waves", None) or ()),
        stop_after=_share(stop_after) if stop_after is not None else None,
        then=Then(**then.values) if then is not None else None,
        **given,
    )


def _selection(given: Any) -> tuple[Listed, ...] | Discovery:
    if isinstance(given, Entry):
        exclude = tuple(_short(located) for located in given.values.get("exclude", ()))
        return Discovery(**{**given.values, "exclude": exclude})
    return tuple(_listed(item) for item in given)


def _listed(item: Any) -> Listed:
    if not isinstance(item, Entry):
        return Listed(_short(item))
    keys = {key: value for key, value in item.values.items() if key != "repository"}
    return Listed(_short(item.values["repository"]), **keys)


def _short(located: Located) -> str:
    """Without the owner, which is the file's own."""
    return located.value.rpartition("/")[2]


def _share(text: str) -> Share:
    return Share(int(text.removesuffix("%")), percent=text.endswith("%"))
