"""Stages: everything in which dev, staging and prod differ, in one typed table; and the only reader of CDK context."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast, get_args

from aws_cdk import App, RemovalPolicy
from aws_cdk.aws_logs import RetentionDays
from pydantic import ValidationError

from infra.alerts import Alerts, read_alerts
from infra.contents import ContentsLog, read_contents
from infra.context import check_keys
from infra.locks import AuditLock, read_audit_lock
from infra.notices import NOTICES, NoticeSettings, read_notices
from infra.retention import LOG_DAYS, Retention, make_retention, read_retention
from pentad.domain.errors import ConfigurationError
from pentad.memory.retrieval.ports import VectorStoreName
from pentad.observability.alarms.limits import AlarmLimits
from pentad.observability.export.targets import Target

_ORIGIN = re.compile(r"https?://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?")
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
        removal: what becomes of tables, buckets, keys and secrets when their stack is deleted. What a failed first
            deployment made is never retained: a name that stays taken would fail the next one.
        deletion_protection: whether tables refuse deletion.
        retention: how long each kind of data is kept. The context's ``retention`` says it for a project.
        gateway_concurrency: the most gateway instances at once, which bounds calls to providers; None for no bound.
        gateway_share: the most model calls of one tenant at once; more is 429. The account's concurrency (1,000 by
            default) or gateway_concurrency, divided by the tenants that may be busy at once.
        drill_schedule: when every link of every chain of models is exercised: an expression of EventBridge, UTC.
        anchor_schedule: how often the audit is anchored: an expression of EventBridge. What is changed between an
            entry and its anchor shows by the functions' logs only.
        audit_lock: of the anchors; the context's ``audit_lock`` says it for a project.
        ingest_concurrency: the most ingest instances at once (at least 2: Lambda's minimum).
        ingest_share: the most documents of one tenant that are ingested at once; less than ingest_concurrency, so that
            another's is always next.
        remember_concurrency: the most instances at once that make memories of conversations (at least 2).
        trigger_concurrency: the most trigger instances at once (at least 2).
        rollout: how new runs move to a new version of an agent or workflow.
        notices: how humans learn that something waits for them.
        alerts: whom alarms tell, and their thresholds. The context's ``alerts`` says it for a project.
        api_burst: requests the API takes at once.
        api_rate: requests a second the API takes.
        oidc_issuer: issuer of JWTs the API takes beside API keys; None for none.
        oidc_audience: the audience those JWTs must name.
        contents: whether what was said in runs is logged, and of which agents; the context's ``contents`` says it.
        trace_targets: tracing products that spans are sent to; none for no export. The context's ``traces`` says it.
        vector_store: where vectors are kept; the context's ``vector_store`` says it for a project.
        cors_origins: origins of the pages whose scripts may call the API and upload documents; none for no page. The
            context's ``cors`` says it for a project.
    """

    name: StageName
    removal: RemovalPolicy
    deletion_protection: bool
    retention: Retention
    gateway_concurrency: int | None
    gateway_share: int
    drill_schedule: str
    anchor_schedule: str
    audit_lock: AuditLock
    ingest_concurrency: int
    ingest_share: int
    remember_concurrency: int
    trigger_concurrency: int
    rollout: Rollout
    notices: NoticeSettings
    alerts: Alerts
    api_burst: int
    api_rate: int
    oidc_issuer: str | None
    oidc_audience: str | None
    contents: ContentsLog | None
    trace_targets: tuple[Target, ...]
    vector_store: VectorStoreName
    cors_origins: tuple[str, ...]

    @property
    def prefix(self) -> str:
        """The prefix of every name in the account."""
        return f"pentad-{self.name}"

    @property
    def log_retention(self) -> RetentionDays:
        """How long logs are kept."""
        return LOG_DAYS[self.retention.log_days]


