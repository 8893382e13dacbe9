"""The keys of ``notify:``. A config names variables, never values, and only those set aside for its owner."""

from __future__ import annotations

from typing import Any, Final

from app.config import values
from app.config.kinds import Choice, ListOf, Text
from app.config.sections import Entry, Key, Section
from app.domain.pipeline import Occasion, Receiver

_VARIABLE: Final = Text(
    lambda place: values.notify_variable(place.owner), {"type": "string", "pattern": values.VARIABLE_PATTERN}
)
_WHEN: Final = Key(
    ListOf(Choice(Occasion), least=1),
    "Occasions on which a message is sent; left out: all.",
    [o.value for o in Occasion],
)

NOTIFY: Final = Section(
    {
        "slack": Key(
            Section(
                {
                    "webhook_env": Key(
                        _VARIABLE,
                        "Variable with the address of a Slack webhook.",
                        example="webhook_env: LOCKSTEP_NOTIFY_OWNER_SLACK",
                    ),
                    "when": _WHEN,
                },
                nullable=False,
                label="slack",
            ),
            "Messages to Slack.",
        ),
        "webhook": Key(
            Section(
                {
                    "url_env": Key(
                        _VARIABLE, "Variable with the address.", example="url_env: LOCKSTEP_NOTIFY_OWNER_HOOK"
                    ),
                    "secret_env": Key(
                        _VARIABLE,
                        "Variable with the secret that signs each request.",
                        example="secret_env: LOCKSTEP_NOTIFY_OWNER_HOOK_SECRET",
                    ),
                    "when": _WHEN,
                },
                nullable=False,
                label="webhook",
            ),
            "Signed requests to an address.",
        ),
    },
    label="notify",
)


def assemble_receivers(entry: Entry | None) -> tuple[Receiver, ...]:
    """Slack first. A section without its variable was reported."""
    found: list[Receiver] = []
    for name, section in (entry.values if entry is not None else {}).items():
        given: dict[str, Any] = dict(section.values)
        when = tuple(Occasion(one) for one in given.get("when") or Occasion)
        if name == "slack":
            found.append(Receiver(given["webhook_env"], when))
        else:
            found.append(Receiver(given["url_env"], when, given["secret_env"]))
    return tuple(sorted(found, key=lambda one: one.secret_in is not None))
