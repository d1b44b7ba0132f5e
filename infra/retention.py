"""How long each kind of data is kept, by stage and by a project's cdk.json; docs/retention.md has the table."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from aws_cdk.aws_logs import RetentionDays

from pentad.domain.declarations.agents import Catalog
from pentad.domain.errors import ConfigurationError
from pentad.models.catalog.catalog import ModelCatalog

LOG_DAYS: Final[Mapping[int, RetentionDays]] = {
    1: RetentionDays.ONE_DAY,
    3: RetentionDays.THREE_DAYS,
    5: RetentionDays.FIVE_DAYS,
    7: RetentionDays.ONE_WEEK,
    14: RetentionDays.TWO_WEEKS,
    30: RetentionDays.ONE_MONTH,
    60: RetentionDays.TWO_MONTHS,
    90: RetentionDays.THREE_MONTHS,
    120: RetentionDays.FOUR_MONTHS,
    150: RetentionDays.FIVE_MONTHS,
    180: RetentionDays.SIX_MONTHS,
    365: RetentionDays.ONE_YEAR,
    400: RetentionDays.THIRTEEN_MONTHS,
    545: RetentionDays.EIGHTEEN_MONTHS,
    731: RetentionDays.TWO_YEARS,
    1096: RetentionDays.THREE_YEARS,
    1827: RetentionDays.FIVE_YEARS,
    2192: RetentionDays.SIX_YEARS,
    2557: RetentionDays.SEVEN_YEARS,
    2922: RetentionDays.EIGHT_YEARS,
    3288: RetentionDays.NINE_YEARS,
    3653: RetentionDays.TEN_YEARS,
}
"""What CloudWatch Logs takes (reference of PutRetentionPolicy)."""
_MOST: Final = 3650
BOUNDS: Final[Mapping[str, tuple[int, int]]] = {
    "session_days": (1, _MOST),
    "said_days": (1, _MOST),
    "facts_days": (1, _MOST),
    "decisions_days": (1, _MOST),
    "reply_days": (1, 30),
    "old_versions_days": (1, _MOST),
    "access_logs_days": (1, _MOST),
    "log_days": (min(LOG_DAYS), max(LOG_DAYS)),
    # DynamoDB's own (developer guide, point-in-time recovery).
    "backup_days": (1, 35),
}
"""Least and most days of each."""


@dataclass(frozen=True, kw_only=True)
class Retention:
    """Days for which each kind of data is kept.

    Attributes:
        session_days: the most that an agent or workflow may keep a session after its last use.
        said_days: what users' conversations hold, with its words and vectors, after a segment was last written to.
        facts_days: a fact after it was last learned, said again or edited; None for good.
        decisions_days: the write gate's decisions.
        reply_days: the most that a task may keep replies for exact repeats.
        old_versions_days: versions of objects that were replaced or deleted.
        access_logs_days: the buckets' access logs.
        log_days: logs of functions, of state machines and of the API.
        backup_days: how far back tables can be restored.
    """

    session_days: int
    said_days: int
    facts_days: int | None
    decisions_days: int
    reply_days: int
    old_versions_days: int
    access_logs_days: int
    log_days: int
    backup_days: int


def make_retention(*, log_days: int, backup_days: int) -> Retention:
    """Return what holds where a project says nothing: stages differ in logs and backups."""
    return Retention(
        session_days=_MOST,
        said_days=400,
        facts_days=None,
        decisions_days=90,
        reply_days=30,
        old_versions_days=30,
        access_logs_days=90,
        log_days=log_days,
        backup_days=backup_days,
    )


def read_retention(values: Any, stage: Retention) -> Retention:
    """Return what a project's cdk.json says of a stage: ``{"said_days": 90, "log_days": 30}``.

    Args:
        values: what stands there.
        stage: the stage's own, for what is not said.

    Raises:
        ConfigurationError: a kind is not known, or its days are out of bounds.
    """
    known = [one.name for one in fields(Retention)]
    unknown = sorted(set(values) - set(known)) if isinstance(values, dict) else ["?"]
    if unknown:
        raise ConfigurationError(
            f"cdk.json: retention: no kind of data {', '.join(map(repr, unknown))}",
            fix=f"a stage has {', '.join(known)}, each in days",
        )
    for name, days in values.items():
        least, most = BOUNDS[name]
        if name == "facts_days" and days is None:
            continue
        if type(days) is not int or not least <= days <= most:
            raise ConfigurationError(
                f"cdk.json: retention: '{name}' is {days!r}", fix=f"write days, a whole number from {least} to {most}"
            )
    if values.get("log_days", stage.log_days) not in LOG_DAYS:
        raise ConfigurationError(
            f"cdk.json: retention: CloudWatch Logs keeps nothing for {values['log_days']} days",
            fix=f"use one of {', '.join(map(str, LOG_DAYS))}",
        )
    return replace(stage, **values)


def build_fact_environment(retention: Retention) -> dict[str, str]:
    """Return the variables of `pentad.runtime.settings.FactSettings`: how long what is learned of users is kept."""
    days = {"DECISIONS_DAYS": retention.decisions_days, "FACTS_DAYS": retention.facts_days}
    return {name: str(value) for name, value in days.items() if value is not None}


def check_kept(retention: Retention, catalog: Catalog, models: ModelCatalog) -> None:
    """Refuse a project of which a part keeps something longer than its stage lets it.

    Raises:
        ConfigurationError: an agent's or workflow's sessions, or a task's replies, are kept for longer.
    """
    sessions = [(f"agent '{name}'", one.session_days) for name, one in catalog.agents.items()]
    sessions += [(f"workflow '{name}'", one.session_days) for name, one in catalog.workflows.items()]
    _check_longest(sessions, "session_days", retention.session_days)
    replies = [
        (f"task '{name}'", -(-one.response_cache_seconds // 86_400))
        for name, one in models.tasks.items()
        if one.response_cache_seconds is not None
    ]
    _check_longest(replies, "reply_days", retention.reply_days)


def _check_longest(kept: Iterable[tuple[str, int]], name: str, most: int) -> None:
    for who, days in kept:
        if days > most:
            raise ConfigurationError(
                f"the {who} keeps for {days} days what cdk.json keeps for {most} at most",
                field=f"retention.{name}",
                fix=f"lower it there, or raise '{name}' in cdk.json",
            )


def build_kept_environment(retention: Retention) -> dict[str, str]:
    """Return the variables by which receipts of erasures tell how long what nobody can change is kept."""
    return {
        "LOG_DAYS": str(retention.log_days),
        "ACCESS_LOGS_DAYS": str(retention.access_logs_days),
        "BACKUP_DAYS": str(retention.backup_days),
    }
