"""Ratios are taken within a round; a count that is wrong is told."""

import pytest

from benchmarks.gateway.field import BY_NAME, FIELD, question
from benchmarks.gateway.figures import Tally, per_call, percentile, rates

SDK, PENTAD, FALLBACK, HIT = (BY_NAME[name] for name in ("anthropic", "pentad", "pentad_fallback", "pentad_hit"))


@pytest.mark.parametrize(("share", "found"), [(0.5, 2.0), (0.99, 4.0), (0.0, 1.0)])
def test_a_percentile_is_one_of_the_samples(share: float, found: float) -> None:
    assert percentile([4.0, 1.0, 3.0, 2.0], share) == found


def test_a_ratio_is_of_one_round_so_that_a_slow_round_changes_none() -> None:
    rounds = {"anthropic": [[1.0, 1.0], [10.0, 10.0]], "pentad": [[1.2, 1.2], [12.0, 12.0]]}
    _, found = per_call([SDK, PENTAD], rounds, rounds)
    assert found.ratio.minimum == pytest.approx(1.2)
    assert found.ratio.maximum == pytest.approx(1.2)
    assert found.cpu_ratio == found.ratio


def test_the_overhead_is_over_the_same_requests_by_the_sdks() -> None:
    rounds = {"anthropic": [[1.0]], "two_sdks": [[2.0]], "pentad_fallback": [[2.5]]}
    [found] = per_call([FALLBACK], rounds, rounds)
    assert found.overhead_p50 == pytest.approx(0.5)


def test_a_contender_that_did_not_run_has_no_figures() -> None:
    assert per_call([SDK, PENTAD], {"anthropic": [[1.0]]}, {"anthropic": [[1.0]]})[-1].entry is SDK


def test_a_rate_is_compared_in_its_round() -> None:
    _, found = rates([SDK, PENTAD], {"anthropic": [100.0, 10.0], "pentad": [80.0, 8.0]})
    assert found.ratio.minimum == found.ratio.maximum == pytest.approx(0.8)


def test_right_counts_are_not_told() -> None:
    requests = {"pentad/up": 3, "pentad_fallback/up": 2, "pentad_fallback/down": 2}
    tally = Tally({"pentad": 3, "pentad_fallback": 2}, requests, {"pentad": 3, "pentad_fallback": 4})
    assert tally.wrong([PENTAD, FALLBACK]) == []


def test_a_request_too_many_is_told() -> None:
    assert Tally({"anthropic": 3}, {"anthropic/up": 4}).wrong([SDK]) == [
        "Anthropic SDK: 3 calls made 4 requests (up), not 3"
    ]


def test_an_attempt_that_was_no_request_is_told() -> None:
    [told] = Tally({"pentad": 3}, {"pentad/up": 3}, {"pentad": 4}).wrong([PENTAD])
    assert told.endswith("4 attempts, 3 requests")


def test_a_cache_may_ask_once_for_what_it_gives_again() -> None:
    assert Tally({"pentad_hit": 9}, {"pentad_hit/up": 1}, warm=frozenset({"pentad_hit"})).wrong([HIT]) == []


def test_a_contender_without_calls_is_told() -> None:
    assert Tally().wrong([SDK]) == ["Anthropic SDK: it did not run"]


def test_each_contender_is_compared_with_one_that_makes_as_many_requests() -> None:
    for entry in FIELD:
        base = BY_NAME[entry.baseline]
        assert (entry.up, entry.down) == (base.up, base.down) or entry is HIT


def test_questions_differ_and_have_one_length() -> None:
    assert question(1) != question(2)
    assert len(question(1)) == len(question(10**6))
