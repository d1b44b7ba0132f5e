"""Grants of what limits tools: buckets of their rates, and sums of their rules of approval."""

from collections.abc import Iterable

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam

from infra.components import grants
from pentad.domain import keys
from pentad.domain.declarations.agents import ToolSpec
from pentad.tools.policy.apply import list_sum_rules


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
