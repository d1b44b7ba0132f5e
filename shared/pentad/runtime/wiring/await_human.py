"""The wiring of functions.orchestration.await_human."""

from functools import cache

from pentad.orchestration.approvals.ask import Asking
from pentad.runtime.settings import AwaitHumanSettings, read_settings
from pentad.runtime.wiring.ground.humans import make_asking as make
from pentad.runtime.wiring.ground.telemetry import telemetry_of


@cache
def make_asking() -> Asking:
    """Return what asks humans, reminds them, and closes what nobody answered in time."""
    return make(read_settings(AwaitHumanSettings), telemetry_of("await-human"))
