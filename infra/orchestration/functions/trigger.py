"""The functions around the state machines: trigger (EventBridge and SQS), deliver."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda_event_sources as sources
from constructs import Construct

from infra.components import storage
from infra.components.build import Build
from infra.orchestration.grants import grant_describe, grant_start
from infra.orchestration.names import machine_arn

_TRIGGER_SECONDS = 30


class Trigger(Construct):
    """Runs started by a message in a queue, or by an event on the bus through the same queue."""

    def __init__(
        self, scope: Construct, name: str, *, build: Build, bus: events.EventBus, agents: Sequence[str]
    ) -> None:
        super().__init__(scope, name)
        stores, stage = build.stores, build.stage
        self.queue, self.dead = storage.create_queue_with_dlq(
            self, "runs", prefix=stage.prefix, key=stores.data_key, visibility_seconds=6 * _TRIGGER_SECONDS, receives=10
        )
        events.Rule(
            self,
            "requested",
            rule_name=f"{stage.prefix}-run-requested",
            description="Events that ask for a run",
            event_bus=bus,
            event_pattern=events.EventPattern(detail_type=["pentad.run.requested"]),
            targets=[targets.SqsQueue(self.queue, dead_letter_queue=self.dead)],
        )
        made = build.create_function(
            self,
            "trigger",
            module="functions.orchestration.trigger",
            environment=build.state_environment
            | {"STATE_MACHINE_ARN_PREFIX": machine_arn(self, stage, ""), "EVENT_BUS": bus.event_bus_name},
            timeout_seconds=_TRIGGER_SECONDS,
            description="Starts runs from the queue and the event bus",
        )
        self.function = made.function
        self.function.add_event_source(
            sources.SqsEventSource(
                self.queue,
                batch_size=10,
                max_batching_window=Duration.seconds(0),
                max_concurrency=stage.trigger_concurrency,
                report_batch_item_failures=True,
            )
        )
        grant_start(made.role, build, [machine_arn(self, stage, agent) for agent in agents])
        # A start that finds its session's lease held by a dead execution ends that run; one that interrupts stops it.
        grant_describe(made.role, build, agents, ("states:DescribeExecution", "states:StopExecution"))
        made.role.add_to_policy(iam.PolicyStatement(actions=["events:PutEvents"], resources=[bus.event_bus_arn]))
