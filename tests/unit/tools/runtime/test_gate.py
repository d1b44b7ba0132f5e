"""What is switched off, out of order or cancelled does not run; what was done before counts all the same."""

from dataclasses import dataclass, field

import pytest

from pentad.domain.errors import PolicyDenied
from pentad.domain.runs import CallStatus
from pentad.tools.runtime.adapters.effects_memory import MemoryEffects
from tests.unit.tools import sample_tools
from tests.unit.tools.worlds import RUN, Crash, Crashing, World


@dataclass
class Gate:
    """Refuses on request, and notes what succeeded."""

    refusal: str | None = None
    succeeded: list[str] = field(default_factory=list)

    def admit(self, tenant_id: str, agent: str, tool: str) -> str | None:
        return self.refusal

    def record_success(self, tenant_id: str, tool: str) -> None:
        self.succeeded.append(tool)


OFF = "The tool 'send' has been switched off by an operator."


def test_a_refused_call_has_no_effect_and_the_model_is_told() -> None:
    world = World(sample_tools.send, gate=Gate(OFF))
    world.add_call({"to": "bob"})
    assert world.execute()["status"] == "failed"
    assert (world.call.result, world.call.error_type) == (OFF, "ToolUnavailable")
    assert sample_tools.ran == []
    assert world.audited == [("denied", "refused", "ToolUnavailable")]


def test_a_refused_call_without_effects_is_not_run() -> None:
    world = World(sample_tools.echo, gate=Gate(OFF))
    world.add_call({"text": "hi"})
    assert world.execute()["status"] == "failed"
    assert world.call.result == OFF


def test_a_call_that_ran_clears_its_tool() -> None:
    gate = Gate()
    world = World(sample_tools.send, gate=gate)
    world.add_call({"to": "bob"})
    world.execute()
    assert gate.succeeded == ["send"]


def test_what_was_done_before_the_switch_is_written_down() -> None:
    gate = Gate()
    world = World(sample_tools.send, gate=gate)
    world.calls = Crashing(world.calls, "save_call", before=True)
    world.add_call({"to": "bob"})
    with pytest.raises(Crash):
        world.execute()
    gate.refusal = OFF
    assert world.execute()["status"] == "succeeded"
    assert sample_tools.ran == ["send"]


def test_an_effect_begun_before_the_switch_is_told_as_uncertain() -> None:
    gate = Gate()
    world = World(sample_tools.store, gate=gate)
    world.effects = Crashing(world.effects, "finish", before=True)
    world.add_call({"to": "bob"})
    with pytest.raises(Crash):
        world.execute()
    gate.refusal = OFF
    assert world.execute()["status"] == "failed"
    assert world.call.error_type == "EffectUncertain"


def test_no_effect_is_begun_in_a_run_that_ended_meanwhile() -> None:
    world = World(sample_tools.send, effects=MemoryEffects(lambda tenant, run: run == RUN))
    world.add_call({"to": "bob"})
    with pytest.raises(PolicyDenied, match="ended"):
        world.execute()
    assert sample_tools.ran == []
    assert world.audited == [("denied", "refused", "InvalidTransition")]


def test_a_tool_that_a_human_allowed_for_the_run_needs_no_other_approval() -> None:
    world = World(sample_tools.store)
    world.add_call({"to": "bob"}, status=CallStatus.PENDING)
    with pytest.raises(PolicyDenied):
        world.execute()
    run = world.calls.runs["acme", RUN]
    world.calls.runs["acme", RUN] = run.model_copy(update={"allowed_tools": ("store",)})
    assert world.execute()["status"] == "succeeded"
