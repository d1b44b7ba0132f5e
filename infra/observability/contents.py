"""The log of contents: a run's end -> queue -> functions.observability.contents -> a log group under a key of its own.

Nothing of it is there in a stage that does not ask for it.
"""

import json

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.components import grants
from infra.components.build import Build, FunctionConstruct
from infra.components.function import FunctionOptions
from infra.components.reasons import acknowledge
from infra.components.work_queue import WorkQueue
from infra.contents import RETENTIONS, ContentsLog, format_group_arn, name_finding, name_group
from pentad.domain import keys
from pentad.orchestration.lifecycle.announce_end import FINISHED
from pentad.orchestration.runs.ports import SOURCE

NAME = "contents"
RESOURCES = 18
"""How many it has in the stack, rather a few too many."""
_SECONDS = 60
_RECEIVES = 5
_PAGE = "docs/logs.md"


class Contents(FunctionConstruct):
    """The function that writes contents, its queue, the log group, its key, and the policy of who may read it.

    Attributes:
        work: the queue of runs that have ended.
        group: the log group.
        reader: the only policy of the stack that allows to read it; attach it to whom may.
    """

    def __init__(
        self, scope: Construct, name: str, *, build: Build, bus: events.IEventBus, wanted: ContentsLog
    ) -> None:
        self._group_name = name_group(build.stage.prefix)
        super().__init__(scope, name, build=build, options=_build_options(build, self._group_name, wanted))
        self._stage = build.stage
        self.work = WorkQueue(self, NAME, build=build, timeout_seconds=_SECONDS, receives=_RECEIVES)
        self.work.add_rule(
            "ended",
            rule=NAME,
            description="Runs that have ended, for the log of contents",
            pattern=events.EventPattern(source=[SOURCE], detail_type=[FINISHED]),
            bus=bus,
        )
        self.work.connect_to(self.function, batch_size=5, concurrency=2)
        says = f"What was said in runs is not in its log: {build.stage.prefix}-contents-dlq"
        self.work.create_alarm("unwritten", alarm="contents-unwritten", says=says, page=_PAGE)
        self._key = self._create_key()
        self.group = logs.LogGroup(
            self,
            "group",
            log_group_name=self._group_name,
            encryption_key=self._key,
            retention=RETENTIONS[wanted.days],
            removal_policy=build.stage.removal,
        )
        self.reader = self._create_reader()
        self._grant(build, wanted)
        CfnOutput(self, "contents-group", value=self._group_name).override_logical_id("ContentsGroup")
        CfnOutput(self, "contents-reader", value=self.reader.managed_policy_arn).override_logical_id("ContentsReader")

    def _format_arn(self, suffix: str) -> str:
        return format_group_arn(self, self._stage.prefix, suffix)

    def _create_key(self) -> kms.Key:
        """Return a key that CloudWatch Logs may use for this log group alone."""
        stack = Stack.of(self)
        key = kms.Key(
            self,
            "key",
            alias=f"alias/{self._stage.prefix}-contents",
            description="What was said in runs",
            enable_key_rotation=True,
            removal_policy=self._stage.removal,
        )
        key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal(f"logs.{stack.region}.amazonaws.com")],
                actions=["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
                resources=["*"],
                conditions={"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": self._format_arn("")}},
            )
        )
        return key

    def _create_reader(self) -> iam.ManagedPolicy:
        reader = iam.ManagedPolicy(
            self,
            "reader",
            managed_policy_name=f"{self._stage.prefix}-contents-reader",
            description="Read what was said in runs",
            statements=[
                iam.PolicyStatement(
                    actions=["logs:FilterLogEvents", "logs:GetLogEvents", "logs:StartQuery"],
                    resources=[self._format_arn(""), self._format_arn(":*")],
                ),
                # They name a query and no log group ("Actions, resources, and condition keys for Amazon CloudWatch
                # Logs"). Whose query it is cannot be said, but its id is nowhere to be read with this policy.
                iam.PolicyStatement(actions=["logs:GetQueryResults", "logs:StopQuery"], resources=["*"]),
            ],
        )
        acknowledge(
            reader,
            name_finding(self._stage.prefix, ":*"),
            "Whoever may read contents may read those of all runs; the streams are made by the runs.",
        )
        acknowledge(
            reader,
            "AwsSolutions-IAM5[Resource::*]",
            "GetQueryResults and StopQuery take no resource; only who has started a query knows its id.",
        )
        return reader

    def _grant(self, build: Build, wanted: ContentsLog) -> None:
        grant_contents(self.role, build, wanted)
        # It reads what it has written, so that it writes nothing twice, and takes back what an erasure overtook.
        streams = self._format_arn(":log-stream:*")
        actions = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:GetLogEvents", "logs:DeleteLogStream"]
        self.role.add_to_policy(iam.PolicyStatement(actions=actions, resources=[streams]))
        acknowledge(
            self.role,
            name_finding(build.stage.prefix, ":log-stream:*"),
            "A run has a stream of its own; all of them are in the log group of contents.",
        )


def grant_contents(role: iam.Role, build: Build, wanted: ContentsLog) -> None:
    """Let a role read what was said in runs, and have names found in it where that is wanted."""
    stores = build.stores
    grants.grant_table(role, stores.state_table, grants.READ, keys=[keys.run_pattern(), keys.session_pattern()])
    # Messages too large for an item.
    grants.grant_objects(role, stores.payload_bucket, ["s3:GetObject"])
    if wanted.names == "comprehend":
        # DetectPiiEntities takes no resource: the function's tracing has the same wildcard, acknowledged there.
        role.add_to_policy(iam.PolicyStatement(actions=["comprehend:DetectPiiEntities"], resources=["*"]))


def build_contents_environment(wanted: ContentsLog) -> dict[str, str]:
    """Return the variables that say whose runs' contents are wanted, and who finds names in them."""
    return {"CONTENTS_AGENTS": json.dumps(list(wanted.agents)), "CONTENTS_NAMES": wanted.names or ""}


def _build_options(build: Build, group: str, wanted: ContentsLog) -> FunctionOptions:
    return FunctionOptions(
        name=NAME,
        module="functions.observability.contents",
        environment=build.state_environment | {"CONTENTS_GROUP": group} | build_contents_environment(wanted),
        timeout_seconds=_SECONDS,
        description="Writes what was said in runs into a log of its own",
    )
