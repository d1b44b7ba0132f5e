"""What of a remote tool's result a model reads."""

from typing import Any

import pytest

from pentad.domain.errors import ToolFailed
from pentad.tools.mcp.contents import read_result

Json = dict[str, Any]
SCHEMA: Json = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def text(value: str) -> Json:
    return {"type": "text", "text": value}


@pytest.mark.parametrize(
    ("result", "read"),
    [
        ({"content": [text("a"), text("b")]}, "a\nb"),
        ({"content": []}, "done"),
        ({}, "done"),
        ({"content": [text("")]}, "done"),
        ({"content": [text('{"n": 1}')], "structuredContent": {"n": 1}}, '{"n": 1}'),
        ({"content": [text("3")], "structuredContent": {"result": 3}}, "3"),
        ({"content": [text("three")], "structuredContent": {"result": "three"}}, "three"),
        ({"content": [text("all fine")], "structuredContent": {"n": 1}}, 'all fine\n{"n": 1}'),
        ({"content": [], "structuredContent": {"n": 1}}, '{"n": 1}'),
        ({"content": [{"type": "image", "data": "AAAA", "mimeType": "image/png"}]}, "[image, image/png, about 3 bytes"),
        ({"content": [{"type": "audio", "data": 7}]}, "[audio, unknown, about 0 bytes"),
        ({"content": [{"type": "resource", "resource": {"uri": "a:b", "text": "in"}}]}, "[resource a:b]\nin"),
        ({"content": [{"type": "resource", "resource": {"uri": "a:b", "blob": "AAAA"}}]}, "[resource a:b, unknown"),
        ({"content": [{"type": "resource_link", "name": "n", "uri": "a:\nb"}]}, "[link: n a: b]"),
        ({"content": ["x", 7, None, {}, {"type": "text"}, {"type": "evil", "text": "x"}]}, "[a part of no known form"),
    ],
)
def test_what_is_no_text_is_told_in_a_line(result: Json, read: str) -> None:
    assert read_result(result, None).startswith(read)


@pytest.mark.parametrize("content", ["x", {}, 7, [text("x")] * 201])
def test_a_content_that_is_no_short_list_is_refused(content: Any) -> None:
    with pytest.raises(ToolFailed):
        read_result({"content": content}, None)


def test_a_failure_is_the_tools_words() -> None:
    with pytest.raises(ToolFailed, match="no wind"):
        read_result({"content": [text("no wind")], "isError": True}, SCHEMA)
    with pytest.raises(ToolFailed, match="no reason"):
        read_result({"isError": True}, None)


@pytest.mark.parametrize("structured", [None, {"n": "1"}, {}, [], "x"])
def test_a_result_that_lies_about_its_schema_is_refused(structured: Any) -> None:
    with pytest.raises(ToolFailed, match="schema"):
        read_result({"content": [text("x")], "structuredContent": structured}, SCHEMA)


def test_a_result_that_keeps_to_its_schema_is_taken() -> None:
    assert read_result({"structuredContent": {"n": 1}}, SCHEMA) == '{"n": 1}'
