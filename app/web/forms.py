"""What a visitor sends by a form of one of our pages.

Law: a form changes nothing without the mark that only our own page showed to this very visitor: another site can make
a browser send a form, but not read our pages. Each form has a number of its own, so that one sent twice acts once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from fastapi import Request

from app.store.change_sets import new_set_id
from app.web.context import Web
from app.web.who import admitting

FIELDS = 20
"""So many fields at the most; the size of the whole is bounded by the guard."""
_NUMBER = re.compile(r"[a-z2-7]{13}")


class NotOurs(Exception):
    """A form that no page of ours showed to this visitor, or that cannot be read."""


@dataclass(frozen=True, slots=True)
class Form:
    """What the page puts into a form. ``number``: 13 base32 characters, new each time the page is shown."""

    mark: str
    number: str


def new_form(request: Request, web: Web) -> Form:
    return Form(web.visitors.mark(admitting(request, web) or ""), new_set_id())


async def sent(request: Request, web: Web) -> Mapping[str, str]:
    """The fields of a form of ours, ``number`` among them.

    :raises NotOurs: it is not.
    """
    try:
        fields = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True, max_num_fields=FIELDS))
    except ValueError as error:
        raise NotOurs from error
    cookie = admitting(request, web)
    if (
        not cookie
        or not web.visitors.is_mark(fields.get("mark", ""), cookie)
        or not _NUMBER.fullmatch(fields.get("number", ""))
    ):
        raise NotOurs
    return fields