STAGES: dict[str, Stage] = {
    "dev": Stage(
        name="dev",
        removal=RemovalPolicy.DESTROY,
        deletion_protection=False,
        retention=make_retention(log_days=7, backup_days=7),
        gateway_concurrency=None,
        gateway_share=50,
        drill_schedule="cron(17 5 * * ? *)",
        anchor_schedule="rate(1 hour)",
        audit_lock=AuditLock(mode="governance", days=1),
        ingest_concurrency=3,
        ingest_share=2,
        remember_concurrency=2,
        trigger_concurrency=2,
        rollout=Rollout(kind="ALL_AT_ONCE", percentage=None, minutes=None, failed_percent=50),
        notices=NOTICES,
        alerts=Alerts(
            page=(),
            ticket=(),
            link=None,
            limits=AlarmLimits(failed_percent=50, daily_usd=20, slo_success_percent=95, slo_fast_percent=90),
        ),
        api_burst=50,
        api_rate=25,
        oidc_issuer=None,
        oidc_audience=None,
        contents=None,
        trace_targets=(),
        vector_store="pinecone",
        cors_origins=(),
    ),
    "staging": Stage(
        name="staging",
        removal=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        deletion_protection=True,
        retention=make_retention(log_days=30, backup_days=14),
        gateway_concurrency=None,
        gateway_share=100,
        drill_schedule="cron(17 4 * * ? *)",
        anchor_schedule="rate(1 hour)",
        audit_lock=AuditLock(mode="governance", days=30),
        ingest_concurrency=5,
        ingest_share=2,
        remember_concurrency=5,
        trigger_concurrency=5,
        rollout=Rollout(kind="CANARY", percentage=20, minutes=5, failed_percent=20),
        notices=NOTICES,
        alerts=Alerts(page=(), ticket=(), link=None, limits=AlarmLimits(failed_percent=20, daily_usd=50)),
        api_burst=100,
        api_rate=50,
        oidc_issuer=None,
        oidc_audience=None,
        contents=None,
        trace_targets=(),
        vector_store="pinecone",
        cors_origins=(),
    ),
    "prod": Stage(
        name="prod",
        removal=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        deletion_protection=True,
        retention=make_retention(log_days=365, backup_days=35),
        gateway_concurrency=None,
        gateway_share=200,
        drill_schedule="cron(17 3 * * ? *)",
        anchor_schedule="rate(1 hour)",
        audit_lock=AuditLock(mode="governance", days=365),
        ingest_concurrency=10,
        ingest_share=3,
        remember_concurrency=10,
        trigger_concurrency=10,
        rollout=Rollout(kind="CANARY", percentage=10, minutes=10, failed_percent=5),
        notices=NOTICES,
        alerts=Alerts(page=(), ticket=(), link=None, limits=AlarmLimits()),
        api_burst=500,
        api_rate=250,
        oidc_issuer=None,
        oidc_audience=None,
        contents=None,
        trace_targets=(),
        vector_store="pinecone",
        cors_origins=(),
    ),
}


BY_STAGE = ("notices", "cors", "traces", "alerts", "contents", "audit_lock", "retention", "vector_store")
"""Keys of the context whose values are by stage."""


