"""What limits tools: rates of ``tools.yaml``, and grants of the buckets of rates and the sums of approval rules."""

import copy
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam

from infra.components import grants
from pentad.domain import keys
from pentad.domain.declarations.agents import ToolSpec
from pentad.domain.declarations.rates import EXAMPLE, Rate, parse_rates
from pentad.domain.declarations.remote_tools import find_server
from pentad.models.catalog.catalog_file import CatalogFile
from pentad.tools.declare.discovery import AnyTool
from pentad.tools.policy.apply import list_sum_rules

RATE_LIMITS = "rate_limits"
"""The section that gives tools other rates; no tool has its name."""


def grant_sums(role: iam.Role, transient: dynamodb.ITable, tools: Iterable[ToolSpec], *, adds: bool = False) -> None:
    """Let a role read the sums of rules, where a tool has such a rule.

    Args:
        role: who.
        transient: the table that holds them.
        tools: the tools there are.
        adds: it adds to them as well.
    """
    if any(list_sum_rules(tool) for tool in tools):
        actions = ["dynamodb:GetItem", *(grants.WRITE if adds else ()), *(grants.DELETE if adds else ())]
        grants.grant_table(role, transient, actions, keys=[keys.collection_pattern("CALLSUMS")])


def grant_rates(role: iam.Role, transient: dynamodb.ITable, tools: Iterable[ToolSpec]) -> None:
    """Let a role take tokens of the buckets of tools' rates, where a tool has one."""
    if any(tool.rates for tool in tools):
        actions = ["dynamodb:GetItem", "dynamodb:UpdateItem"]
        places = [keys.TOOL_RATES, keys.collection_pattern("TOOLRATES")]
        grants.grant_table(role, transient, actions, keys=places)


def read_rates(file: CatalogFile, tools: Mapping[str, AnyTool], known: Collection[str]) -> dict[str, tuple[Rate, ...]]:
    """Return the rates of the tools that the section names.

    Args:
        file: ``tools.yaml``.
        tools: those that are deployed, by name.
        known: these, and all that ship: what is said of one that is not deployed is read, and has no effect.

    Raises:
        ConfigurationError: there is no such tool, its rate stands elsewhere or would not be kept, or it is no rate.
    """
    found = {}
    for name, text in file.get_section(RATE_LIMITS).items():
        place = (RATE_LIMITS, name)
        if name not in known:
            near = get_close_matches(str(name), known, n=1)
            raise file.make_error(place, f"no tool '{name}'", f"write {near[0]}" if near else "remove it")
        if find_server(name) is not None:
            raise file.make_error(place, "it is a remote tool", "write its rate_limit into mcp.yaml")
        if not isinstance(text, str):
            raise file.make_error(place, "this is not a rate", f"write {name}: {EXAMPLE}")
        try:
            found[name] = parse_rates(text)
        except ValueError as error:
            raise file.make_error(place, str(error), f"write {name}: {EXAMPLE}") from error
        if name in tools and (graph := _find_graph(tools, name)) is not None:
            raise file.make_error(
                place, f"the graph '{graph}' calls it too, where nothing keeps a rate", f"give '{graph}' a rate instead"
            )
    return {name: rates for name, rates in found.items() if name in tools}


def _find_graph(tools: Mapping[str, AnyTool], name: str) -> str | None:
    """Return the graph that calls a tool within its own function."""
    called = tools[name]
    return next((one.name for one in tools.values() if one is not called and called.module in one.modules[1:]), None)


def replace_rates(tools: Mapping[str, AnyTool], rates: Mapping[str, tuple[Rate, ...]]) -> dict[str, AnyTool]:
    """Return tools with the rates of a deployment in place of their own; a tool that is not named keeps its own."""
    found = dict(tools)
    for name, given in rates.items():
        changed = copy.copy(found[name])
        changed.spec = changed.spec.model_copy(update={"rates": given})
        found[name] = changed
    return found
