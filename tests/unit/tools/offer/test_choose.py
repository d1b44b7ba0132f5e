"""Past its share of the window an agent's tools are found by words, and what it is sent never changes."""

from typing import Any

import pytest
from pydantic import ValidationError

from pentad.domain.declarations.agents import (
    FIND_TOOLS,
    USE_TOOL,
    AgentSpec,
    Catalog,
    ContextSpec,
    HumansSpec,
    ToolSpec,
)
from pentad.domain.runs import CallStatus, ToolCall
from pentad.tools.builtin.humans import ASK, ESCALATE
from pentad.tools.offer.choose import choose_offer, describe_tools, estimate_tool, find_loaded_tools, offer_tools
from pentad.tools.results.read import READ_RESULT


def make_tools(count: int) -> list[ToolSpec]:
    schema = {"type": "object", "properties": {"order": {"type": "string", "description": "the order's number"}}}
    return [
        ToolSpec(name=f"tool_{number:03d}", description="Does it. " * 20, input_schema=schema, effects="none")
        for number in range(count)
    ]


def make_catalog(count: int, room: int | None, **agent: Any) -> tuple[Catalog, AgentSpec]:
    tools = make_tools(count)
    spec = AgentSpec.model_validate(
        {"name": "a", "description": "d", "prompt": "p", "tools": [tool.name for tool in tools], **agent}
    )
    rooms = {} if room is None else {"a": room}
    return Catalog(agents={"a": spec}, tools={tool.name: tool for tool in tools}, tool_room=rooms), spec


def test_tools_that_have_room_are_all_sent() -> None:
    tools = make_tools(20)
    for room in (None, sum(map(estimate_tool, tools))):
        offer = choose_offer(tools, room)
        assert (offer.sent, offer.deferred) == (tuple(tools), ())


def test_of_tools_that_have_none_two_are_sent_and_those_that_are_kept() -> None:
    tools = make_tools(300)
    offer = choose_offer(tools, sum(map(estimate_tool, tools)) - 1, keep=["tool_007"])
    assert [tool.name for tool in offer.sent] == [FIND_TOOLS, "tool_007", USE_TOOL]
    assert len(offer.deferred) == 299
    assert {tool.name for tool in offer.callable} == {FIND_TOOLS, *(tool.name for tool in tools)}
    assert sum(map(estimate_tool, offer.sent)) < sum(map(estimate_tool, tools)) / 10


@pytest.mark.parametrize(("room", "named"), [(20_000, True), (1_000, False)])
def test_the_names_of_what_can_be_found_are_told_where_there_is_room_for_them(room: int, named: bool) -> None:
    offer = choose_offer(make_tools(300), room)
    find = next(tool for tool in offer.sent if tool.name == FIND_TOOLS)
    assert ("tool_123" in find.description) is named and "300 more" in find.description


def test_thousands_of_tools_with_long_names_still_make_a_declaration() -> None:
    tools = [tool.model_copy(update={"name": f"{'x' * 35}_{at:04d}"}) for at, tool in enumerate(make_tools(3_000))]
    assert len(choose_offer(tools, 400_000).sent[0].description) < 16_000


def test_what_is_sent_is_the_same_whatever_the_conversation_has_come_to() -> None:
    catalog, agent = make_catalog(50, 100)
    offers = [offer_tools(catalog, agent, reads=reads) for reads in (False, True)]
    assert offers[0] == offers[1]
    assert READ_RESULT in {tool.name for tool in offers[0].deferred}


def test_the_tools_that_humans_answer_are_always_sent() -> None:
    catalog, agent = make_catalog(50, 100, humans=HumansSpec(may_ask=True))
    assert {ASK, ESCALATE} < {tool.name for tool in offer_tools(catalog, agent).sent}


def test_the_manifest_has_what_is_sent_and_what_is_not() -> None:
    catalog, agent = make_catalog(50, None)
    every = describe_tools(catalog, agent)
    assert every is not None and (every.kind, every.count, every.left_out) == ("tools", 50, 0)
    catalog, agent = make_catalog(50, 100, context=ContextSpec(keep_tools=("tool_001",)))
    few = describe_tools(catalog, agent)
    assert few is not None and (few.count, few.left_out) == (3, 50)
    assert few.tokens < every.tokens / 4 and few.signals["deferred_tokens"] > every.tokens * 0.9


def test_an_agent_without_tools_has_no_such_piece() -> None:
    assert describe_tools(*make_catalog(0, None)) is None


def test_a_kept_tool_that_the_agent_has_not_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"context\.keep_tools: 'nosuch' is not under tools"):
        make_catalog(1, None, context={"keep_tools": ["nosuch"]})


def test_what_was_loaded_is_read_from_what_was_found() -> None:
    shown = '{"tools": [{"name": "x", "parameters": {}}, {"name": "y", "note": "find it alone"}]}'
    results = [shown, shown.replace('"x"', '"z"'), "{not json", "[]", None]
    calls = [
        ToolCall(
            tenant_id="acme",
            run_id="run_" + "0" * 26,
            step=1,
            index=at,
            call_id=str(at),
            tool=FIND_TOOLS,
            arguments={},
            arguments_hash="h",
            status=CallStatus.SUCCEEDED,
            result=result,
        )
        for at, result in enumerate(results)
    ]
    others = [calls[0].model_copy(update={"tool": "other", "result": shown.replace('"x"', '"w"')})]
    assert find_loaded_tools([*calls, *others]) == {"x", "z"}
