"""Ranking candidates."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pentad.memory.retrieval.rank import WEIGHTS, RankWeights, Signals, rank, standardise

DENSE = {"a": 0.9, "b": 0.8, "c": 0.4, "d": 0.3}
WORDS = {"b": 9.0, "c": 8.5, "d": 2.0}


def test_what_is_good_in_both_beats_what_is_best_in_one() -> None:
    assert next(iter(rank([Signals(DENSE, WORDS)]))) == "b"
    assert next(iter(rank([Signals(DENSE)]))) == "a"


def test_scales_do_not_matter() -> None:
    scaled = Signals({name: score * 100 - 7 for name, score in DENSE.items()}, WORDS)
    assert list(rank([scaled])) == list(rank([Signals(DENSE, WORDS)]))


def test_a_score_that_is_missing_is_the_lowest() -> None:
    lowest = {**WORDS, "a": 2.0}
    assert rank([Signals(DENSE, WORDS)]) == rank([Signals(DENSE, lowest)])


def test_the_best_of_each_part_counts_the_same() -> None:
    loud = Signals({"x": 0.95, "y": 0.1, "z": 0.1}, {"x": 30.0})
    quiet = Signals({"q": 0.31, "x": 0.3, "z": 0.1}, {"q": 1.0})
    ranked = rank([loud, quiet])
    assert {name for name, score in ranked.items() if score == pytest.approx(1)} == {"x", "q"}


def test_weights_say_what_a_signal_is_worth() -> None:
    assert next(iter(rank([Signals(DENSE, WORDS)], RankWeights(dense=1, words=0)))) == "a"
    assert next(iter(rank([Signals(DENSE, WORDS)], RankWeights(dense=0, words=1)))) == "b"
    assert WEIGHTS.dense > 0 < WEIGHTS.words


def test_company_decides_between_equals_and_no_more() -> None:
    even = Signals({"a": 0.5, "b": 0.5, "c": 0.1}, {"a": 3.0, "b": 3.0, "c": 1.0}, {"b": 0.9, "c": 0.8})
    assert list(rank([even])) == ["b", "a", "c"]
    assert WEIGHTS.company < min(WEIGHTS.dense, WEIGHTS.words)


def test_candidates_that_are_all_alike_come_by_name_and_none_gives_none() -> None:
    assert rank([Signals({"b": 1.0, "a": 1.0})]) == {"a": 1.0, "b": 1.0}
    assert rank([]) == rank([Signals()]) == {}


@given(
    st.dictionaries(st.text("abcdef", min_size=1), st.floats(-1, 1)),
    st.dictionaries(st.text("abcdef"), st.floats(0, 50)),
)
def test_every_candidate_is_ranked_once_and_none_above_one(dense: dict[str, float], words: dict[str, float]) -> None:
    ranked = rank([Signals(dense, words)])
    assert set(ranked) == {*dense, *words}
    assert all(score <= 1 + 1e-9 for score in ranked.values())
    assert all(one >= other for one, other in pairwise(ranked.values()))


def test_standard_scores_have_no_mean_and_unit_deviation() -> None:
    scores = standardise({"a": 1.0, "b": 2.0, "c": 6.0}, ["a", "b", "c"])
    assert sum(scores.values()) == pytest.approx(0)
    assert sum(score**2 for score in scores.values()) / 3 == pytest.approx(1)
