"""What other thresholds would have changed."""

from pentad.domain.declarations.agents import BandsSpec
from pentad.domain.runs import Band
from pentad.orchestration.calibration.effects import MovedRuns, RatedRun, compare_bands, with_autonomous


def runs(*confidences: float) -> list[RatedRun]:
    return [RatedRun(run_id=f"run_{number:026d}", confidence=one) for number, one in enumerate(confidences)]


def test_a_lower_threshold_frees_runs_and_a_higher_one_holds_them() -> None:
    rated = runs(0.95, 0.85, 0.85, 0.82, 0.75, 0.6, 0.2)
    verdicts = {rated[1].run_id: True, rated[2].run_id: False}
    before = BandsSpec()
    lower = compare_bands(rated, verdicts, before, with_autonomous(before, 0.8))
    assert lower.before == {Band.AUTONOMOUS: 1, Band.REVIEW: 4, Band.DRAFT: 1, Band.ESCALATE: 1}
    assert lower.after == {Band.AUTONOMOUS: 4, Band.REVIEW: 1, Band.DRAFT: 1, Band.ESCALATE: 1}
    assert lower.freed == MovedRuns(count=3, correct=1, wrong=1, unjudged=1)
    assert lower.held.count == 0
    higher = compare_bands(rated, {}, before, with_autonomous(before, 1.0))
    assert (higher.held, higher.freed.count) == (MovedRuns(count=1, correct=0, wrong=0, unjudged=1), 0)


def test_lower_bands_give_way_to_a_threshold_below_them() -> None:
    assert with_autonomous(BandsSpec(), 0.6) == BandsSpec(autonomous=0.6, review=0.6, draft=0.5)
    assert with_autonomous(BandsSpec(), 0.0) == BandsSpec(autonomous=0, review=0, draft=0)


def test_of_no_runs_nothing_changes() -> None:
    assert compare_bands([], {}, BandsSpec(), BandsSpec(autonomous=0.8)).runs == 0
