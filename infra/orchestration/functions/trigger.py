"""The function that starts runs, from a queue: functions.orchestration.trigger."""

from collections.abc import Sequence

from aws_cdk import aws_events as events
from constructs import Construct

from infra.components.build import Build, FunctionConstruct
from infra.components.function import FunctionOptions
from infra.components.run_grants import grant_events
from infra.components.work_queue import WorkQueue
from infra.orchestration.grants import grant_describe, grant_start
from infra.orchestration.names import machine_arn

_SECONDS = 30


class Trigger(FunctionConstruct):
    """Runs started by a message in a queue, or by an event on the bus through the same queue.

    Attributes:
        work: the queue of runs to start.
    """

    def __init__(
        self, scope: Construct, name: str, *, build: Build, bus: events.EventBus, agents: Sequence[str]
    ) -> None:
        options = FunctionOptions(
            name="trigger",
            module="functions.orchestration.trigger",
            environment=build.state_environment
            | {"STATE_MACHINE_ARN_PREFIX": machine_arn(scope, build.stage, ""), "EVENT_BUS": bus.event_bus_name},
            timeout_seconds=_SECONDS,
            description="Starts runs from the queue and the event bus",
        )
        super().__init__(scope, name, build=build, options=options)
        self.work = WorkQueue(self, "runs", build=build, timeout_seconds=_SECONDS, receives=10)
        self.work.add_rule(
            "requested",
            rule="run-requested",
            description="Events that ask for a run",
            pattern=events.EventPattern(detail_type=["pentad.run.requested"]),
            bus=bus,
        )
        self.work.connect_to(self.function, batch_size=10, concurrency=build.stage.trigger_concurrency)
        grant_start(self.role, build, [machine_arn(self, build.stage, agent) for agent in agents])
        # A start that finds its session's lease held by a dead execution ends that run; one that interrupts stops it.
        grant_describe(self.role, build, agents, ("states:DescribeExecution", "states:StopExecution"))
        grant_events(self.role, bus)
