"""The one table of metrics: of each the unit, the dimensions with their values, and what it tells. Pure.

CloudWatch bills each distinct set of a metric's dimension values as a metric of its own. So a dimension's values are
either written down here, or names of what a deployment declares (agents, tools, models), of which at most so many are
told apart; what is beyond either is ``other``. A tenant, a user, a run or a session is never a dimension.
"""

from collections.abc import Mapping
from typing import NamedTuple

from pentad.observability.metrics import names

OTHER = "other"
CEILING = 4_000
"""The most metrics that a stage can be billed for, whoever uses it: a test computes them from this table."""
MOST_TOLD_APART: Mapping[str, int] = {"agent": 25, "tool": 60, "model": 20, "tier": 8, "function": 90}
"""By dimension: how many declared names are told apart. Workflows are agents here; a provider comes with its model."""
PLATFORM_FUNCTIONS = (
    "alert",
    "anchor",
    "api",
    "authorizer",
    "await-human",
    "contents",
    "deliver",
    "erase",
    "export",
    "gateway",
    "ingest",
    "notify",
    "recall",
    "remember",
    "rotate-secret",
    "run-tool",
    "trigger",
    "workflow",
)
"""Values of ``function`` that every deployment has; the others are tools'."""


class Dimension(NamedTuple):
    """A dimension of a metric; ``values`` are all that it can have, None for declared names."""

    name: str
    values: frozenset[str] | None = None


class MetricSpec(NamedTuple):
    """What is said of a metric.

    Attributes:
        unit: CloudWatch's.
        tells: what a reader learns from it.
        sets: of dimensions, beside the stage alone: each is written, and billed, on its own.
    """

    unit: str
    tells: str
    sets: tuple[tuple[Dimension, ...], ...]

    @property
    def dimensions(self) -> dict[str, Dimension]:
        """All of its dimensions by name."""
        return {one.name: one for dimensions in self.sets for one in dimensions}


def _any_of(name: str, values: str) -> Dimension:
    return Dimension(name, frozenset(values.split()))


def _count(tells: str, *dimensions: Dimension) -> MetricSpec:
    return MetricSpec("Count", tells, (dimensions,) if dimensions else ())


def _measure(unit: str, tells: str, *dimensions: Dimension) -> MetricSpec:
    return MetricSpec(unit, tells, (dimensions,) if dimensions else ())


AGENT, TOOL, TIER, FUNCTION = Dimension("agent"), Dimension("tool"), Dimension("tier"), Dimension("function")
MODEL, PROVIDER = Dimension("model"), Dimension("provider")
_LINK = (MODEL, PROVIDER)
_ATTEMPTED = _any_of(
    "outcome",
    "ok rate_limit overload timeout connection malformed truncated refusal context_overflow authentication "
    "caller_error fault begun",
)
_APPROVED = _any_of("kind", "calls answer question escalation")
_REVIEWED = _any_of("kind", "confidence loop limit failed escalated")
_JUDGED = _any_of("outcome", "correct wrong")
_SAID = _any_of("outcome", "correct wrong undecided")
_RATED = _any_of("kind", "answer citation")
_RECALLED = Dimension(
    "outcome",
    frozenset(("fits", "flat", "several parts", "nothing said", "nothing asked", "not needed", "in the window")),
)
_FAILED = _any_of(
    "error",
    "PentadError TransientError ModelThrottled ModelUnavailable ToolThrottled ToolBusy ToolUnavailable "
    "StoreUnavailable SessionBusy PermanentError InvalidInput IdempotencyConflict SessionConflict NotFound "
    "NotAuthenticated PolicyDenied InvalidTransition LimitReached BudgetExceeded ContextOverflow Refused "
    "MalformedReply ModelCallerError ModelAuthentication ToolFailed EffectUncertain RecordChanged Unreadable "
    "StepFailed StepRejected StepDone ConfigurationError ValidationError ClientError AssertionError AttributeError "
    "ImportError IndexError KeyError MemoryError ModuleNotFoundError OSError RecursionError RuntimeError TimeoutError "
    "TypeError UnicodeDecodeError ValueError",
)

