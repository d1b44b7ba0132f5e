"""The tools that a graph itself may call: LangChain's as they are, ours as LangChain has tools."""

from collections.abc import Sequence
from typing import Any

from langchain_core.tools import BaseTool, StructuredTool, ToolException

from pentad.domain.errors import ConfigurationError, InvalidInput
from pentad.tools.declare.context import ToolContext
from pentad.tools.declare.declare import Tool
from pentad.tools.runtime.arguments import validate_arguments
from pentad.tools.runtime.outcome import call_function, make_rejected


def check_inner_tools(
    tools: Sequence[BaseTool | Tool[..., Any]], *, egress: Sequence[str], packages: Sequence[str]
) -> None:
    """Refuse tools that a graph can't call, or whose hosts or packages it does not have.

    Args:
        tools: what the graph may call itself.
        egress: the hosts that the graph declares: its function reaches these, whichever tool asks.
        packages: the packages that the graph declares.

    Raises:
        ConfigurationError: names the tool, the option and what to do.
    """
    for given in tools:
        to_langchain_tool(given, None)
        if not isinstance(given, Tool):
            continue
        for field, wanted, had in (("egress", given.egress, egress), ("packages", given.packages, packages)):
            missing = [one for one in wanted if one not in had]
            if missing:
                raise ConfigurationError(
                    f"the tool '{given.name}' inside the graph declares {field} that the graph does not: "
                    f"{', '.join(missing)}",
                    field=field,
                    fix=f"add to the graph's declaration: {field}={[*had, *missing]!r}",
                )


def _list_unkept(tool: Tool[..., Any]) -> list[tuple[str, str]]:
    """Return what a tool declares that policy, approval, the ledger and its own function keep, each with its option."""
    spec = tool.spec
    found = (
        ("effects", "it has effects", spec.effects != "none"),
        ("permissions", "it has grants", bool(tool.grants or tool.file_grants)),
        ("needs", "it is a graph, or a wrapped tool", bool(tool.needs)),
        ("approval", "it may need approval", spec.approval != "never"),
        ("rate_limit", "it has a rate", bool(spec.rates)),
        ("parallel", "its calls run one after the other", not spec.parallel),
        ("secrets", "it reads secrets", bool(tool.secrets)),
        ("settings", "it has settings", tool.settings is not None),
        ("egress", "it reaches any address, which the policy looks at", spec.any_address),
    )
    return [(field, why) for field, why, holds in found if holds]


def to_langchain_tool(given: BaseTool | Tool[..., Any], context: ToolContext | None) -> BaseTool:
    """Return a tool as a graph calls it.

    Args:
        given: a tool of LangChain, or one of ours.
        context: on whose behalf; None to check only.

    Raises:
        ConfigurationError: ours declares what is kept where an agent calls a tool, and not inside a graph.
    """
    if isinstance(given, BaseTool):
        return given
    for field, why in _list_unkept(given):
        raise ConfigurationError(
            f"the tool '{given.name}' can't be called inside a graph: {why} ({field}), which nothing keeps there",
            field=field,
            fix="let the agent call it, and give its result to the graph",
        )
    tool, spec = given, given.spec

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
