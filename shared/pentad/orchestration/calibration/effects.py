"""What other thresholds would have changed in runs that there were. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from pydantic import Field

from pentad.domain.declarations.agents import BandsSpec
from pentad.domain.ids import RunId
from pentad.domain.runs import Band
from pentad.domain.values import FrozenValue
from pentad.orchestration.confidence.bands import band_of


class RatedRun(FrozenValue):
    """A run that its agent rated: the lowest confidence of its turns decides what a human saw of it."""

    run_id: RunId
    confidence: float = Field(ge=0, le=1)


class MovedRuns(FrozenValue):
    """Runs that other thresholds would treat in another way, and what is known of them."""

    count: int
    correct: int = Field(description="of them, judged right")
    wrong: int = Field(description="of them, judged wrong")
    unjudged: int


class ThresholdEffects(FrozenValue):
    """What other thresholds would have changed."""

    runs: int
    before: dict[Band, int] = Field(description="runs by band, by the thresholds as they are")
    after: dict[Band, int] = Field(description="by the other ones")
    freed: MovedRuns = Field(description="would be done without a human, and are not")
    held: MovedRuns = Field(description="are done without a human, and would not be")


def with_autonomous(bands: BandsSpec, threshold: float) -> BandsSpec:
    """Return bands whose first threshold is another; the ones below it give way where it falls under them."""
    return BandsSpec(autonomous=threshold, review=min(bands.review, threshold), draft=min(bands.draft, threshold))


def compare_bands(
    runs: Sequence[RatedRun], verdicts: Mapping[str, bool], before: BandsSpec, after: BandsSpec
) -> ThresholdEffects:
    """Return what other thresholds would have changed.

    Args:
        runs: runs that were rated.
        verdicts: by run: whether all of its turns that were judged were right; none where nobody judged it.
        before: the thresholds as they are.
        after: the other ones.
    """
    bands = [(one, band_of(one.confidence, before), band_of(one.confidence, after)) for one in runs]
    freed = [one for one, was, now in bands if now is Band.AUTONOMOUS and was is not Band.AUTONOMOUS]
    held = [one for one, was, now in bands if was is Band.AUTONOMOUS and now is not Band.AUTONOMOUS]
    return ThresholdEffects(
        runs=len(bands),
        before=_count(was for _, was, _ in bands),
        after=_count(now for _, _, now in bands),
        freed=_describe(freed, verdicts),
        held=_describe(held, verdicts),
    )


def _count(bands: Iterable[Band]) -> dict[Band, int]:
    counted = Counter(bands)
    return {band: counted[band] for band in Band}


def _describe(runs: Sequence[RatedRun], verdicts: Mapping[str, bool]) -> MovedRuns:
    known = [verdicts[one.run_id] for one in runs if one.run_id in verdicts]
    return MovedRuns(
        count=len(runs), correct=sum(known), wrong=len(known) - sum(known), unjudged=len(runs) - len(known)
    )
