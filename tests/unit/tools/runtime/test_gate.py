"""What is switched off, out of order or cancelled does not run; what was done before counts all the same."""

import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter

from pentad.domain.errors import (
    EffectUncertain,
    InvalidTransition,
    NotFound,
    PolicyDenied,
    StoreUnavailable,
    ToolFailed,
    ToolThrottled,
    ToolUnavailable,
    Unreadable,
)
from pentad.domain.runs import CallStatus
from pentad.observability.adapters.memory import MemoryTelemetry
from pentad.orchestration.switches.adapters.switches_memory import MemorySwitches
from pentad.orchestration.switches.switchboard import COOLDOWN_SECONDS, FAILURES, Switches
from pentad.tools.declare import tool
from pentad.tools.declare.declare import Tool
from pentad.tools.runtime.adapters.effects_memory import MemoryEffects
from tests.unit.tools import sample_tools
from tests.unit.tools.worlds import RUN, START, Crash, Crashing, World


@dataclass
class Gate:
    """Refuses on request, and notes what succeeded."""

    refusal: str | None = None
    succeeded: list[str] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)

    def admit(self, tenant_id: str, agent: str, tool: str, call_key: str) -> str | None:
        return self.refusal

    def record_success(self, tenant_id: str, tool: str) -> None:
        self.succeeded.append(tool)

    def record_failure(self, tenant_id: str, tool: str, error: str) -> None:
        self.failed.append((tool, error))


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


broken: list[Exception] = []


@tool(effects="none")
def ask_vendor(question: str = "") -> str:
    """Ask the vendor."""
    if broken:
        raise broken[0]
    return "yes"


@tool(effects="external")
def order(number: int = 1) -> str:
    """Order it."""
    if broken:
        raise broken[0]
    return "done"


@dataclass
class Vendor:
    """A tool of a real switchboard, over many calls."""

    tool: Tool[Any, Any]
    moment: datetime = START
    store: MemorySwitches = field(default_factory=MemorySwitches)

    def __post_init__(self) -> None:
        self.switches = Switches(self.store, MemoryTelemetry(), lambda: self.moment)

    def call(self, error: Exception | None, times: int = 1, **arguments: Any) -> World:
        broken[:] = [] if error is None else [error]
        for _ in range(times):
            world = World(self.tool, gate=self.switches)
            world.add_call(arguments)
            world.execute()
        return world

    @property
    def is_out(self) -> bool:
        return bool(self.switches.get_availability("acme", "helper", [self.tool.name]).unavailable)


@pytest.mark.parametrize("tool_", [ask_vendor, order])
@pytest.mark.parametrize("error", [ConnectionError("refused"), RuntimeError("bug"), KeyError("id"), OSError("gone")])
def test_a_tool_whose_code_raises_again_and_again_is_unavailable(tool_: Any, error: Exception) -> None:
    vendor = Vendor(tool_)
    vendor.call(error, FAILURES - 1)
    assert not vendor.is_out
    vendor.call(error)
    assert vendor.is_out
    assert vendor.call(error).call.error_type == "ToolUnavailable"


class NoSuchDay(ValueError):
    """As a tool's own code names what is wrong with an argument."""


class OutOfStock(ToolFailed):
    """As a tool's own code names what it can't do."""


@pytest.mark.parametrize(
    "error",
    [
        ToolFailed("no such order"),
        ValueError("no date"),
        PolicyDenied("not that host"),
        NotFound("no row"),
        NoSuchDay("February 30"),
        OutOfStock("none left"),
        binascii.Error("no base64"),
    ],
)
def test_what_is_wrong_with_the_call_neither_counts_nor_clears(error: Exception) -> None:
    vendor = Vendor(ask_vendor)
    vendor.call(error, 2 * FAILURES)
    assert not vendor.is_out
    vendor.call(ConnectionError("refused"), FAILURES - 1)
    vendor.call(error)
    vendor.call(None, unknown=1)
    vendor.call(ConnectionError("refused"))
    assert vendor.is_out


def _read_broken(read: Callable[[], Any]) -> Exception:
    try:
        read()
    except ValueError as error:
        return error
    raise AssertionError("it could be read")


