"""Stages: everything in which dev, staging and prod differ, in one typed table; and the only reader of CDK context."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from aws_cdk import App, RemovalPolicy
from aws_cdk.aws_logs import RetentionDays

StageName = Literal["dev", "staging", "prod"]


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """How new runs move to a new version of a state machine.

    Attributes:
        kind: all at once; one part first and the rest after the interval; or part by part.
        percentage: the share of new runs that each part is; None for all at once.
        minutes: the interval; None for all at once.
        failed_percent: the share of failed executions at which the alarm goes off, and a gradual rollout rolls back.
    """

    kind: Literal["ALL_AT_ONCE", "CANARY", "LINEAR"]
    percentage: int | None
    minutes: int | None
    failed_percent: int


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage. No field has a default: this file states them all.

    Attributes:
        name: the stage's name, part of every resource's name.
        removal: what becomes of tables, buckets and keys when their stack is deleted.
        deletion_protection: whether tables refuse deletion.
        log_retention: how long logs are kept.
        point_in_time_recovery_days: how far back tables can be restored.
        gateway_concurrency: the most gateway instances at once, which bounds calls to providers; None for no bound.
        drill_schedule: when every link of every chain of models is exercised: an expression of EventBridge, UTC.
        ingest_concurrency: the most ingest instances at once (at least 2: Lambda's minimum).
        trigger_concurrency: the most trigger instances at once (at least 2).
        rollout: how new runs move to a new version of an agent or workflow.
        api_burst: requests the API takes at once.
        api_rate: requests a second the API takes.
        oidc_issuer: issuer of JWTs the API takes beside API keys; None for none.
        oidc_audience: the audience those JWTs must name.
    """

    name: StageName
    removal: RemovalPolicy
    deletion_protection: bool
    log_retention: RetentionDays
    point_in_time_recovery_days: int
    gateway_concurrency: int | None
    drill_schedule: str
    ingest_concurrency: int
    trigger_concurrency: int
    rollout: Rollout
    api_burst: int
    api_rate: int
    oidc_issuer: str | None
    oidc_audience: str | None

    @property
    def prefix(self) -> str:
        """The prefix of every name in the account."""
        return f"pentad-{self.name}"


STAGES: dict[str, Stage] = {
    "dev": Stage(
        name="dev",
        removal=RemovalPolicy.DESTROY,
        deletion_protection=False,
        log_retention=RetentionDays.ONE_WEEK,
        point_in_time_recovery_days=7,
        gateway_concurrency=None,
        drill_schedule="cron(17 5 * * ? *)",
        ingest_concurrency=2,
        trigger_concurrency=2,
        rollout=Rollout(kind="ALL_AT_ONCE", percentage=None, minutes=None, failed_percent=50),
        api_burst=50,
        api_rate=25,
        oidc_issuer=None,
        oidc_audience=None,
    ),
    "staging": Stage(
        name="staging",
        removal=RemovalPolicy.RETAIN,
        deletion_protection=True,
        log_retention=RetentionDays.ONE_MONTH,
        point_in_time_recovery_days=14,
        gateway_concurrency=None,
        drill_schedule="cron(17 4 * * ? *)",
        ingest_concurrency=5,
        trigger_concurrency=5,
        rollout=Rollout(kind="CANARY", percentage=20, minutes=5, failed_percent=20),
        api_burst=100,
        api_rate=50,
        oidc_issuer=None,
        oidc_audience=None,
    ),
    "prod": Stage(
        name="prod",
        removal=RemovalPolicy.RETAIN,
        deletion_protection=True,
        log_retention=RetentionDays.ONE_YEAR,
        point_in_time_recovery_days=35,
        gateway_concurrency=None,
        drill_schedule="cron(17 3 * * ? *)",
        ingest_concurrency=10,
        trigger_concurrency=10,
        rollout=Rollout(kind="CANARY", percentage=10, minutes=10, failed_percent=5),
        api_burst=500,
        api_rate=250,
        oidc_issuer=None,
        oidc_audience=None,
    ),
}


def stage_of(app: App) -> Stage:
    """Return the stage that ``--context stage=NAME`` asks for; dev where nothing is said.

    Raises:
        ValueError: there is no such stage.
    """
    name = app.node.try_get_context("stage") or "dev"
    if name not in STAGES:
        raise ValueError(f"no stage {name!r}: give --context stage= one of {', '.join(STAGES)}")
    return STAGES[name]


def output_folder(root: Path) -> str | None:
    """Return where the assembly goes: ``cdk.out`` below ``root``, or None where the CDK CLI says it by CDK_OUTDIR."""
    return None if "CDK_OUTDIR" in os.environ else str(root / "cdk.out")
