"""The functions around the state machines: trigger (EventBridge and SQS), deliver."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda_event_sources as sources
from constructs import Construct

from infra.components import grants, storage
from infra.components.build import Build
from infra.components.reasons import acknowledge
from infra.orchestration.names import execution_arns, machine_arn, machine_name_of, start_statement
from infra.orchestration.switches import grant_switches

_TRIGGER_SECONDS = 30


class Trigger(Construct):
    """Runs started by a message in a queue, or by an event on the bus through the same queue."""

    def __init__(
        self, scope: Construct, name: str, *, build: Build, bus: events.EventBus, agents: Sequence[str]
    ) -> None:
        super().__init__(scope, name)
        state, stage = build.state, build.stage
        self.queue, self.dead = storage.queue_with_dlq(
            self, "runs", prefix=stage.prefix, key=state.data_key, visibility_seconds=6 * _TRIGGER_SECONDS, receives=10
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
        made = build.function(
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


class Deliver(Construct):
    """The function functions.orchestration.deliver."""

    def __init__(self, scope: Construct, name: str, *, build: Build, bus: events.EventBus) -> None:
        super().__init__(scope, name)
        state = build.state
        made = build.function(
            self,
            "deliver",
            module="functions.orchestration.deliver",
            environment=build.state_environment | {"EVENT_BUS": bus.event_bus_name},
            timeout_seconds=30,
            description="Ends a run: answer, citations, lease, event",
        )
        self.function = made.function
        grants.table(made.role, state.state_table, [*grants.READ, *grants.WRITE], keys=["T#*#S#*", "T#*#R#*"])
        grants.table(made.role, state.transient_table, ["dynamodb:UpdateItem", *grants.DELETE], keys=["T#*#S#*"])
        grant_switches(made.role, state, counts=True)
        grants.objects(made.role, state.payload_bucket, ["s3:GetObject", "s3:PutObject"])
        made.role.add_to_policy(iam.PolicyStatement(actions=["events:PutEvents"], resources=[bus.event_bus_arn]))


def grant_start(role: iam.Role, build: Build, machines: Sequence[str]) -> None:
    """Let a role start runs: the transaction in the tables, then the execution.

    Args:
        role: who.
        build: the surroundings.
        machines: ARNs of the agents' state machines.
    """
    state = build.state
    grants.table(role, state.state_table, [*grants.READ, *grants.WRITE, *grants.CONDITION], keys=["T#*#S#*", "T#*#R#*"])
    grant_switches(role, state)
    grants.table(role, state.transient_table, ["dynamodb:GetItem", *grants.WRITE, *grants.DELETE], keys=["T#*#S#*"])
    grants.objects(role, state.payload_bucket, ["s3:GetObject", "s3:PutObject"])
    role.add_to_policy(start_statement(machines))


def grant_describe(
    role: iam.Role, build: Build, agents: Sequence[str], actions: Sequence[str] = ("states:DescribeExecution",)
) -> None:
    """Let a role look at the executions of agents."""
    executions = [execution_arns(role, build.stage, agent) for agent in agents]
    role.add_to_policy(iam.PolicyStatement(actions=list(actions), resources=executions))
    for agent in agents:
        acknowledge(
            role,
            "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:"
            f"execution:{machine_name_of(build.stage, agent)}:*]",
            "Executions of one agent: their names are the runs' ids.",
        )
