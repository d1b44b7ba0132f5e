"""A switch stops calls that are no turn, within seconds and for a request of the store in so many seconds."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from pentad.domain.errors import PolicyDenied
from pentad.domain.models import CallContext
from pentad.orchestration.switches.adapters.switches_memory import MemorySwitches
from pentad.orchestration.switches.call_gate import KEPT_SECONDS, CallGate
from pentad.orchestration.switches.ports import EVERYTHING, Scope, Switch, ToolHealth

ACME = CallContext(tenant_id="acme", agent="helper")
AT = datetime(2026, 11, 30, tzinfo=UTC)


class Counted(MemorySwitches):
    """Counts how often it is read."""

    reads = 0

    def read(
        self, tenant_id: str, agent: str | None, tools: Sequence[str]
    ) -> tuple[Sequence[Switch], dict[str, ToolHealth]]:
        self.reads += 1
        return super().read(tenant_id, agent, tools)


class World:
    """A gate with a clock that is set by hand."""

    def __init__(self) -> None:
        self.store, self.now = Counted(), 100.0
        self.gate = CallGate(self.store, clock=lambda: self.now)

    def switch(self, scope: Scope, subject: str) -> None:
        self.store.put(Switch(scope=scope, subject=subject, reason="too dear", by="ann", at=AT))

    def is_open(self, behalf: CallContext = ACME) -> bool:
        try:
            self.gate.check(behalf)
        except PolicyDenied as error:
            assert "switched off by an operator: too dear" in error.message
            return False
        return True


@pytest.mark.parametrize(("scope", "subject"), [("all", EVERYTHING), ("tenant", "acme"), ("agent", "helper")])
def test_what_is_switched_off_makes_no_call(scope: Scope, subject: str) -> None:
    world = World()
    world.switch(scope, subject)
    assert not world.is_open()


@pytest.mark.parametrize(("scope", "subject"), [("tenant", "other"), ("agent", "other"), ("tool", "notes")])
def test_what_concerns_others_stops_nothing(scope: Scope, subject: str) -> None:
    world = World()
    world.switch(scope, subject)
    assert world.is_open()
    assert world.is_open(CallContext(tenant_id="acme"))


def test_a_switch_holds_and_is_taken_back_within_seconds_and_calls_between_ask_nobody() -> None:
    world = World()
    assert [world.is_open() for _ in range(50)] == [True] * 50
    assert world.store.reads == 1
    world.switch("tenant", "acme")
    world.now += KEPT_SECONDS
    assert [world.is_open() for _ in range(50)] == [False] * 50
    assert world.store.reads == 2
    world.store.remove("tenant", "acme")
    world.now += KEPT_SECONDS
    assert world.is_open()
