"""The tool runner's function, the only one that reaches the tools' functions; and the role of tools' data."""

import json
from collections.abc import Mapping
from typing import Any

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.components import grants
from infra.components.build import Build, FunctionConstruct
from infra.components.function import FunctionOptions
from infra.components.reasons import acknowledge
from infra.components.run_grants import grant_payloads, grant_switches
from infra.tools.data import ToolData, list_data
from infra.tools.groups import ToolGroups
from infra.tools.limits import grant_rates, grant_sums
from infra.tools.tool import compute_runner_seconds
from infra.tools.tools_file import ToolsFile
from pentad.domain import keys
from pentad.tools.declare.discovery import AnyTool


class ToolRunner(FunctionConstruct):
    """The function functions.orchestration.run_tool: checks a call, has the tool's function run it, stores the rest."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        build: Build,
        tools: Mapping[str, AnyTool],
        functions: Mapping[str, lambda_.Function],
        groups: ToolGroups,
        identity: kms.IKey | None,
        configured: ToolsFile,
    ) -> None:
        """Make the runner.

        Args:
            scope: the parent.
            name: the construct's id.
            build: the surroundings.
            tools: the declarations by name.
            functions: the tools' functions by the same names.
            groups: where the tools are.
            identity: the key that signs for whom a graph asks models; None where no tool is a graph.
            configured: where the tools' secrets are.
        """
        environment = build.state_environment | {
            "LEDGER_TABLE": build.stores.ledger_table.table_name,
            "AUDIT_KEY": build.stores.audit_key.key_arn,
            "TOOL_FUNCTION_PREFIX": f"{build.stage.prefix}-tool-",
        }
        if identity is not None:
            environment["IDENTITY_KEY"] = identity.key_arn
        if groups.grouped:
            environment["TOOLS_GROUPED"] = "true"
        super().__init__(
            scope,
            name,
            build=build,
            options=FunctionOptions(
                name="run-tool",
                module="functions.orchestration.run_tool",
                environment=environment,
                timeout_seconds=compute_runner_seconds(tools),
                description="Tool runner: checks a call, lets the tool's function run it, stores what came of it",
            ),
        )
        self._create_data(build, tools, groups, configured)
        self._grant_state(build, one_by_one=not all(tool.spec.parallel for tool in tools.values()))
        specs = [tool.spec for tool in tools.values()]
        grant_rates(self.role, build.stores.transient_table, specs)
        grant_sums(self.role, build.stores.transient_table, specs, adds=True)
        if identity is not None:
            grants.grant_key(self.role, identity, ("kms:GenerateMac",))
            table = build.stores.state_table
            grants.grant_table(self.role, table, ["dynamodb:Query", "dynamodb:GetItem"], keys=[keys.graph_pattern()])
        self._grant_functions(build, functions, groups)

    def _create_data(
        self, build: Build, tools: Mapping[str, AnyTool], groups: ToolGroups, configured: ToolsFile
    ) -> None:
        """Make the role of tools' data, or with groups one for each, since a policy has room for so many tools."""
        reaching = {name: tool for name, tool in tools.items() if list_data(tool, configured)}
        shared: Any = {"build": build, "runner": self.role, "configured": configured}
        if not groups.grouped:
            if reaching:
                data = ToolData(self, "data", tools=reaching, **shared)
                self.function.add_environment("TOOL_DATA_ROLE", data.role.role_arn)
                grants.grant_assume_tagged(self.role, data.role)
            return
        roles: dict[str, str] = {}
        for group, members in sorted(groups.members.items()):
            own = {name: tool for name, tool in members.items() if name in reaching}
            if own:
                data = ToolData(groups.get_nested(group), "data", tools=own, **shared)
                roles[group] = data.role.role_arn
                grants.grant_assume_tagged(self.role, data.role)
        if roles:
            self.function.add_environment("TOOL_DATA_ROLES", json.dumps(roles, separators=(",", ":")))

    def _grant_functions(self, build: Build, functions: Mapping[str, lambda_.Function], groups: ToolGroups) -> None:
        """Let it invoke the version that a run began with; for an undo, the newest."""
        if not groups.grouped:
            # Tools of a remote server share one.
            every = list(dict.fromkeys(one for _, one in sorted(functions.items())))
            grants.grant_invoke(self.role, [one.function_arn for one in every])
            grants.grant_invoke_versions(self.role, every)
            return
        # One by one they are more than a role's policies have room for.
        named = f"{build.stage.prefix}-tool-*"
        stack = Stack.of(self)
        grants.grant_invoke(
            self.role,
            [
                stack.format_arn(
                    service="lambda",
                    resource="function",
                    resource_name=named,
                    arn_format=ArnFormat.COLON_RESOURCE_NAME,
                )
            ],
        )
        acknowledge(
            self.role,
            f"AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:lambda:<AWS::Region>:<AWS::AccountId>:function:{named}]",
            "These are the functions of this stage's tools, which are too many to be named in a role's policies.",
        )

    def _grant_state(self, build: Build, *, one_by_one: bool) -> None:
        """Let it read a call and its run, claim the effect, and store what came of it."""
        stores = build.stores
        actions = ["dynamodb:GetItem", *grants.READ_MANY, *grants.WRITE, *grants.CONDITION]
        grants.grant_table(self.role, stores.state_table, actions, keys=[keys.run_pattern()])
        grant_switches(self.role, stores.transient_table, counts=True, clears=True)
        if one_by_one:
            turns = [keys.call_order_pattern()]
            grants.grant_table(self.role, stores.transient_table, [*grants.APPEND, *grants.DELETE], keys=turns)
        grants.grant_audit(self.role, stores.ledger_table, stores.audit_key, keys.audit_pattern())
        grant_payloads(self.role, stores, sessions=False)
