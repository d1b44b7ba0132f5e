"""Who may read kill switches and the health of tools, and who may write the latter."""

from aws_cdk import aws_iam as iam

from infra.components import grants
from infra.stacks.state import StateStack

_KEYS = ("SYS#SWITCH", "T#*#TOOLS")


def grant_switches(role: iam.Role, state: StateStack, *, counts: bool = False) -> None:
    """Let a role look at the switches, in one request.

    Args:
        role: who.
        state: the tables.
        counts: it reports failures and successes of tools as well.
    """
    grants.table(role, state.transient_table, ["dynamodb:BatchGetItem"], keys=_KEYS)
    if counts:
        grants.table(role, state.transient_table, ["dynamodb:PutItem", *grants.DELETE], keys=["T#*#TOOLS"])
