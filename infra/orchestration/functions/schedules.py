"""Runs at set times: a schedule of EventBridge Scheduler puts a message into the lifecycle queue.

The message's idempotency key is made of the schedule and of the time it was due, which Scheduler fills in. It delivers
at least once: a second delivery of the same time is the same run.
"""

import json
from collections.abc import Mapping
from zoneinfo import available_timezones

from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.components import grants
from infra.components.build import Build
from pentad.domain.declarations.agents import AgentSpec, ScheduleSpec
from pentad.domain.declarations.workflows import WorkflowSpec
from pentad.domain.errors import ConfigurationError
from pentad.orchestration.lifecycle.queue_messages import build_schedule_message

_NAME_CHARACTERS = 64
_RETRIES = 10
_AGE_SECONDS = 3600


class Schedules(Construct):
    """The schedules of all agents and workflows.

    Args:
        scope: the parent.
        name: the construct's id.
        build: the surroundings.
        agents: by name.
        runs: the lifecycle queue of functions.orchestration.trigger.
        dead: where messages go that could not be delivered.

    Attributes:
        role_arns: the ARN of the role that they send with; none where there are no schedules.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        build: Build,
        agents: Mapping[str, AgentSpec | WorkflowSpec],
        runs: sqs.Queue,
        dead: sqs.Queue,
    ) -> None:
        super().__init__(scope, name)
        wanted = [(agent, one) for _, agent in sorted(agents.items()) for one in agent.schedules]
        self.role_arns: tuple[str, ...] = ()
        if not wanted:
            return
        self._role = iam.Role(
            self,
            "role",
            assumed_by=iam.ServicePrincipal("scheduler.amazonaws.com"),
            description="Puts scheduled runs into the lifecycle queue",
        )
        self.role_arns = (self._role.role_arn,)
        queues = [runs.queue_arn, dead.queue_arn]
        self._role.add_to_policy(iam.PolicyStatement(actions=["sqs:SendMessage"], resources=queues))
        grants.grant_key_through(self._role, build.stores.data_key, "sqs")
        for agent, schedule in wanted:
            self._add_schedule(build.stage.prefix, agent, schedule, runs, dead)

    def _add_schedule(
        self,
        prefix: str,
        agent: AgentSpec | WorkflowSpec,
        schedule: ScheduleSpec,
        runs: sqs.Queue,
        dead: sqs.Queue,
    ) -> None:
        name = f"{prefix}-{agent.name}-{schedule.name}"
        where = f"{_file_of(agent)}: schedules.{agent.schedules.index(schedule)}"
        if len(name) > _NAME_CHARACTERS:
            raise ConfigurationError(
                f"{where}.name: '{name}' has more than {_NAME_CHARACTERS} characters, EventBridge Scheduler's limit",
                fix=f"make the name shorter by at least {len(name) - _NAME_CHARACTERS} characters",
            )
        if schedule.timezone not in available_timezones():
            raise ConfigurationError(
                f"{where}.timezone: no time zone '{schedule.timezone}'",
                fix="use a name of the IANA database, such as 'Europe/Berlin'",
            )
        scheduler.CfnSchedule(
            self,
            f"{agent.name}-{schedule.name}",
            name=name,
            description=f"Starts {agent.name}: {schedule.name}",
            schedule_expression=schedule.expression,
            schedule_expression_timezone=schedule.timezone,
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=runs.queue_arn,
                role_arn=self._role.role_arn,
                input=json.dumps(build_schedule_message(agent.name, schedule)),
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=dead.queue_arn),
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_retry_attempts=_RETRIES, maximum_event_age_in_seconds=_AGE_SECONDS
                ),
            ),
        )


def _file_of(spec: AgentSpec | WorkflowSpec) -> str:
    if isinstance(spec, WorkflowSpec):
        return f"infra/workflows/{spec.name.replace('-', '_')}.py"
    return f"agents/{spec.name}/agent.yaml"
