"""Spend: what was paid, by day, agent, model, provider, user, session, run or tenant. Pure.

Beside each attempt on the ledger four counters are raised in the same transaction, so their sums are the ledger's:

| kind | counts by day and | answers |
|---|---|---|
| TOTAL | agent, provider, model | day, tenant, agent, provider, model |
| USER | user | user |
| SESSION | session | session |
| RUN | run | run |

A counter that many calls raise at once is split into `SHARDS` parts by the attempt's id, since transactions over one
item get into each other's way. One that met another all the same, such as a busy user's, goes to any of `SPREAD` parts:
only the sum of the parts is ever read. Counters are kept for `KEEP_DAYS` days.
"""

import zlib
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Literal, NamedTuple, get_args

from pydantic import Field

from pentad.domain.errors import InvalidInput
from pentad.domain.ids import hash_user
from pentad.domain.models import Attempt
from pentad.domain.values import FrozenValue

By = Literal["day", "tenant", "agent", "provider", "model", "user", "session", "run"]
Kind = Literal["TOTAL", "USER", "SESSION", "RUN"]

OF_ONE_USER: tuple[By, ...] = ("day", "user")
"""What can be asked of one user's spend: the counters of users know no more than the day."""
DIMENSIONS: tuple[By, ...] = get_args(By)
NOBODY = "-"
"""The value of an attempt without agent, user, session or run, such as the embedding of a document."""
OTHERS = "(others)"
SHARDS = 16
SPREAD = 64
KEEP_DAYS = 400
MAX_ROWS = 1_000
_KINDS: dict[str, Kind] = {"user": "USER", "session": "SESSION", "run": "RUN"}


class SpendCounter(NamedTuple):
    """One counter: its kind, its day, and of what it counts."""

    kind: Kind
    day: str
    value: str
    shard: int


class Row(FrozenValue):
    """What one value of a dimension cost."""

    key: str
    attempts: int = Field(ge=0)
    tokens: int = Field(ge=0)
    cost_nanousd: int = Field(ge=0)
    estimated_nanousd: int = Field(default=0, ge=0, description="of the cost: of attempts whose usage is an estimate")

    def __add__(self, other: "Row") -> "Row":
        """Return the sum, under this row's key."""
        return Row(
            key=self.key,
            attempts=self.attempts + other.attempts,
            tokens=self.tokens + other.tokens,
            cost_nanousd=self.cost_nanousd + other.cost_nanousd,
            estimated_nanousd=self.estimated_nanousd + other.estimated_nanousd,
        )


class Spending(FrozenValue):
    """Spend over some days. The rows and ``others`` make up ``total``."""

    by: By
    first: date
    last: date
    rows: tuple[Row, ...]
    others: Row | None = Field(default=None, description="what is in no row, where there are too many")
    total: Row


def day_of(attempt: Attempt) -> str:
    """Return the day of an attempt, YYYY-MM-DD in UTC: the ledger's and the counters'."""
    return attempt.started_at.astimezone(UTC).date().isoformat()


def hide_user(attempt: Attempt) -> Attempt:
    """Return an attempt as the ledger keeps it: nobody may change that, so it names the user by a hash."""
    user_id = attempt.context.user_id
    if user_id is None:
        return attempt
    context = attempt.context.model_copy(update={"user_id": hash_user(user_id)})
    return attempt.model_copy(update={"context": context})


def list_counters(attempt: Attempt) -> tuple[SpendCounter, ...]:
    """Return the counters that an attempt raises."""
    context, day = attempt.context, day_of(attempt)
    shard = zlib.crc32(attempt.attempt_id.encode()) % SHARDS
    whole = "#".join((context.agent or NOBODY, attempt.provider, attempt.model))
    made = [SpendCounter("TOTAL", day, whole, shard)]
    for kind, value in (("USER", context.user_id), ("SESSION", context.session_id), ("RUN", context.run_id)):
        # One user, session or run raises its own counter a few times a minute; nobody's is everybody's.
        own = value is not None
        made.append(SpendCounter(_KINDS[kind.lower()], day, value or NOBODY, 0 if own else shard))
    return tuple(made)


