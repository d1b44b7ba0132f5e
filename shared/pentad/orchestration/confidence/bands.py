"""Combine a turn's signals into a confidence, and find the band that says what it allows. Pure.

The rule, in three sentences:

1. The signals that models made (self-report, judge, agreement of samples) give the value half way between their mean
   and the lowest of them: where sources agree that is their mean, and where one doubts, the doubt weighs more.
2. Validators that failed put a cap on it (`CAPS`); validators that passed, or were not asked, change nothing.
3. Where model-made sources were asked and none gave a signal, nothing is known, and the value is `UNKNOWN`; where the
   agent asks for validators only, they alone decide, from 1.

Half way to the lowest, since a mean lets one confident source outvote a doubting one, and it is the self-report that is
confident too often (Xiong et al. 2024, "Can LLMs Express Their Uncertainty?", arXiv:2306.13063); the lowest alone would
let the noisiest source decide. The value never falls when a signal rises, lies between the lowest and the highest of
the signals where nothing failed, and does not depend on their order. It is rounded to four decimals, so that a sum of
binary fractions does not miss a threshold by a hair.
"""

import math
from collections.abc import Sequence

from pentad.domain.declarations.agents import BandsSpec, ConfidenceSpec
from pentad.domain.errors import InvalidInput
from pentad.domain.runs import Assessment, Band, Signal

SOURCES = ("self_report", "judge", "agreement", "validators")
"""All sources, in the order in which an assessment lists their signals."""

CAPS = {"citations": 0.6, "tool_errors": 0.8, "schema": 0.4}
"""What a failed validator leaves at most. With the usual bands an answer that cites what is not there is a draft, one
that was made without a tool's result is reviewed, and a turn that does not fit its schema is escalated."""

UNKNOWN = 0.5
"""Of a turn that should have been rated and was not: as likely right as wrong. A draft, with the usual bands."""

_DECIMALS = 4


def has_model_sources(spec: ConfidenceSpec) -> bool:
    """Tell whether any source is asked that needs a model."""
    return spec.self_report or spec.judge or spec.samples > 0


def compute_confidence(signals: Sequence[Signal], *, asked_models: bool) -> float:
    """Return the confidence that the rule makes of signals.

    Args:
        signals: at most one of each source, in any order; that of the validators is the lowest of the caps that
            apply, 1 where none does.
        asked_models: sources were asked that need a model, whether they gave a signal or not.

    Raises:
        InvalidInput: a score is not between 0 and 1, or a source has two signals.
    """
    scores = {signal.source: _check_score(signal.score) for signal in signals}
    if len(scores) != len(signals):
        raise InvalidInput("a source has two signals", field="signals")
    cap = scores.pop("validators", 1.0)
    made = sorted(scores.values())
    if made:
        value = (math.fsum(made) / len(made) + made[0]) / 2
    else:
        value = UNKNOWN if asked_models else 1.0
    return round(min(value, cap), _DECIMALS)


def band_of(confidence: float, bands: BandsSpec) -> Band:
    """Return what a confidence allows; a threshold belongs to the band above it.

    Raises:
        InvalidInput: it is not between 0 and 1.
    """
    _check_score(confidence)
    if confidence >= bands.autonomous:
        return Band.AUTONOMOUS
    if confidence >= bands.review:
        return Band.REVIEW
    return Band.DRAFT if confidence >= bands.draft else Band.ESCALATE


def build_assessment(signals: Sequence[Signal], spec: ConfidenceSpec) -> Assessment:
    """Return the assessment of a turn with these signals.

    Raises:
        InvalidInput: as `compute_confidence`.
    """
    confidence = compute_confidence(signals, asked_models=has_model_sources(spec))
    ordered = sorted(signals, key=lambda signal: SOURCES.index(signal.source))
    return Assessment(confidence=confidence, band=band_of(confidence, spec.bands), signals=tuple(ordered))


def _check_score(value: float) -> float:
    """Return a value that is a confidence; written so that NaN is none."""
    if not 0 <= value <= 1:
        raise InvalidInput("a confidence is between 0 and 1", field="confidence")
    return value
