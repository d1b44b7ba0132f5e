"""What judged turns say of a confidence."""

import random

import pytest

from pentad.orchestration.calibration.calibrate import FEWEST, FEWEST_IN_BIN, advise_threshold, calibrate
from pentad.orchestration.calibration.verdicts import TurnVerdict, VerdictSource, settle_verdicts


def turn(number: int, confidence: float, correct: bool, source: VerdictSource = "feedback") -> TurnVerdict:
    return TurnVerdict(run_id=f"run_{number:026d}", step=1, confidence=confidence, correct=correct, source=source)


def many(confidence: float, correct: int, wrong: int, first: int = 0) -> list[TurnVerdict]:
    return [turn(first + number, confidence, number < correct) for number in range(correct + wrong)]


def test_of_nothing_nothing_is_said() -> None:
    found = calibrate([], 0.95)
    assert (found.all.count, found.all.share, found.brier, found.gap, found.mean_confidence) == (0, None) + (None,) * 3
    assert (found.advice.threshold, found.advice.observed, found.advice.most) == (None, None, 0)
    assert all((one.count, one.share, one.mean_confidence) == (0, None, None) for one in found.bins)


def test_too_few_have_a_count_and_no_figure() -> None:
    found = calibrate(many(0.95, FEWEST_IN_BIN - 1, 0), 0.95)
    assert (found.bins[9].count, found.bins[9].share, found.bins[9].low) == (FEWEST_IN_BIN - 1, None, None)
    assert (found.all.share, found.brier, found.gap) == (None, None, None)
    enough = calibrate(many(0.95, FEWEST_IN_BIN, 0), 0.95)
    assert (enough.bins[9].share, enough.all.share) == (1, None)
    assert calibrate(many(0.95, FEWEST, 0), 0.95).all.share == 1


def test_a_bin_has_its_share_with_its_limits_and_its_confidence() -> None:
    found = calibrate([*many(0.85, 8, 12), *many(0.35, 5, 15, 100)], 0.95)
    sure, unsure = found.bins[8], found.bins[3]
    assert (sure.count, sure.correct, sure.share) == (20, 8, 0.4)
    assert sure.mean_confidence == pytest.approx(0.85)
    assert sure.low is not None and sure.high is not None
    assert (round(sure.low, 4), round(sure.high, 4)) == (0.1912, 0.6395)
    assert unsure.share == 0.25
    assert found.gap == pytest.approx((0.45 + 0.1) / 2)
    assert found.brier == pytest.approx((8 * 0.15**2 + 12 * 0.85**2 + 5 * 0.65**2 + 15 * 0.35**2) / 40)


@pytest.mark.parametrize(("confidence", "place"), [(0, 0), (0.1, 1), (0.3, 3), (0.7, 7), (0.7999, 7), (0.9, 9), (1, 9)])
def test_a_bin_has_its_lower_end_and_the_last_one_has_both(confidence: float, place: int) -> None:
    found = calibrate([turn(1, confidence, True)], 0.95)
    assert [number for number, one in enumerate(found.bins) if one.count] == [place]


def test_the_threshold_is_the_lowest_that_keeps_the_precision_for_sure() -> None:
    turns = [*many(0.95, 150, 1), *many(0.85, 60, 1, 1000), *many(0.75, 10, 30, 2000)]
    advice = advise_threshold(turns, 0.95)
    assert advice.threshold == 0.8
    assert advice.above is not None and advice.above.low is not None
    assert (advice.above.count, advice.above.correct) == (212, 210)
    assert advice.above.low > 0.95


def test_too_few_show_no_threshold_however_right_they_are() -> None:
    advice = advise_threshold(many(0.95, 58, 0), 0.95)
    assert (advice.threshold, advice.observed, advice.needed, advice.most) == (None, 0, 59, 58)
    assert advise_threshold(many(0.95, 59, 0), 0.95).threshold == 0


def test_a_confidence_that_tells_nothing_gives_no_threshold() -> None:
    advice = advise_threshold([*many(0.95, 50, 50), *many(0.3, 50, 50, 1000)], 0.95)
    assert (advice.threshold, advice.observed) == (None, None)


def test_a_threshold_below_which_it_fails_and_then_holds_again_is_not_passed() -> None:
    turns = [*many(0.95, 120, 0), *many(0.85, 0, 20, 1000), *many(0.75, 2000, 0, 2000)]
    advice = advise_threshold(turns, 0.95)
    assert (advice.threshold, advice.observed) == (0.9, 0)


def test_a_threshold_that_does_not_hold_is_named_in_at_most_one_of_twenty_worlds() -> None:
    """Of a confidence that is not calibrated: 94 % are right, whatever it says; no threshold keeps 95 %."""
    chance = random.Random(7)
    named = 0
    for _ in range(300):
        turns = [turn(number, chance.random(), chance.random() < 0.94) for number in range(300)]
        named += advise_threshold(turns, 0.95).threshold is not None
    assert named <= 300 * 0.05


def test_who_looked_closer_is_right_and_who_disagrees_with_equals_counts_for_nothing() -> None:
    settled = settle_verdicts(
        [
            turn(1, 0.9, True),
            turn(1, 0.9, False, "review"),
            turn(2, 0.9, True),
            turn(2, 0.9, False),
            turn(3, 0.8, True, "approval"),
            turn(3, 0.8, True),
            turn(4, 0.7, False),
            turn(4, 0.7, False),
        ]
    )
    assert [(one.run_id[-1], one.correct, one.source) for one in settled.turns] == [
        ("1", False, "review"),
        ("3", True, "approval"),
        ("4", False, "feedback"),
    ]
    assert (settled.disputed, settled.overruled) == (1, 1)
    assert settled.by_source == {"review": 1, "approval": 1, "feedback": 1}
