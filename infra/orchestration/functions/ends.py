"""What follows from a run's end: the next of its session, the list of failed runs; and ends that AWS itself made."""

from collections.abc import Mapping, Sequence

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.components import storage
from infra.components.build import Build
from infra.components.reasons import acknowledge
from infra.orchestration.names import machine_arn, machine_name_of
from pentad.orchestration.lifecycle.announce_end import FINISHED
from pentad.orchestration.runs.ports import SOURCE

MOST_CHARACTERS = 2048
"""Of a rule's pattern, where nobody asked for more. Source: "Amazon EventBridge quotas" of its user guide."""
_OF_THE_PATTERN = 200
"""What stands beside the ARNs: source, kind and status."""
_OF_AN_ARN = 75
"""Before a state machine's name, in the longest partition and region, with quotes and a comma."""


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
        names = {machine: machine_name_of(build.stage, machine) for machine in machines}
        died = [
            self._add_execution_rule(number, [machine_arn(self, build.stage, machine) for machine in part], to_trigger)
            for number, part in enumerate(split_machines(names), 1)
        ]
        self.rule_arns = (freed.rule_arn, *(one.rule_arn for one in died))

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

    def _add_execution_rule(self, number: int, machines: Sequence[str], target: targets.SqsQueue) -> events.Rule:
        """Send executions of some state machines to a queue that ended without ending their run."""
        suffix = "" if number == 1 else f"-{number}"
        return events.Rule(
            self,
            f"execution-ended{suffix}",
            rule_name=f"{self._prefix}-execution-ended{suffix}",
            description="Executions that timed out, were stopped, or failed before they could end their run",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={"status": ["FAILED", "TIMED_OUT", "ABORTED"], "stateMachineArn": list(machines)},
            ),
            targets=[target],
        )


def split_machines(names: Mapping[str, str]) -> list[list[str]]:
    """Return state machines in parts of which the ARNs fit into one rule's pattern, in their order.

    Args:
        names: the machines, and the names that they have on AWS.
    """
    parts: list[list[str]] = [[]]
    room = MOST_CHARACTERS - _OF_THE_PATTERN
    for machine, name in names.items():
        needed = _OF_AN_ARN + len(name)
        if needed > room:
            parts.append([])
            room = MOST_CHARACTERS - _OF_THE_PATTERN
        parts[-1].append(machine)
        room -= needed
    return parts
