"""What is said of an alarm, and of a page."""

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field

from pentad.domain.values import FrozenValue
from pentad.observability.metrics import names

Severity = Literal["page", "ticket"]
"""``page``: somebody is woken; ``ticket``: somebody looks within a working day."""
Group = Literal["models", "platform", "runs", "cost", "quality", "capacity"]
Comparison = Literal[">=", ">", "<", "above its band"]
MOST_METRICS = 10
"""Metrics and expressions of an alarm. Source: "Metric math" of the CloudWatch user guide."""


class AlarmMetric(FrozenValue):
    """A metric that an alarm looks at.

    ``where`` are its dimensions; a metric of ours has the stage for dimension too. Names of queues and functions are
    those behind the stage's prefix.
    """

    metric: str
    statistic: str = "Sum"
    namespace: str = names.NAMESPACE
    where: Mapping[str, str] = {}


class AlarmSpec(FrozenValue):
    """One metric alarm of a stage.

    Attributes are what CloudWatch takes, and what people need: ``says`` is the sentence that a page carries, ``why``
    the reason of the threshold, ``runbook`` the page's name in docs/runbooks.
    """

    name: str = Field(pattern=r"^[a-z0-9-]+$")
    group: Group
    severity: Severity
    says: str
    why: str
    runbook: str
    signals: Mapping[str, AlarmMetric]
    expression: str = ""
    comparison: Comparison = ">="
    threshold: float = 1
    minutes: int = 5
    periods: int = 1
    to_alarm: int = 1
    missing: Literal["notBreaching", "breaching", "ignore", "missing"] = "notBreaching"


class PageSpec(FrozenValue):
    """A composite alarm: what pages. One fault is one page, of its cause.

    ``suppressed_by`` names the pages that keep this one back while they are on: a symptom of them.
    """

    name: str
    says: str
    runbook: str
    any_of: Sequence[str] = ()
    all_of: Sequence[str] = ()
    suppressed_by: Sequence[str] = ()
