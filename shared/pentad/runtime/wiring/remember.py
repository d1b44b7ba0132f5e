"""The wiring of functions.memory.remember: its steps, in the order in which they run."""

from functools import cache

from pentad.memory.remember.adapters.progress_dynamodb import DynamoProgress
from pentad.memory.remember.ports import RememberStep
from pentad.memory.remember.remember import Remember
from pentad.runtime.clock import now
from pentad.runtime.settings import RememberSettings, read_settings
from pentad.runtime.wiring.ground.stores import make_sessions, make_table
from pentad.runtime.wiring.ground.telemetry import telemetry_of


@cache
def make_remember() -> Remember:
    """Return what brings the memories of a session up to its end."""
    values = read_settings(RememberSettings)
    return Remember(
        sessions=make_sessions(values),
        progress=DynamoProgress(make_table(values.state_table), clock=now),
        steps=_make_steps(values),
        telemetry=telemetry_of("remember"),
        clock=now,
    )


def _make_steps(values: RememberSettings) -> list[RememberStep]:
    """Return the steps; each is one kind of memory."""
    return []
