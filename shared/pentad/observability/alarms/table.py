"""Which alarms a stage has, why each threshold is what it is, and which fault each tells of. Pure."""

from pentad.observability.alarms.limits import AlarmLimits
from pentad.observability.alarms.models import build_model_alarms
from pentad.observability.alarms.objectives import build_slo_alarms
from pentad.observability.alarms.platform import build_platform_alarms, build_queue_alarms
from pentad.observability.alarms.quality import build_capacity_alarms, build_quality_alarms
from pentad.observability.alarms.runs import build_latency_alarms, build_run_alarms
from pentad.observability.alarms.specs import AlarmSpec, PageSpec
from pentad.observability.alarms.spending import build_cost_alarms, build_run_cost_alarms


def build_alarms(limits: AlarmLimits, *, api_id: str) -> tuple[AlarmSpec, ...]:
    """Return the metric alarms of a stage.

    Args:
        limits: its thresholds.
        api_id: the id of its HTTP API.
    """
    return (
        *build_model_alarms(limits),
        *build_platform_alarms(limits, api_id),
        *build_queue_alarms(limits),
        *build_run_alarms(limits),
        *build_latency_alarms(limits),
        *build_slo_alarms(limits),
        *build_cost_alarms(limits),
        *build_run_cost_alarms(limits),
        *build_quality_alarms(limits),
        *build_capacity_alarms(limits),
    )


PAGES: tuple[PageSpec, ...] = (
    PageSpec(
        name="page-models",
        says="No model can be reached",
        runbook="models-unreachable",
        any_of=("models-unreachable",),
    ),
    PageSpec(
        name="page-platform",
        says="The stack's own functions, API or queues do not work",
        runbook="functions-failing",
        any_of=("functions-failing", "functions-killed", "api-failing", "requests-waiting"),
        suppressed_by=("page-models",),
    ),
    PageSpec(
        name="slo-success-fast",
        says="The error budget of a month is gone in two days",
        runbook="runs-failing",
        all_of=("slo-success-fast-60m", "slo-success-fast-5m"),
    ),
    PageSpec(
        name="page-runs",
        says="Runs fail, and nothing else tells why",
        runbook="runs-failing",
        any_of=("runs-failing", "slo-success-fast"),
        suppressed_by=("page-models", "page-platform"),
    ),
)
"""In this order: a cause stands before its symptoms. Those without ``page-`` tell nobody by themselves."""

TICKETS: tuple[PageSpec, ...] = (
    PageSpec(
        name="slo-success-slow",
        says="Failures use up the error budget too fast",
        runbook="runs-failing",
        all_of=("slo-success-slow-360m", "slo-success-slow-30m"),
    ),
    PageSpec(
        name="slo-latency",
        says="Slow runs use up the error budget too fast",
        runbook="slow",
        all_of=("slo-latency-fast-60m", "slo-latency-fast-5m"),
    ),
    PageSpec(
        name="slo-latency-slow",
        says="Slow runs use up the error budget too fast, over hours",
        runbook="slow",
        all_of=("slo-latency-slow-360m", "slo-latency-slow-30m"),
    ),
)
"""Composite alarms that open a ticket."""


def list_parts() -> frozenset[str]:
    """Return the metric alarms that tell nobody by themselves: they are parts of a composite alarm."""
    return frozenset(name for one in (*PAGES, *TICKETS) for name in (*one.any_of, *one.all_of))
