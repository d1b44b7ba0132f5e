"""Bounds of the host: concurrency, processes, queues, and what happens at each."""

import json
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from tests.twin.clocks import StillClock
from tests.twin.host.conftest import LIMITS, ROLE, MakeFunction, MakeHost, until
from twin.host.clocks import CallClock
from twin.host.host import FunctionHost
from twin.host.model import AsyncFailure, HostStopped, InvokeResult, Origin, RequestTooLarge, TooManyRequests

pytestmark = pytest.mark.twin

GATE = """
import os, pathlib, time
def handler(event, context):
    pathlib.Path(event["in"], str(os.getpid())).touch()
    while not pathlib.Path(event["go"]).exists():
        time.sleep(0.01)
    return os.getpid()
"""


class Gate:
    """Holds calls inside their handlers until opened."""

    def __init__(self, folder: Path) -> None:
        self._inside = folder / "inside"
        self._inside.mkdir()
        self._open = folder / "open"
        self.payload = json.dumps({"in": str(self._inside), "go": str(self._open)}).encode()

    def inside(self) -> int:
        return len(list(self._inside.iterdir()))

    def open(self) -> None:
        self._open.touch()


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path)


def start(
    threads: ThreadPoolExecutor, host: FunctionHost, gate: Gate, count: int, name: str = "fn"
) -> list[Future[InvokeResult]]:
    return [threads.submit(host.invoke, name, gate.payload) for _ in range(count)]


def test_concurrent_calls_run_in_their_own_instances(host: FunctionHost, function: MakeFunction, gate: Gate) -> None:
    host.register(function(GATE))
    with ThreadPoolExecutor(3) as threads:
        calls = start(threads, host, gate, 3)
        until(lambda: gate.inside() == 3)
        gate.open()
    assert len({call.result().json() for call in calls}) == 3
    assert host.count_instances() == {"fn": 3}


def test_calls_past_the_reserved_concurrency_are_throttled(
    host: FunctionHost, function: MakeFunction, gate: Gate
) -> None:
    host.register(function(GATE, reserved_concurrency=1))
    with ThreadPoolExecutor(1) as threads:
        (call,) = start(threads, host, gate, 1)
        until(lambda: gate.inside() == 1)
        with pytest.raises(TooManyRequests) as caught:
            host.invoke("fn", gate.payload)
        gate.open()
    assert call.result().function_error is None
    assert caught.value.status == 429
    assert caught.value.to_body() == {
        "Reason": "ReservedFunctionConcurrentInvocationLimitExceeded",
        "Type": "User",
        "message": "Rate Exceeded.",
    }


def test_calls_past_the_concurrency_are_throttled_those_that_wait_counted(
    make_host: MakeHost, function: MakeFunction, gate: Gate
) -> None:
    host = make_host(replace(LIMITS, max_processes=1, concurrency=3))
    host.register(function(GATE))
    with ThreadPoolExecutor(3) as threads:
        calls = start(threads, host, gate, 3)
        until(lambda: gate.inside() == 1 and host.count_waiting() == 2)
        with pytest.raises(TooManyRequests) as caught:
            host.invoke("fn", gate.payload)
        gate.open()
    assert caught.value.reason == "ConcurrentInvocationLimitExceeded"
    assert [call.result().function_error for call in calls] == [None] * 3


def test_calls_past_the_processes_wait_and_run_in_order_of_arrival(
    make_host: MakeHost, function: MakeFunction, gate: Gate, tmp_path: Path
) -> None:
    host = make_host(replace(LIMITS, max_processes=1))
    host.register(function(GATE))
    log = json.dumps(str(tmp_path / "order"))
    host.register(function("def handler(e, c):\n    with open(e[0], 'a') as f: f.write(f'{e[1]} ')", "note"))
    with ThreadPoolExecutor(6) as threads:
        calls = start(threads, host, gate, 1)
        until(lambda: gate.inside() == 1)
        for number in range(5):
            payload = f"[{log}, {number}]".encode()
            calls.append(threads.submit(host.invoke, "note", payload))
            until(lambda: host.count_waiting() == len(calls) - 1)
        gate.open()
    assert [call.result().function_error for call in calls] == [None] * 6
    assert (tmp_path / "order").read_text().split() == ["0", "1", "2", "3", "4"]
    assert sum(host.count_instances().values()) == 1


