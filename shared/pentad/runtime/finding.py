"""Answer the tool runner's calls of `find_tools`, in the runner itself."""

from collections.abc import Callable
from typing import Any

from pydantic import Field, ValidationError

from pentad.domain.declarations.agents import Catalog, ToolSpec
from pentad.domain.errors import InvalidInput
from pentad.domain.values import FrozenValue
from pentad.tools.offer.choose import offer_tools
from pentad.tools.offer.find import ToolIndex
from pentad.tools.offer.own import MOST_FOUND
from pentad.tools.runtime.handed import HandedCall, ToolAnswer

_DESCRIPTION = 1_500
_CHARACTERS = 40_000
"""Of one answer, so that it is not cut; tools that no longer fit are named."""


class FindQuery(FrozenValue):
    """The arguments of a call."""

    query: str = Field(min_length=1, max_length=500)
    limit: int = Field(default=5, ge=1, le=MOST_FOUND)


def make_finder(catalog: Catalog) -> Callable[[HandedCall], ToolAnswer]:
    """Return what answers calls; an agent's index is made with its first."""
    indexes: dict[str, ToolIndex] = {}

    def answer(handed: HandedCall) -> ToolAnswer:
        if handed.agent not in indexes:
            agent = catalog.agents.get(handed.agent)
            indexes[handed.agent] = ToolIndex(() if agent is None else offer_tools(catalog, agent).deferred)
        return ToolAnswer(kind="value", value=_find(indexes[handed.agent], handed.arguments))

    return answer


def _find(index: ToolIndex, arguments: dict[str, Any]) -> dict[str, Any]:
    try:
        query = FindQuery.model_validate(arguments)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, fault["loc"])) or "arguments"
        raise InvalidInput(f"{where}: {fault['msg']}", field=where, fix="correct it and call again") from error
    found = [_describe_tool(one.tool) for one in index.find(query.query, query.limit)]
    if not found:
        return {"tools": [], "note": "No tool fits these words. Say it in other words: what is done, and to what."}
    shown, room = [], _CHARACTERS
    for tool in found:
        room -= len(str(tool))
        shown.append(tool if room >= 0 else {"name": tool["name"], "note": "find it alone to see its parameters"})
    return {"tools": shown, "note": "Call one by use_tool, with its name and its arguments."}


def _describe_tool(tool: ToolSpec) -> dict[str, Any]:
    words = tool.description
    short = words if len(words) <= _DESCRIPTION else f"{words[:_DESCRIPTION]} ..."
    return {"name": tool.name, "description": short, "parameters": tool.input_schema}
