"""A state machine with all that agents' and workflows' have alike: role, log, traces, versions, alias, alarm."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.components import grants
from infra.components.reasons import acknowledge
from infra.config import Stage
from infra.orchestration.machines.live import LiveAlias
from infra.orchestration.names import machine_name_of


@dataclass(frozen=True, kw_only=True)
class Called:
    """What the definition of a state machine names.

    Attributes:
        functions: what the machine may invoke, by the part they play in the definition.
        tools: by their names; the machine tells the tool runner which version of them to call.
    """

    functions: Mapping[str, lambda_.Function]
    tools: Mapping[str, lambda_.Function]

    @property
    def every(self) -> list[lambda_.Function]:
        """All that the machine invokes itself."""
        return [*self.functions.values()]

    def leave_out(self, name: str) -> "Called":
        """Return the same without one function."""
        return replace(self, functions={key: one for key, one in self.functions.items() if key != name})

    @property
    def function_versions(self) -> dict[str, str]:
        """ARNs of the functions' published versions: a run in flight keeps its code and its prompts."""
        return {name: one.current_version.function_arn for name, one in self.functions.items()}

    @property
    def tool_versions(self) -> dict[str, str]:
        """ARNs of the tools' published versions."""
        return {name: one.current_version.function_arn for name, one in self.tools.items()}


class Machine(Construct):
    """The role of a state machine; a subclass grants what it needs, and then calls `publish`.

    Attributes:
        role: what the machine acts as.
        machine: the state machine.
        live: its newest version and the alias that runs are started at.
    """

    role: iam.Role
    machine: sfn.StateMachine
    live: LiveAlias

    def __init__(self, scope: Construct, name: str, *, stage: Stage, title: str, called: Called) -> None:
        """Make the role, which may invoke what the machine calls.

        Args:
            scope: the parent.
            name: the construct's id.
            stage: the stage.
            title: the machine's name without the stage's prefix.
            called: what the definition names.
        """
        super().__init__(scope, name)
        self._stage = stage
        self._label = machine_name_of(stage, title)
        self.role = iam.Role(
            self,
            "role",
            assumed_by=iam.ServicePrincipal("states.amazonaws.com"),
            description=f"Role of the state machine {self._label}",
        )
        grants.grant_invoke_versions(self.role, called.every)

    def publish(
        self,
        body: sfn.DefinitionBody,
        *,
        kind: sfn.StateMachineType | None = None,
        language: sfn.QueryLanguage | None = None,
        comment: str | None = None,
    ) -> None:
        """Make the machine, its log and its alias.

        Args:
            body: the definition.
            kind: Standard where it is not given.
            language: of a definition that CDK writes.
            comment: of a definition that CDK writes.
        """
        self.machine = sfn.StateMachine(
            self,
            "machine",
            state_machine_name=self._label,
            state_machine_type=kind,
            definition_body=body,
            query_language=language,
            comment=comment,
            role=self.role,
            # Payloads are references and small fields, but a state that waits for a human hands its task token over: a
            # credential, so the log of a machine that may wait has its events without their data. Those of an Express
            # machine, which waits for nobody and has no history, are logged whole.
            logs=sfn.LogOptions(
                destination=self._create_log_group(),
                level=sfn.LogLevel.ALL,
                include_execution_data=kind is sfn.StateMachineType.EXPRESS,
            ),
            tracing_enabled=True,
        )
        self.live = LiveAlias(self, "live", stage=self._stage, machine=self.machine, label=self._label)
        acknowledge(
            self.role,
            "AwsSolutions-IAM5[Resource::*]",
            "Step Functions' log delivery and X-Ray actions take no resource: IAM allows them on * only.",
        )

    def _create_log_group(self) -> logs.LogGroup:
        return logs.LogGroup(
            self,
            "logs",
            # CloudWatch's resource policy has a size limit; names below /aws/vendedlogs/ are covered by one statement.
            log_group_name=f"/aws/vendedlogs/states/{self._label}",
            retention=self._stage.log_retention,
            removal_policy=RemovalPolicy.DESTROY,
        )