def test_no_more_calls_run_than_the_cores_serve_and_idle_processes_stay(
    make_host: MakeHost, function: MakeFunction, gate: Gate
) -> None:
    host = make_host(replace(LIMITS, max_running=1))
    host.register(function(GATE))
    for name in ("other", "inner", "api"):
        host.register(function("def handler(e, c): return e", name))
    assert host.invoke("other", b"1").json() == 1
    with ThreadPoolExecutor(2) as threads:
        calls = start(threads, host, gate, 1)
        until(lambda: gate.inside() == 1)
        waiting = threads.submit(host.invoke, "other", b"2")
        until(lambda: host.count_waiting() == 1)
        # Those who wait for an answer of their own are no part of the bound: a caller's call, and an API's.
        assert host.invoke("inner", b"3", origin=Origin(ROLE)).json() == 3
        assert host.invoke("api", b"4", origin=Origin(api=True)).json() == 4
        assert host.count_waiting() == 1
        assert host.count_instances() == {"fn": 1, "other": 1, "inner": 1, "api": 1}
        gate.open()
        assert waiting.result().json() == 2
    assert [call.result().function_error for call in calls] == [None]


def test_a_call_that_fails_makes_room_for_the_next(make_host: MakeHost, function: MakeFunction) -> None:
    host = make_host(replace(LIMITS, max_running=1))
    host.register(function("def handler(e, c): raise ValueError", "raises"))
    host.register(function("import os\ndef handler(e, c): os._exit(1)", "dies"))
    host.register(function("def handler(e, c): return e"))
    assert [host.invoke(name, b"{}").function_error for name in ("raises", "dies") * 2] == ["Unhandled"] * 4
    assert host.invoke("fn", b"5").json() == 5


def test_a_call_that_waits_too_long_is_throttled_and_leaves_the_queue(
    make_host: MakeHost, function: MakeFunction, gate: Gate
) -> None:
    host = make_host(replace(LIMITS, max_processes=1, acquire_seconds=0.2))
    host.register(function(GATE))
    host.register(function(GATE, "other"))
    with ThreadPoolExecutor(1) as threads:
        (call,) = start(threads, host, gate, 1)
        until(lambda: gate.inside() == 1)
        with pytest.raises(TooManyRequests):
            host.invoke("other", gate.payload)
        assert host.count_waiting() == 0
        gate.open()
    assert call.result().function_error is None


def test_calls_of_apis_have_processes_of_their_own(make_host: MakeHost, function: MakeFunction, gate: Gate) -> None:
    host = make_host(replace(LIMITS, max_processes=1, api_processes=1))
    host.register(function(GATE))
    host.register(function("def handler(e, c): return e", "api"))
    with ThreadPoolExecutor(2) as threads:
        calls = start(threads, host, gate, 2)
        until(lambda: gate.inside() == 1 and host.count_waiting() == 1)
        for number in range(3):
            assert host.invoke("api", str(number).encode(), origin=Origin(api=True)).json() == number
        assert host.count_instances() == {"fn": 1, "api": 1}
        gate.open()
    assert [call.result().function_error for call in calls] == [None] * 2


def test_a_call_that_a_function_makes_never_waits_for_its_callers_process(
    make_host: MakeHost, function: MakeFunction, gate: Gate
) -> None:
    host = make_host(replace(LIMITS, max_processes=1))
    host.register(function(GATE))
    host.register(function("def handler(e, c): return e", "inner"))
    with ThreadPoolExecutor(3) as threads:
        calls = start(threads, host, gate, 3)
        until(lambda: gate.inside() == 1 and host.count_waiting() == 2)
        assert host.invoke("inner", b"7", origin=Origin(ROLE)).json() == 7
        # Back to the bound as soon as nobody waits for it.
        until(lambda: host.count_instances() == {"fn": 1})
        gate.open()
    assert [call.result().function_error for call in calls] == [None] * 3


def test_a_callers_clock_stands_until_the_function_has_the_event(
    make_host: MakeHost, function: MakeFunction, gate: Gate
) -> None:
    host = make_host(replace(LIMITS, max_processes=1))
    host.register(function(GATE))
    clock = CallClock()
    with ThreadPoolExecutor(2) as threads:
        start(threads, host, gate, 1)
        until(lambda: gate.inside() == 1)
        waiting = threads.submit(host.invoke, "fn", gate.payload, origin=Origin(clock=clock))
        until(lambda: host.count_waiting() == 1)
        held = clock.read_seconds()
        assert not threading.Event().wait(0.05)
        assert clock.read_seconds() == held
        gate.open()
        waiting.result()
    assert clock.read_seconds() > held


