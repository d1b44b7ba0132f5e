"""One tool: its function and role, from its declaration."""

from collections.abc import Sequence

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.components import grants
from infra.components.build import Build, FunctionConstruct
from infra.components.function import FunctionOptions
from infra.components.run_grants import grant_payloads, grant_switches
from infra.tools import graph
from layers import build as builds
from pentad.domain import keys
from pentad.tools.declare.discovery import AnyTool

_READ = ("dynamodb:GetItem", "dynamodb:Query")
_CHANGE = ("dynamodb:PutItem", "dynamodb:DeleteItem")


class ToolFunction(FunctionConstruct):
    """The function of one tool."""

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
        """Make the function.

        Args:
            scope: the parent.
            name: the construct's id.
            build: the surroundings.
            tool: the declaration.
            gateway: the gateway's alias, for a tool that asks models.
            layers: beyond those of every function, for a tool that needs them.
        """
        super().__init__(scope, name, build=build, options=_build_options(build, tool, gateway, layers))
        self._grant_runtime(build)
        if "checkpoints" in tool.needs:
            graph.grant_graph(self.role, build, gateway)
        for grant in tool.grants:
            actions = (*(_READ if grant.reads else ()), *(_CHANGE if grant.writes else ()))
            grants.grant_table(self.role, build.stores.records_table, actions, keys=[grant.leading_key])

    def _grant_runtime(self, build: Build) -> None:
        """Grant what the tools' runtime does around every call: its items, switches, audit, contents."""
        stores = build.stores
        grants.grant_table(
            self.role,
            stores.state_table,
            ["dynamodb:GetItem", *grants.WRITE, *grants.CONDITION],
            keys=[keys.run_pattern()],
        )
        grant_switches(self.role, stores.transient_table, counts=True)
        grants.grant_table(self.role, stores.ledger_table, grants.APPEND, keys=[keys.run_pattern()])
        grant_payloads(self.role, stores)


def _build_options(
    build: Build, tool: AnyTool, gateway: lambda_.IFunction, layers: Sequence[lambda_.ILayerVersion]
) -> FunctionOptions:
    module = f"functions.tools.{tool.spec.name}"
    return FunctionOptions(
        name=f"tool-{tool.spec.name.replace('_', '-')}",
        module=module,
        handler="pentad.runtime.tool_entrypoint.handler",
        environment=_build_environment(build, tool, gateway) | {"TOOL_MODULE": module},
        timeout_seconds=tool.timeout_seconds,
        memory_mb=tool.memory_mb,
        asset=builds.build_tool_asset(build.root, tool.modules, graphs="langchain" in tool.needs),
        layers=layers,
        description=f"Tool {tool.spec.name}",
    )


def _build_environment(build: Build, tool: AnyTool, gateway: lambda_.IFunction) -> dict[str, str]:
    environment = build.state_environment | {"LEDGER_TABLE": build.stores.ledger_table.table_name}
    if tool.grants:
        environment["RECORDS_TABLE"] = build.stores.records_table.table_name
    if "models" in tool.needs:
        environment |= graph.build_environment(gateway)
    return environment
