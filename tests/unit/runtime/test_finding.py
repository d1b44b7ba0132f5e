"""The tool runner's calls of find_tools."""

from typing import Any

import pytest

from pentad.domain.declarations.agents import AgentSpec, Catalog
from pentad.domain.errors import InvalidInput
from pentad.runtime.finding import make_finder
from pentad.tools.runtime.handed import HandedCall
from tests.unit.tools.offer.test_choose import make_catalog
from tests.unit.tools.offer.test_find import TOOLS


def handed(agent: str = "a", **arguments: Any) -> HandedCall:
    return HandedCall(
        op="run",
        tenant_id="acme",
        run_id="run_1",
        session_id="s1",
        agent=agent,
        step=2,
        index=0,
        effect_key="k",
        arguments=arguments,
        deadline=1e10,
    )


def make_desk() -> Catalog:
    names = tuple(tool.name for tool in TOOLS)
    agents = {
        "a": AgentSpec(name="a", description="d", prompt="p", tools=names),
        "b": AgentSpec(name="b", description="d", prompt="p", tools=names[:2]),
    }
    return Catalog(agents=agents, tools={tool.name: tool for tool in TOOLS}, tool_room={"a": 50, "b": 50})


def test_tools_are_found_with_their_parameters_and_how_to_call_them() -> None:
    value = make_finder(make_desk())(handed(query="cancel an invoice", limit=1)).value
    [tool] = value["tools"]
    assert tool["name"] == "invoice_cancel" and tool["parameters"]["properties"].keys() == {"invoice"}
    assert "use_tool" in value["note"]


def test_an_agent_finds_its_own_tools_only() -> None:
    find = make_finder(make_desk())
    assert find(handed(query="get_weather")).value["tools"][0]["name"] == "get_weather"
    others = find(handed(agent="b", query="get_weather", limit=10)).value["tools"]
    assert "get_weather" not in {tool["name"] for tool in others}
    assert find(handed(agent="nobody", query="get_weather")).value["tools"] == []


def test_nothing_found_says_what_to_do() -> None:
    value = make_finder(make_desk())(handed(query="xyzzy")).value
    assert value["tools"] == [] and "other words" in value["note"]


@pytest.mark.parametrize("arguments", [{}, {"query": ""}, {"query": "x" * 501}, {"query": "x", "limit": 11}])
def test_arguments_that_are_not_valid_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        make_finder(make_desk())(handed(**arguments))


def test_an_answer_is_not_so_long_that_it_is_cut() -> None:
    catalog, _ = make_catalog(10, 100)
    schema = {"type": "object", "properties": {f"order_{at}": {"type": "string"} for at in range(500)}}
    large = {name: tool.model_copy(update={"input_schema": schema}) for name, tool in catalog.tools.items()}
    catalog = catalog.model_copy(update={"tools": large})
    value = make_finder(catalog)(handed(query="order tool fields field", limit=10)).value
    assert len(str(value)) < 60_000 and len(value["tools"]) == 10
    assert [tool for tool in value["tools"] if "parameters" not in tool]
