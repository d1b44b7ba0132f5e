"""Calls of a tool with ``parallel=False`` run one at a time, by session or by record."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from pentad.domain.errors import StoreUnavailable, ToolBusy
from pentad.tools.declare.declare import Tool, tool
from pentad.tools.runtime.adapters.call_order_memory import MemoryCallOrder
from pentad.tools.runtime.one_by_one import LONGEST_WAIT_SECONDS, OneByOne, find_place
from pentad.tools.runtime.runner import Invocation
from tests.unit.tools.worlds import RUN, World

at_once: list[int] = []
running = threading.Semaphore(0)
meeting: list[threading.Barrier] = []


def _work() -> None:
    running.release()
    at_once.append(running._value)
    if meeting:
        meeting[0].wait(10)  # until all of them run
    running.acquire()


@tool(effects="external", parallel=False)
def ring(bell: str, times: int = 1) -> str:
    """Ring a bell, one at a time."""
    _work()
    return bell


@tool(effects="external", parallel=False, per="bell")
def ring_each(bell: str, times: int = 1) -> str:
    """Ring a bell, each one at a time."""
    _work()
    return bell


@pytest.fixture(autouse=True)
def nobody_meets() -> None:
    meeting.clear()


def run_calls(declared: Tool[Any, Any], bells: list[str], order: OneByOne) -> int:
    """Run a call for each bell at once, and return how many of them ran at the same time at most."""
    at_once.clear()
    world = World(declared)
    for index, bell in enumerate(bells):
        world.add_call({"bell": bell}, index=index)

    def run(index: int) -> str:
        runner = world.runtime(order=order)
        return str(runner.execute("acme", RUN, "helper", 1, index, invocation=Invocation(f"r{index}"))["status"])

    with ThreadPoolExecutor(len(bells)) as threads:
        assert list(threads.map(run, range(len(bells)))) == ["succeeded"] * len(bells)
    return max(at_once)


def test_calls_of_one_session_run_one_after_the_other() -> None:
    assert run_calls(ring, ["north", "south", "north", "south"], OneByOne(MemoryCallOrder())) == 1


class NeverGivenBack(MemoryCallOrder):
    """The store goes down while a call has its place."""

    def give_back(self, tenant_id: str, place: str, owner: str) -> None:
        raise StoreUnavailable("the table does not answer")


@pytest.mark.parametrize(("fails", "status"), [(False, "succeeded"), (True, "failed")])
def test_a_place_that_can_not_be_given_back_hides_not_how_the_call_ended(fails: bool, status: str) -> None:
    @tool(effects="external", parallel=False)
    def toll() -> str:
        """Toll."""
        if fails:
            raise ValueError("the bell is cracked")
        return "tolled"

    world = World(toll)
    world.add_call({})
    runner = world.runtime(order=OneByOne(NeverGivenBack()))
    assert runner.execute("acme", RUN, "helper", 1, 0, invocation=Invocation("r1"))["status"] == status


def test_calls_about_one_record_wait_and_others_do_not() -> None:
    order = OneByOne(MemoryCallOrder())
    assert run_calls(ring_each, ["north"] * 4, order) == 1
    meeting.append(threading.Barrier(4))
    assert run_calls(ring_each, ["north", "south", "east", "west"], order) == 4


def test_a_record_is_told_by_its_value_and_a_session_by_its_id() -> None:
    world = World(ring_each)
    world.add_call({"bell": "north"})
    world.add_call({"bell": "north", "times": 2}, index=1)
    world.add_call({"bell": "south"}, index=2)
    calls = [world.calls.get_call("acme", RUN, 1, index) for index in range(3)]
    places = [find_place(ring_each.spec, call, f"s{index}") for index, call in enumerate(calls)]
    assert places[0] == places[1] != places[2]
    assert "north" not in places[0]
    assert find_place(ring.spec, calls[0], "s1") != find_place(ring.spec, calls[0], "s2")


def test_a_call_whose_turn_does_not_come_is_not_begun_and_may_be_tried_again() -> None:
    now = [1000.0]
    order = MemoryCallOrder(clock=lambda: now[0])

    def sleep(seconds: float) -> None:
        now[0] += seconds

    world = World(ring)
    world.add_call({"bell": "north"})
    place = find_place(ring.spec, world.call, "s1")
    assert order.take("acme", place, "another", seconds=1_000.0)
    runner = world.runtime(order=OneByOne(order, sleep=sleep, clock=lambda: now[0]))
    with pytest.raises(ToolBusy, match="run one at a time"):
        runner.execute("acme", RUN, "helper", 1, 0, invocation=Invocation("r1"))
    assert LONGEST_WAIT_SECONDS <= now[0] - 1000.0 <= LONGEST_WAIT_SECONDS + 2
    assert world.effects.find("acme", RUN, "x") is None and world.call.status.value == "pending"
    order.give_back("acme", place, "another")
    assert runner.execute("acme", RUN, "helper", 1, 0, invocation=Invocation("r2"))["status"] == "succeeded"


def test_a_call_that_fails_gives_its_turn_back() -> None:
    @tool(effects="external", parallel=False)
    def broken() -> str:
        """Fail."""
        raise ValueError("no")

    order = MemoryCallOrder()
    world = World(broken)
    world.add_call({})
    assert world.runtime(order=OneByOne(order)).execute("acme", RUN, "helper", 1, 0, invocation=Invocation("r1")) == {
        "index": 0,
        "status": "failed",
    }
    assert order.take("acme", find_place(broken.spec, world.call, "s1"), "next", seconds=1.0)
