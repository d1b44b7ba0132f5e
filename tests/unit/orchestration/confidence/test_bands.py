"""The rule of confidence: bounded, monotone, indifferent to order, and its bands exact."""

import itertools
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pentad.domain.declarations.agents import BandsSpec, ConfidenceSpec
from pentad.domain.errors import InvalidInput
from pentad.domain.runs import Band, Signal
from pentad.orchestration.confidence.bands import (
    CAPS,
    UNKNOWN,
    band_of,
    build_assessment,
    compute_confidence,
    has_model_sources,
)

MADE = ("self_report", "judge", "agreement")
scores = st.floats(0, 1)
made_signals = st.dictionaries(st.sampled_from(MADE), scores, min_size=1)
caps = st.none() | scores


def signals(made: dict[str, float], cap: float | None = None) -> list[Signal]:
    every = made if cap is None else made | {"validators": cap}
    return [Signal.model_validate({"source": source, "score": score}) for source, score in every.items()]


def rule(made: dict[str, float], cap: float | None = None, *, asked: bool = True) -> float:
    return compute_confidence(signals(made, cap), asked_models=asked)


def test_sources_that_agree_give_what_they_say() -> None:
    assert rule({"self_report": 0.8, "judge": 0.8, "agreement": 0.8}) == 0.8


def test_one_source_gives_its_own_score() -> None:
    assert rule({"judge": 0.73}) == 0.73


def test_sources_that_disagree_give_half_way_between_their_mean_and_the_doubting_one() -> None:
    assert rule({"self_report": 1.0, "judge": 0.4}) == 0.55


def test_validators_that_passed_change_nothing() -> None:
    assert rule({"judge": 0.7}, cap=1.0) == rule({"judge": 0.7})


def test_a_failed_validator_caps() -> None:
    assert rule({"judge": 0.95}, cap=CAPS["citations"]) == CAPS["citations"]


def test_without_model_made_sources_validators_alone_decide() -> None:
    assert rule({}, asked=False) == 1.0
    assert rule({}, cap=0.6, asked=False) == 0.6


def test_where_every_source_that_was_asked_failed_nothing_is_known() -> None:
    assert rule({}) == UNKNOWN
    assert rule({}, cap=1.0) == UNKNOWN
    assert rule({}, cap=0.4) == 0.4


@given(made_signals, caps)
def test_the_value_is_between_0_and_1_and_below_the_highest_signal(made: dict[str, float], cap: float | None) -> None:
    value = rule(made, cap)
    assert 0 <= value <= 1
    assert value <= round(max(made.values()), 4)
    if cap is None:
        assert value >= round(min(made.values()), 4)


@given(made_signals, caps, st.sampled_from((*MADE, "validators")), scores)
def test_the_value_never_falls_when_a_signal_rises(
    made: dict[str, float], cap: float | None, source: str, score: float
) -> None:
    before = rule(made, cap)
    if source == "validators":
        after = rule(made, max(score, 1.0 if cap is None else cap))
    else:
        after = rule(made | {source: max(score, made[source])} if source in made else made, cap)
    assert after >= before


@given(made_signals, scores)
def test_a_failed_validator_never_raises_the_value(made: dict[str, float], cap: float) -> None:
    assert rule(made, cap) <= rule(made)


@given(made_signals, caps)
def test_the_order_of_signals_makes_no_difference(made: dict[str, float], cap: float | None) -> None:
    every = signals(made, cap)
    assert len({compute_confidence(order, asked_models=True) for order in itertools.permutations(every)}) == 1


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf, -0.001, 1.001])
def test_a_score_that_is_none_is_refused(score: float) -> None:
    with pytest.raises(ValidationError):
        Signal(source="judge", score=score)
    forged = Signal.model_construct(source="judge", score=score, detail="")
    with pytest.raises(InvalidInput):
        compute_confidence([forged], asked_models=True)
    with pytest.raises(InvalidInput):
        band_of(score, BandsSpec())


def test_two_signals_of_one_source_are_refused() -> None:
    with pytest.raises(InvalidInput):
        compute_confidence(signals({"judge": 0.5}) + signals({"judge": 0.6}), asked_models=True)


@pytest.mark.parametrize(
    ("confidence", "band"),
    [
        (1.0, Band.AUTONOMOUS),
        (0.9, Band.AUTONOMOUS),
        (0.8999, Band.REVIEW),
        (0.7, Band.REVIEW),
        (0.6999, Band.DRAFT),
        (0.5, Band.DRAFT),
        (0.4999, Band.ESCALATE),
        (0.0, Band.ESCALATE),
    ],
)
def test_a_threshold_belongs_to_the_band_above_it(confidence: float, band: Band) -> None:
    assert band_of(confidence, BandsSpec()) is band


@pytest.mark.parametrize("threshold", [0.9, 0.7, 0.5, 0.3])
def test_equal_signals_at_a_threshold_reach_it(threshold: float) -> None:
    # 0.7 + 0.7 + 0.7 is 2.0999999999999996.
    bands = BandsSpec(autonomous=threshold, review=threshold, draft=threshold)
    assert band_of(rule(dict.fromkeys(MADE, threshold)), bands) is Band.AUTONOMOUS


@given(scores, scores)
def test_more_confidence_never_allows_less(one: float, other: float) -> None:
    order = [Band.ESCALATE, Band.DRAFT, Band.REVIEW, Band.AUTONOMOUS]
    lower, higher = (order.index(band_of(value, BandsSpec())) for value in sorted((one, other)))
    assert lower <= higher


def test_equal_thresholds_leave_a_band_out() -> None:
    bands = BandsSpec(autonomous=0.8, review=0.8, draft=0.8)
    assert (band_of(0.8, bands), band_of(0.79, bands)) == (Band.AUTONOMOUS, Band.ESCALATE)


@pytest.mark.parametrize(
    "bands",
    [
        {"autonomous": 0.6},
        {"draft": 0.8},
        {"review": 0.95},
        {"autonomous": 1.1},
        {"draft": -0.1},
        {"review": math.nan},
    ],
)
def test_bands_that_do_not_go_downwards_or_are_none_are_refused(bands: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        BandsSpec.model_validate(bands)


@pytest.mark.parametrize(
    ("spec", "asked"), [({}, False), ({"self_report": True}, True), ({"judge": True}, True), ({"samples": 1}, True)]
)
def test_sources_that_need_a_model_are_told(spec: dict[str, Any], asked: bool) -> None:
    assert has_model_sources(ConfidenceSpec.model_validate(spec)) is asked


def test_an_assessment_lists_its_signals_in_one_order() -> None:
    found = build_assessment(signals({"judge": 0.9, "self_report": 1.0}, 0.8), ConfidenceSpec(judge=True))
    assert [signal.source for signal in found.signals] == ["self_report", "judge", "validators"]
    assert (found.confidence, found.band) == (0.8, Band.REVIEW)
