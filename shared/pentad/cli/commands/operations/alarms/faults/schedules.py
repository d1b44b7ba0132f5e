"""Faults of what a stage does by itself: its schedules do not fire."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from pentad.cli.commands.operations.alarms.faults.asking import POLL_SECONDS
from pentad.cli.commands.operations.alarms.faults.world import FaultWorld

RULES: Final = ("drill", "anchor")
_TELLS: Final[Mapping[str, str]] = {"gateway": '"Drills"', "anchor": '"AuditAnchors"'}
"""What a function's log has where it has done what its rule asks for."""
_HOURS: Final = 25.0
"""Each rule fires once a day at least."""
_QUIET_SECONDS: Final = 3.0
_SECONDS: Final = 120.0


@contextmanager
def disable_rules(world: FaultWorld) -> Iterator[None]:
    """Disable the rules of the daily drill and of the anchors."""
    events = world.aws("events")
    for rule in RULES:
        events.disable_rule(Name=f"{world.prefix}-{rule}")
    try:
        yield
    finally:
        for rule in RULES:
            events.enable_rule(Name=f"{world.prefix}-{rule}")


def pass_day(world: FaultWorld, broken: bool) -> None:
    """Let a day pass for the schedules, and wait until what they ask for is done.

    Raises:
        TimeoutError: it is not done in time.
    """
    since = int(time.time() * 1000)
    world.pass_hours(_HOURS)
    if broken:
        time.sleep(_QUIET_SECONDS)  # so that it would be seen if something came all the same
        return
    until, waiting = time.monotonic() + _SECONDS, dict(_TELLS)
    while waiting:
        waiting = {name: text for name, text in waiting.items() if not _is_logged(world, name, text, since)}
        if time.monotonic() > until:
            raise TimeoutError(f"schedules fired, and nothing came of it: {', '.join(waiting)}")
        time.sleep(POLL_SECONDS)


def _is_logged(world: FaultWorld, function: str, text: str, since: int) -> bool:
    asked = {"logGroupName": f"/aws/lambda/{world.prefix}-{function}", "filterPattern": text, "startTime": since}
    return bool(world.aws("logs").filter_log_events(**asked)["events"])
