"""Export of spans: subscription filters of the functions' logs -> functions.observability.export -> targets by OTLP.

Nothing of it is there in a stage that names no target.
"""

import json
from collections.abc import Sequence

from aws_cdk import ArnFormat, CfnOutput, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.components import grants
from infra.components.build import Build
from infra.components.function import FunctionOptions, PythonFunction
from infra.components.operator_secret import create_operator_secret
from infra.components.reasons import acknowledge
from infra.components.work_queue import WorkQueue
from infra.observability.contents import build_contents_environment, grant_contents
from pentad.domain import keys
from pentad.observability.export.log_batch import FILTER_PATTERN

NAME = "export"
_SECONDS = 60
_RECEIVES = 30
"""With waits that double up to five minutes, a target may be down for two hours before its shares are dead letters."""
_PAGE = "docs/traces.md"


class Export(Construct):
    """The exporter, its queue and its secret, and the filters of all functions' log groups.

    Attributes:
        work: the queue of the targets' shares; its dead-letter queue holds those that a target did not take.
        secret: ``{TARGET: {api_key, ...}}``, filled by the operator.
    """

    def __init__(self, scope: Construct, name: str, *, build: Build) -> None:
        """Make them; call it when all other functions are made.

        Args:
            scope: the parent: what is below it is subscribed to.
            name: the construct's id.
            build: the surroundings; its stage has one target at least.
        """
        super().__init__(scope, name)
        self._build = build
        self.work = WorkQueue(self, "spans", build=build, timeout_seconds=_SECONDS, receives=_RECEIVES)
        self.secret = self._create_secret()
        # Without the exporter itself: its own lines would come back to it without end.
        others = [one for one in scope.node.find_all() if isinstance(one, PythonFunction)]
        made = self._create_function()
        self._subscribe(others, made.function, self._allow_logs(made.function))
        says = f"A tracing product did not take spans: they are in {build.stage.prefix}-spans-dlq"
        self.work.create_alarm("undelivered", alarm="spans-undelivered", says=says, page=_PAGE)
        CfnOutput(self, "traces-secret", value=self.secret.secret_name).override_logical_id("TracesSecret")
        CfnOutput(self, "traces-dlq", value=self.work.dead.queue_url).override_logical_id("TracesDlq")

    def _create_secret(self) -> secretsmanager.Secret:
        return create_operator_secret(
            self,
            "secret",
            build=self._build,
            name="traces",
            description='Keys of tracing products by target: JSON {"TARGET": {"api_key": "..."}}',
            why_fixed="AWS cannot rotate a tracing product's key: the product issues it. "
            f"{_PAGE} says how to change it.",
        )

    def _create_function(self) -> PythonFunction:
        build = self._build
        targets = [one.model_dump(exclude_defaults=True) for one in build.stage.trace_targets]
        wanted = build.stage.contents if any(one.contents for one in build.stage.trace_targets) else None
        annotated = any(one.feedback for one in build.stage.trace_targets)
        options = FunctionOptions(
            name=NAME,
            module="functions.observability.export",
            environment={
                "TRACE_TARGETS": json.dumps(targets, sort_keys=True, separators=(",", ":")),
                "TRACES_SECRET": self.secret.secret_arn,
                "EXPORT_QUEUE": self.work.queue.queue_url,
            }
            | (build.state_environment if annotated or wanted is not None else {})
            | ({} if wanted is None else build_contents_environment(wanted)),
            timeout_seconds=_SECONDS,
            sends_again=True,
            description="Sends spans to tracing products",
        )
        made = build.create_function(self, options)
        # A batch of log lines that could not be shared out after Lambda's own retries is kept too.
        self.work.keep_failed_events(made.function, retries=2)
        self.work.connect_to(made.function, batch_size=5, concurrency=2)
        self.work.grant_send_again(made.function)
        grants.grant_secret(made.role, self.secret)
        if annotated:
            # What users say of an answer now: feedback stands beside its run.
            grants.grant_table(made.role, build.stores.state_table, ["dynamodb:GetItem"], keys=[keys.run_pattern()])
        if wanted is not None:
            grant_contents(made.role, build, wanted)
        if any(one.kind == "xray" for one in build.stage.trace_targets):
            made.role.add_to_policy(iam.PolicyStatement(actions=["xray:PutSpans"], resources=["*"]))
            reason = "X-Ray's PutSpans takes no resource: IAM allows it on * only."
            acknowledge(made.role, "AwsSolutions-IAM5[Resource::*]", reason)
        return made

    def _allow_logs(self, function: lambda_.Function) -> lambda_.CfnPermission:
        """Let CloudWatch Logs invoke the exporter for the log groups of this stage's functions."""
        stack = Stack.of(self)
        source = stack.format_arn(
            service="logs",
            resource="log-group",
            resource_name=f"/aws/lambda/{self._build.stage.prefix}-*:*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        return lambda_.CfnPermission(
            self,
            "logs-may-invoke",
            action="lambda:InvokeFunction",
            function_name=function.function_arn,
            principal="logs.amazonaws.com",
            source_arn=source,
            source_account=stack.account,
        )

    def _subscribe(
        self, functions: Sequence[PythonFunction], exporter: lambda_.Function, allowed: lambda_.CfnPermission
    ) -> None:
        for one in functions:
            made = logs.CfnSubscriptionFilter(
                one,
                "spans",
                log_group_name=one.log_group.log_group_name,
                filter_name="spans",
                filter_pattern=FILTER_PATTERN,
                destination_arn=exporter.function_arn,
            )
            # CloudWatch Logs sends a message on trial when the filter is made.
            made.node.add_dependency(allowed)
