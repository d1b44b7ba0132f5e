"""The tools that a graph itself may call: LangChain's as they are, ours as LangChain has tools."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

from langchain_core.tools import BaseTool, StructuredTool, ToolException

from pentad.domain.errors import ConfigurationError, InvalidInput
from pentad.tools.declare.context import ToolContext
from pentad.tools.declare.declare import Tool
from pentad.tools.graphs.equipment import Reach, reach_nothing
from pentad.tools.outside.ports import HttpClient
from pentad.tools.runtime.arguments import validate_arguments
from pentad.tools.runtime.outcome import call_function, make_rejected


def check_inner_tools(
    tools: Sequence[BaseTool | Tool[..., Any]], *, egress: Sequence[str], packages: Sequence[str], trusted: bool
) -> None:
    """Refuse tools that a graph can't call, whose hosts or packages it does not have, or whose text it calls its own.

    Args:
        tools: what the graph may call itself.
        egress: the hosts that the graph declares: its function reaches these.
        packages: the packages that the graph declares.
        trusted: the graph's output counts as text of our own.

    Raises:
        ConfigurationError: names the tool, the option and what to do.
    """
    for given in tools:
        to_langchain_tool(given, None)
        if not isinstance(given, Tool):
            continue
        if trusted and not given.spec.trusted_output:
            raise ConfigurationError(
                f"the graph declares trusted_output=True, and '{given.name}' inside it brings text from outside",
                field="trusted_output",
                fix="leave it out of the graph's declaration, so that its output counts as text from outside too",
            )
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


def to_langchain_tool(
    given: BaseTool | Tool[..., Any], context: ToolContext | None, reach: Reach = reach_nothing
) -> BaseTool:
    """Return a tool as a graph calls it: one of ours reaches what it declares, whatever its graph does.

    Args:
        given: a tool of LangChain, or one of ours.
        context: on whose behalf; None to check only.
        reach: narrows the network to a tool's hosts while it runs.

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
            values = validate_arguments(tool, arguments)
            with _narrow(tool, reach) as outside:
                # Grants, files, secrets and settings are the graph's own: a tool that declares some is refused above.
                own = replace(context, outside=outside, tables={}, kept=None, secrets={}, settings=None)
                outcome = call_function(tool, values, own)
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


def _narrow(tool: Tool[..., Any], reach: Reach) -> AbstractContextManager[HttpClient | None]:
    """Return what holds a tool to its hosts; one that says nothing of them has no client, as elsewhere."""
    return reach(tool.name, tool.egress) if tool.holds_connections else nullcontext()
