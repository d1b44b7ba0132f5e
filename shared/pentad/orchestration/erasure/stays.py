"""Where the id of an erased user stays as it is: what can't be changed, or has to say who did something.

What stays under the hash of the id, such as amounts, is not here: docs/erasure.md has all of it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

_HISTORY_DAYS: Final = 90
"""How long Step Functions keeps the histories of executions that have ended (Developer Guide, Quotas)."""


class Stay(NamedTuple):
    """A place that an erasure leaves.

    Attributes:
        what: names the user there.
        until: for how long.
    """

    what: str
    until: str


@dataclass(frozen=True)
class KeptDays:
    """For how many days this stage keeps what nobody can change; see docs/retention.md.

    Attributes:
        log_days: the API's access log.
        access_logs_days: the buckets' access logs.
        backup_days: backups of tables.
    """

    log_days: int
    access_logs_days: int
    backup_days: int


_FOR_GOOD: Final = "for good"
_STAYS: Final[tuple[tuple[str, str | int | Literal["log_days", "access_logs_days", "backup_days"]], ...]] = (
    ("who acted, in the audit, and who decided, in approvals and reviews of others' runs", _FOR_GOOD),
    ("API keys that were made for the user, revoked ones too", _FOR_GOOD),
    ("model attempts on the ledger from before it kept hashes", _FOR_GOOD),
    ("budgets that an operator set for the user by name", "an operator removes them"),
    ("paths in the API's access log", "log_days"),
    ("names of the user's documents in the buckets' access logs", "access_logs_days"),
    ("names of the user's documents in histories of bulk ingestions", _HISTORY_DAYS),
    ("backups of tables", "backup_days"),
    ("the message in the erase queue", "the erasure's end; 14 days if it fails"),
)


def list_stays(kept: KeptDays, since: datetime) -> tuple[Stay, ...]:
    """Return the places that an erasure leaves, each with the days and the date by which it is gone.

    Args:
        kept: the stage's days.
        since: when the erasure was last at work: what was written until then goes by that date.
    """
    known = {"log_days": kept.log_days, "access_logs_days": kept.access_logs_days, "backup_days": kept.backup_days}
    told = [(what, known.get(until, until) if isinstance(until, str) else until) for what, until in _STAYS]
    return tuple(Stay(what, _tell(until, since)) for what, until in told)


def _tell(until: str | int, since: datetime) -> str:
    if isinstance(until, str):
        return until
    # The day after: what was written late on a day goes late on its last.
    gone = (since + timedelta(days=until + 1)).date()
    return f"{until} {'day' if until == 1 else 'days'}, gone by {gone.isoformat()}"