def spread_counters(counters: Iterable[SpendCounter], random: Callable[[], float]) -> tuple[SpendCounter, ...]:
    """Return the same counters in parts chosen by chance, for a write that met others.

    Args:
        counters: the counters of one attempt.
        random: from 0 up to 1.
    """
    return tuple(counter._replace(shard=int(random() * SPREAD)) for counter in counters)


def row_of(attempt: Attempt, key: str = "") -> Row:
    """Return what an attempt adds to its counters."""
    cost = attempt.cost_nanousd
    estimated = cost if attempt.is_estimated else 0
    return Row(key=key, attempts=1, tokens=attempt.usage.total_tokens, cost_nanousd=cost, estimated_nanousd=estimated)


def expires_at(day: str) -> int:
    """Return when a day's counters may be forgotten, epoch seconds."""
    return int((datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(days=KEEP_DAYS)).timestamp())


def kind_of(by: By, user_id: str | None = None) -> Kind:
    """Return the counters that answer a question, of all users or of one."""
    return _KINDS.get(by, "TOTAL") if user_id is None else "USER"


def check_of_one_user(by: By, user_id: str | None) -> None:
    """Return if a question can be answered for one user, or is about all.

    Raises:
        InvalidInput: it can't.
    """
    if user_id is not None and by not in OF_ONE_USER:
        raise InvalidInput(
            "the spend of one user can be grouped by day or by user only", field="by", fix="ask by day or by user"
        )


def key_of(by: By, tenant_id: str, counter: SpendCounter) -> str:
    """Return the row that a counter belongs to."""
    if by == "tenant":
        return tenant_id
    if by == "day":
        return counter.day
    if counter.kind != "TOTAL":
        return counter.value
    agent, provider, model = counter.value.split("#", 2)
    return {"agent": agent, "provider": provider, "model": model}[by]


def summarise(
    by: By,
    tenant_id: str,
    first: date,
    last: date,
    counted: Iterable[tuple[SpendCounter, Row]],
    *,
    limit: int = MAX_ROWS,
) -> Spending:
    """Return the spend by a dimension.

    Args:
        by: the dimension.
        tenant_id: whose.
        first: the first day.
        last: the last day.
        counted: the counters of the kind that answers, with what they hold.
        limit: rows at most, the dearest; the rest are summed up in ``others``.
    """
    rows: dict[str, Row] = {}
    total = Row(key="total", attempts=0, tokens=0, cost_nanousd=0)
    for counter, row in counted:
        key = key_of(by, tenant_id, counter)
        rows[key] = rows[key] + row if key in rows else row.model_copy(update={"key": key})
        total = total + row
    order = sorted(rows.values(), key=lambda row: row.key if by == "day" else (-row.cost_nanousd, row.key))
    others = None
    if len(order) > limit:
        others = sum(order[limit:], Row(key=OTHERS, attempts=0, tokens=0, cost_nanousd=0))
    return Spending(by=by, first=first, last=last, rows=tuple(order[:limit]), others=others, total=total)


def resolve_span(by: str, first: date | None, last: date | None, today: date) -> tuple[By, date, date]:
    """Return a question's dimension and days; this month up to today where none are given.

    Days in the wrong order are turned round, and what is longer ago than counters are kept is left out.

    Raises:
        InvalidInput: unknown dimension.
    """
    if by not in DIMENSIONS:
        raise InvalidInput("unknown dimension", field="by", fix=f"use one of {', '.join(DIMENSIONS)}")
    end = last or today
    begin, end = sorted((first or end.replace(day=1), end))
    begin = max(begin, end - timedelta(days=min(KEEP_DAYS - 1, (end - date.min).days)))
    known: By = by
    return known, begin, end