def test_spare_idle_instances_are_given_back_and_the_last_one_stays(
    make_host: MakeHost, function: MakeFunction, gate: Gate
) -> None:
    host = make_host(replace(LIMITS, spare_seconds=0.01))
    host.register(function(GATE))
    with ThreadPoolExecutor(3) as threads:
        start(threads, host, gate, 3)
        until(lambda: gate.inside() == 3)
        gate.open()
    until(lambda: host.count_instances() == {"fn": 1})


def test_least_recently_used_idle_instance_makes_room(make_host: MakeHost, function: MakeFunction) -> None:
    host = make_host(replace(LIMITS, max_processes=2))
    for name in ("a", "b", "c"):
        host.register(function("def handler(e, c): return 1", name))
    for name in ("a", "b", "a", "c"):
        host.invoke(name, b"{}")
    assert host.count_instances() == {"a": 1, "c": 1}


def test_idle_instances_are_reaped(make_host: MakeHost, function: MakeFunction) -> None:
    host = make_host(replace(LIMITS, idle_seconds=0.01))
    host.register(function("def handler(e, c): return 1"))
    host.invoke("fn", b"{}")
    until(lambda: host.count_instances() == {})


def test_burst_is_served_by_few_processes_at_a_time(make_host: MakeHost, function: MakeFunction) -> None:
    host = make_host(replace(LIMITS, max_processes=20, max_starting=1))
    host.register(function("def handler(e, c): return e"))
    with ThreadPoolExecutor(20) as threads:
        results = list(threads.map(lambda n: host.invoke("fn", str(n).encode()), range(20)))
    assert [result.json() for result in results] == list(range(20))
    assert host.count_instances()["fn"] < 20


def test_many_threads_on_one_warm_instance_each_get_their_own_answer(
    make_host: MakeHost, function: MakeFunction
) -> None:
    host = make_host(replace(LIMITS, max_processes=8))
    host.register(function("def handler(e, c): return e"))
    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda n: host.invoke("fn", str(n).encode()), range(400)))
    assert [result.json() for result in results] == list(range(400))


def test_stop_ends_calls_in_flight(host: FunctionHost, function: MakeFunction, gate: Gate) -> None:
    host.register(function(GATE))
    with ThreadPoolExecutor(1) as threads:
        (call,) = start(threads, host, gate, 1)
        until(lambda: gate.inside() == 1)
        host.stop()
    assert call.result().function_error == "Unhandled"
    with pytest.raises(HostStopped):
        host.invoke("fn", b"{}")


def test_stop_leaves_no_thread(make_host: MakeHost, function: MakeFunction) -> None:
    before = set(threading.enumerate())
    host = make_host()
    host.register(function("def handler(e, c): return 1"))
    host.invoke("fn", b"{}")
    host.invoke_async("fn", b"{}")
    host.stop()
    # Other tests of this process may have begun threads meanwhile, such as a machine's time limits.
    left = set(threading.enumerate()) - before
    assert [thread.name for thread in left if thread.name.startswith("function-")] == []


def test_event_invocation_runs_later(host: FunctionHost, function: MakeFunction, tmp_path: Path) -> None:
    host.register(function("import pathlib\ndef handler(e, c): pathlib.Path(e).write_text(c.aws_request_id)"))
    request_id = host.invoke_async("fn", json.dumps(str(tmp_path / "ran")).encode())
    until(lambda: (tmp_path / "ran").exists() and (tmp_path / "ran").read_text() == request_id)


def test_failing_event_invocation_is_tried_three_times_then_reported(
    host: FunctionHost, function: MakeFunction
) -> None:
    failures: list[AsyncFailure] = []
    host.on_async_failure(failures.append)
    host.register(function("def handler(e, c): raise ValueError(c.aws_request_id)"))
    request_id = host.invoke_async("fn", b'{"a": 1}')
    until(lambda: len(failures) == 1)
    (failure,) = failures
    assert (failure.attempts, failure.request_id, failure.payload) == (3, request_id, b'{"a": 1}')
    assert failure.result is not None and failure.result.json()["errorType"] == "ValueError"
    assert [report.request_id for report in host.list_reports()] == [request_id] * 3


