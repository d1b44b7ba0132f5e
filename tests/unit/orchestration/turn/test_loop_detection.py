"""What is a loop, and what only looks like one."""

from pathlib import Path
from typing import Any

import pytest

from pentad.domain.messages import Message, TextBlock, ToolCallBlock, ToolResultBlock
from pentad.orchestration.turn.loop_detection import find_loop
from tests.twin.trajectories.bfcl.deployed import Benchmark
from tests.twin.trajectories.bfcl.entries import entries, functions
from tests.twin.trajectories.loader import Trajectory, load
from tests.unit.orchestration.world import START

RUN = "run_1"
DATA = Path(__file__).parents[3] / "data" / "trajectories"


class Talk:
    """A run's messages as they come."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._number = 0

    def asks(self, *calls: tuple[str, dict[str, Any]]) -> Message:
        """Return the model's next message."""
        blocks = []
        for tool, arguments in calls:
            self._number += 1
            blocks.append(ToolCallBlock(call_id=f"c{self._number}", tool=tool, arguments=arguments))
        return self._message("assistant", tuple(blocks) or (TextBlock(text="done"),))

    def goes_on(self, reply: Message, *results: str) -> None:
        """Store a message and what its calls came to."""
        pairs = zip(reply.tool_calls, results, strict=True)
        blocks = tuple(ToolResultBlock(call_id=call.call_id, content=content) for call, content in pairs)
        self.messages += [reply, self._message("user", blocks)]

    def loops(self, reply: Message, run_id: str = RUN) -> str | None:
        """Return what `repeated` says."""
        return find_loop(run_id, self.messages, reply)

    def _message(self, role: Any, blocks: Any) -> Message:
        name = f"m{len(self.messages)}"
        return Message(message_id=name, role=role, blocks=blocks, created_at=START, run_id=RUN)


def _rounds(*rounds: tuple[str, str]) -> Talk:
    """Return a talk of one call a turn: tool and result."""
    talk = Talk()
    for tool, result in rounds:
        talk.goes_on(talk.asks((tool, {})), result)
    return talk


def test_the_third_equal_call_after_two_equal_results_is_a_loop() -> None:
    talk = _rounds(("look", "same"), ("look", "same"))
    assert talk.loops(talk.asks(("look", {}))) == "look"


def test_twice_is_no_loop() -> None:
    talk = _rounds(("look", "same"))
    assert talk.loops(talk.asks(("look", {}))) is None


def test_another_result_is_no_loop() -> None:
    talk = _rounds(("look", "pending"), ("look", "shipped"))
    assert talk.loops(talk.asks(("look", {}))) is None


def test_other_arguments_are_no_loop() -> None:
    talk = _rounds(("look", "same"), ("look", "same"))
    assert talk.loops(talk.asks(("look", {"at": 1}))) is None


def _varied(*values: dict[str, Any], result: str = "same") -> str | None:
    """Return what is found as the last of these calls of one tool is asked for."""
    talk = Talk()
    for arguments in values[:-1]:
        talk.goes_on(talk.asks(("look", arguments)), result)
    return talk.loops(talk.asks(("look", values[-1])))


