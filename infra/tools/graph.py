"""What a tool that runs a LangGraph graph gets beyond others: the gateway, its checkpoints, the packages."""

from collections.abc import Mapping
from pathlib import Path

from aws_cdk import RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.components.build import Build
from layers import build as builds
from pentad.tools.declare.discovery import AnyTool


def create_layer(scope: Construct, root: Path) -> lambda_.ILayerVersion:
    """Return the layer with the packages of LangGraph and LangChain; made only where a tool needs it."""
    return lambda_.LayerVersion(
        scope,
        "layer-graphs",
        code=lambda_.Code.from_asset(str(builds.build_graphs_layer(root))),
        compatible_runtimes=[lambda_.Runtime.PYTHON_3_13],
        compatible_architectures=[lambda_.Architecture.ARM_64],
        description="Pentad: graphs",
    )


def create_identity_key(scope: Construct, tools: Mapping[str, AnyTool]) -> kms.Key | None:
    """Return the key by which the runner signs for whom a graph asks models; None where no tool is a graph."""
    if not any(keeps_checkpoints(tool) for tool in tools.values()):
        return None
    return kms.Key(
        scope,
        "identity-key",
        key_spec=kms.KeySpec.HMAC_256,
        key_usage=kms.KeyUsage.GENERATE_VERIFY_MAC,
        description="Signs for whom a graph asks the gateway",
        # What it has signed is of use for minutes.
        removal_policy=RemovalPolicy.DESTROY,
    )


def keeps_checkpoints(tool: AnyTool) -> bool:
    """Tell whether a tool runs a graph, which keeps its state after each step and asks models."""
    return "checkpoints" in tool.needs


def build_environment(build: Build, gateway: lambda_.IFunction) -> dict[str, str]:
    """Return the variables of a graph's function."""
    return {
        "GATEWAY_FUNCTION": gateway.function_arn,
        "STATE_TABLE": build.stores.state_table.table_name,
        "PAYLOAD_BUCKET": build.stores.payload_bucket.bucket_name,
        # A checkpoint makes safe types and those of the graph's own state only, whatever its bytes say.
        "LANGGRAPH_STRICT_MSGPACK": "true",
    }
