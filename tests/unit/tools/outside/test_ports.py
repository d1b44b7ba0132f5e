"""Credentials show nothing of themselves; answers of hosts are read as they came."""

import pytest

from pentad.domain.errors import ToolFailed
from pentad.tools.outside.ports import Credential, HttpAnswer


def test_a_credential_shows_nothing_of_itself() -> None:
    credential = Credential('{"user": "ada", "password": "pw-1"}')
    for shown in (repr(credential), str(credential), f"{credential}", repr([credential])):
        assert "ada" not in shown and "pw-1" not in shown
    assert credential.fields == {"user": "ada", "password": "pw-1"}


@pytest.mark.parametrize("text", ["sk-plain", "[1]", "3", "", "{", "[" * 100_000])
def test_what_is_no_json_object_has_no_fields(text: str) -> None:
    assert Credential(text).fields == {}


def test_fields_are_the_strings_and_whole_numbers() -> None:
    text = '{"a": "x", "port": 6432, "c": null, "d": {"e": "y"}, "f": true, "g": 0.5, "h": ["z"]}'
    assert Credential(text).fields == {"a": "x", "port": "6432"}


def test_an_answer_is_text_and_json_where_it_is_any() -> None:
    assert HttpAnswer(200, {}, b'{"a": 1}', "https://x.example/").json() == {"a": 1}
    assert HttpAnswer(200, {}, b"\xff", "https://x.example/").text == "�"
    with pytest.raises(ToolFailed, match="answered 502 with something that is not JSON"):
        HttpAnswer(502, {}, b"<html>", "https://x.example/").json()
