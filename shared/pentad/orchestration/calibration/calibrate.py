"""How often turns at each confidence were right, and the threshold that would keep a stated precision. Pure.

Turns that nobody judged count as neither right nor wrong. Where there are too few, a figure is None, never a guess.
"""

import math
from collections.abc import Sequence
from typing import Final

from pydantic import Field

from pentad.domain.values import FrozenValue
from pentad.orchestration.calibration.intervals import LEVEL, count_needed, find_interval, find_low
from pentad.orchestration.calibration.verdicts import TurnVerdict

BINS: Final = 10
FEWEST_IN_BIN: Final = 10
"""With fewer judged turns a bin has no share: its interval would be wider than half of the scale."""
FEWEST: Final = 30
"""With fewer judged turns in all there is no score."""
GRID: Final = 20
"""Thresholds are looked for in steps of 1/20."""


class ShareOfCorrect(FrozenValue):
    """How many of some turns were right, and the limits between which the true share lies (95 %)."""

    count: int = Field(ge=0)
    correct: int = Field(ge=0)
    share: float | None = Field(description="none: too few to say")
    low: float | None
    high: float | None


class ReliabilityBin(ShareOfCorrect):
    """Turns of a stretch of confidence, its lower end included; the last one includes 1."""

    above: float
    below: float
    mean_confidence: float | None


class ThresholdAdvice(FrozenValue):
    """The lowest threshold above which turns keep a precision."""

    precision: float
    threshold: float | None = Field(description="with a probability of 95 %; none: nothing judged shows one")
    above: ShareOfCorrect | None = Field(description="the judged turns at or above it")
    observed: float | None = Field(description="the lowest at which the judged turns alone keep it: no promise")
    needed: int = Field(description="so many judged turns above a threshold are needed at least, were all right")
    most: int = Field(description="so many there are above the lowest threshold")


class Calibration(FrozenValue):
    """What judged turns say of an agent's confidence."""

    all: ShareOfCorrect
    mean_confidence: float | None
    brier: float | None = Field(description="mean squared gap of confidence and verdict: 0 is perfect, 0.25 a coin")
    gap: float | None = Field(description="mean gap of confidence and share of the bins: the calibration error")
    bins: tuple[ReliabilityBin, ...]
    advice: ThresholdAdvice


def calibrate(turns: Sequence[TurnVerdict], precision: float) -> Calibration:
    """Return what judged turns say.

    Args:
        turns: one verdict each.
        precision: the share of turns above the threshold that has to be right; above 0, below 1.
    """
    by_bin = [[one for one in turns if _find_bin(one.confidence) == place] for place in range(BINS)]
    enough = len(turns) >= FEWEST
    mean = math.fsum(one.confidence for one in turns) / len(turns) if turns else None
    brier = math.fsum((one.confidence - one.correct) ** 2 for one in turns) / len(turns) if enough else None
    return Calibration(
        all=build_share(turns, fewest=FEWEST),
        mean_confidence=mean if enough else None,
        brier=brier,
        gap=_compute_gap(by_bin, len(turns)) if enough else None,
        bins=tuple(_build_bin(place, held) for place, held in enumerate(by_bin)),
        advice=advise_threshold(turns, precision),
    )


def build_share(turns: Sequence[TurnVerdict], *, fewest: int) -> ShareOfCorrect:
    """Return the share of right ones; without a figure where there are fewer than ``fewest``."""
    count, correct = len(turns), sum(one.correct for one in turns)
    if count < max(1, fewest):
        return ShareOfCorrect(count=count, correct=correct, share=None, low=None, high=None)
    low, high = find_interval(correct, count)
    return ShareOfCorrect(count=count, correct=correct, share=correct / count, low=low, high=high)


def advise_threshold(turns: Sequence[TurnVerdict], precision: float) -> ThresholdAdvice:
    """Return the lowest threshold at which the lower limit of the share of right ones keeps a precision.

    Many thresholds are tried, and one of many may pass by chance. So they are tried in an order that no verdict
    decides, from the highest that has turns enough downwards, and the first that fails ends it: then the chance of
    naming one that does not hold is at most 5 %, whatever their number (fixed sequence testing; Angelopoulos et al.
    2021, "Learn then Test", arXiv:2110.01052).
    """
    grid = [place / GRID for place in range(GRID, -1, -1)]
    above = {threshold: [one for one in turns if one.confidence >= threshold] for threshold in grid}
    needed = count_needed(precision)
    # Twice as many as are needed at least, so that one wrong turn right at the top does not end it.
    first = 2 * needed if len(turns) >= 2 * needed else needed
    found, observed = None, None
    failed = False
    for threshold in grid:
        held = above[threshold]
        correct = sum(one.correct for one in held)
        if held and correct >= precision * len(held):
            observed = threshold
        if failed or len(held) < first:
            continue
        if find_low(correct, len(held), 1 - LEVEL) >= precision:
            found = threshold
        else:
            failed = True
    return ThresholdAdvice(
        precision=precision,
        threshold=found,
        above=None if found is None else build_share(above[found], fewest=1),
        observed=observed,
        needed=needed,
        most=len(turns),
    )


def _find_bin(confidence: float) -> int:
    # 0.7 is the lower end of a bin, though 0.7 * 10 is a hair above 7 and 0.29 * 100 one below 29.
    return min(BINS - 1, math.floor(round(confidence * BINS, 9)))


def _build_bin(place: int, turns: Sequence[TurnVerdict]) -> ReliabilityBin:
    share = build_share(turns, fewest=FEWEST_IN_BIN)
    mean = math.fsum(one.confidence for one in turns) / len(turns) if turns else None
    return ReliabilityBin(**share.model_dump(), above=place / BINS, below=(place + 1) / BINS, mean_confidence=mean)


def _compute_gap(by_bin: Sequence[Sequence[TurnVerdict]], count: int) -> float:
    """Return the mean over all turns of how far their bin's confidence is from its share of right ones."""
    return math.fsum(abs(math.fsum(one.confidence - one.correct for one in held)) for held in by_bin) / count
