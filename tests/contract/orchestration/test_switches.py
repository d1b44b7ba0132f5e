"""Conformance of switch stores, and what the switchboard makes of them."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import count

import pytest

from pentad.observability.adapters.memory import MemoryTelemetry
from pentad.orchestration.switches.adapters.switches_dynamodb import DynamoSwitches
from pentad.orchestration.switches.adapters.switches_memory import MemorySwitches
from pentad.orchestration.switches.ports import Switch, SwitchStore, ToolHealth
from pentad.orchestration.switches.switchboard import (
    COOLDOWN_SECONDS,
    FAILURES,
    MAX_COOLDOWN_SECONDS,
    PROBE_SECONDS,
    Switches,
)

from .stores import KINDS, START, Clock, open_stores

TENANT = "acme"


class Board:
    """A switchboard over a store, with its clock."""

    def __init__(self, store: SwitchStore) -> None:
        self.store, self.clock, self.telemetry = store, Clock(), MemoryTelemetry()
        self.switches = Switches(store, self.telemetry, self.clock)
        self._numbers = count()

    def fail(self, times: int, tool: str = "oven") -> None:
        for _ in range(times):
            self.switches.record_failure(TENANT, tool, "ToolUnavailable")

    def admits(self, tool: str = "oven", tenant_id: str = TENANT, *, key: str | None = None) -> bool:
        """Tell if a call may run: a new one, or another try of the one with the key."""
        return self.switches.admit(tenant_id, "cook", tool, key or f"call-{next(self._numbers)}") is None


@pytest.fixture(params=KINDS)
def board(request: pytest.FixtureRequest) -> Iterator[Board]:
    with open_stores(request.param) as opened:
        yield Board(MemorySwitches() if opened.transient is None else DynamoSwitches(opened.transient))


def off(scope: str, subject: str, reason: str = "") -> Switch:
    return Switch.model_validate({"scope": scope, "subject": subject, "reason": reason, "by": "op", "at": START})


@pytest.mark.parametrize(("scope", "subject"), [("all", "*"), ("tenant", TENANT), ("agent", "cook")])
def test_a_switch_stops_what_it_names_until_it_is_taken_back(board: Board, scope: str, subject: str) -> None:
    assert board.switches.get_availability(TENANT, "cook", ("oven",)).stopped is None
    board.store.put(off(scope, subject, "an audit"))
    stopped = board.switches.get_availability(TENANT, "cook", ("oven",)).stopped
    assert stopped is not None
    assert "an audit" in stopped
    assert not board.admits()
    assert board.store.remove(scope, subject)  # type: ignore[arg-type]
    assert not board.store.remove(scope, subject)  # type: ignore[arg-type]
    assert board.switches.get_availability(TENANT, "cook", ("oven",)).stopped is None


def test_a_switched_off_tool_is_unavailable_and_stops_nothing_else(board: Board) -> None:
    board.store.put(off("tool", "oven"))
    standing = board.switches.get_availability(TENANT, "cook", ("oven", "sink"))
    assert (standing.stopped, list(standing.unavailable)) == (None, ["oven"])
    assert (board.admits("oven"), board.admits("sink")) == (False, True)


def test_all_switches_are_listed(board: Board) -> None:
    made = [off("agent", "cook"), off("all", "*", "fire"), off("tool", "oven")]
    for one in made:
        board.store.put(one)
    assert sorted(board.store.get_all(), key=lambda one: one.scope) == sorted(made, key=lambda one: one.scope)


def test_many_tools_are_read_at_once(board: Board) -> None:
    tools = [f"tool_{number}" for number in range(70)]
    board.store.put(off("tool", "tool_69"))
    assert list(board.switches.get_availability(TENANT, "cook", tools).unavailable) == ["tool_69"]


def test_failures_in_a_row_put_a_tool_out_of_order_and_the_model_is_told_for_how_long(board: Board) -> None:
    board.fail(FAILURES - 1)
    assert board.admits()
    board.fail(1)
    assert not board.admits()
    said = board.switches.get_availability(TENANT, "cook", ("oven",)).unavailable["oven"]
    assert f"{START + timedelta(seconds=COOLDOWN_SECONDS):%H:%M:%S}" in said
    assert (board.admits("sink"), board.admits(tenant_id="other")) == (True, True)
    assert [count.name for count in board.telemetry.counts] == ["ToolsUnavailable"]


def test_a_success_between_failures_starts_the_count_anew(board: Board) -> None:
    board.fail(FAILURES - 1)
    assert board.admits()
    board.switches.record_success(TENANT, "oven")
    board.fail(FAILURES - 1)
    assert board.admits()


def test_after_the_time_one_call_tries_and_its_success_clears_the_tool(board: Board) -> None:
    board.fail(FAILURES)
    board.clock.advance(COOLDOWN_SECONDS)
    assert [board.admits() for _ in range(3)] == [True, False, False]
    board.switches.record_success(TENANT, "oven")
    assert [board.admits() for _ in range(3)] == [True, True, True]
    assert board.store.list_failing(TENANT) == []


def test_a_try_that_fails_doubles_the_time_up_to_a_bound(board: Board) -> None:
    board.fail(FAILURES)
    board.clock.advance(COOLDOWN_SECONDS)
    assert board.admits()
    board.fail(1)
    board.clock.advance(COOLDOWN_SECONDS * 2 - 1)
    assert not board.admits()
    board.clock.advance(1)
    assert board.admits()
    board.fail(20)
    [sick] = board.store.list_failing(TENANT)
    assert sick.until == board.clock() + timedelta(seconds=MAX_COOLDOWN_SECONDS)


def test_a_try_that_never_ends_lets_another_one_try(board: Board) -> None:
    board.fail(FAILURES)
    board.clock.advance(COOLDOWN_SECONDS)
    assert board.admits()
    board.clock.advance(PROBE_SECONDS)
    assert board.admits()


def test_the_call_that_tries_is_not_kept_out_by_its_own_first_try(board: Board) -> None:
    board.fail(FAILURES)
    assert not board.admits(key="mine")
    board.clock.advance(COOLDOWN_SECONDS)
    assert [board.admits(key="mine"), board.admits(key="mine"), board.admits(key="other")] == [True, True, False]
    board.clock.advance(PROBE_SECONDS)
    assert [board.admits(key="mine"), board.admits(key="other")] == [True, False]
    board.fail(1)
    assert not board.admits(key="mine")


@pytest.mark.parametrize("error", ["PolicyDenied", "NotFound", "InvalidInput", "ToolFailed", "ValueError"])
def test_errors_of_the_caller_are_not_the_tools(board: Board, error: str) -> None:
    for _ in range(FAILURES):
        board.switches.record_failure(TENANT, "oven", error)
    assert board.admits()


@pytest.mark.parametrize("error", ["ToolBusy", "Lambda.TooManyRequestsException", "Lambda.SnapStartNotReadyException"])
def test_calls_that_lambda_had_no_room_for_are_not_the_tools(board: Board, error: str) -> None:
    for _ in range(FAILURES):
        board.switches.record_failure(TENANT, "oven", error)
    assert board.admits()


@pytest.mark.parametrize("error", ["EffectUncertain", "ToolUnavailable", "ConnectionError", "JSONDecodeError"])
def test_errors_of_a_backend_are_the_tools(board: Board, error: str) -> None:
    for _ in range(FAILURES):
        board.switches.record_failure(TENANT, "oven", error)
    assert not board.admits()


def test_a_tool_that_has_not_failed_costs_nothing_to_clear(board: Board) -> None:
    board.switches.record_success(TENANT, "oven")
    board.fail(1)
    assert [one.failures for one in board.store.list_failing(TENANT)] == [1]


def test_of_two_writers_of_a_tools_health_one_wins(board: Board) -> None:
    health = ToolHealth(tool="oven", failures=1, error="e", failed_at=START)
    assert [board.store.save(TENANT, health) for _ in range(2)] == [True, False]
    [stored] = board.store.list_failing(TENANT)
    assert board.store.save(TENANT, stored)