def read_stage(app: App) -> Stage:
    """Return the stage that ``--context stage=NAME`` asks for; dev where nothing is said.

    Raises:
        ConfigurationError: there is no such stage, or a key of the context is wrong.
    """
    check_keys(app, ("stage", *BY_STAGE))
    name = app.node.try_get_context("stage") or "dev"
    if name not in STAGES:
        raise ConfigurationError(
            f"no stage '{name}'", field="stage", fix=f"use --context stage= with one of {', '.join(STAGES)}"
        )
    stage = STAGES[name]
    said = {key: read_by_stage(app, key).get(name) for key in BY_STAGE}
    notices, origins, traces, alerts = said["notices"], said["cors"], said["traces"], said["alerts"]
    contents, lock, kept = said["contents"], said["audit_lock"], said["retention"]
    store = stage.vector_store if said["vector_store"] is None else said["vector_store"]
    if app.node.try_get_context("pentad:vectors") == "local":
        store = "pinecone"  # the twin's index speaks its protocol
    made = replace(
        stage,
        notices=stage.notices if notices is None else read_notices(notices),
        alerts=stage.alerts if alerts is None else read_alerts(alerts, stage.alerts),
        contents=stage.contents if contents is None else read_contents(contents),
        trace_targets=stage.trace_targets if traces is None else read_targets(traces),
        audit_lock=stage.audit_lock if lock is None else read_audit_lock(lock),
        retention=stage.retention if kept is None else read_retention(kept, stage.retention),
        vector_store=read_vector_store(store),
        cors_origins=stage.cors_origins if origins is None else read_origins(origins),
    )
    if made.contents is None and any(one.contents for one in made.trace_targets):
        raise ConfigurationError(
            f"cdk.json: traces: a target wants what was said, and the stage '{name}' keeps no contents",
            fix="name the agents in 'contents', or leave \"contents\" of the target out",
        )
    return made


def read_by_stage(app: App, key: str) -> Mapping[str, Any]:
    """Return what a project's cdk.json says under a key of the context, by stage.

    Raises:
        ConfigurationError: it is not an object, or names a stage that does not exist.
    """
    found = app.node.try_get_context(key)
    fix = f'write {{"dev": ...}}, with any of {", ".join(STAGES)}'
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise ConfigurationError(f"cdk.json: {key}: must be an object by stage", field=key, fix=fix)
    unknown = sorted(set(found) - set(STAGES))
    if unknown:
        raise ConfigurationError(f"cdk.json: {key}: no stage '{unknown[0]}'", field=key, fix=fix)
    return found


def read_vector_store(value: Any) -> VectorStoreName:
    """Return the vector store that a project's cdk.json names for a stage.

    Raises:
        ConfigurationError: there is no such store.
    """
    if value not in get_args(VectorStoreName):
        raise ConfigurationError(
            f"cdk.json: vector_store: no vector store {value!r}",
            fix=f"use one of {', '.join(get_args(VectorStoreName))}",
        )
    return cast(VectorStoreName, value)


def read_origins(values: Any) -> tuple[str, ...]:
    """Return the origins that a project's cdk.json names for a stage: ``["https://app.example.com"]``.

    Raises:
        ConfigurationError: one is no origin; ``*`` is none either: the pages that may call are named.
    """
    if not isinstance(values, list) or not all(isinstance(one, str) and _ORIGIN.fullmatch(one) for one in values):
        raise ConfigurationError(
            "cdk.json: cors: a stage has a list of origins",
            fix="write each as the browser sends it, scheme and host: https://app.example.com",
        )
    return tuple(values)


def read_targets(values: Any) -> tuple[Target, ...]:
    """Return what a project's cdk.json says of a stage's tracing products: ``[{name, kind, endpoint?, project?}]``.

    Raises:
        ConfigurationError: one is not well formed, or two have one name.
    """
    try:
        targets = tuple(Target.model_validate(one) for one in values)
    except (TypeError, ValidationError) as error:
        first = error.errors(include_url=False, include_input=False)[0] if isinstance(error, ValidationError) else None
        why = f"{'.'.join(map(str, first['loc']))}: {first['msg']}" if first else "it is not a list"
        raise ConfigurationError(
            f"cdk.json: traces: a target is not well formed: {why}",
            fix='write a list such as [{"name": "phoenix", "kind": "phoenix", "endpoint": "https://..."}]',
        ) from error
    if len({one.name for one in targets}) < len(targets):
        raise ConfigurationError("cdk.json: traces: two targets have the same name", fix="rename one")
    return targets


def resolve_output_folder(root: Path) -> str | None:
    """Return where the assembly goes: ``cdk.out`` below ``root``, or None where the CDK CLI says it by CDK_OUTDIR."""
    return None if "CDK_OUTDIR" in os.environ else str(root / "cdk.out")
