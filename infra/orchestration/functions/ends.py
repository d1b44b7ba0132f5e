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
from pentad.orchestration.runs.ports import SOURCE


class Ends(Construct):
    """Rules on the ends of runs and of executions.

    Attributes:
        failed: the queue of failed runs.
        rule_arns: ARNs of the rules that fill the lifecycle queue.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        build: Build,
        bus: events.EventBus,
        machines: Sequence[str],
        runs: sqs.Queue,
        dead: sqs.Queue,
    ) -> None:
        """Make the rules.

        Args:
            scope: the parent.
            name: the construct's id.
            build: the surroundings.
            bus: where runs' ends are told.
            machines: the names of the state machines.
            runs: the lifecycle queue of functions.orchestration.trigger.
            dead: its dead-letter queue.
        """
        super().__init__(scope, name)
        self._prefix = build.stage.prefix
        self.failed = self._create_failed_queue(build)
        to_trigger = targets.SqsQueue(runs, dead_letter_queue=dead)
        freed = self._add_finished_rule(
            "handed-over",
            rule="session-free",
            description="Runs that ended while others waited for their session",
            bus=bus,
            detail={"waiting": [True]},
            target=to_trigger,
        )
        self._add_finished_rule(
            "run-failed",
            rule="run-failed",
            description="Failed runs, kept to be started again",
            bus=bus,
            detail={"status": ["failed"]},
            target=targets.SqsQueue(self.failed),
        )
        died = self._add_execution_rule([machine_arn(self, build.stage, machine) for machine in machines], to_trigger)
        self.rule_arns = (freed.rule_arn, died.rule_arn)

    def _create_failed_queue(self, build: Build) -> sqs.Queue:
        failed = storage.create_dlq(self, "failed-runs-dlq", prefix=self._prefix, key=build.stores.data_key)
        acknowledge(
            failed,
            "AwsSolutions-SQS3",
            "It is itself the dead-letter queue of runs: a rule puts failed runs there, and no queue names it.",
        )
        return failed

    def _add_finished_rule(
        self,
        name: str,
        *,
        rule: str,
        description: str,
        bus: events.EventBus,
        detail: dict[str, list[bool | str]],
        target: targets.SqsQueue,
    ) -> events.Rule:
        """Send runs that ended with certain fields of their event to a queue."""
        return events.Rule(
            self,
            name,
            rule_name=f"{self._prefix}-{rule}",
            description=description,
            event_bus=bus,
            event_pattern=events.EventPattern(source=[SOURCE], detail_type=[FINISHED], detail=detail),
            targets=[target],
        )

    def _add_execution_rule(self, machines: Sequence[str], target: targets.SqsQueue) -> events.Rule:
        """Send executions to a queue that ended without ending their run."""
        return events.Rule(
            self,
            "execution-ended",
            rule_name=f"{self._prefix}-execution-ended",
            description="Executions that timed out, were stopped, or failed before they could end their run",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={"status": ["FAILED", "TIMED_OUT", "ABORTED"], "stateMachineArn": list(machines)},
            ),
            targets=[target],
        )
