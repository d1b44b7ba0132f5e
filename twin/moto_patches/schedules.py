"""Schedules of EventBridge Scheduler: moto keeps them and never fires them, and takes any text for an expression.

Of a group that there is not, it answers with an internal error.
"""

from collections.abc import Callable
from typing import Any

from moto.scheduler.exceptions import ScheduleGroupNotFound

from twin.moto_patches.patching import Patches

_CHANGES = ("create_schedule", "update_schedule", "delete_schedule")
#: Takes an expression and its time zone (None: UTC) and returns what is wrong with it, or None.
Check = Callable[[str, str | None], str | None]


def apply(patches: Patches, *, check: Check, changed: Callable[[], None]) -> None:
    """Install the patches of this module.

    Args:
        patches: where to record them.
        check: refuses an expression that AWS could not read.
        changed: called after each change of a schedule.
    """
    from moto.scheduler import models

    owner = models.EventBridgeSchedulerBackend
    for name in _CHANGES:
        patches.set_attribute(owner, name, _report(getattr(owner, name), check, changed))


def _report(original: Callable[..., Any], check: Check, changed: Callable[[], None]) -> Callable[..., Any]:
    def call(backend: Any, *args: Any, **named: Any) -> Any:
        if "schedule_expression" in named:
            _refuse_unreadable(check, named["schedule_expression"], named.get("schedule_expression_timezone"))
            if (named.get("group_name") or "default") not in backend.schedule_groups:
                raise ScheduleGroupNotFound(named["group_name"])
        result = original(backend, *args, **named)
        changed()
        return result

    return call


def _refuse_unreadable(check: Check, expression: str, timezone: str | None) -> None:
    from moto.scheduler.exceptions import ValidationException

    wrong = check(expression, timezone)
    if wrong is not None:
        raise ValidationException(f"Invalid Schedule Expression {wrong}.")
