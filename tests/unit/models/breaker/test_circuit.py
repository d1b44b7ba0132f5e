"""The circuit's states: thresholds, cooldowns, probes, commands."""

import math

import pytest

from pentad.domain.models import Outcome
from pentad.models.breaker.circuit import BreakerPolicy, Circuit, CircuitState, Evidence, admit, apply_evidence, force

POLICY = BreakerPolicy()
T = 1_000_000.0
CLOSED, HALF_OPEN, OPEN = CircuitState.CLOSED, CircuitState.HALF_OPEN, CircuitState.OPEN
NEVER_OPEN = [
    Outcome.OK,
    Outcome.MALFORMED,
    Outcome.TRUNCATED,
    Outcome.REFUSAL,
    Outcome.CONTEXT_OVERFLOW,
    Outcome.CALLER_ERROR,
    Outcome.AUTHENTICATION,
]
DOWN = [Outcome.RATE_LIMIT, Outcome.OVERLOAD, Outcome.TIMEOUT, Outcome.CONNECTION]


def evidence(
    outcome: Outcome,
    started: float = T,
    *,
    retry_after: float | None = None,
    probe: str | None = None,
    seconds: float = 60,
) -> Evidence:
    return Evidence(outcome, started, seconds, retry_after, probe)


def after(*outcomes: Outcome, circuit: Circuit | None = None, at: float = T, apart: float = 1.0) -> Circuit:
    made = circuit or Circuit(name="p/m")
    for number, outcome in enumerate(outcomes):
        made = apply_evidence(made, evidence(outcome, at + number * apart), at + number * apart, POLICY)
    return made


def opened() -> Circuit:
    return after(*[Outcome.OVERLOAD] * 5)


def probing(circuit: Circuit, now: float) -> Circuit:
    found = admit(circuit, now, "probe-1", 65)
    assert found is not None
    return found


@pytest.mark.parametrize("outcome", DOWN)
def test_five_failures_in_a_row_open_it(outcome: Outcome) -> None:
    assert after(*[outcome] * 4).get_state(T + 5) is CLOSED
    assert after(*[outcome] * 5).get_state(T + 5) is OPEN


@pytest.mark.parametrize("outcome", NEVER_OPEN)
def test_what_is_not_the_providers_fault_never_opens_it(outcome: Outcome) -> None:
    assert after(*[outcome] * 50).get_state(T + 50) is CLOSED


def test_an_answer_between_failures_starts_the_count_anew() -> None:
    four = [Outcome.OVERLOAD] * 4
    assert after(*four, Outcome.OK, *four).get_state(T + 9) is CLOSED
    assert after(*four, Outcome.REFUSAL, *four).get_state(T + 9) is CLOSED


def test_a_malformed_reply_neither_counts_nor_clears() -> None:
    assert after(*[Outcome.OVERLOAD] * 4, Outcome.MALFORMED, Outcome.OVERLOAD).get_state(T + 6) is OPEN


def test_failures_more_than_a_minute_apart_are_not_in_a_row() -> None:
    assert after(*[Outcome.OVERLOAD] * 20, apart=61).get_state(T + 20 * 61) is CLOSED


def test_a_timeout_of_an_attempt_with_little_time_says_nothing() -> None:
    made = Circuit(name="p/m")
    for _ in range(20):
        made = apply_evidence(made, evidence(Outcome.TIMEOUT, seconds=5), T, POLICY)
    assert made == Circuit(name="p/m")


def test_a_success_of_a_healthy_circuit_changes_nothing_at_all() -> None:
    made = Circuit(name="p/m")
    assert apply_evidence(made, evidence(Outcome.OK), T, POLICY) is made


def test_a_rate_limit_that_names_its_end_opens_it_until_then() -> None:
    made = apply_evidence(Circuit(name="p/m"), evidence(Outcome.RATE_LIMIT, retry_after=7), T, POLICY)
    assert (made.get_state(T + 6.9), made.get_state(T + 7)) == (OPEN, HALF_OPEN)


@pytest.mark.parametrize("asked", [301.0, 1e9, math.inf])
def test_a_retry_after_beyond_the_cap_opens_it_for_the_cap(asked: float) -> None:
    made = apply_evidence(Circuit(name="p/m"), evidence(Outcome.RATE_LIMIT, retry_after=asked), T, POLICY)
    assert made.open_until == T + 300


@pytest.mark.parametrize("asked", [None, 0.0])
def test_a_rate_limit_without_an_end_counts_as_a_failure(asked: float | None) -> None:
    made = apply_evidence(Circuit(name="p/m"), evidence(Outcome.RATE_LIMIT, retry_after=asked), T, POLICY)
    assert (made.get_state(T), made.failures) == (CLOSED, 1)


