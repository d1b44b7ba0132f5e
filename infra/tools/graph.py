"""What a tool that runs a LangGraph graph gets beyond others: the gateway, its checkpoints, the packages."""

from pathlib import Path

from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.components import grants
from infra.components.build import Build
from layers import build as builds
from pentad.domain import keys


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


def build_environment(gateway: lambda_.IFunction) -> dict[str, str]:
    """Return the variables of a graph's function."""
    return {
        "GATEWAY_FUNCTION": gateway.function_arn,
        # A checkpoint makes safe types and those of the graph's own state only, whatever its bytes say.
        "LANGGRAPH_STRICT_MSGPACK": "true",
    }


def grant_graph(role: iam.IGrantable, build: Build, gateway: lambda_.IFunction) -> None:
    """Let a graph's function ask the gateway and keep its checkpoints."""
    grants.grant_invoke(role, [gateway.function_arn])
    actions = (*grants.READ, *grants.APPEND)
    grants.grant_table(role, build.stores.state_table, actions, keys=[keys.graph_pattern()])
