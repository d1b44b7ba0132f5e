"""Who may read kill switches and the health of tools, and who may write the latter."""

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam

from infra.components import grants
from pentad.domain import keys

_KEYS = (keys.SWITCH, keys.collection_pattern("TOOLS"))


def grant_switches(role: iam.Role, transient: dynamodb.ITable, *, counts: bool = False) -> None:
    """Let a role look at the switches, in one request.

    Args:
        role: who.
        transient: the table that holds them.
        counts: it reports failures and successes of tools as well.
    """
    grants.grant_table(role, transient, ["dynamodb:BatchGetItem"], keys=_KEYS)
    if counts:
        grants.grant_table(
            role, transient, ["dynamodb:PutItem", *grants.DELETE], keys=[keys.collection_pattern("TOOLS")]
        )
