"""The buttons of the pages: what they do, that nobody else presses them, and that pressed twice they act once."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.web.office import Office

PAGE = "/fleets/acme/scan"


async def _login(office: Office) -> None:
    await office.call("GET", f"/login?token={office.web.visitors.token}")


async def _hidden(office: Office, path: str = PAGE) -> dict[str, str]:
    """What the form of this page holds unseen."""
    text = (await office.call("GET", path)).text
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', text))


async def _sends(office: Office, path: str = PAGE, **fields: str) -> httpx.Response:
    return await office.call("POST", path, data=fields)


async def test_a_fleet_is_run_and_the_run_cancelled_by_buttons(office: Office) -> None:
    await _login(office)
    asked = {"repositories": "repoA, REPOB", "ref": "release/1", "inputs": '{"level": "2"}'}
    begun = await _sends(office, **await _hidden(office), **asked)
    run = await office.fleet_run()
    assert (begun.status_code, begun.headers["location"]) == (303, f"/orchestrations/{run.id}")
    assert (run.asked, run.ref, run.inputs) == (("repoA", "repoB"), "release/1", {"level": "2"})
    assert (run.trigger.kind, run.trigger.actor) == ("page", "operator")
    place = begun.headers["location"]
    ended = await _sends(office, f"{place}/cancel", **await _hidden(office, place))
    assert (ended.status_code, ended.headers["location"]) == (303, place)
    assert (await office.fleet_run()).cancelled_by == "operator"


async def test_a_form_that_comes_twice_is_one_run(office: Office) -> None:
    await _login(office)
    hidden = await _hidden(office)
    first, second = await _sends(office, **hidden), await _sends(office, **hidden)
    assert first.headers["location"] == second.headers["location"]
    other = await _sends(office, **await _hidden(office))
    assert (other.status_code, "Its overlap is skip" in other.text) == (409, True)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"repositories": "nope"}, "nope"),
        ({"repositories": "failed"}, "The fleet scan has no run that has ended"),
        ({"inputs": "[1]"}, "Inputs must be an object of texts"),
        ({"inputs": "{"}, "Inputs must be the text of a JSON object"),
        ({"ref": "x" * 300}, "Ref must be the name of a branch or tag"),
        ({"repositories": "a\0b"}, "without NUL"),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_what_makes_no_sense_is_said_and_kept_in_the_form(
    office: Office, fields: dict[str, str], sentence: str
) -> None:
    await _login(office)
    answer = await _sends(office, **await _hidden(office), **fields)
    assert (answer.status_code, 'role="alert"' in answer.text, sentence in answer.text) == (409, True, True)
    for value in fields.values():
        assert value.replace("\0", "�") in answer.text.replace("\0", "�").replace("&#34;", '"')
    assert (await _sends(office, **await _hidden(office))).status_code == 303, "nothing goes on"


async def test_nobody_else_presses_a_button(office: Office) -> None:
    await _login(office)
    hidden = await _hidden(office)
    for fields in ({}, {**hidden, "mark": "0" * 64}, {**hidden, "number": "../../etc"}, {"number": hidden["number"]}):
        answer = await _sends(office, **fields)
        assert (answer.status_code, f'href="{PAGE}"' in answer.text) == (403, True), fields
        assert (await _sends(office, "/orchestrations/abc/cancel", **fields)).status_code == 403
    broken = await office.call("POST", PAGE, content=b"\xff\xfe=" + b"&a=b" * 30)
    assert broken.status_code == 403
    office.http.cookies.clear()
    assert (await _sends(office, **hidden)).status_code == 401
    assert (await _sends(office, "/orchestrations/abc/cancel", **hidden)).status_code == 401


async def test_another_visitors_form_is_not_mine(office: Office) -> None:
    await _login(office)
    mine = await _hidden(office)
    other = office.web.visitors.mark("somebody.else")
    assert (await _sends(office, **{**mine, "mark": other})).status_code == 403


async def test_a_fleet_that_is_not_there_has_no_button(office: Office) -> None:
    await _login(office)
    answer = await _sends(office, "/fleets/acme/none", **await _hidden(office))
    assert answer.status_code == 404
