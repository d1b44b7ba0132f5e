"""A Lambda function as this project wants every one: Python 3.13 on arm64, its own role, log group and asset."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from aws_cdk import ArnFormat, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.components.reasons import acknowledge
from infra.config import Stage


class PythonFunction(Construct):
    """One function with its role and log group.

    Attributes:
        function: the function.
        role: its role; grants are given to it, one line each, where the function is composed.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        stage: Stage,
        asset: Path,
        handler: str,
        layers: Sequence[lambda_.ILayerVersion],
        environment: Mapping[str, str],
        timeout_seconds: int,
        memory_mb: int,
        concurrency: int | None = None,
        snap_start: bool = False,
        description: str,
    ) -> None:
        super().__init__(scope, name)
        full_name = f"{stage.prefix}-{name}"
        self.log_group = logs.LogGroup(
            self,
            "logs",
            log_group_name=f"/aws/lambda/{full_name}",
            retention=stage.log_retention,
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.role = iam.Role(
            self,
            "role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"Role of the function {full_name}",
        )
        self._grant_telemetry(full_name)
        self.function = lambda_.Function(
            self,
            "function",
            function_name=full_name,
            description=description,
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            code=lambda_.Code.from_asset(str(asset)),
            handler=handler,
            layers=list(layers),
            role=self.role,
            log_group=self.log_group,
            tracing=lambda_.Tracing.ACTIVE,
            timeout=Duration.seconds(timeout_seconds),
            memory_size=memory_mb,
            reserved_concurrent_executions=concurrency,
            snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS if snap_start else None,
            # Executions in flight go on calling the version that their definition names.
            current_version_options=lambda_.VersionOptions(removal_policy=RemovalPolicy.RETAIN),
            environment={
                "PENTAD_STAGE": stage.name,
                "PENTAD_PREFIX": stage.prefix,
                "POWERTOOLS_SERVICE_NAME": name,
                "POWERTOOLS_METRICS_NAMESPACE": "Pentad",
                **environment,
            },
        )

        acknowledge(
            self.function,
            "AwsSolutions-L1",
            "Python 3.13 is the runtime that the locked packages, the bytecode and the tests are built for.",
        )

    def _grant_telemetry(self, full_name: str) -> None:
        stack = Stack.of(self)
        streams = stack.format_arn(
            service="logs",
            resource="log-group",
            resource_name=f"/aws/lambda/{full_name}:*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        self.role.add_to_policy(
            iam.PolicyStatement(actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[streams])
        )
        acknowledge(
            self.role,
            "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:"
            f"log-group:/aws/lambda/{full_name}:*]",
            "The streams of the function's own log group, whose names Lambda makes.",
        )
        acknowledge(
            self.role,
            "AwsSolutions-IAM5[Resource::*]",
            "X-Ray's PutTraceSegments and PutTelemetryRecords take no resource: IAM allows them on * only.",
        )