METRICS: Mapping[str, MetricSpec] = {
    names.RUNS_STARTED: _count("runs started", AGENT, _any_of("trigger", "api event queue schedule cli workflow")),
    names.RUNS_DEQUEUED: _count("runs that left a session's queue and started", AGENT),
    names.RUNS_ENDED: _count("runs ended", AGENT, _any_of("status", "succeeded degraded stopped failed cancelled")),
    names.RUN_DURATION: _measure("Milliseconds", "from the start of a run to its end", AGENT),
    names.RUN_ACTIVE: _measure(
        "Milliseconds", "from the start of a run to its end, without what it waited for humans", AGENT
    ),
    names.RUNS_FAILED: _count(
        "1 for a run that failed or is degraded, 0 for another end: its mean is the share", AGENT
    ),
    names.RUN_STEPS: _count("turns of a run", AGENT),
    names.RUN_COST: _measure("None", "nano-dollars of a run", AGENT),
    names.TURNS: _count("model turns", AGENT, _any_of("decision", "answer tools approve ask escalate stop")),
    names.ESTIMATE_ERROR: _measure(
        "Percent",
        "by how much the corrected estimate of a request was above what its provider counted; below 0: under it",
        MODEL,
    ),
    names.MODEL_ATTEMPTS: _count("requests to a provider", *_LINK, _ATTEMPTED),
    names.MODEL_LATENCY: _measure("Milliseconds", "duration of a request", *_LINK),
    names.MODEL_COST: _measure("None", "nano-dollars of a request", *_LINK),
    names.MODEL_FALLBACKS: _count("answers by another model than the first of the chain", *_LINK),
    names.MODEL_RETRIES: _count("requests that were repeated", *_LINK, _ATTEMPTED),
    names.MODEL_DEGRADED: _count("calls for which no model could be reached", TIER),
    names.BUDGET_DOWNGRADES: _count("calls moved to a cheaper tier"),
    names.BUDGET_REFUSALS: _count("calls refused because a budget is used up"),
    names.BUDGET_UNSETTLED: _count("costs that could not be settled; give it an alarm"),
    names.USAGE_ABSURD: _count("replies whose usage no request can have: estimated, and an alarm"),
    names.RATE_REFUSALS: _count("requests refused because a key, user or tenant made too many in a minute"),
    names.SHARE_REFUSALS: _count("model calls refused because a tenant has as many running as it may"),
    names.SPANS_DROPPED: _count(
        "spans that reached no tracing product: unreadable, too large, malformed, or rejected by it",
        _any_of("outcome", "unreadable too_large malformed rejected"),
    ),
    names.SHARE_RETURNS: _count("documents that went back to the queue because a tenant has as many at work as it may"),
    names.CACHE_SAVINGS: _measure("None", "nano-dollars that a provider's cache has saved, its writes taken away"),
    # The hit rate of a provider's cache is CacheReadTokens of the sum of the three.
    names.INPUT_TOKENS: _count("tokens neither read from a provider's cache nor written to it", *_LINK),
    names.OUTPUT_TOKENS: _count("tokens of replies, thinking included", *_LINK),
    names.CACHE_READ_TOKENS: _count("tokens read from a provider's cache", *_LINK),
    names.CACHE_WRITE_TOKENS: _count("tokens written to a provider's cache", *_LINK),
    names.RESPONSE_CACHE_LOOKUPS: _count(
        "lookups in the response cache", _any_of("outcome", "hit joined miss unavailable")
    ),
    names.CASCADES: _count(
        "calls with a cascade; moved_up: the larger model was asked",
        TIER,
        _any_of("outcome", "kept given_unsure moved_up"),
    ),
    names.CONTEXT_COMPACTIONS: _count("conversations shortened", TIER, _any_of("outcome", "compacted too_large")),
    names.TOOL_CALLS: _count("tool calls", TOOL, _any_of("outcome", "ok error refused replayed")),
    names.TOOL_DURATION: _measure("Milliseconds", "duration of a tool call", TOOL),
    names.TOOL_RATE_REFUSALS: _count("a call was refused since its tool's rate was used up", TOOL),
    names.TOOL_UNDOS: _count("undone effects", TOOL, _any_of("outcome", "ok error refused")),
    names.TOOLS_UNAVAILABLE: _count("times that a tool was put out of order for a time", TOOL),
    names.APPROVALS_REQUESTED: _count("approvals that humans were asked for", AGENT, _APPROVED),
    names.APPROVALS_DECIDED: _count(
        "decisions on approvals, and those that nobody made in time",
        _APPROVED,
        _any_of("outcome", "approved edited rejected answered expired expired_approved expired_rejected"),
    ),
    names.APPROVAL_DURATION: _measure("Milliseconds", "from the request to the decision", _APPROVED),
    names.APPROVAL_ESCALATIONS: _count(
        "approvals handed to another group, by a human (decided) or since nobody decided (expired)",
        AGENT,
        _any_of("outcome", "decided expired"),
    ),
    names.APPROVAL_REMINDERS: _count("reminders sent", AGENT),
    names.NOTICES: _count(
        "notices to humans, by channel",
        _any_of("kind", "topic slack email"),
        _any_of("outcome", "sent failed not_set_up"),
    ),
    names.CONFIDENCE: _measure("None", "confidence of a turn, 0 to 1", AGENT),
    names.CONFIDENCE_SIGNALS: _count(
        "asked sources of a confidence",
        _any_of("source", "self_report judge agreement validators"),
        _any_of("outcome", "given none"),
    ),
    names.ASSESSMENTS: _count("rated turns", AGENT, _any_of("band", "autonomous review draft escalate")),
    names.ESCALATIONS: _count("turns in the band escalate, and those that a human takes over", AGENT),
    names.REVIEWS_OPENED: _count("reviews opened, by cause", AGENT, _REVIEWED),
    names.REVIEWS_CLOSED: MetricSpec(
        "Count",
        "reviews closed, and their verdicts: how often a reviewed turn was right",
        ((AGENT, _JUDGED), (_REVIEWED, _JUDGED)),
    ),
    names.FEEDBACK_GIVEN: MetricSpec(
        "Count", "feedback on answers and citations (kind); a person counts once", ((AGENT, _SAID), (_RATED, _SAID))
    ),
    names.SATISFACTION: _measure("None", "score of an answer, 0 to 1; its mean is the satisfaction", AGENT),
    names.CORRECTIONS: _count("corrections of answers and citations (kind)", AGENT, _RATED),
    names.CONFIDENCE_ERROR: _measure(
        "None",
        "squared gap between an answer's confidence and what its user says of it: the mean is the Brier score",
        AGENT,
    ),
    names.PASSAGES_RECALLED: _count("passages given to a run", AGENT),
    names.TURNS_RECALLED: _count(
        "turns of earlier conversations given with a question; outcome: why so many, or none", AGENT, _RECALLED
    ),
    names.RECALL_DURATION: _measure("Milliseconds", "duration of Recall", AGENT),
    names.DOCUMENTS_INGESTED: _count("documents", _any_of("status", "indexed unchanged stale failed deleted")),
    names.CHUNKS_EMBEDDED: _count("chunks embedded"),
    names.MESSAGES_REMEMBERED: _count(
        "messages of sessions that a step of the pipeline after a run has covered",
        _any_of("kind", "facts turns turn-vectors summary"),
    ),
    names.FACTS_JUDGED: _count(
        "candidates for facts, by what the write gate did",
        _any_of("outcome", "kept merged superseded doubted refused"),
    ),
    names.BREAKER_STATE: _measure("None", "0 closed, 1 half-open, 2 open", *_LINK),
    names.BREAKER_SKIPS: _count("models skipped because their circuit is open", *_LINK),
    names.DRILLS: _count("drills"),
    names.DRILL_LINK: _measure("None", "1 answers, 0 broken", *_LINK),
    names.AUDIT_ANCHORS: _count("anchors of the audit that were written; none for three hours raises an alarm"),
    names.ALERTS: _count(
        "alerts to Slack, Teams and webhooks",
        _any_of("kind", "slack teams webhook"),
        _any_of("outcome", "sent failed repeated"),
    ),
    # By function and by error, not by both: their product alone would be above the ceiling.
    names.ERRORS: MetricSpec("Count", "invocations that failed", ((FUNCTION,), (_FAILED,))),
    names.FAULTS: _count("of these, those of code, of a right or of a store: an alarm"),
    names.RAISED: _count("of these, those that functions which a run needs raised, and Lambda did not end"),
    names.COLD_STARTS: _count("cold starts", FUNCTION),
}