@pytest.mark.parametrize(
    "error",
    [
        _read_broken(lambda: json.loads("<html>Bad gateway</html>")),
        _read_broken(lambda: b"\xff".decode()),
        _read_broken(lambda: TypeAdapter(int).validate_python("many")),
    ],
)
def test_an_answer_of_a_backend_that_can_not_be_read_counts(error: Exception) -> None:
    vendor = Vendor(ask_vendor)
    vendor.call(error, FAILURES)
    assert vendor.is_out


@pytest.mark.parametrize("tool_", [order, ask_vendor])
def test_a_tool_that_says_that_its_effect_is_uncertain_counts(tool_: Any) -> None:
    vendor = Vendor(tool_)
    vendor.call(EffectUncertain("the connection broke"), FAILURES)
    assert vendor.is_out


def test_an_outage_that_ends_as_an_uncertain_effect_counts_once_for_each_call() -> None:
    vendor = Vendor(order)

    def fail() -> World:
        broken[:] = [ToolUnavailable("no answer")]
        world = World(order, gate=vendor.switches)
        world.add_call({})
        with pytest.raises(ToolUnavailable):
            world.execute()
        world.execute()
        assert world.call.error_type == "EffectUncertain"
        world.execute()
        return world

    for _ in range(FAILURES - 1):
        fail()
    assert [one.failures for one in vendor.store.list_failing("acme")] == [FAILURES - 1]
    assert not vendor.is_out
    fail()
    assert vendor.is_out
    assert vendor.call(None).call.error_type == "ToolUnavailable"


def test_a_try_that_a_backend_refused_for_its_rate_counts_as_nothing() -> None:
    vendor = Vendor(order)
    broken[:] = [ToolThrottled("slow down")]
    world = World(order, gate=vendor.switches)
    world.add_call({})
    with pytest.raises(ToolThrottled):
        world.execute()
    broken.clear()
    world.execute()
    assert world.call.status is CallStatus.SUCCEEDED and vendor.store.list_failing("acme") == []


@pytest.mark.parametrize("error", [ConnectionError("refused"), ToolFailed("it answers 500"), ValueError("no JSON")])
def test_a_probe_that_fails_never_clears_its_tool(error: Exception) -> None:
    vendor = Vendor(ask_vendor)
    vendor.call(ConnectionError("refused"), FAILURES)
    vendor.moment += timedelta(seconds=COOLDOWN_SECONDS)
    assert vendor.call(error).call.error_type == type(error).__name__
    assert vendor.is_out
    assert vendor.store.list_failing("acme") != []
    vendor.moment += timedelta(seconds=2 * COOLDOWN_SECONDS)
    assert vendor.call(None).call.status is CallStatus.SUCCEEDED
    assert vendor.store.list_failing("acme") == []


@pytest.mark.parametrize("tool_", [ask_vendor, order])
@pytest.mark.parametrize("deaf", [StoreUnavailable("no answer"), Unreadable("odd item"), InvalidTransition("moved")])
def test_a_call_ends_though_nobody_can_count_it(tool_: Any, deaf: Exception) -> None:
    class Deaf(Gate):
        def record_success(self, tenant_id: str, tool: str) -> None:
            raise deaf

        def record_failure(self, tenant_id: str, tool: str, error: str) -> None:
            raise deaf

    for error, status in ((None, CallStatus.SUCCEEDED), (RuntimeError("bug"), CallStatus.FAILED)):
        broken[:] = [] if error is None else [error]
        world = World(tool_, gate=Deaf())
        world.add_call({})
        world.execute()
        assert world.call.status is status
        assert [event.name for event in world.telemetry.events] == ["tool.not_counted"]


def test_an_outcome_that_is_told_again_is_counted_once() -> None:
    gate = Gate()
    broken[:] = [RuntimeError("bug")]
    world = World(order, gate=gate)
    world.calls = Crashing(world.calls, "save_call", before=True)
    world.add_call({})
    with pytest.raises(Crash):
        world.execute()
    world.execute()
    assert gate.failed == [("order", "RuntimeError")]


def test_what_a_tool_did_is_undone_also_while_the_tool_is_switched_off() -> None:
    gate = Gate()
    world = World(sample_tools.send, gate=gate)
    world.add_call({"to": "bob"})
    world.execute()
    gate.refusal = OFF
    assert world.undo()["status"] == "undone"
    assert sample_tools.ran == ["send", "unsend bob"]


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