@pytest.mark.parametrize(
    "values",
    [
        ({"q": "refund"}, {"q": "refund "}, {"q": " refund  "}),
        ({"q": "refund period"}, {"q": "Refund  Period?"}, {"q": "refund\u00a0period."}),
        ({"q": "a"}, {"q": "a", "filter": None}, {"q": "a", "filter": "", "tags": []}),
        ({"n": 1}, {"n": 1.0}, {"n": "1"}),
        ({"n": 2.50}, {"n": "2.5"}, {"n": " 2.5."}),
        ({"n": 1e3}, {"n": 1000}, {"n": "1000"}),
        ({"n": 1e23}, {"n": 10**23}, {"n": 1.0e23}),
        ({"n": -0.0}, {"n": 0}, {"n": 0.0}),
        ({"n": 490154203237518.0}, {"n": 490154203237518}, {"n": "490154203237518"}),
        ({"n": 1e-7}, {"n": "0.0000001"}, {"n": 0.0000001}),
        ({"n": "\u0664\u0662"}, {"n": "42"}, {"n": "\uff14\uff12"}),
        ({"q": "\u2764"}, {"q": "\u2764\ufe0f"}, {"q": "\u2764\ufe0f\ufe0f"}),
        ({"q": "ab"}, {"q": "a\u034fb"}, {"q": "a\u034f\u034fb"}),
        ({"q": "ab"}, {"q": "a\x01b"}, {"q": "\x00a\x1b\x7fb\x9f"}),
        ({"q": "ab"}, {"q": "a\U000e0101b"}, {"q": "a\U000e0041\u180bb"}),
        ({"q": "ab"}, {"q": "a\u3164b"}, {"q": "a\u115f\uffa0b"}),
        ({"q": "\u00e1"}, {"q": "a\u034f\u0301"}, {"q": "a\u200b\u0301"}),
        ({"q": "a"}, {"q": "a", "x": "\ufe0f"}, {"q": "a", "x": ["\u034f", "\x01"]}),
        ({"in": ["a"]}, {"in": ["a", ""]}, {"in": ["a", None, " ", [], {}]}),
        ({"in": [["a"]]}, {"in": [["a", ""]]}, {"in": [["a", {"x": ""}], [""]]}),
        ({"q": {"in": ["A", "b"]}}, {"q": {"in": ["a", "B "]}}, {"q": {"in": ["a", "b"]}}),
        ({"q": "\uff41"}, {"q": "a"}, {"q": "'a'"}),
        ({"q": "\u201ca\u201d"}, {"q": '"a"'}, {"q": "\u00aba\u00bb"}),
        ({"q": "a\u200bb"}, {"q": "ab"}, {"q": "\ufeffab"}),
        ({"q": "2020-2021"}, {"q": "2020\u20132021"}, {"q": "2020\u20112021"}),
        ({"q": "(refunds)"}, {"q": "refunds"}, {"q": "[refunds]"}),
        ({"on": True}, {"on": "true"}, {"on": "True"}),
    ],
)
def test_a_call_that_varies_in_nothing_that_matters_is_a_loop(values: tuple[dict[str, Any], ...]) -> None:
    assert _varied(*values) == "look"
    assert _varied(*values[:2]) is None


@pytest.mark.parametrize(
    "values",
    [
        ({"n": 1}, {"n": 2}, {"n": 3}),
        ({"op": "<"}, {"op": ">"}, {"op": "="}),
        ({"q": "a b"}, {"q": "a"}, {"q": "b"}),
        ({"on": True}, {"on": False}, {"on": "yes"}),
        ({"x": [1, 2]}, {"x": [2, 1]}, {"x": [12]}),
        ({"n": "1"}, {"n": "-1"}, {"n": "1.1"}),
        ({"op": "("}, {"op": ")"}, {"op": "\u2013"}),
        ({"q": "f(x)"}, {"q": "f(y)"}, {"q": "fx"}),
        ({"order_id": "o1"}, {"order_id": "o2"}, {"order_id": "o3"}),
        ({"imei": "490154203237518"}, {"imei": "490154203237526"}, {"imei": "490154203237534"}),
        ({"imei": 490154203237518}, {"imei": 490154203237526}, {"imei": 490154203237534}),
        ({"imei": 490154203237518.0}, {"imei": 490154203237526.0}, {"imei": 490154203237534.0}),
        ({"n": 10**30}, {"n": 10**30 + 1}, {"n": 10**30 + 2}),
        ({"n": str(10**40)}, {"n": str(10**40 + 1)}, {"n": str(10**40 + 2)}),
        ({"at": 1764500000.123}, {"at": 1764500000.124}, {"at": 1764500000.125}),
        ({"at": "1764500000.123"}, {"at": "1764500000.124"}, {"at": "1764500000.125"}),
        ({"id": "7"}, {"id": "07"}, {"id": "007"}),
        ({"id": "-7"}, {"id": "-07"}, {"id": "-007"}),
        ({"version": "1.1"}, {"version": "1.10"}, {"version": "1.100"}),
        ({"version": "1"}, {"version": "1.0"}, {"version": "1.00"}),
        ({"commit": "1e3"}, {"commit": "1000"}, {"commit": "1e03"}),
        ({"n": ".5"}, {"n": "5"}, {"n": "0.5"}),
        ({"in": ["7", "07"]}, {"in": ["07", "7"]}, {"in": ["7", "7"]}),
        ({"row": ["x", "", ""]}, {"row": ["", "x", ""]}, {"row": ["", "", "x"]}),
        ({"q": "\u2764"}, {"q": "\u2665"}, {"q": "\u2763"}),
    ],
)
def test_calls_that_differ_are_no_loop(values: tuple[dict[str, Any], ...]) -> None:
    assert _varied(*values) is None


