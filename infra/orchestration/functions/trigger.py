"""The function that starts runs and follows their ends, from two queues: functions.orchestration.trigger."""

from collections.abc import Sequence

from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.components import grants
from infra.components.build import Build, FunctionConstruct
from infra.components.function import FunctionOptions
from infra.components.stage_bus import StageBus
from infra.components.work_queue import WorkQueue
from infra.orchestration.grants import grant_describe, grant_start
from infra.orchestration.names import machine_arn
from pentad.domain import keys
from pentad.orchestration.lifecycle.queue_messages import REQUESTED

_SECONDS = 30


class Trigger(FunctionConstruct):
    """Runs started by signed requests, and what the stack tells itself of runs: each has a queue of its own.

    Attributes:
        work: the queue of requests, from whoever may send to it; what they may ask for is in their signature.
        lifecycle: the queue of what the stack's own rules and schedules say, and nobody else: see `seal`.
    """

    def __init__(self, scope: Construct, name: str, *, build: Build, bus: StageBus, machines: Sequence[str]) -> None:
        options = FunctionOptions(
            name="trigger",
            module="functions.orchestration.trigger",
            environment=build.state_environment
            | {
                "STATE_MACHINE_ARN_PREFIX": machine_arn(scope, build.stage, ""),
                "EVENT_BUS": bus.event_bus_name,
                "LEDGER_TABLE": build.stores.ledger_table.table_name,
            },
            timeout_seconds=_SECONDS,
            description="Starts runs from their queue, the event bus and schedules, and follows their ends",
        )
        super().__init__(scope, name, build=build, options=options)
        self.work = WorkQueue(self, "runs", build=build, timeout_seconds=_SECONDS, receives=10)
        self.work.add_rule(
            "requested",
            rule="run-requested",
            description="Events that ask for a run",
            pattern=events.EventPattern(detail_type=[REQUESTED]),
            bus=bus,
        )
        self.work.connect_to(self.function, batch_size=10, concurrency=build.stage.trigger_concurrency)
        self.lifecycle = WorkQueue(self, "lifecycle", build=build, timeout_seconds=_SECONDS, receives=10)
        self.lifecycle.connect_to(self.function, batch_size=10, concurrency=build.stage.trigger_concurrency)
        self.function.add_environment("LIFECYCLE_QUEUE", self.lifecycle.queue.queue_arn)
        # Whose request a message is: its signature is made with a key of the tenant's.
        key_pattern = keys.collection_pattern("KEYS")
        grants.grant_table(self.role, build.stores.state_table, ["dynamodb:GetItem"], keys=[key_pattern])
        rates = [keys.collection_pattern("RATES")]
        grants.grant_table(self.role, build.stores.transient_table, ["dynamodb:UpdateItem"], keys=rates)
        grant_start(self.role, build, [machine_arn(self, build.stage, machine) for machine in machines])
        # A start that finds its session's lease held by a dead execution ends that run; one that interrupts stops it.
        grant_describe(self.role, build, machines, ("states:DescribeExecution", "states:StopExecution"))
        # What a run has cost whose execution ended before it could say so.
        grants.grant_table(self.role, build.stores.ledger_table, ["dynamodb:Query"], keys=[keys.run_pattern()])
        bus.grant_sending(self.role)

    def seal(self, *, rules: Sequence[str], roles: Sequence[str]) -> None:
        """Let nobody but these put messages into the lifecycle queue, whatever the rights of others say.

        Args:
            rules: ARNs of the rules of EventBridge.
            roles: ARNs of the roles.
        """
        others: dict[str, dict[str, list[str]]] = {"ArnNotEquals": {"aws:SourceArn": list(rules)}}
        if roles:
            # Keys of one condition are all needed: who is neither a rule nor a role is refused.
            others["ArnNotEquals"]["aws:PrincipalArn"] = list(roles)
        self.lifecycle.queue.add_to_resource_policy(
            iam.PolicyStatement(
                sid="OnlyTheStack",
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=["sqs:SendMessage"],
                resources=[self.lifecycle.queue.queue_arn],
                conditions=others,
            )
        )
