"""The schedules of EventBridge Scheduler as moto holds them: what is made, changed or deleted later counts as well.

moto keeps schedules and never fires them, and takes any text for an expression; AWS refuses one that it can't read.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from twin.deploy.deployment import RuleTarget
from twin.deploy.services.messaging.events import parse_target
from twin.moto_patches import schedules
from twin.moto_patches.patching import Patches
from twin.pumps.schedules.expressions import ScheduleError, parse_schedule


@dataclass(frozen=True)
class ScheduledTarget:
    """A schedule: one expression, one target. One that is `fleeting` is deleted once it has fired for the last time."""

    name: str
    group: str
    arn: str
    expression: str
    timezone: str
    target: RuleTarget
    enabled: bool
    fleeting: bool


class MotoSchedules:
    """Reads moto's schedules of one account and region, and tells when they change.

    Args:
        account: the account's id.
        region: the region.
    """

    def __init__(self, account: str, region: str) -> None:
        self._account, self._region = account, region
        self.patches = Patches()

    def listen(self, changed: Callable[[], None]) -> None:
        """Call back after each change, until `close`."""
        schedules.apply(self.patches, check=_check, changed=changed)

    def close(self) -> None:
        """Give moto its own methods back. Idempotent."""
        self.patches.undo()

    def read(self) -> list[ScheduledTarget]:
        """Return all schedules."""
        groups = list(self._get_backend().schedule_groups.values())
        return [_to_scheduled_target(one) for group in groups for one in list(group.schedules.values())]

    def delete(self, schedule: ScheduledTarget) -> None:
        """Delete a schedule that has completed, if it is still there."""
        group = self._get_backend().schedule_groups.get(schedule.group)
        if group is not None:
            group.schedules.pop(schedule.name, None)

    def _get_backend(self) -> Any:
        from moto.scheduler.models import scheduler_backends

        return scheduler_backends[self._account][self._region]


def _check(expression: str, timezone: str | None) -> str | None:
    try:
        parse_schedule(expression, datetime.now(UTC), timezone or "UTC")
    except ScheduleError as error:
        return str(error)
    return None


def _to_scheduled_target(one: Any) -> ScheduledTarget:
    return ScheduledTarget(
        name=one.name,
        group=one.group_name,
        arn=one.arn,
        expression=one.schedule_expression,
        timezone=one.schedule_expression_timezone,
        target=parse_target(one.target),
        enabled=one.state != "DISABLED",
        fleeting=one.action_after_completion == "DELETE",
    )