@pytest.mark.parametrize(
    "results",
    [
        ('{"request_id": "r1", "found": []}', '{"found":[],"request_id":"r2"}'),
        (
            '{"meta": {"requestId": "1f", "took_ms": 3}, "items": []}',
            '{"meta": {"requestId": "2e", "took_ms": 9}, "items": []}',
        ),
        (
            '{"X-Amzn-Trace-Id": "Root=1-5", "error": "no such order"}',
            '{"X-Amzn-Trace-Id": "Root=1-6", "error": "no such order"}',
        ),
        ('{"timestamp": 1764500000.1, "state": "open"}', '{"timestamp": 1764500009.7, "state": "open"}'),
        ('{"error": {"request_id": "a", "code": 404}}', '{"error": {"request_id": "b", "code": 404}}'),
        ('{"errors": ["not found (trace id: 8c)"]}', '{"errors": ["not found (trace id: 9d)"]}'),
        (
            '{"body": {"asOf": "10:00", "rows": [{"id": 1}]}, "headers": {"X-Request-Id": "a"}}',
            '{"body": {"asOf": "10:01", "rows": [{"id": 1}]}, "headers": {"X-Request-Id": "b"}}',
        ),
        (
            '{"rows": [{"id": 1, "fetched_at": "10:00"}], "aws_request_id": "a"}',
            '{"rows": [{"id": 1, "fetched_at": "10:01"}], "aws_request_id": "b"}',
        ),
        (
            '{"shards": [{"rows": 0, "server": {"x-amzn-trace-id": "1-a"}}]}',
            '{"shards": [{"rows": 0, "server": {"x-amzn-trace-id": "1-b"}}]}',
        ),
        (
            '{"content": [{"type": "text", "text": "{\\"requestId\\": 1, \\"rows\\": 0}"}]}',
            '{"content": [{"type": "text", "text": "{\\"requestId\\": 2, \\"rows\\": 0}"}]}',
        ),
        ('["nothing open as of 10:00"]', '["nothing open as of 10:01"]'),
        ('{"text": "{\\"request_id\\": 1, \\"rows\\": 0}"}', '{"text": "{\\"request_id\\": 2, \\"rows\\": 0}"}'),
        ("not found (request id: 8c1d-11)", "not found (request id: 77aa-90)"),
        ("<requestId>8c1d</requestId><found/>", "<requestId>77aa</requestId><found/>"),
        ("As of 2026-11-30 10:00:01 nothing is open", "As of 2026-11-30 10:00:09 nothing is open"),
        ("[2026-11-30T10:00:01Z] no rows, took 31 ms", "[2026-11-30T10:00:04Z] no rows, took 7 ms"),
    ],
)
def test_results_that_differ_in_what_each_answer_has_anew_are_like(results: tuple[str, str]) -> None:
    talk = _rounds(*(("look", result) for result in results))
    assert talk.loops(talk.asks(("look", {}))) == "look"
    circle = _rounds(*((tool, result) for result in results for tool in "ab"), ("a", results[0]))
    assert circle.loops(circle.asks(("b", {}))) == "b"


@pytest.mark.parametrize(
    "results",
    [
        ('{"job_id": "j1"}', '{"job_id": "j2"}'),
        ('{"request_id": "r1", "status": "queued"}', '{"request_id": "r1", "status": "running"}'),
        ('{"updated_at": "2026-11-30T10:00:01Z"}', '{"updated_at": "2026-11-30T10:00:09Z"}'),
        ('{"id": "8c1d"}', '{"id": "77aa"}'),
        ("your request is being looked at", "your request is granted"),
        ("3 of 9 done, took 2 attempts", "3 of 9 done, took 3 attempts"),
        ("free: 2026-11-30T10:00", "free: 2026-11-30T11:00"),
        ('{"step": 1}', '{"step": 2}'),
        ('[{"timestamp": 1764500000, "state": "open"}]', '[{"timestamp": 1764500009, "state": "open"}]'),
        ('{"readings": [{"timestamp": 1, "t": 20}]}', '{"readings": [{"timestamp": 2, "t": 20}]}'),
        ('{"last": {"timestamp": "10:00", "kind": "login"}}', '{"last": {"timestamp": "10:05", "kind": "login"}}'),
        ('{"file": {"name": "a", "etag": "x1"}}', '{"file": {"name": "a", "etag": "x2"}}'),
        ('{"name": "a", "ETag": "x1"}', '{"name": "a", "ETag": "x2"}'),
        ('{"next": {"request_id": "r1", "from": "ada"}}', '{"next": {"request_id": "r2", "from": "ada"}}'),
        ('{"data": [{"trace_id": "a", "text": "oops"}]}', '{"data": [{"trace_id": "b", "text": "oops"}]}'),
        ('{"checks": [{"host": "a", "latency_ms": 7}]}', '{"checks": [{"host": "a", "latency_ms": 900}]}'),
        ('{"message": {"timestamp": 1, "text": "hi"}}', '{"message": {"timestamp": 2, "text": "hi"}}'),
        ('{"account": {"nonce": 7}}', '{"account": {"nonce": 8}}'),
        ('{"log": [{"text": "timestamp: 10:00 late"}]}', '{"log": [{"text": "timestamp: 10:01 late"}]}'),
        ('{"rows": ["{\\"timestamp\\": 1}"]}', '{"rows": ["{\\"timestamp\\": 2}"]}'),
        (
            "2026-11-30T10:00:01Z refused\n2026-11-30T10:00:02Z refused",
            "2026-11-30T10:00:02Z refused\n2026-11-30T10:00:03Z refused",
        ),
        ("a\ntimestamp: 10:00\nb\ntimestamp: 10:01", "a\ntimestamp: 10:00\nb\ntimestamp: 10:07"),
        ("request id: 7 open, request id: 8 open", "request id: 7 open, request id: 9 open"),
        ("490154203237518", "490154203237526"),
        ("007", "7"),
        ("1.10", "1.1"),
    ],
)
def test_results_that_tell_of_what_was_asked_are_news(results: tuple[str, str]) -> None:
    talk = _rounds(*(("look", result) for result in results))
    assert talk.loops(talk.asks(("look", {}))) is None


