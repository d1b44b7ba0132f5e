"""One tool: its function and role, from its declaration."""

from collections.abc import Mapping, Sequence

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.components import grants
from infra.components.build import Build, FunctionConstruct
from infra.components.function import FunctionOptions
from infra.tools import graph
from infra.tools.packages import ToolLayer
from infra.tools.secrets import find_secret_key
from infra.tools.services import grant_services
from infra.tools.tools_file import ToolsFile
from layers import build as builds
from pentad.domain.declarations.remote_tools import find_server
from pentad.tools.declare.discovery import AnyTool
from pentad.tools.runtime.function_names import name_function

_RUNNER_SECONDS = 20
"""What the runner needs around a tool's own time, in seconds: to check before, and to store afterwards."""
_LONGEST = 900
"""Lambda's longest time, in seconds."""


class ToolFunction(FunctionConstruct):
    """The function of one tool."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        build: Build,
        tool: AnyTool,
        gateway: lambda_.IFunction | None,
        configured: ToolsFile,
        grouped: bool = False,
        layers: Sequence[ToolLayer] = (),
    ) -> None:
        """Make the function.

        Args:
            scope: the parent.
            name: the construct's id.
            build: the surroundings.
            tool: the declaration.
            gateway: the gateway's alias for graphs; None for a tool that asks no model.
            configured: its settings, and where its secrets are.
            grouped: the tools are in groups, and their functions have other names.
            layers: beyond those of every function, for a tool that needs them.
        """
        options = _build_options(build, tool, gateway, configured, grouped, layers)
        super().__init__(scope, name, build=build, options=options)
        # No grant on data: the runner hands credentials for one tenant's data and secrets over with each call.
        for secret in configured.list_secrets(tool.name):
            if secret.shared:
                place, key = secret.place, find_secret_key(self, secret, build)
                grants.grant_tool_secret(self.role, place.secret, key, renews=place.renewed)
        grant_services(self.role, configured.settings.get(tool.name))
        if gateway is not None:
            grants.grant_invoke(self.role, [gateway.function_arn])


def get_tool_seconds(tool: AnyTool) -> int:
    """Return the seconds that a tool's function may take: its runner waits for it, and has Lambda's longest time."""
    return min(tool.timeout_seconds, _LONGEST - _RUNNER_SECONDS)


def compute_runner_seconds(tools: Mapping[str, AnyTool]) -> int:
    """Return the seconds that the tool runner may take: it waits for the slowest of the tools."""
    return max((get_tool_seconds(tool) for tool in tools.values()), default=30) + _RUNNER_SECONDS


def _build_options(
    build: Build,
    tool: AnyTool,
    gateway: lambda_.IFunction | None,
    configured: ToolsFile,
    grouped: bool,
    layers: Sequence[ToolLayer],
) -> FunctionOptions:
    server = find_server(tool.spec.name)
    return FunctionOptions(
        name=name_function("tool-", tool.spec.name, grouped=grouped),
        module=tool.module,
        handler="pentad.runtime.tool_entrypoint.handler",
        environment=_build_environment(build, tool, gateway)
        | configured.build_environment(tool.name)
        | {"TOOL_MODULE": tool.module}
        | ({} if server is None else {"MCP_SERVER": server}),
        timeout_seconds=get_tool_seconds(tool),
        memory_mb=tool.memory_mb,
        asset=builds.build_tool_asset(build.root, tool.modules, graphs="langchain" in tool.needs),
        layers=[one.version for one in layers],
        layer_folders=[one.folder for one in layers],
        description=f"Tool {tool.spec.name}" if server is None else f"Tools of the MCP server {server}",
    )


def _build_environment(build: Build, tool: AnyTool, gateway: lambda_.IFunction | None) -> dict[str, str]:
    environment = {"RECORDS_TABLE": build.stores.records_table.table_name} if tool.grants else {}
    if tool.file_grants:
        environment["PAYLOAD_BUCKET"] = build.stores.payload_bucket.bucket_name
    return environment if gateway is None else environment | graph.build_environment(build, gateway)
