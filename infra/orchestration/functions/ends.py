"""What follows from a run's end: the next of its session, the list of failed runs; and ends that AWS itself made."""

from collections.abc import Sequence

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.components import storage
from infra.components.build import Build
from infra.components.reasons import acknowledge
from infra.orchestration.names import machine_arn
from pentad.orchestration.lifecycle.announce_end import FINISHED


class Ends(Construct):
    """Rules on the ends of runs and of executions.

    Args:
        scope: the parent.
        name: the construct's id.
        build: the surroundings.
        bus: where runs' ends are told.
        agents: agents and workflows.
        runs: the queue of functions.orchestration.trigger.
        dead: its dead-letter queue.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        build: Build,
        bus: events.EventBus,
        agents: Sequence[str],
        runs: sqs.Queue,
        dead: sqs.Queue,
    ) -> None:
        super().__init__(scope, name)
        prefix = build.stage.prefix
        self.failed = storage.create_dlq(self, "failed-runs-dlq", prefix=prefix, key=build.stores.data_key)
        acknowledge(
            self.failed,
            "AwsSolutions-SQS3",
            "It is the dead-letter queue of runs: a rule puts failed ones there, so no queue names it as its own.",
        )
        events.Rule(
            self,
            "handed-over",
            rule_name=f"{prefix}-session-free",
            description="Runs that ended while others waited for their session",
            event_bus=bus,
            event_pattern=events.EventPattern(detail_type=[FINISHED], detail={"waiting": [True]}),
            targets=[targets.SqsQueue(runs, dead_letter_queue=dead)],
        )
        events.Rule(
            self,
            "run-failed",
            rule_name=f"{prefix}-run-failed",
            description="Failed runs, kept to be started again",
            event_bus=bus,
            event_pattern=events.EventPattern(detail_type=[FINISHED], detail={"status": ["failed"]}),
            targets=[targets.SqsQueue(self.failed)],
        )
        events.Rule(
            self,
            "execution-ended",
            rule_name=f"{prefix}-execution-ended",
            description="Executions that timed out, were stopped, or failed before they could end their run",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "status": ["FAILED", "TIMED_OUT", "ABORTED"],
                    "stateMachineArn": [machine_arn(self, build.stage, agent) for agent in agents],
                },
            ),
            targets=[targets.SqsQueue(runs, dead_letter_queue=dead)],
        )
