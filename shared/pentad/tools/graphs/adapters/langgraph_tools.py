"""The tools that a graph itself may call: LangChain's as they are, ours as LangChain has tools."""

from typing import Any

from langchain_core.tools import BaseTool, StructuredTool, ToolException

from pentad.domain.errors import ConfigurationError, InvalidInput
from pentad.tools.declare.context import ToolContext
from pentad.tools.declare.declare import Tool
from pentad.tools.runtime.arguments import validate_arguments
from pentad.tools.runtime.outcome import call_function, make_rejected


def to_langchain_tool(given: BaseTool | Tool[..., Any], context: ToolContext | None) -> BaseTool:
    """Return a tool as a graph calls it.

    Args:
        given: a tool of LangChain, or one of ours.
        context: on whose behalf; None to check only.

    Raises:
        ConfigurationError: ours has effects, grants or needs approval: policy, approval and the effect ledger
            stand where an agent calls a tool, not inside a graph.
    """
    if isinstance(given, BaseTool):
        return given
    spec = given.spec
    if spec.effects != "none" or given.grants or given.file_grants or given.needs or spec.approval != "never":
        raise ConfigurationError(
            f"the tool '{given.name}' can't be called inside a graph: it has effects, grants or needs approval",
            field="tools",
            fix="let the agent call it, and give its result to the graph",
        )
    tool = given

    def run(**arguments: Any) -> str:
        if context is None:
            raise ConfigurationError("the tool has no context here", fix="run it as part of a graph's call")
        try:
            outcome = call_function(tool, validate_arguments(tool, arguments), context)
        except InvalidInput as error:
            outcome = make_rejected(error)
        if outcome.is_error:
            raise ToolException(outcome.text)
        return outcome.text

    return StructuredTool(
        name=spec.name,
        description=spec.description,
        args_schema=spec.input_schema,
        func=run,
        handle_tool_error=True,
    )
