"""Nothing is recalled where nothing is needed, little by default, more where it takes more."""

import math
from collections.abc import Callable

import pytest

from pentad.domain.usage import estimate_tokens
from pentad.memory.retrieval.scores.scales import MEASURED, ModelScale
from pentad.memory.turns.index import Ranking, Scored
from pentad.memory.turns.select import (
    COSINE,
    COVER,
    COVER_ALONE,
    LEAST_TOKENS,
    MARGIN,
    RARITY,
    RARITY_ALONE,
    WORTH,
    Chosen,
    Nearest,
    choose_said,
    find_nearest,
)
from tests.unit.memory.turns.talk import say

TEXT = "some words of about ten tokens each"


def ranking(
    *scores: float, cover: float = 1.0, cosine: float | None = 0.8, usual: float = 0.1, rarity: float = 3.0
) -> Ranking:
    scored = tuple(
        Scored(say(f"{TEXT} {seq}", seq), score, {"words": score}, cover, cosine, rarity)
        for seq, score in enumerate(scores)
    )
    return Ranking(scored, usual)


def choose(
    found: Ranking, question: str = "why?", *, is_shown: Callable[[Scored], bool] = lambda one: False, tokens: int = 100
) -> Chosen:
    return choose_said(found, question, is_shown=is_shown, tokens=tokens, most_tokens=400)


STEEP = tuple(9.0 - 0.9 * place for place in range(10)) + (0.0,) * 50
FLAT = (5.0,) * 60


def test_by_default_the_best_fill_the_budget() -> None:
    chosen = choose(ranking(*STEEP))
    assert chosen.reason == "fits"
    assert 0 < chosen.tokens <= 100
    assert chosen.tokens == sum(estimate_tokens(one.utterance.line) for one in chosen.scored)
    assert [one.score for one in chosen.scored] == sorted((one.score for one in chosen.scored), reverse=True)


@pytest.mark.parametrize(
    ("cover", "cosine", "usual"), [(0.1, 0.1, 0.05), (1.0, 0.2, 0.0), (0.5, 0.5, 0.4), (0.1, None, 0.0)]
)
def test_nothing_is_recalled_where_nothing_speaks_to_the_question(
    cover: float, cosine: float | None, usual: float
) -> None:
    chosen = choose(ranking(*STEEP, cover=cover, cosine=cosine, usual=usual))
    assert (chosen.scored, chosen.reason) == ((), "not needed")


def test_a_greeting_has_all_of_its_words_somewhere_and_needs_nothing() -> None:
    assert choose(ranking(*STEEP, cover=1.0, cosine=0.4, usual=0.2, rarity=0.6)).reason == "not needed"
    assert choose(ranking(*STEEP, cover=1.0, cosine=None, rarity=0.6)).reason == "not needed"


def test_what_stands_out_or_has_the_words_is_needed() -> None:
    assert Nearest(cover=0.0, rarity=0.0, cosine=COSINE, margin=MARGIN).is_needed
    assert Nearest(cover=COVER, rarity=RARITY, cosine=COSINE, margin=0.0).is_needed
    assert Nearest(cover=COVER_ALONE, rarity=RARITY_ALONE, cosine=None, margin=0.0).is_needed


def test_what_the_model_is_sent_anyway_opens_no_gate() -> None:
    far = ranking(1.0, 0.9, 0.8, cover=0.0, cosine=0.1)
    near = Scored(say("the question itself", 9), 5.0, {}, 1.0, 1.0)
    found = Ranking((near, *far.scored), 0.1)
    assert choose(found, is_shown=lambda one: one is near).reason == "not needed"
    assert find_nearest(far.scored, 0.1) == Nearest(0.0, math.inf, 0.1, 0.0)


def test_flat_scores_and_several_parts_take_more_up_to_the_larger_budget() -> None:
    flat = choose(ranking(*FLAT))
    assert (flat.reason, flat.tokens > 100, flat.tokens <= 400) == ("flat", True, True)
    assert flat.left_out == 60 - len(flat.scored)
    parts = choose(ranking(*STEEP), "Where and when did we meet, and who was there?")
    assert parts.reason == "several parts"
    assert parts.tokens <= 400


def test_what_the_model_is_sent_anyway_is_not_recalled() -> None:
    chosen = choose(ranking(*STEEP), is_shown=lambda one: one.utterance.seq < 3)
    assert chosen.in_window == 3
    assert chosen.scored[0].utterance.seq == 3
    everything = choose(ranking(*STEEP), is_shown=lambda one: True)
    assert (everything.scored, everything.reason) == ((), "in the window")


def test_a_text_is_recalled_once() -> None:
    twice = Ranking(tuple(Scored(say("the same", seq), 5.0 - seq, {}, 1.0, 0.8) for seq in range(5)))
    assert [one.utterance.seq for one in choose(twice).scored] == [0]


def test_a_budget_of_nothing_and_a_memory_of_nothing_recall_nothing() -> None:
    assert choose(ranking(*STEEP), tokens=0).scored == ()
    assert choose(Ranking()).reason == "nothing said"


def test_what_was_just_told_and_speaks_as_well_to_the_question_is_what_the_talk_is_about() -> None:
    for place, reason in ((0, "in the window"), (1, "fits")):
        chosen = choose_said(
            ranking(*STEEP),
            "why?",
            is_shown=lambda one, place=place: one.utterance.seq == place,  # type: ignore[misc]
            is_told=lambda one, place=place: one.utterance.seq == place,  # type: ignore[misc]
        )
        assert (chosen.reason, bool(chosen.scored)) == (reason, reason == "fits")
    flat = choose_said(ranking(*FLAT), "why?", is_shown=lambda one: False, is_told=lambda one: one.utterance.seq == 59)
    assert (flat.scored, flat.reason) == ((), "in the window")


def test_within_the_budget_only_what_is_worth_it_beside_the_best_is_given() -> None:
    chosen = choose(ranking(*STEEP), tokens=2000)
    assert [one.score for one in chosen.scored] == [score for score in STEEP if score >= WORTH * STEEP[0]]
    alone = choose(ranking(9.0, *(0.5,) * 59), tokens=2000)
    assert LEAST_TOKENS - 20 <= alone.tokens <= LEAST_TOKENS
    assert choose(ranking(9.0, *(0.5,) * 59), tokens=30).tokens <= 30


def test_the_gates_cosines_are_translated_by_the_scale_of_the_model() -> None:
    narrow = ModelScale(model="narrow", midpoint=0.8, slope=4 * MEASURED.slope, fitted_at=None, source="a test")
    # 0.85 stands out by 0.1 there, which is 0.4 with the model that the gate was measured with.
    near, far = (ranking(*STEEP, cover=0.1, cosine=cosine, usual=0.75) for cosine in (0.85, 0.78))
    for found, reason in ((near, "fits"), (far, "not needed")):
        assert choose_said(found, "why?", is_shown=lambda one: False, scale=narrow).reason == reason
    assert choose_said(near, "why?", is_shown=lambda one: False).reason == "not needed"
