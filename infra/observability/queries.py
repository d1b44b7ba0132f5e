"""Saved queries for CloudWatch Logs Insights: each answers a question that somebody on call has, by the logs' schema.

They are found in its console below ``pentad-STAGE/``; the runbooks name them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.config import Stage

_MOST_GROUPS = 50
"""Log groups of a query that are named; more are named by hand in the console."""


@dataclass(frozen=True)
class SavedQuery:
    """One query.

    Attributes:
        name: behind the stage's prefix.
        answers: the question.
        lines: of the query.
    """

    name: str
    answers: str
    lines: tuple[str, ...]


QUERIES = (
    SavedQuery(
        "failed-invocations",
        "Which functions fail, with which error, how often, and when last?",
        (
            'filter event = "invocation.failed"',
            "stats count(*) as failures, latest(@timestamp) as last, latest(run) as example by service, error",
            "sort failures desc",
            "limit 50",
        ),
    ),
    SavedQuery(
        "ended-by-lambda",
        "Which invocations did Lambda end, for their time or memory?",
        (
            "fields @timestamp, @log, @message",
            r"filter @message like /Task timed out|Runtime exited|Runtime.ExitError|Status: (timeout|error)/",
            "sort @timestamp desc",
            "limit 100",
        ),
    ),
    SavedQuery(
        "failed-runs",
        "Runs of which agents fail, with which error?",
        (
            'filter event = "run.failed"',
            "stats count(*) as runs, latest(run) as example, latest(tenant) as whose by agent, error",
            "sort runs desc",
            "limit 50",
        ),
    ),
    SavedQuery(
        "model-attempts",
        "Which models fail or are slow, in milliseconds?",
        (
            "filter span.name like /^(chat|embeddings) /",
            "stats count(*) as attempts, avg((span.end - span.start) / 1000000) as mean, "
            "pct((span.end - span.start) / 1000000, 95) as p95 by span.name, span.status",
            "sort attempts desc",
        ),
    ),
    SavedQuery(
        "slow-spans",
        "Where does the time go, in milliseconds?",
        (
            "filter ispresent(span.trace_id)",
            "stats count(*) as times, pct((span.end - span.start) / 1000000, 50) as p50, "
            "pct((span.end - span.start) / 1000000, 95) as p95, latest(run) as example by span.name",
            "sort p95 desc",
            "limit 50",
        ),
    ),
    SavedQuery(
        "failed-tools",
        "Which tools fail, or were taken out of order?",
        (
            'filter event in ["tool.failed", "tool.unavailable", "tool.rate_refused"]',
            "stats count(*) as times, latest(run) as example by event, tool, error",
            "sort times desc",
            "limit 50",
        ),
    ),
    SavedQuery(
        "refused-messages",
        "Which messages of queues are refused, whose, and why?",
        (
            r"filter event like /\.refused$/",
            "stats count(*) as times, max(receives) as deliveries, latest(detail) as why by service, tenant, error",
            "sort times desc",
            "limit 50",
        ),
    ),
    SavedQuery(
        "busy-tenants",
        "Who starts how many runs?",
        (
            'filter event = "run.started"',
            "stats count(*) as runs by tenant, agent, bin(5m)",
            "sort runs desc",
            "limit 100",
        ),
    ),
    SavedQuery(
        "spend-by-tenant",
        "Whose model calls cost how much, in nano-dollars?",
        (
            "filter span.name like /^(chat|embeddings) /",
            "stats sum(span.attributes.pentad.cost.nanousd) as nanousd, count(*) as attempts, latest(run) as example "
            "by tenant, agent",
            "sort nanousd desc",
            "limit 50",
        ),
    ),
    SavedQuery(
        "refused-callers",
        "Which callers make more costly requests than they may?",
        (
            'filter event = "rates.refused"',
            "stats count(*) as times by tenant, key, subject",
            "sort times desc",
            "limit 50",
        ),
    ),
    SavedQuery(
        "refused-by-budgets",
        "Whose budgets refuse calls, or move them to a smaller model?",
        (
            'filter event in ["budget.exceeded", "budget.downgraded", "budget.unsettled"]',
            "stats count(*) as times, latest(run) as example by event, budget, tenant",
            "sort times desc",
            "limit 50",
        ),
    ),
)


def create_queries(scope: Construct, *, stage: Stage, functions: Sequence[str]) -> None:
    """Make the saved queries of a stage.

    Args:
        scope: the parent.
        stage: the stage.
        functions: names of its functions; of more than 50 those of tools are left out first.
    """
    ordered = sorted(functions, key=lambda name: (name.startswith(f"{stage.prefix}-tool-"), name))[:_MOST_GROUPS]
    groups = [f"/aws/lambda/{name}" for name in ordered]
    for one in QUERIES:
        logs.CfnQueryDefinition(
            scope,
            f"query-{one.name}",
            name=f"{stage.prefix}/{one.name}",
            query_string="\n".join((f"# {one.answers}", one.lines[0], *(f"| {line}" for line in one.lines[1:]))),
            log_group_names=groups,
        )
