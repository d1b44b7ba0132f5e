"""How long nobody may change or delete what is under Object Lock, as a stage or a project's cdk.json says it."""

from dataclasses import dataclass
from typing import Any, Literal, cast

from pentad.domain.errors import ConfigurationError

_MOST_DAYS = 36_500
"""S3 takes a retention of 100 years at most."""


@dataclass(frozen=True, kw_only=True)
class AuditLock:
    """How long nobody may change or delete an anchor of the audit.

    Attributes:
        mode: ``governance``: whoever has s3:BypassGovernanceRetention may; ``compliance``: nobody, not even the
            account's root. A bucket's locked objects can't be deleted before: choose it with care.
        days: from when it was written.
    """

    mode: Literal["governance", "compliance"]
    days: int


def read_audit_lock(value: Any) -> AuditLock:
    """Return what a project's cdk.json says of a stage's anchors: ``{"mode": "compliance", "days": 400}``.

    Raises:
        ConfigurationError: it is not well formed.
    """
    given = value if isinstance(value, dict) else {}
    mode, days = given.get("mode"), given.get("days")
    right = mode in ("governance", "compliance") and type(days) is int and 1 <= days <= _MOST_DAYS
    if set(given) != {"mode", "days"} or not right:
        raise ConfigurationError(
            "cdk.json: audit_lock: a stage has a mode and days",
            fix=f'write {{"mode": "governance" or "compliance", "days": 1 to {_MOST_DAYS}}}',
        )
    return AuditLock(mode=cast(Literal["governance", "compliance"], mode), days=cast(int, days))