def check_count(name: str, unit: str, dimensions: Mapping[str, str]) -> None:
    """Check that a metric is counted as the table has it, for what tests use as telemetry.

    Raises:
        ValueError: the table has no such metric, or it has another unit, dimension or value.
    """
    spec = METRICS.get(name)
    if spec is None:
        raise ValueError(f"no metric '{name}': give it a row in metrics/table.py")
    if spec.unit != unit:
        raise ValueError(f"metric '{name}' has the unit {spec.unit}, not {unit}")
    known = spec.dimensions
    if unknown := sorted(set(dimensions) - known.keys()):
        raise ValueError(f"metric '{name}' has dimensions that metrics/table.py does not list: {unknown}")
    for key, value in dimensions.items():
        values = known[key].values
        # Any exception at all may end an invocation: those that the table does not list are counted together.
        if values is not None and value not in values and value != OTHER and key != "error":
            raise ValueError(f"metric '{name}' has the {key} '{value}', which metrics/table.py does not list")


def compute_ceiling(told_apart: Mapping[str, int] = MOST_TOLD_APART) -> int:
    """Return how many metrics CloudWatch can bill a stage for at most.

    Args:
        told_apart: by dimension, how many declared names there are.
    """
    return sum(1 + sum(_count_values(one, told_apart) for one in spec.sets) for spec in METRICS.values())


def _count_values(dimensions: tuple[Dimension, ...], told_apart: Mapping[str, int]) -> int:
    product = 1
    for one in dimensions:
        if one is PROVIDER:
            continue  # A model's name is one provider's, or ``other`` with it.
        product *= 1 + (told_apart[one.name] if one.values is None else len(one.values))
    return product
