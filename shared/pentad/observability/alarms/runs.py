"""Alarms on runs, and on what they wait for."""

from pentad.observability.alarms.limits import AlarmLimits
from pentad.observability.alarms.specs import AlarmMetric, AlarmSpec
from pentad.observability.metrics import names


def build_run_alarms(limits: AlarmLimits) -> list[AlarmSpec]:
    """Return the alarms on failing runs and tools."""
    return [
        AlarmSpec(
            name="runs-failing",
            group="runs",
            severity="page",
            says="Runs fail",
            why="at least three of them, so that one of two in a quiet night is none",
            runbook="runs-failing",
            signals={
                "failed": AlarmMetric(metric=names.RUNS_FAILED),
                "ended": AlarmMetric(metric=names.RUNS_FAILED, statistic="SampleCount"),
            },
            expression="IF(failed >= 3, 100 * failed / ended, 0)",
            threshold=limits.failed_percent,
            periods=3,
            to_alarm=2,
        ),
        AlarmSpec(
            name="tools-unavailable",
            group="runs",
            severity="ticket",
            says="A tool is out of order: models are told so and go on without it",
            why="a tool is put out of order after failures in a row, never after one",
            runbook="tools-unavailable",
            signals={"tools": AlarmMetric(metric=names.TOOLS_UNAVAILABLE)},
        ),
    ]


def build_latency_alarms(limits: AlarmLimits) -> list[AlarmSpec]:
    """Return the alarms on what users wait for."""
    return [
        AlarmSpec(
            name="runs-slow",
            group="runs",
            severity="ticket",
            says="Runs are slow",
            why="what users wait for, without what a run waits for humans",
            runbook="slow",
            signals={"duration": AlarmMetric(metric=names.RUN_ACTIVE, statistic="p95")},
            threshold=limits.run_seconds * 1000,
            periods=4,
            to_alarm=3,
        ),
        AlarmSpec(
            name="recall-slow",
            group="runs",
            severity="ticket",
            says="Recall is slow",
            why="it stands before the first model call of each run; the embedder's or the vector store's latency",
            runbook="slow",
            signals={"duration": AlarmMetric(metric=names.RECALL_DURATION, statistic="p95")},
            threshold=limits.recall_seconds * 1000,
            periods=4,
            to_alarm=3,
        ),
    ]
