"""What a tool that runs a graph is given for one call: the only wiring that imports LangGraph."""

from contextlib import AbstractContextManager
from functools import partial

from pentad.aws.clients import get_client, get_session_client
from pentad.aws.table import Table
from pentad.domain.errors import ConfigurationError
from pentad.memory.objects.adapters.objects_s3 import S3Objects
from pentad.models.remote.adapters.gateway_lambda import LambdaChatModel
from pentad.observability.ports import Telemetry
from pentad.runtime.clock import now
from pentad.runtime.settings import ToolSettings
from pentad.tools.graphs.adapters.inner_audit_dynamodb import DynamoInnerAudit
from pentad.tools.graphs.adapters.langgraph_checkpoints import DynamoDBSaver
from pentad.tools.graphs.adapters.nodes_dynamodb import DynamoGraphNodes
from pentad.tools.graphs.equipment import Equipment
from pentad.tools.outside.ports import HttpClient
from pentad.tools.runtime.handed import HandedCall

_SECONDS = 310.0
"""How long to wait for the gateway's answer; more than its own time."""


def make_equipment(values: ToolSettings, handed: HandedCall, telemetry: Telemetry) -> Equipment:
    """Return what a graph needs for a call: with credentials for this run's checkpoints, and no others.

    Raises:
        ConfigurationError: the function is not told where gateway and checkpoints are, or got no credentials.
    """
    if values.gateway_function is None or values.state_table is None or values.payload_bucket is None:
        raise ConfigurationError("GATEWAY_FUNCTION is not set", fix="deploy the graph's tool with infra/tools/tool.py")
    if handed.keys is None:
        raise ConfigurationError("the call brings no credentials for the graph's checkpoints")
    keys = handed.keys.model_dump()
    table = Table(get_session_client("dynamodb", **keys), values.state_table)
    objects = S3Objects(get_session_client("s3", **keys), values.payload_bucket)
    # One attempt: a second one would ask, and bill, twice. The retry of the state goes on at the checkpoint.
    gateway = get_client("lambda", read_timeout=_SECONDS, attempts=1)
    return Equipment(
        gateway=LambdaChatModel(gateway, values.gateway_function, identity=handed.identity),
        checkpoints=lambda tenant: DynamoDBSaver(table, objects, tenant),
        audit=DynamoInnerAudit(table),
        nodes=DynamoGraphNodes(table),
        telemetry=telemetry,
        agent=handed.agent,
        now=now,
        reach=partial(_reach, handed.deadline, telemetry),
    )


def _reach(
    deadline: float, telemetry: Telemetry, tool: str, egress: tuple[str, ...]
) -> AbstractContextManager[HttpClient | None]:
    # Only graphs with a tool that declares hosts import what holds it to them.
    from pentad.runtime.wiring.ground.egress import hold_inner_tool

    return hold_inner_tool(deadline, telemetry, tool, egress)
