"""A call is timed, and a wrong answer is an error."""

import pytest

from benchmarks.gateway.work import WrongAnswer, at_once, one_by_one


def test_each_call_has_its_own_number_and_times() -> None:
    asked: list[int] = []

    def call(number: int) -> str:
        asked.append(number)
        return "yes"

    found = one_by_one(call, [5, 6], "yes")
    assert asked == [5, 6]
    assert len(found["ns"]) == len(found["cpu_ns"]) == 2


def test_calls_at_once_have_one_time_together() -> None:
    assert len(at_once(lambda _: "yes", list(range(20)), "yes")["ns"]) == 1


def test_another_answer_is_an_error() -> None:
    with pytest.raises(WrongAnswer, match="call 7 answered"):
        one_by_one(lambda _: "no", [7], "yes")
