"""A Lambda function as this project wants every one: Python 3.13 on arm64, its own role, log group and asset."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import ArnFormat, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.components.reasons import acknowledge
from infra.config import Stage


@dataclass(frozen=True, kw_only=True)
class FunctionOptions:
    """What one function differs in from the others.

    Attributes:
        name: of the function, behind the stage's prefix.
        module: dotted name of the module that its asset holds.
        handler: dotted name of the handler; ``{module}.handler`` where None.
        environment: what the function's settings model names, less what every function has.
        timeout_seconds: Lambda's time limit.
        memory_mb: Lambda's memory.
        concurrency: reserved concurrency; None for none.
        snap_start: restore published versions from a snapshot taken after initialisation.
        sends_again: it puts messages back into the queue that invokes it. Lambda takes that for a loop by mistake and
            drops the message after 16 rounds ("Use Lambda recursive loop detection", Lambda developer guide) unless it
            is told; how often a message goes back is bounded by the function's own code then.
        asset: what it holds instead, where that is more than the module.
        layers: beyond those of every function.
        layer_folders: what those are made of.
        description: for the console.
    """

    name: str
    module: str
    handler: str | None = None
    environment: Mapping[str, str]
    timeout_seconds: int
    memory_mb: int = 512
    concurrency: int | None = None
    snap_start: bool = False
    sends_again: bool = False
    asset: Path | None = None
    layers: Sequence[lambda_.ILayerVersion] = ()
    layer_folders: Sequence[Path] = ()
    description: str


class PythonFunction(Construct):
    """One function with its role and log group.

    Attributes:
        function: the function.
        log_group: where its lines go.
        role: its role; grants are given to it, one line each, where the function is composed.
    """

    def __init__(
        self,
        scope: Construct,
        options: FunctionOptions,
        *,
        stage: Stage,
        asset: Path,
        layers: Sequence[lambda_.ILayerVersion],
    ) -> None:
        """Make the function.

        Args:
            scope: the parent.
            options: what it differs in from the others.
            stage: the stage.
            asset: the folder with its code.
            layers: all of its Lambda layers.
        """
        super().__init__(scope, options.name)
        self._full_name = f"{stage.prefix}-{options.name}"
        self.log_group = self._create_log_group(stage)
        self.role = iam.Role(
            self,
            "role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"Role of the function {self._full_name}",
        )
        self._grant_telemetry()
        self.function = self._create_function(options, stage, asset, layers)
        acknowledge(
            self.function,
            "AwsSolutions-L1",
            "Python 3.13 is the runtime that the locked packages, the bytecode and the tests are built for.",
        )

    def _create_log_group(self, stage: Stage) -> logs.LogGroup:
        return logs.LogGroup(
            self,
            "logs",
            log_group_name=f"/aws/lambda/{self._full_name}",
            retention=stage.log_retention,
            removal_policy=RemovalPolicy.DESTROY,
        )

    def _create_function(
        self, options: FunctionOptions, stage: Stage, asset: Path, layers: Sequence[lambda_.ILayerVersion]
    ) -> lambda_.Function:
        return lambda_.Function(
            self,
            "function",
            function_name=self._full_name,
            description=options.description,
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            code=lambda_.Code.from_asset(str(asset)),
            handler=options.handler or f"{options.module}.handler",
            layers=list(layers),
            role=self.role,
            log_group=self.log_group,
            tracing=lambda_.Tracing.ACTIVE,
            timeout=Duration.seconds(options.timeout_seconds),
            memory_size=options.memory_mb,
            reserved_concurrent_executions=options.concurrency,
            snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS if options.snap_start else None,
            recursive_loop=lambda_.RecursiveLoop.ALLOW if options.sends_again else None,
            # Executions in flight go on calling the version that their definition names. A version that a roll back
            # makes unused goes: Lambda publishes none for code that has one, so the same commit could not come again.
            current_version_options=lambda_.VersionOptions(removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE),
            environment={
                "PENTAD_STAGE": stage.name,
                "PENTAD_PREFIX": stage.prefix,
                "POWERTOOLS_SERVICE_NAME": options.name,
                "POWERTOOLS_METRICS_NAMESPACE": "Pentad",
                **options.environment,
            },
        )

    def _grant_telemetry(self) -> None:
        streams = Stack.of(self).format_arn(
            service="logs",
            resource="log-group",
            resource_name=f"/aws/lambda/{self._full_name}:*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        self.role.add_to_policy(
            iam.PolicyStatement(actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[streams])
        )
        acknowledge(
            self.role,
            "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:"
            f"log-group:/aws/lambda/{self._full_name}:*]",
            "Lambda makes the names of the streams; all of them are in the function's own log group.",
        )
        acknowledge(
            self.role,
            "AwsSolutions-IAM5[Resource::*]",
            "X-Ray's PutTraceSegments and PutTelemetryRecords take no resource: IAM allows them on * only.",
        )
