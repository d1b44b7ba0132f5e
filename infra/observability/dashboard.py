"""The dashboard of a stage: whether users are served, the five layers, the money, the alarms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.config import Stage
from pentad.observability.alarms.limits import AlarmLimits
from pentad.observability.alarms.specs import AlarmMetric
from pentad.observability.metrics import names

_WIDTH, _HEIGHT, _COLUMNS = 8, 6, 24
_MOST_LINES = 20
"""Lines of a panel that shows a metric by the values of a dimension: the greatest ones."""


def _queue(metric: str) -> AlarmMetric:
    return AlarmMetric(namespace="AWS/SQS", metric=metric, statistic="Maximum", where={"QueueName": "runs"})


@dataclass(frozen=True)
class Panel:
    """One graph.

    Attributes:
        title: above it: the question that it answers.
        lines: by label: a metric of ours with the stage alone, and its statistic.
        services: by label: a metric of one of AWS's services.
        by: a metric, its dimensions and its statistic: a line for each set of values.
        math: by label: an expression over the ids ``m0``, ``m1``, ... of the lines, which are then hidden.
        period: in seconds.
        unit: of the axis.
    """

    title: str
    lines: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    services: Mapping[str, AlarmMetric] = field(default_factory=dict)
    by: tuple[str, tuple[str, ...], str] | None = None
    math: Mapping[str, str] = field(default_factory=dict)
    period: int = 300
    unit: str = ""


def _build_dollars(title: str, metric: str) -> Panel:
    """Return a panel of nano-dollars, by day."""
    return Panel(title, lines={"sum": (metric, "Sum")}, math={"USD": "m0 / 1000000000"}, period=86_400, unit="USD")


def list_panels(limits: AlarmLimits) -> Mapping[str, Sequence[Panel]]:
    """Return all panels by the line above them, those of the objectives by what a stage has promised."""
    first, *others = PANELS.items()
    return dict([first, ("Objectives", _build_objectives(limits)), *others])


def _build_objectives(limits: AlarmLimits) -> tuple[Panel, ...]:
    failed, late = 100 - limits.slo_success_percent, 100 - limits.slo_fast_percent
    within = f"PR(:{limits.slo_seconds * 1000:g})"
    return (
        Panel(
            f"Error budget of success ({limits.slo_success_percent:g} %): how many times too fast, an hour",
            lines={"failed": (names.RUNS_FAILED, "Sum"), "ended": (names.RUNS_FAILED, "SampleCount")},
            math={"burn rate": f"100 * m0 / m1 / {failed:g}", "a page": "m0 * 0 + 14.4"},
            period=3_600,
        ),
        Panel(
            f"Error budget of speed ({limits.slo_fast_percent:g} %): how many times too fast, an hour",
            lines={"fast": (names.RUN_ACTIVE, within)},
            math={"burn rate": f"(100 - m0) / {late:g}", "a ticket": "m0 * 0 + 14.4"},
            period=3_600,
        ),
        Panel(
            f"Runs that are done within {limits.slo_seconds:g} s, without humans",
            lines={"share": (names.RUN_ACTIVE, within)},
            unit="%",
        ),
    )


PANELS: Mapping[str, Sequence[Panel]] = {
    "Are users served?": (
        Panel(
            "Runs that do not fail",
            lines={"failed": (names.RUNS_FAILED, "Sum"), "ended": (names.RUNS_FAILED, "SampleCount")},
            math={"success": "100 - 100 * m0 / m1"},
            unit="%",
        ),
        Panel(
            "How long runs take, without humans",
            lines={"p50": (names.RUN_ACTIVE, "p50"), "p95": (names.RUN_ACTIVE, "p95")},
            unit="ms",
        ),
        Panel("Runs by agent and end", by=(names.RUNS_ENDED, ("agent", "status"), "Sum")),
    ),
    "Models": (
        Panel("Requests by model and outcome", by=(names.MODEL_ATTEMPTS, ("model", "outcome", "provider"), "Sum")),
        Panel("Latency by model, p95", by=(names.MODEL_LATENCY, ("model", "provider"), "p95"), unit="ms"),
        Panel(
            "Where the first model did not answer",
            lines={
                "fallbacks": (names.MODEL_FALLBACKS, "Sum"),
                "none reached": (names.MODEL_DEGRADED, "Sum"),
                "retries": (names.MODEL_RETRIES, "Sum"),
            },
        ),
    ),
    "Orchestration": (
        Panel("Runs started, by trigger", by=(names.RUNS_STARTED, ("agent", "trigger"), "Sum")),
        Panel(
            "Turns of a run",
            lines={"mean": (names.RUN_STEPS, "Average"), "p95": (names.RUN_STEPS, "p95")},
        ),
        Panel(
            "Humans",
            lines={
                "asked": (names.APPROVALS_REQUESTED, "Sum"),
                "decided": (names.APPROVALS_DECIDED, "Sum"),
                "taken over": (names.ESCALATIONS, "Sum"),
                "reminded": (names.APPROVAL_REMINDERS, "Sum"),
            },
        ),
    ),
    "Memory": (
        Panel(
            "Recall",
            lines={"p50": (names.RECALL_DURATION, "p50"), "p95": (names.RECALL_DURATION, "p95")},
            unit="ms",
        ),
        Panel("Documents", by=(names.DOCUMENTS_INGESTED, ("status",), "Sum")),
        Panel("Facts, by what the write gate did", by=(names.FACTS_JUDGED, ("outcome",), "Sum")),
    ),
    "Tools": (
        Panel("Calls by tool and outcome", by=(names.TOOL_CALLS, ("outcome", "tool"), "Sum")),
        Panel("Duration by tool, p95", by=(names.TOOL_DURATION, ("tool",), "p95"), unit="ms"),
        Panel("Out of order", by=(names.TOOLS_UNAVAILABLE, ("tool",), "Sum")),
    ),
    "Quality": (
        Panel(
            "Satisfaction: mean score of answers, a day",
            lines={"score": (names.SATISFACTION, "Average")},
            math={"satisfaction": "100 * m0"},
            period=86_400,
            unit="%",
        ),
        Panel("Feedback by agent and what it says", by=(names.FEEDBACK_GIVEN, ("agent", "outcome"), "Sum")),
        Panel(
            "Confidence against what users say (Brier score), a day",
            lines={"error": (names.CONFIDENCE_ERROR, "Average")},
            period=86_400,
        ),
    ),
    "Money": (
        _build_dollars("Models, a day", names.MODEL_COST),
        Panel("Cost by agent (nano-dollars), a day", by=(names.RUN_COST, ("agent",), "Sum"), period=86_400),
        Panel(
            "Tokens read from a provider's cache",
            lines={
                "read": (names.CACHE_READ_TOKENS, "Sum"),
                "written": (names.CACHE_WRITE_TOKENS, "Sum"),
                "neither": (names.INPUT_TOKENS, "Sum"),
            },
            math={"share": "100 * m0 / (m0 + m1 + m2)"},
            unit="%",
        ),
        _build_dollars("Saved by providers' caches, a day", names.CACHE_SAVINGS),
    ),
    "Capacity": (
        Panel(
            "Requests that wait in the queue of runs",
            services={
                "waiting": _queue("ApproximateNumberOfMessagesVisible"),
                "age of the oldest, s": _queue("ApproximateAgeOfOldestMessage"),
            },
        ),
        Panel(
            "Functions at once, of the account, and those that were throttled",
            services={
                "at once": AlarmMetric(namespace="AWS/Lambda", metric="ConcurrentExecutions", statistic="Maximum"),
                "throttled": AlarmMetric(namespace="AWS/Lambda", metric="Throttles"),
            },
        ),
        Panel(
            "Circuits by model: 0 closed, 1 half-open, 2 open",
            by=(names.BREAKER_STATE, ("model", "provider"), "Maximum"),
        ),
    ),
    "What goes wrong": (
        Panel("Failed invocations, by error", by=(names.ERRORS, ("error",), "Sum")),
        Panel("Failed invocations, by function", by=(names.ERRORS, ("function",), "Sum")),
        Panel("Cold starts", by=(names.COLD_STARTS, ("function",), "Sum")),
        Panel(
            "Refused",
            lines={
                "budget": (names.BUDGET_REFUSALS, "Sum"),
                "share": (names.SHARE_REFUSALS, "Sum"),
                "rate": (names.RATE_REFUSALS, "Sum"),
            },
        ),
    ),
}
"""By the line above them: three a row."""


def create_dashboard(scope: Construct, name: str, *, stage: Stage, alarms: Sequence[str]) -> cloudwatch.CfnDashboard:
    """Make the dashboard of a stage, named as its prefix.

    Args:
        scope: the parent.
        name: the construct's id.
        stage: the stage.
        alarms: names of those whose states it shows.
    """
    stack = Stack.of(scope)
    arns = [
        stack.format_arn(
            service="cloudwatch",
            resource="alarm",
            resource_name=f"{stage.prefix}-{one}",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        for one in alarms
    ]
    return cloudwatch.CfnDashboard(
        scope,
        name,
        dashboard_name=stage.prefix,
        dashboard_body=stack.to_json_string({"widgets": build_widgets(stage, stack.region, arns)}),
    )


def build_widgets(stage: Stage, region: str, alarms: Sequence[str]) -> list[dict[str, Any]]:
    """Return the widgets in CloudWatch's form.

    Args:
        stage: whose name is the dimension of every metric of ours.
        region: where the metrics are.
        alarms: ARNs.
    """
    widgets = [_place(0, 0, _COLUMNS, 4, "alarm", {"title": "Alarms", "alarms": list(alarms)})]
    y = 4
    for heading, panels in list_panels(stage.alerts.limits).items():
        widgets.append(_place(0, y, _COLUMNS, 1, "text", {"markdown": f"## {heading}"}))
        y += 1
        for place, panel in enumerate(panels):
            row, column = divmod(place, _COLUMNS // _WIDTH)
            at = _WIDTH * column, y + row * _HEIGHT
            widgets.append(_place(*at, _WIDTH, _HEIGHT, "metric", _draw(panel, stage, region)))
        y += -(-len(panels) // (_COLUMNS // _WIDTH)) * _HEIGHT
    return widgets


def _place(x: int, y: int, width: int, height: int, kind: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "x": x, "y": y, "width": width, "height": height, "properties": properties}


def _draw(panel: Panel, stage: Stage, region: str) -> dict[str, Any]:
    if panel.by is not None:
        metrics: list[list[Any]] = [[{"expression": _search(panel.by, stage.name, panel.period), "id": "s0"}]]
    elif panel.services:
        metrics = [
            [one.namespace, one.metric, *_list_where(one, stage.prefix), {"label": label, "stat": one.statistic}]
            for label, one in panel.services.items()
        ]
    else:
        metrics = [
            [
                names.NAMESPACE,
                metric,
                "stage",
                stage.name,
                {"id": f"m{place}", "label": label, "stat": statistic, "visible": not panel.math},
            ]
            for place, (label, (metric, statistic)) in enumerate(panel.lines.items())
        ]
        metrics += [
            [{"expression": text, "label": label, "id": f"e{place}"}]
            for place, (label, text) in enumerate(panel.math.items())
        ]
    drawn: dict[str, Any] = {
        "title": panel.title,
        "region": region,
        "view": "timeSeries",
        "stacked": False,
        "period": panel.period,
        "metrics": metrics,
    }
    return drawn | ({"yAxis": {"left": {"label": panel.unit, "showUnits": False, "min": 0}}} if panel.unit else {})


def _list_where(signal: AlarmMetric, prefix: str) -> list[str]:
    return [text for name, value in signal.where.items() for text in (name, f"{prefix}-{value}")]


def _search(by: tuple[str, tuple[str, ...], str], stage: str, period: int) -> str:
    """Return the expression that finds a metric by its dimensions, the greatest lines of it."""
    metric, dimensions, statistic = by
    schema = ",".join([names.NAMESPACE, *sorted((*dimensions, "stage"))])
    found = f"SEARCH('{{{schema}}} MetricName=\"{metric}\" stage=\"{stage}\"', '{statistic}', {period})"
    return f"SLICE(SORT({found}, SUM, DESC), 0, {_MOST_LINES})"
