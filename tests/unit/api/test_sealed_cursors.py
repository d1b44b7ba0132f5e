"""A cursor is sealed on its way out however its answer was written, and an answer without one stays as it is."""

import json
from typing import Any

import pytest

from pentad.api.adapters.cursor_ciphers import MemoryCursors
from pentad.api.identity.caller import ALL_USERS, Caller
from pentad.api.sealed_cursors import SealedCursors
from pentad.domain.errors import NotFound

ANN = Caller("acme", "key", "ann", frozenset({"runs:read"}))
SEALED = SealedCursors(MemoryCursors())


def seal(body: str | None, caller: Caller = ANN) -> Any:
    return SEALED.seal_answer({"statusCode": 200, "body": body}, caller, "list_runs")["body"]


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": "), (" , ", " : ")])
def test_it_is_sealed_however_the_answer_is_written(separators: tuple[str, str]) -> None:
    sealed = json.loads(seal(json.dumps({"items": [{"cursor": "kept"}], "cursor": "key"}, separators=separators)))
    assert sealed["items"] == [{"cursor": "kept"}] and sealed["cursor"] != "key"
    opened = SEALED.open_event({"queryStringParameters": {"cursor": sealed["cursor"]}}, ANN, "list_runs")
    assert opened["queryStringParameters"] == {"cursor": "key"}


@pytest.mark.parametrize("body", [None, "", "[]", '{"cursor":null}', '{"items":[{"cursor":"x"}]}', '["cursor"]'])
def test_an_answer_without_one_stays_as_it_is(body: str | None) -> None:
    assert seal(body) == body


@pytest.mark.parametrize("body", ['the "cursor" of a text that is no JSON', '"cursor"'])
def test_what_is_no_object_stays_as_it_is(body: str) -> None:
    assert seal(body) == body


def test_who_reaches_all_users_sees_it_plain() -> None:
    for scopes, user in ((frozenset({ALL_USERS}), "ann"), (frozenset({"runs:read"}), None)):
        assert seal('{"cursor":"key"}', Caller("acme", "key", user, scopes)) == '{"cursor":"key"}'


def test_one_of_thousands_of_characters_is_not_opened() -> None:
    with pytest.raises(NotFound):
        SEALED.open_event({"queryStringParameters": {"cursor": "A" * 8_001}}, ANN, "list_runs")