def test_asynchronous_call_of_a_function_that_allows_no_retry_is_tried_once(
    host: FunctionHost, function: MakeFunction
) -> None:
    failures: list[AsyncFailure] = []
    host.on_async_failure(failures.append)
    host.register(function("def handler(e, c): raise ValueError('no')", asynchronous_retries=0))
    host.invoke_async("fn", b"{}")
    until(lambda: bool(failures))
    assert failures[0].attempts == 1


def test_event_that_is_throttled_is_tried_until_it_runs(
    host: FunctionHost, function: MakeFunction, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "twin.host.asynchronous")
    host.register(function(GATE, reserved_concurrency=1))
    failures: list[AsyncFailure] = []
    host.on_async_failure(failures.append)
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(host.invoke, "fn", gate.payload)
        until(lambda: gate.inside() == 1)
        request_id = host.invoke_async("fn", gate.payload)
        # More refusals than a function's own error is given retries.
        until(lambda: sum("refused" in record.message for record in caplog.records) > 4)
        gate.open()
        held.result()
    until(lambda: request_id in [report.request_id for report in host.list_reports()])
    assert failures == []


def test_event_that_is_too_old_is_given_up_without_another_attempt(host: FunctionHost, function: MakeFunction) -> None:
    failures: list[AsyncFailure] = []
    host.on_async_failure(failures.append)
    host.register(function("def handler(e, c): raise ValueError('no')", asynchronous_seconds=0.04))
    host.invoke_async("fn", b"{}")
    until(lambda: bool(failures))
    assert failures[0].expired and failures[0].attempts <= 1


def test_waits_and_age_of_events_are_those_of_the_clock_that_the_host_is_given(
    make_host: MakeHost, function: MakeFunction
) -> None:
    clock = StillClock()
    host = make_host(replace(LIMITS, async_retry_seconds=(60.0, 120.0)), read_seconds=clock)
    host.register(function("def handler(e, c): raise ValueError('no')", asynchronous_seconds=21_600))
    failures: list[AsyncFailure] = []
    host.on_async_failure(failures.append)
    host.invoke_async("fn", b"{}")

    def passes_until(runs: int) -> float:
        """Let ten seconds pass again and again, until the function has run so often; return how many did."""
        before = clock.now
        until(lambda: len(host.list_reports()) == runs)
        while len(host.list_reports()) == runs:
            clock.now += 10
            threading.Event().wait(0.01)
        return clock.now - before

    assert passes_until(1) >= 60 and passes_until(2) >= 120
    until(lambda: bool(failures))
    assert (failures[0].attempts, failures[0].expired) == (3, False)
    host.invoke_async("fn", b"{}")
    until(lambda: len(host.list_reports()) == 4)
    clock.now += 21_600
    until(lambda: len(failures) == 2)
    assert (failures[1].attempts, failures[1].expired) == (1, True)


def test_event_of_a_function_that_may_not_run_at_all_grows_too_old(host: FunctionHost, function: MakeFunction) -> None:
    failures: list[AsyncFailure] = []
    host.on_async_failure(failures.append)
    host.register(function("def handler(e, c): return 1", reserved_concurrency=0, asynchronous_seconds=0.2))
    host.invoke_async("fn", b"{}")
    until(lambda: bool(failures))
    assert (failures[0].attempts, failures[0].status, failures[0].expired) == (0, 429, True)


def test_event_invocations_past_the_queue_are_throttled(host: FunctionHost, function: MakeFunction, gate: Gate) -> None:
    host.register(function(GATE))
    with pytest.raises(TooManyRequests):
        for _ in range(20):
            host.invoke_async("fn", gate.payload)
    gate.open()


def test_events_that_wait_for_another_attempt_count_in_the_queue_and_take_no_thread(
    make_host: MakeHost, function: MakeFunction
) -> None:
    host = make_host(replace(LIMITS, async_retry_seconds=(600.0, 600.0)))
    host.register(function("def handler(e, c): raise ValueError('no')"))
    before = threading.active_count()
    sent = 0
    with pytest.raises(TooManyRequests):
        for sent in range(40):
            host.invoke_async("fn", b"{}")
            until(lambda number=sent: len(host.list_reports()) > number)  # type: ignore[misc]
    assert sent == LIMITS.async_backlog
    assert threading.active_count() <= before + LIMITS.async_workers


def test_event_invocation_over_one_megabyte_is_refused(host: FunctionHost, function: MakeFunction) -> None:
    host.register(function("def handler(e, c): return 1"))
    with pytest.raises(RequestTooLarge, match="Event invocation type"):
        host.invoke_async("fn", b"x" * 1_048_577)
