"""Names of metrics with their units, and the dimensions they may have: what alarms and dashboards refer to."""

NAMESPACE = "Pentad"

RUNS_STARTED = "RunsStarted"
RUNS_DEQUEUED = "RunsDequeued"
TOOLS_UNAVAILABLE = "ToolsUnavailable"
RUNS_ENDED = "RunsEnded"
RUN_DURATION = "RunDuration"
RUN_ACTIVE = "RunActiveDuration"
RUNS_FAILED = "RunsFailed"
RUN_STEPS = "RunSteps"
RUN_COST = "RunCost"
TURNS = "Turns"
ESTIMATE_ERROR = "TokenEstimateError"
MODEL_ATTEMPTS = "ModelAttempts"
MODEL_LATENCY = "ModelLatency"
MODEL_COST = "ModelCost"
MODEL_FALLBACKS = "ModelFallbacks"
MODEL_RETRIES = "ModelRetries"
MODEL_DEGRADED = "ModelDegraded"
BUDGET_DOWNGRADES = "BudgetDowngrades"
BUDGET_REFUSALS = "BudgetRefusals"
BUDGET_UNSETTLED = "BudgetUnsettled"
USAGE_ABSURD = "UsageAbsurd"
RATE_REFUSALS = "RateRefusals"
SHARE_REFUSALS = "ShareRefusals"
SHARE_RETURNS = "ShareReturns"
INPUT_TOKENS = "InputTokens"
OUTPUT_TOKENS = "OutputTokens"
CACHE_READ_TOKENS = "CacheReadTokens"
CACHE_WRITE_TOKENS = "CacheWriteTokens"
RESPONSE_CACHE_LOOKUPS = "ResponseCacheLookups"
CASCADES = "Cascades"
CONTEXT_COMPACTIONS = "ContextCompactions"
TOOL_CALLS = "ToolCalls"
TOOL_DURATION = "ToolDuration"
TOOL_RATE_REFUSALS = "ToolRateRefusals"
TOOL_UNDOS = "ToolUndos"
APPROVALS_REQUESTED = "ApprovalsRequested"
APPROVALS_DECIDED = "ApprovalsDecided"
APPROVAL_DURATION = "ApprovalDuration"
APPROVAL_ESCALATIONS = "ApprovalEscalations"
APPROVAL_REMINDERS = "ApprovalReminders"
NOTICES = "Notices"
CONFIDENCE = "Confidence"
CONFIDENCE_SIGNALS = "ConfidenceSignals"
ASSESSMENTS = "Assessments"
ESCALATIONS = "Escalations"
REVIEWS_OPENED = "ReviewsOpened"
REVIEWS_CLOSED = "ReviewsClosed"
FEEDBACK_GIVEN = "FeedbackGiven"
SATISFACTION = "Satisfaction"
CORRECTIONS = "Corrections"
CONFIDENCE_ERROR = "ConfidenceError"
PASSAGES_RECALLED = "PassagesRecalled"
TURNS_RECALLED = "TurnsRecalled"
RECALL_DURATION = "RecallDuration"
DOCUMENTS_INGESTED = "DocumentsIngested"
CHUNKS_EMBEDDED = "ChunksEmbedded"
MESSAGES_REMEMBERED = "MessagesRemembered"
FACTS_JUDGED = "FactsJudged"
BREAKER_STATE = "BreakerState"
BREAKER_SKIPS = "BreakerSkips"
DRILLS = "Drills"
DRILL_LINK = "DrillLink"
AUDIT_ANCHORS = "AuditAnchors"
ERRORS = "Errors"
COLD_STARTS = "ColdStarts"

