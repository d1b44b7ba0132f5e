"""Grants that most functions of a run need: its items and its session's, contents, events, switches."""

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam

from infra.components import grants
from infra.components.stores import Stores
from pentad.domain import keys

_OBJECTS = ("s3:GetObject", "s3:PutObject")
_SWITCHES = (keys.SWITCH, keys.collection_pattern("TOOLS"))


def grant_run_items(role: iam.IGrantable, stores: Stores, *, conditions: bool = False, at_once: bool = False) -> None:
    """Let a role read and write the items of sessions and runs.

    Args:
        role: who.
        stores: the tables.
        conditions: it checks items in transactions without writing them, as well.
        at_once: it reads several items by one request.
    """
    checks = [*(grants.CONDITION if conditions else ()), *(grants.READ_MANY if at_once else ())]
    grants.grant_table(
        role,
        stores.state_table,
        [*grants.READ, *grants.WRITE, *checks],
        keys=[keys.session_pattern(), keys.run_pattern()],
    )


RUNS, SESSIONS = "*/runs/", "spill/"
"""Where in the payload bucket contents of runs (below their tenant) and of sessions are."""
OTHERS = ("files/", "graphs/")
"""Where tools' files and values of graphs are: names in them are their owners', so a pattern may fit one (a folder
called ``runs``), and what no function of the stack may read is denied."""


def grant_payloads(role: iam.Role, stores: Stores, *, sessions: bool = True) -> None:
    """Let a role read and write contents that are too large for an item: of runs, and of sessions too."""
    for prefix in (RUNS, SESSIONS) if sessions else (RUNS,):
        grants.grant_objects(role, stores.payload_bucket, _OBJECTS, prefix=prefix)
    grants.deny_objects(role, stores.payload_bucket, _OBJECTS, prefixes=OTHERS)


def grant_switches(role: iam.Role, transient: dynamodb.ITable, *, counts: bool = False, clears: bool = False) -> None:
    """Let a role read the kill switches and the health of tools, in one request.

    Args:
        role: who.
        transient: the table that holds them.
        counts: it counts failures of tools as well.
        clears: it forgets them after a success.
    """
    grants.grant_table(role, transient, grants.READ_MANY, keys=_SWITCHES)
    actions = [*(["dynamodb:PutItem"] if counts else []), *(grants.DELETE if clears else [])]
    if actions:
        grants.grant_table(role, transient, actions, keys=[keys.collection_pattern("TOOLS")])
