"""The thresholds of a stage's alarms, and its objectives."""

from pydantic import Field

from pentad.domain.values import FrozenValue


class AlarmLimits(FrozenValue):
    """What is too much in a stage. The defaults are prod's; a stage or a project says what differs.

    The objectives (``slo_*``) are what users are promised over 30 days: alarms look at how fast what is left of the
    error budget is used up.
    """

    failed_percent: float = Field(default=10, gt=0, le=100, description="of runs that end in five minutes")
    function_errors: int = Field(default=10, ge=1, description="of all functions, in five minutes")
    functions_killed: float = Field(default=3, ge=1, description="invocations that Lambda ended, in five minutes")
    api_errors_percent: float = Field(default=5, gt=0, le=100, description="answers of the API with 5xx")
    queue_seconds: int = Field(default=300, ge=1, description="age of the oldest request in the queue of runs")
    run_seconds: float = Field(default=120, gt=0, description="95 % of runs, without what they wait for humans")
    model_seconds: float = Field(default=60, gt=0, description="95 % of requests to models")
    recall_seconds: float = Field(default=3, gt=0, description="95 % of recalls")
    concurrency: int = Field(default=800, ge=1, description="instances at once; an account has 1,000 by default")
    escalated_percent: float = Field(default=30, gt=0, le=100, description="of turns, that a human takes over")
    satisfied_percent: float = Field(default=60, gt=0, le=100, description="mean score of answers, by their users")
    confidence_error: float = Field(
        default=0.25, gt=0, le=1, description="Brier score of answers' confidence; 0.25 has who always says 50 %"
    )
    estimate_percent: float = Field(default=25, gt=0, description="error of token estimates, on average")
    daily_usd: float = Field(default=500, gt=0, description="for models, in a day")
    run_usd: float = Field(default=0.5, gt=0, description="for a run, on average of an hour")
    slo_success_percent: float = Field(default=99, gt=50, lt=100, description="of runs that do not fail")
    slo_fast_percent: float = Field(default=95, gt=50, lt=100, description="of runs that are as fast as slo_seconds")
    slo_seconds: float = Field(default=60, gt=0, description="how fast a run is, without what it waits for humans")
