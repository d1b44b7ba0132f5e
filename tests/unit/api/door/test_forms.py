"""What means one thing is taken in whatever form a client writes it; what could mean two is refused by its name."""

from typing import Any

import pytest

from pentad.domain.messages import ImageBlock, TextBlock, ToolResultBlock
from tests.unit.api.client import Client
from tests.unit.api.door.test_chat import PNG, asked, fault, send, user

LOOK: dict[str, Any] = {"name": "look", "description": "Looks.", "parameters": {"type": "object", "properties": {}}}
TOOL = {"type": "function", "function": LOOK}
OTHER = {"type": "function", "function": {"name": "other"}}
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}


@pytest.mark.parametrize(
    "tool", [TOOL, {"function": LOOK}, {"type": None, "function": LOOK}, {"type": "function", **LOOK}, LOOK]
)
def test_a_tool_is_a_function_however_it_is_wrapped(tool: dict[str, Any]) -> None:
    assert asked(tools=[tool]).tools == asked(tools=[TOOL]).tools


@pytest.mark.parametrize("kinds", [None, "object", ["object"], ["object", "null"], ["null", "object"]])
def test_parameters_are_an_object_also_where_they_say_so_in_a_list_or_not(kinds: Any) -> None:
    parameters = {"type": kinds, "properties": {"x": {"type": "string"}}}
    [tool] = asked(tools=[{"function": {"name": "look", "parameters": parameters}}]).tools
    assert tool.input_schema == {"type": "object", "properties": {"x": {"type": "string"}}}


@pytest.mark.parametrize("kinds", [["string"], ["null"], [], "string", "array"])
def test_parameters_of_another_type_are_refused(kinds: Any) -> None:
    found = fault(user("Hi"), tools=[{"function": {"name": "look", "parameters": {"type": kinds}}}])
    assert found["status"] == 400
    assert str(found["param"]).startswith("tools[0].function.parameters")


_ONE = ["other"]
_ALL = ["look", "other"]


@pytest.mark.parametrize(
    ("choice", "tools", "mode"),
    [
        ("any", _ALL, "required"),
        ("", _ALL, "auto"),
        ({"type": "auto"}, _ALL, "auto"),
        ({"type": "required"}, _ALL, "required"),
        ({"type": "any"}, _ALL, "required"),
        ({"type": "none"}, _ALL, "none"),
        ({"function": {"name": "other"}}, _ONE, "required"),
        ({"type": "function", "name": "other"}, _ONE, "required"),
        ({"type": "tool", "name": "other"}, _ONE, "required"),
        ({"name": "other"}, _ONE, "required"),
        ({"type": None, "function": None, "name": "other"}, _ONE, "required"),
        ({"type": "allowed_tools", "allowed_tools": {"tools": [OTHER]}}, _ONE, "auto"),
        ({"type": "allowed_tools", "mode": "required", "tools": [{"name": "other"}]}, _ONE, "required"),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [{"function": {"name": "other"}}]}},
            _ONE,
            "auto",
        ),
    ],
)
def test_a_choice_of_tools_is_read_in_each_of_its_forms(choice: Any, tools: list[str], mode: str) -> None:
    said = asked(tools=[TOOL, OTHER], tool_choice=choice)
    assert ([tool.name for tool in said.tools], said.tool_choice) == (tools, mode)


@pytest.mark.parametrize(
    "form",
    [
        {"type": "json_schema", "json_schema": {"schema": SCHEMA}},
        {"json_schema": {"name": "x", "schema": SCHEMA}},
        {"type": "json_schema", "schema": SCHEMA},
        {"type": "json_object", "schema": SCHEMA},
        {"schema": SCHEMA},
    ],
)
def test_a_schema_is_followed_wherever_it_stands(form: dict[str, Any]) -> None:
    assert asked(answer='{"a": 1}', response_format=form).output_schema == SCHEMA


@pytest.mark.parametrize("described", [{"name": "x", "schema": None}, {"name": "x"}, {"name": "x", "strict": True}])
def test_json_without_a_schema_is_an_object(described: dict[str, Any]) -> None:
    form = {"type": "json_schema", "json_schema": described}
    said = asked(answer='{"a": 1}', response_format=form)
    assert (said.output_schema, said.system) == (
        None,
        asked(answer="{}", response_format={"type": "json_object"}).system,
    )
    assert send(Client(), answer="no JSON", response_format=form).status == 502


