"""Alarms on quality and on capacity."""

from pentad.observability.alarms.limits import AlarmLimits
from pentad.observability.alarms.specs import AlarmMetric, AlarmSpec
from pentad.observability.metrics import names


def build_quality_alarms(limits: AlarmLimits) -> list[AlarmSpec]:
    """Return the alarms on what humans take over, on what users say of answers and their confidence, on estimates."""
    return [
        AlarmSpec(
            name="escalations",
            group="quality",
            severity="ticket",
            says="Humans have to take over more turns than usual",
            why="at least five in an hour; what it means is in the reviews that were opened",
            runbook="quality",
            signals={
                "escalated": AlarmMetric(metric=names.ESCALATIONS),
                "turns": AlarmMetric(metric=names.TURNS),
            },
            expression="IF(escalated >= 5, 100 * escalated / turns, 0)",
            threshold=limits.escalated_percent,
            minutes=60,
        ),
        _build_satisfaction_alarm(limits),
        _build_calibration_alarm(limits),
        AlarmSpec(
            name="estimates-off",
            group="quality",
            severity="ticket",
            says="Token estimates are off: contexts are cut too early or too late",
            why="they are corrected by each reply's usage; so far off for three hours they are not",
            runbook="quality",
            signals={"error": AlarmMetric(metric=names.ESTIMATE_ERROR, statistic="Average")},
            expression="ABS(error)",
            threshold=limits.estimate_percent,
            minutes=60,
            periods=3,
            to_alarm=3,
        ),
    ]


def _build_satisfaction_alarm(limits: AlarmLimits) -> AlarmSpec:
    return AlarmSpec(
        name="unsatisfied",
        group="quality",
        severity="ticket",
        says="Users are less satisfied with answers than they should be",
        why="the mean of at least twenty scores of a day; with fewer, one user decides",
        runbook="quality",
        signals={
            "score": AlarmMetric(metric=names.SATISFACTION, statistic="Average"),
            "given": AlarmMetric(metric=names.SATISFACTION, statistic="SampleCount"),
        },
        expression="IF(given >= 20, 100 * score, 100)",
        comparison="<",
        threshold=limits.satisfied_percent,
        minutes=1440,
    )


def _build_calibration_alarm(limits: AlarmLimits) -> AlarmSpec:
    return AlarmSpec(
        name="miscalibrated",
        group="quality",
        severity="ticket",
        says="Agents are surer of answers than they are right, or less sure",
        why="Brier score of at least twenty rated answers of a day; one who always says 50 % has 0.25",
        runbook="quality",
        signals={
            "gap": AlarmMetric(metric=names.CONFIDENCE_ERROR, statistic="Average"),
            "rated": AlarmMetric(metric=names.CONFIDENCE_ERROR, statistic="SampleCount"),
        },
        expression="IF(rated >= 20, gap, 0)",
        threshold=limits.confidence_error,
        minutes=1440,
    )


def build_capacity_alarms(limits: AlarmLimits) -> list[AlarmSpec]:
    """Return the alarms on limits that are reached."""
    return [
        AlarmSpec(
            name="concurrency",
            group="capacity",
            severity="ticket",
            says="The account's Lambda functions are near their limit",
            why="over the limit invocations are refused; ask AWS for more, or share the account with less",
            runbook="capacity",
            signals={
                "running": AlarmMetric(namespace="AWS/Lambda", metric="ConcurrentExecutions", statistic="Maximum")
            },
            threshold=limits.concurrency,
            periods=3,
            to_alarm=2,
        ),
        AlarmSpec(
            name="shares-refused",
            group="capacity",
            severity="ticket",
            says="A tenant has as many model calls at once as it may: more are refused",
            why="fifteen minutes of refusals are not a burst: its share, or the stage's concurrency, is too small",
            runbook="capacity",
            signals={"refused": AlarmMetric(metric=names.SHARE_REFUSALS)},
            periods=3,
            to_alarm=3,
        ),
        AlarmSpec(
            name="rates-refused",
            group="capacity",
            severity="ticket",
            says="Callers make more costly requests a minute than they may",
            why="a quarter of an hour of refusals: a client that does not wait, or a limit that is too low",
            runbook="capacity",
            signals={"refused": AlarmMetric(metric=names.RATE_REFUSALS)},
            periods=3,
            to_alarm=3,
        ),
    ]
