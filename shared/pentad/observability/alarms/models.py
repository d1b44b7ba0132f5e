"""Alarms on models and their providers."""

from pentad.observability.alarms.limits import AlarmLimits
from pentad.observability.alarms.specs import AlarmMetric, AlarmSpec
from pentad.observability.metrics import names


def build_model_alarms(limits: AlarmLimits) -> list[AlarmSpec]:
    """Return the alarms on models and their providers."""
    return [
        AlarmSpec(
            name="models-unreachable",
            group="models",
            severity="page",
            says="No model of a chain can be reached: runs answer that they can't",
            why="a chain has several providers, a call that reaches none is rare; three in five minutes are not chance",
            runbook="models-unreachable",
            signals={"degraded": AlarmMetric(metric=names.MODEL_DEGRADED)},
            threshold=3,
            periods=2,
            to_alarm=1,
        ),
        AlarmSpec(
            name="models-slow",
            group="models",
            severity="ticket",
            says="Requests to models are slow",
            why="users wait this long for one step of a run; three of four periods, since a single slow reply is usual",
            runbook="slow",
            signals={"latency": AlarmMetric(metric=names.MODEL_LATENCY, statistic="p95")},
            threshold=limits.model_seconds * 1000,
            periods=4,
            to_alarm=3,
        ),
        AlarmSpec(
            name="circuit-open",
            group="models",
            severity="ticket",
            says="The circuit of a provider is open: its fallback answers",
            why="ten minutes of an open circuit are more than a hiccup; users are served, by another model than chosen",
            runbook="models-unreachable",
            signals={"state": AlarmMetric(metric=names.BREAKER_STATE, statistic="Maximum")},
            threshold=2,
            periods=2,
            to_alarm=2,
        ),
    ]
