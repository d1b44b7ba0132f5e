"""One tool: its function and role, from its declaration."""

from collections.abc import Sequence

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.components import grants
from infra.components.build import Build
from infra.components.switches import grant_switches
from infra.tools import graph
from layers import build as builds
from pentad.domain import keys
from pentad.tools.declare.discovery import AnyTool

_READ = ("dynamodb:GetItem", "dynamodb:Query")
_CHANGE = ("dynamodb:PutItem", "dynamodb:DeleteItem")


class ToolFunction(Construct):
    """The function of one tool.

    Args:
        scope: the parent.
        name: the construct's id.
        build: the surroundings.
        tool: the declaration.
        gateway: the gateway's alias, for a tool that asks models.
        layers: beyond those of every function, for a tool that needs them.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        build: Build,
        tool: AnyTool,
        gateway: lambda_.IFunction,
        layers: Sequence[lambda_.ILayerVersion] = (),
    ) -> None:
        super().__init__(scope, name)
        stores = build.stores
        environment = build.state_environment | {
            "LEDGER_TABLE": stores.ledger_table.table_name,
            "TOOL_MODULE": f"functions.tools.{tool.spec.name}",
        }
        if tool.grants:
            environment["RECORDS_TABLE"] = stores.records_table.table_name
        if "models" in tool.needs:
            environment |= graph.build_environment(gateway)
        made = build.create_function(
            self,
            f"tool-{tool.spec.name.replace('_', '-')}",
            module=f"functions.tools.{tool.spec.name}",
            handler="pentad.runtime.tool_entrypoint.handler",
            environment=environment,
            timeout_seconds=tool.timeout_seconds,
            memory_mb=tool.memory_mb,
            asset=builds.build_tool_asset(build.root, tool.modules, graphs="langchain" in tool.needs),
            layers=layers,
            description=f"Tool {tool.spec.name}",
        )
        self.function = made.function
        grants.grant_table(
            made.role,
            stores.state_table,
            ["dynamodb:GetItem", *grants.WRITE, *grants.CONDITION],
            keys=[keys.run_pattern()],
        )
        grant_switches(made.role, stores.transient_table, counts=True)
        grants.grant_table(made.role, stores.ledger_table, grants.APPEND, keys=[keys.run_pattern()])
        grants.grant_objects(made.role, stores.payload_bucket, ["s3:GetObject", "s3:PutObject"])
        if "checkpoints" in tool.needs:
            graph.grant_graph(made.role, build, gateway)
        for grant in tool.grants:
            actions = (*(_READ if grant.reads else ()), *(_CHANGE if grant.writes else ()))
            grants.grant_table(made.role, stores.records_table, actions, keys=[grant.leading_key])