def test_a_result_of_any_depth_is_compared() -> None:
    deep = "[" * 50_000 + "]" * 50_000
    talk = _rounds(("look", deep), ("look", deep))
    assert talk.loops(talk.asks(("look", {}))) == "look"


def test_two_calls_in_turn_with_a_blank_more_each_time_are_a_loop() -> None:
    talk = Talk()
    for blanks in ("", " "):
        for name in "ab":
            talk.goes_on(talk.asks(("look", {"q": name + blanks})), f"no result for '{name}{blanks}'")
    third = talk.asks(("look", {"q": "a  "}))
    assert talk.loops(third) is None
    talk.goes_on(third, "no result for 'a  '")
    assert talk.loops(talk.asks(("look", {"q": "b  "}))) == "look"


def test_something_new_in_between_is_no_loop() -> None:
    talk = _rounds(("look", "same"), ("change", "no"), ("look", "same"))
    assert talk.loops(talk.asks(("look", {}))) is None


def test_something_new_beside_it_is_no_loop() -> None:
    talk = _rounds(("look", "same"), ("look", "same"))
    assert talk.loops(talk.asks(("look", {}), ("change", {}))) is None


def test_a_circle_of_two_is_found_in_its_next_round() -> None:
    talk = _rounds(("a", "x"), ("b", "y"), ("a", "x"), ("b", "y"))
    third = talk.asks(("a", {}))
    assert talk.loops(third) is None
    talk.goes_on(third, "x")
    fourth = talk.asks(("b", {}))
    assert talk.loops(fourth) == "b"


def test_errors_that_repeat_are_a_loop() -> None:
    talk = _rounds(("cancel", "not pending"), ("cancel", "not pending"))
    assert talk.loops(talk.asks(("cancel", {}))) == "cancel"


def test_equal_calls_of_one_turn_are_no_loop() -> None:
    talk = Talk()
    assert talk.loops(talk.asks(("look", {}), ("look", {}), ("look", {}))) is None


def test_what_another_run_called_does_not_count() -> None:
    talk = _rounds(("look", "same"), ("look", "same"))
    assert talk.loops(talk.asks(("look", {})), run_id="run_2") is None


def test_calls_without_a_result_do_not_count() -> None:
    talk = Talk()
    talk.messages += [talk.asks(("look", {})), talk.asks(("look", {}))]
    assert talk.loops(talk.asks(("look", {}))) is None


def test_an_answer_is_no_loop() -> None:
    assert _rounds(("look", "same"), ("look", "same")).loops(Talk().asks()) is None


@pytest.mark.parametrize(
    "trajectory", [one for path in sorted(DATA.glob("*.json")) for one in load(path)], ids=lambda one: one.name
)
def test_no_recorded_trajectory_is_taken_for_a_loop(trajectory: Trajectory) -> None:
    _assert_no_loop(trajectory)


@pytest.mark.parametrize("category", ["base", "long_context"])
def test_no_conversation_of_the_public_benchmark_is_taken_for_a_loop(category: str) -> None:
    one_by_one = Benchmark(functions(), changing=set(functions()))
    for entry in entries(category):
        _assert_no_loop(one_by_one.conversation(entry).trajectory)


def _assert_no_loop(trajectory: Trajectory) -> None:
    for turn in trajectory.turns:
        talk = Talk()
        for reply in turn.replies:
            message = talk.asks(*((call.tool, call.arguments) for call in reply.calls))
            assert talk.loops(message) is None, trajectory.name
            talk.goes_on(message, *(call.result or "" for call in reply.calls))
