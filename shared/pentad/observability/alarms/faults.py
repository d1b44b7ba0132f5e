"""What the metrics of alarms are on a good day, and while something is wrong: what a drill of alarms plays. Data."""

from collections.abc import Mapping

from pentad.observability.metrics import names

HEALTHY: Mapping[str, float] = {
    names.MODEL_LATENCY: 2_000,
    names.BREAKER_STATE: 0,
    names.RUNS_FAILED: 0,
    names.RUN_ACTIVE: 4_000,
    names.RECALL_DURATION: 150,
    names.MODEL_COST: 2e6,
    names.RUN_COST: 3e6,
    names.TURNS: 3,
    names.ESTIMATE_ERROR: 4,
    names.SATISFACTION: 0.9,
    names.CONFIDENCE_ERROR: 0.08,
    names.DRILLS: 1,
    names.AUDIT_ANCHORS: 1,
    names.DRILL_LINK: 1,
    "5xx": 0,
    "Count": 20,
    "ApproximateAgeOfOldestMessage": 2,
    "ApproximateNumberOfMessagesVisible": 0,
    "ConcurrentExecutions": 30,
    "ExecutionsSucceeded": 20,
}
"""A value of each minute, by metric; a metric that is not here has none on a good day."""

FAULTY: Mapping[str, float | None] = {
    names.MODEL_DEGRADED: 2,
    names.MODEL_LATENCY: 90_000,
    names.BREAKER_STATE: 2,
    names.ERRORS: 4,
    names.FAULTS: 4,
    names.RUNS_FAILED: 1,
    names.RUN_ACTIVE: 300_000,
    names.RECALL_DURATION: 9_000,
    names.TOOLS_UNAVAILABLE: 1,
    names.MODEL_COST: 9e9,
    names.RUN_COST: 2e9,
    names.BUDGET_UNSETTLED: 1,
    names.BUDGET_REFUSALS: 1,
    names.USAGE_ABSURD: 1,
    names.ESCALATIONS: 2,
    names.ESTIMATE_ERROR: -60,
    names.SATISFACTION: 0.1,
    names.CONFIDENCE_ERROR: 0.6,
    names.SHARE_REFUSALS: 1,
    names.RATE_REFUSALS: 1,
    names.DRILLS: None,
    names.AUDIT_ANCHORS: None,
    names.DRILL_LINK: 0,
    "5xx": 3,
    "ApproximateAgeOfOldestMessage": 900,
    "ApproximateNumberOfMessagesVisible": 1,
    "ConcurrentExecutions": 990,
    "ExecutionsFailed": 30,
}
"""A value of each minute while it is wrong; None: the metric does not come any more."""