@pytest.mark.parametrize("form", [{}, {"type": None}, {"type": "text"}])
def test_a_format_that_asks_for_nothing_is_text(form: dict[str, Any]) -> None:
    assert (asked(response_format=form).output_schema, asked(response_format=form).system) == (None, "")


@pytest.mark.parametrize(
    "content",
    [
        {"type": "text", "text": "Hi"},
        ["Hi"],
        [{"text": "Hi"}],
        [{"type": "text", "text": "Hi"}],
        [{"type": "input_text", "text": "Hi"}],
        [{"type": "output_text", "text": "Hi", "annotations": []}],
    ],
)
def test_a_text_is_a_text_in_each_role(content: Any) -> None:
    messages = [{"role": role, "content": content} for role in ("system", "user", "assistant", "user")]
    said = asked(*messages)
    assert said.system == "Hi"
    assert [list(message.blocks) for message in said.messages] == [[TextBlock(text="Hi")]] * 3


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": PNG}},
        {"type": "image_url", "image_url": PNG},
        {"image_url": {"url": PNG}},
        {"type": "input_image", "image_url": PNG, "detail": "auto"},
        {"type": None, "text": None, "image_url": {"url": PNG}},
    ],
)
def test_a_picture_is_a_picture(part: dict[str, Any]) -> None:
    [block] = asked(user([part])).messages[0].blocks
    assert isinstance(block, ImageBlock)


def test_a_file_of_the_responses_api_is_a_file() -> None:
    data = "data:text/plain;base64,SGk="
    for part in ({"type": "input_file", "file_data": data, "filename": "a"}, {"file": {"file_data": data}}):
        assert asked(user([part])).messages[0].blocks[0].type == "document"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"a": 1, "name": "Zoë"}, '{"a": 1, "name": "Zoë"}'),
        ([1, 2], "[1, 2]"),
        ({"type": "event", "n": 2}, '{"type": "event", "n": 2}'),
        (7, "7"),
        (False, "false"),
        (None, ""),
        ([], ""),
        ({"type": "text", "text": "r"}, "r"),
        ([{"type": "output_text", "text": "r"}], "r"),
    ],
)
def test_a_tools_result_is_its_text_or_its_json(content: Any, told: str) -> None:
    call = {"id": "c", "function": {"name": "look", "arguments": "{}"}}
    said = asked(
        user("Q"),
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": content},
    )
    [block] = said.messages[2].blocks
    assert isinstance(block, ToolResultBlock)
    assert block.content == told


def test_a_message_that_says_nothing_is_passed_over() -> None:
    assert asked({"role": "system", "content": None}, user(None), user("Hi")).messages[-1].text == "Hi"


@pytest.mark.parametrize("fields", [{"function_call": "auto"}, {"function_call": "none"}, {"modalities": []}])
def test_a_field_that_asks_for_nothing_is_taken(fields: dict[str, Any]) -> None:
    assert asked(**fields).tools == ()


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
        ({"tools": [{"type": "custom", "name": "x"}]}, "tools[0].type"),
        ({"tools": [{}]}, "tools[0].type"),
        ({"tools": [TOOL], "tool_choice": {"type": "auto", "name": "look"}}, "tool_choice.type"),
        ({"tools": [TOOL], "tool_choice": {}}, "tool_choice.type"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"schema": True}}},
            "response_format.json_schema.schema",
        ),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        ({"messages": [user([{"text": "a", "image_url": PNG}])]}, "messages[0].content[0].type"),
        ({"messages": [user([7])]}, "messages[0].content[0].type"),
        ({"messages": [user(7)]}, "messages[0].content"),
        ({"messages": [user({"a": 1})]}, "messages[0].content[0].type"),
        ({"function_call": {"name": "look"}}, "function_call"),
    ],
)
def test_what_could_mean_two_things_is_refused_by_its_name(fields: dict[str, Any], param: str) -> None:
    assert fault(**fields)["param"] == param
