"""Calls of tools that the model was not sent: opened, checked by the tool's own schema, and told what it is."""

from typing import Any

import pytest

from pentad.domain.declarations.agents import USE_TOOL
from pentad.models.structured.checks import find_problems, take_forms
from pentad.tools.offer.own import FIND_SPEC, USE_SPEC
from tests.unit.models.samples import ADD, call, reply, request

ASKED = request(tools=(FIND_SPEC, USE_SPEC), deferred=(ADD,))


def use(**arguments: Any) -> Any:
    return reply(call(tool=USE_TOOL).model_copy(update={"arguments": arguments}))


@pytest.mark.parametrize("given", [{"a": 1, "b": 2}, '{"a": 1, "b": 2}', {"a": "1", "b": "2"}])
def test_a_call_by_name_becomes_the_tools_own(given: object) -> None:
    taken = take_forms(use(name="add", arguments=given), ASKED)
    [opened] = taken.tool_calls
    assert (opened.tool, opened.arguments) == ("add", {"a": 1, "b": 2})
    assert find_problems(taken, ASKED) == ()


def test_a_call_of_what_was_not_sent_is_taken_as_it_is() -> None:
    taken = take_forms(reply(call()), ASKED)
    assert taken.tool_calls[0].tool == "add" and find_problems(taken, ASKED) == ()


def test_arguments_that_do_not_fit_are_told_with_the_tools_parameters() -> None:
    found = find_problems(take_forms(use(name="add", arguments={"a": 1}), ASKED), ASKED)
    assert "'b' is a required property" in found[0]
    assert found[1].startswith("the parameters of 'add' are {") and len(found) == 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            {"name": "subtract", "arguments": {}},
            "no tool 'subtract'; the tools are: find_tools, use_tool; find",
        ),
        ({"name": USE_TOOL, "arguments": {}}, f"no tool '{USE_TOOL}'"),
        ({"name": "add", "arguments": [1]}, f"no tool '{USE_TOOL}'"),
        ({"name": "add", "arguments": "{not json"}, f"no tool '{USE_TOOL}'"),
        ({"name": "add", "arguments": '{"a": 1, "b": 1e999}'}, f"no tool '{USE_TOOL}'"),
        ({"name": "add", "arguments": '{"a": 1, "b": 2, "a": 3}'}, f"no tool '{USE_TOOL}'"),
        ({"name": 7}, f"no tool '{USE_TOOL}'"),
        ({}, f"no tool '{USE_TOOL}'"),
    ],
)
def test_a_call_that_names_no_tool_or_gives_no_arguments_is_no_reply(arguments: dict[str, Any], says: str) -> None:
    found = find_problems(take_forms(use(**arguments), ASKED), ASKED)
    assert len(found) == 1 and says in found[0]


def test_where_nothing_is_deferred_a_tool_of_that_name_is_an_agents_own() -> None:
    own = request(tools=(ADD.model_copy(update={"name": USE_TOOL}),))
    taken = take_forms(reply(call(tool=USE_TOOL)), own)
    assert taken.tool_calls[0].tool == USE_TOOL and find_problems(taken, own) == ()
