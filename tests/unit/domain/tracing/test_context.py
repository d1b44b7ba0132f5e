"""Where spans stand: derived ids, and what is taken of a caller's `traceparent`."""

import gc
from contextlib import AbstractContextManager

import pytest

from pentad.domain.tracing import (
    TraceContext,
    derive_span_id,
    enter_place,
    find_call_place,
    find_root_place,
    get_open_place,
    parse_traceparent,
    read_traceparent,
)

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize(
    "text", [f"00-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}-00", f"cc-{TRACE}-{SPAN}-01-what-is-new"]
)
def test_a_valid_traceparent_is_taken(text: str) -> None:
    assert parse_traceparent(text) == TraceContext(TRACE, SPAN)


@pytest.mark.parametrize(
    "text",
    [
        None,
        7,
        "",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01-more",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{SPAN}-01\n",
        f"00-{TRACE}-{SPAN}-\u0661\u0661",
        f"cc-{TRACE}-{SPAN}-01-" + "x" * 200,
    ],
)
def test_any_other_is_ignored(text: object) -> None:
    assert parse_traceparent(text) is None


def test_a_run_is_in_its_callers_trace_or_in_one_of_its_own() -> None:
    own = find_root_place("acme", "run_1")
    assert own == find_root_place("acme", "run_1", "not valid")
    assert parse_traceparent(own.header) == own
    assert find_root_place("acme", "run_1", f"00-{TRACE}-{SPAN}-01") == TraceContext(TRACE, own.span_id)
    assert find_root_place("other", "run_1").trace_id != own.trace_id


def test_each_call_has_a_place_of_its_own_in_its_runs_trace() -> None:
    places = [find_call_place("acme", "run_1", step, index) for step in (1, 11) for index in (0, 1, 11)]
    assert len({one.span_id for one in places}) == 6
    assert {one.trace_id for one in places} == {find_root_place("acme", "run_1").trace_id}


def test_parts_that_are_written_alike_in_a_row_make_different_ids() -> None:
    assert derive_span_id("a", "bc") != derive_span_id("ab", "c")
    assert derive_span_id("1:a") != derive_span_id("1", "a")


def test_what_is_open_is_what_is_sent() -> None:
    assert read_traceparent() is None
    with enter_place(TraceContext(TRACE, SPAN)):
        assert read_traceparent() == f"00-{TRACE}-{SPAN}-01"
    assert get_open_place() is None


def test_a_span_that_nobody_closed_takes_nothing_back_when_it_is_collected() -> None:
    outer, left, later = (TraceContext(TRACE, f"{number:016x}") for number in (1, 2, 3))
    with enter_place(outer):
        abandoned: AbstractContextManager[None] | None = enter_place(left)
        assert abandoned is not None
        abandoned.__enter__()
        with enter_place(later):
            abandoned = None
            gc.collect()
            assert get_open_place() == later
    assert get_open_place() is None
