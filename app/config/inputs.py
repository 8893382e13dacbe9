"""``inputs:`` of a build, a fleet or a fleet's ``then``: what GitHub's workflow_dispatch gets.

Templates: only ``{word}`` and ``{word.word}`` count as templates, so JSON in an input needs no escaping; all other
braces stay what they are, also around a template. An unknown template is an error, and so is ``${{``: GitHub evaluates
no expressions in the values of a dispatch. There is no escape: rendering (``domain.manifest``) knows none either.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from app.config.kinds import WRONG, JsonSchema, Place, Wrong, shown, wrong_type
from app.config.problems import Flaw, quoted, shortened
from app.config.tree import Mapping, Node, Scalar
from app.config.values import INPUT_NAME_PATTERN

TEMPLATES: Final = (
    "attempt.id",
    "orchestration.id",
    "pipeline",
    "key",
    "branch",
    "sha",
    "manifest",
    "manifest.all",
    "manifest.url",
    "run.summary_url",
)
_TOKEN: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_.]*)\}")

MAX_INPUTS: Final = 25
MAX_CHARACTERS: Final = 65_535
"""GitHub's limits for one dispatch (FACTS §1)."""

_BOOLEANS = frozenset({"true", "True", "TRUE", "false", "False", "FALSE"})
_KNOWN = "Known are " + ", ".join(f"{{{name}}}" for name in TEMPLATES) + "."


@dataclass(frozen=True, slots=True)
class Inputs:
    """A mapping of input names to text. Gives ``dict[str, str]``: GitHub takes strings only, so ``1`` is ``"1"``."""

    @property
    def schema(self) -> JsonSchema:
        return {
            "type": ["object", "null"],
            "maxProperties": MAX_INPUTS,
            "propertyNames": {"pattern": INPUT_NAME_PATTERN},
            "additionalProperties": {"type": ["string", "number", "boolean"]},
        }

    def read(self, node: Node, place: Place) -> dict[str, str] | Wrong:
        if isinstance(node, Scalar) and node.is_null:
            return {}
        if not isinstance(node, Mapping):
            return wrong_type(node, place, "a mapping", "Give each input a name and a colon.")
        if len(node.pairs) > MAX_INPUTS:
            help_ = f"GitHub takes at most {MAX_INPUTS}; put several into one as JSON."
            return place.flaw(node.pairs[MAX_INPUTS][0].mark, Flaw(f"holds {len(node.pairs)} inputs", help_))
        values: dict[str, str] = {}
        for key, value in node.pairs:
            inside = place.within(f"input {quoted(key.text)} in {place.section}")
            if not re.fullmatch(INPUT_NAME_PATTERN, key.text):
                inside.flaw(key.mark, Flaw("has no name that GitHub takes", 'Use letters, digits, "_" and "-".'))
                continue
            read = _value(value, inside)
            if read is not WRONG:
                values[key.text] = read
        if sum(len(name) + len(value) for name, value in values.items()) > MAX_CHARACTERS:
            reason = f"is longer than GitHub's {MAX_CHARACTERS} characters"
            return place.flaw(node.mark, Flaw(reason, "Shorten the values."))
        return values


def _value(node: Node, place: Place) -> str | Wrong:
    if isinstance(node, Mapping) and len(node.pairs) == 1:
        key = shortened(node.pairs[0][0].text)
        return place.flaw(node.mark, Flaw("must be text, not a mapping", f'In quotes it is a template: "{{{key}}}".'))
    if not isinstance(node, Scalar):
        return place.flaw(node.mark, Flaw(f"must be text, not {shown(node)}", "Put JSON in quotes."))
    if node.is_null:
        return place.flaw(node.mark, Flaw("has no value", "Write '' for an empty one."))
    if (flaw := template_flaw(node.text)) is not None:
        return place.flaw(node.mark, flaw)
    return node.text.lower() if node.plain and node.text in _BOOLEANS else node.text


def template_flaw(text: str) -> Flaw | None:
    """The first thing wrong with the templates in ``text``."""
    if "${{" in text:
        return Flaw('holds "${{"', "GitHub evaluates no expressions here; use Lockstep's templates, such as {sha}.")
    for name in _TOKEN.findall(text):
        if name not in TEMPLATES:
            token, known = "{" + name + "}", tuple("{" + template + "}" for template in TEMPLATES)
            return Flaw(f"uses the unknown template {quoted(token)}", _KNOWN, token, known)
    return None