@pytest.mark.parametrize("asked", [(10, 90, 40), (90, 40, 10), (40, 10, 90)])
def test_the_longest_cooldown_wins_in_any_order(asked: tuple[float, ...]) -> None:
    made = Circuit(name="p/m")
    for seconds in asked:  # all sent before any came back
        made = apply_evidence(made, evidence(Outcome.RATE_LIMIT, T - 1, retry_after=seconds), T, POLICY)
    assert made.open_until == T + 90


def test_the_cooldown_doubles_with_each_failed_probe_up_to_the_cap() -> None:
    made, pauses, now = opened(), [], T + 4
    for _ in range(6):
        pauses.append(made.open_until - now)
        now = made.open_until
        made = apply_evidence(probing(made, now), evidence(Outcome.OVERLOAD, now, probe="probe-1"), now, POLICY)
    assert pauses == [30, 60, 120, 240, 300, 300]


def test_after_the_cooldown_one_probe_passes_and_no_other() -> None:
    made = opened()
    assert admit(made, made.open_until - 0.1, "a", 65) is None
    taken = admit(made, made.open_until, "a", 65)
    assert taken is not None and taken.probe == "a"
    assert admit(taken, made.open_until + 1, "b", 65) is None


def test_a_probe_that_died_frees_the_probe_when_its_lease_ends() -> None:
    made = opened()
    taken = probing(made, made.open_until)
    assert admit(taken, taken.probe_until - 0.1, "b", 65) is None
    following = admit(taken, taken.probe_until, "b", 65)
    assert following is not None and following.probe == "b"


@pytest.mark.parametrize("outcome", [Outcome.OK, Outcome.REFUSAL, Outcome.CALLER_ERROR, Outcome.TRUNCATED])
def test_a_probe_that_was_answered_closes_it(outcome: Outcome) -> None:
    made = opened()
    now = made.open_until
    assert (
        apply_evidence(probing(made, now), evidence(outcome, now, probe="probe-1"), now, POLICY).get_state(now)
        is CLOSED
    )


def test_a_probe_without_a_verdict_frees_the_probe_and_leaves_it_half_open() -> None:
    made = opened()
    now = made.open_until
    freed = apply_evidence(probing(made, now), evidence(Outcome.MALFORMED, now, probe="probe-1"), now, POLICY)
    assert freed.get_state(now) is HALF_OPEN
    assert admit(freed, now, "b", 65) is not None


def test_the_answer_to_a_request_sent_before_the_opening_does_not_close_it() -> None:
    made = opened()
    assert apply_evidence(made, evidence(Outcome.OK, T - 1), T + 5, POLICY) is made


def test_the_answer_to_a_request_sent_after_the_opening_closes_it() -> None:
    made = opened()
    assert apply_evidence(made, evidence(Outcome.OK, T + 6), T + 8, POLICY).get_state(T + 8) is CLOSED


def test_failures_of_requests_sent_before_the_opening_do_not_prolong_it() -> None:
    made = opened()
    assert apply_evidence(made, evidence(Outcome.OVERLOAD, T - 1), T + 20, POLICY) is made


def test_a_failure_of_an_attempt_past_the_breaker_prolongs_it_without_doubling() -> None:
    made = opened()
    again = apply_evidence(made, evidence(Outcome.OVERLOAD, T + 10), T + 12, POLICY)
    assert (again.open_until, again.trips) == (T + 42, 1)


def test_a_command_holds_it_open_whatever_answers() -> None:
    held = force(Circuit(name="p/m"), "open", None)
    assert apply_evidence(held, evidence(Outcome.OK, T + 1), T + 1, POLICY) is held
    assert admit(held, T + 10**9, "a", 65) is None
    assert held.next_try(T) == math.inf


def test_a_command_holds_it_closed_whatever_fails() -> None:
    held = force(opened(), "closed", T + 600)
    assert after(*[Outcome.OVERLOAD] * 50, circuit=held).get_state(T + 50) is CLOSED


def test_a_command_ends_when_it_said() -> None:
    held = force(Circuit(name="p/m"), "open", T + 60)
    assert (held.get_state(T + 59), held.get_state(T + 60)) == (OPEN, CLOSED)
    assert held.next_try(T) == T + 60


def test_a_command_that_lets_go_leaves_it_closed_and_free_to_open() -> None:
    free = force(force(opened(), "open", None), None, None)
    assert free.get_state(T) is CLOSED
    assert after(*[Outcome.OVERLOAD] * 5, circuit=free).get_state(T + 5) is OPEN


def test_it_says_when_it_can_be_tried_again() -> None:
    made = opened()
    assert made.next_try(T + 5) == made.open_until
    taken = probing(made, made.open_until)
    assert taken.next_try(made.open_until) == taken.probe_until
    assert Circuit(name="p/m").next_try(T) == T