UNITS = {
    RUNS_STARTED: "Count",
    RUNS_DEQUEUED: "Count",
    TOOLS_UNAVAILABLE: "Count",  # a tool was put out of order for a time
    RUNS_ENDED: "Count",
    RUN_DURATION: "Milliseconds",
    RUN_ACTIVE: "Milliseconds",  # without what it waited for humans
    RUNS_FAILED: "Count",  # 1 for a run that failed or is degraded, else 0
    RUN_STEPS: "Count",
    RUN_COST: "None",  # nano-dollars
    TURNS: "Count",
    ESTIMATE_ERROR: "Percent",  # above 0: more was estimated than the provider counted
    MODEL_ATTEMPTS: "Count",
    MODEL_LATENCY: "Milliseconds",
    MODEL_COST: "None",  # nano-dollars
    MODEL_FALLBACKS: "Count",
    MODEL_RETRIES: "Count",
    MODEL_DEGRADED: "Count",
    BUDGET_DOWNGRADES: "Count",
    BUDGET_REFUSALS: "Count",
    BUDGET_UNSETTLED: "Count",
    USAGE_ABSURD: "Count",  # replies whose usage no request can have: it was estimated
    RATE_REFUSALS: "Count",
    SHARE_REFUSALS: "Count",
    SHARE_RETURNS: "Count",
    # Neither read from a provider's cache nor written to it. Its hit rate is CacheReadTokens of the sum of the three.
    INPUT_TOKENS: "Count",
    OUTPUT_TOKENS: "Count",
    CACHE_READ_TOKENS: "Count",
    CACHE_WRITE_TOKENS: "Count",
    RESPONSE_CACHE_LOOKUPS: "Count",  # hit rate: those of outcome hit, of all
    CASCADES: "Count",  # share moved up: those of outcome moved_up, of all
    CONTEXT_COMPACTIONS: "Count",
    TOOL_CALLS: "Count",
    TOOL_DURATION: "Milliseconds",
    TOOL_RATE_REFUSALS: "Count",  # a call was refused, since its tool's rate was used up
    TOOL_UNDOS: "Count",
    APPROVALS_REQUESTED: "Count",
    APPROVALS_DECIDED: "Count",
    APPROVAL_DURATION: "Milliseconds",  # from the request to the decision
    APPROVAL_ESCALATIONS: "Count",  # outcome decided: by a human; expired: since nobody decided
    APPROVAL_REMINDERS: "Count",
    NOTICES: "Count",  # by channel (kind): outcome sent, failed
    CONFIDENCE: "None",  # of a turn, 0 to 1
    CONFIDENCE_SIGNALS: "Count",  # share of sources that gave none: those of outcome none, of all
    ASSESSMENTS: "Count",
    ESCALATIONS: "Count",
    REVIEWS_OPENED: "Count",
    REVIEWS_CLOSED: "Count",  # how often a reviewed turn was right: those of outcome correct, of all
    FEEDBACK_GIVEN: "Count",  # on answers and citations (kind), by what it says of them (outcome); a person counts once
    SATISFACTION: "None",  # score of an answer, 0 to 1; a person counts once
    CORRECTIONS: "Count",
    CONFIDENCE_ERROR: "None",  # squared gap of a rated answer's confidence to what its user says: the mean is Brier's
    PASSAGES_RECALLED: "Count",
    TURNS_RECALLED: "Count",  # why so many, or none (outcome)
    RECALL_DURATION: "Milliseconds",
    DOCUMENTS_INGESTED: "Count",
    CHUNKS_EMBEDDED: "Count",
    MESSAGES_REMEMBERED: "Count",  # by step (kind) of the pipeline after a run
    FACTS_JUDGED: "Count",  # by outcome: what the write gate kept, merged, superseded, doubted and refused
    BREAKER_STATE: "None",  # 0 closed, 1 half-open, 2 open
    BREAKER_SKIPS: "Count",
    DRILLS: "Count",
    DRILL_LINK: "None",  # 1 answers, 0 broken
    AUDIT_ANCHORS: "Count",
    ERRORS: "Count",
    COLD_STARTS: "Count",
}

# Never a tenant, a run or a session: each value of a dimension is a metric that CloudWatch bills.
DIMENSIONS = frozenset(
    {
        "agent",
        "band",
        "decision",
        "error",
        "function",
        "kind",
        "model",
        "operation",
        "outcome",
        "provider",
        "purpose",
        "source",
        "status",
        "tier",
        "tool",
        "trigger",
    }
)
MAX_DIMENSIONS = 5
MAX_VALUES = 100
OTHER = "other"
