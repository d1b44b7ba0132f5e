"""Budgets as values: what is defined, which of them a call counts against, and what has been used of each. Pure.

A budget is a limit in nano-dollars for a scope (run, session, user, agent, tenant) over a period (a day or a month in
UTC, or in all). One that names no subject holds for each run, user and so on by itself; one that names a subject holds
for it instead of the general one. A budget counts from the first call after it was set.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_DOWN, Decimal
from functools import lru_cache
from typing import Literal, NamedTuple, Self

from pydantic import Field, ValidationError, model_validator

from pentad.domain.errors import BudgetExceeded, InvalidInput
from pentad.domain.ids import TenantId
from pentad.domain.models import CallContext
from pentad.domain.money import show
from pentad.domain.values import FrozenValue, field_name

Scope = Literal["run", "session", "user", "agent", "tenant"]
Period = Literal["day", "month", "total"]

EACH = "*"
"""The subject of a budget that holds for each run, session, user or agent by itself."""
MAX_DEFINITIONS = 200
"""Budgets of one tenant."""
BUDGET_NOTICE = "The budget of"
"""So begins the notice of a reply that a budget made a smaller model's: it holds for that caller alone."""
RESERVATION_SECONDS = 600
"""After so long a reservation is given back: twice the gateway function's time, so its caller is dead by then."""
_PERIODS: dict[str, tuple[str, ...]] = {
    "run": ("total",),
    "session": ("day", "month", "total"),
    "user": ("day", "month"),
    "agent": ("day", "month"),
    "tenant": ("day", "month"),
}
_PER = {"day": "a day", "month": "a month", "total": "in all"}
_FIX = "; ".join(f"{scope}: {' or '.join(periods)}" for scope, periods in _PERIODS.items())
_KEEP_AFTER = timedelta(days=35)
_KEEP_TOTAL = timedelta(days=400)


class BudgetDefinition(FrozenValue):
    """A budget as an operator set it."""

    tenant_id: TenantId
    scope: Scope
    period: Period
    subject: str = Field(default=EACH, min_length=1, max_length=200, description="whose; * for each one separately")
    limit_nanousd: int = Field(ge=0)
    soft_nanousd: int = Field(ge=0, description="from here on calls go to the fast tier")
    is_default: bool = Field(default=False, description="nobody set it: it holds for every tenant; never stored")

    @model_validator(mode="after")
    def _check_period(self) -> Self:
        allowed = _PERIODS[self.scope]
        if self.period not in allowed:
            raise ValueError(f"a budget of scope {self.scope} has the period {' or '.join(allowed)}")
        if self.scope == "tenant" and self.subject != EACH:
            raise ValueError("a tenant's own budget has no subject")
        return self


class Counter(NamedTuple):
    """Where it is counted what a subject uses in one window of time."""

    tenant_id: str
    scope: Scope
    subject: str
    window: str


class Applied(NamedTuple):
    """A budget that a call counts against."""

    definition: BudgetDefinition
    counter: Counter
    resets_at: datetime | None

    @property
    def expires_at(self) -> int:
        """When the counter may be forgotten, epoch seconds, seen from its window."""
        if self.resets_at is not None:
            return int((self.resets_at + _KEEP_AFTER).timestamp())
        return 0

    @property
    def name(self) -> str:
        """What the budget is called: ``tenant acme, day``."""
        return f"{self.counter.scope} {self.counter.subject}, {self.definition.period}"

    @property
    def words(self) -> str:
        """The budget in a sentence: ``$5.00 a day for tenant acme``."""
        limit, period = self.definition.limit_nanousd, self.definition.period
        return f"{show(limit)} {_PER[period]} for {self.counter.scope} {self.counter.subject}"


class BudgetStanding(NamedTuple):
    """How far a budget is used."""

    applied: Applied
    used_nanousd: int
    spent_nanousd: int

    @property
    def remaining(self) -> int:
        """Nano-dollars that may still be reserved; below 0 where the limit was lowered."""
        return self.applied.definition.limit_nanousd - self.used_nanousd

    @property
    def near(self) -> bool:
        """Whether so much is spent that calls go to the fast tier; what is only reserved may yet be given back."""
        return self.spent_nanousd >= self.applied.definition.soft_nanousd


class Reservation(FrozenValue):
    """What is held for one request on the wire until its cost is known."""

    attempt: str
    tenant_id: str
    amount_nanousd: int = Field(ge=0)
    counters: tuple[Counter, ...] = Field(description="none where no budget applies")
    expires_at: int = Field(description="epoch seconds; a multiple of a minute")


class Pledge(NamedTuple):
    """What is promised to a run that was admitted, of one budget."""

    run_id: str
    amount_nanousd: int
    expires_at: int


class Pledged(NamedTuple):
    """All pledges of one budget, as they were written last; the version counts the writes."""

    version: int = 0
    pledges: tuple[Pledge, ...] = ()


def define(
    tenant_id: str,
    scope: str,
    period: str,
    *,
    limit_nanousd: int,
    subject: str = EACH,
    soft: Decimal | int = Decimal("0.8"),
) -> BudgetDefinition:
    """Return a budget's definition.

    Args:
        tenant_id: whose.
        scope: run, session, user, agent or tenant.
        period: day, month or total.
        limit_nanousd: the limit.
        subject: which run, user and so on; ``*`` for each one separately.
        soft: the share of the limit from which calls go to the fast tier.

    Raises:
        InvalidInput: a part of it is wrong.
    """
    if not 0 <= soft <= 1:
        raise InvalidInput("the soft share is not between 0 and 1", field="soft", fix="such as 0.8")
    try:
        return BudgetDefinition.model_validate(
            {
                "tenant": tenant_id,
                "scope": scope,
                "period": period,
                "subject": subject,
                "limit_nanousd": limit_nanousd,
                "soft_nanousd": int((Decimal(limit_nanousd) * soft).to_integral_value(rounding=ROUND_DOWN)),
            }
        )
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = str(first["loc"][0]) if first["loc"] else "period"
        said = first["msg"].removeprefix("Value error, ")
        raise InvalidInput(f"the budget is not valid: {said}", field=field, fix=_FIX) from error


def compute_window(period: Period, now: datetime) -> tuple[str, datetime | None]:
    """Return the name of the window that ``now`` is in, and when it ends (UTC)."""
    return _compute_window(period, now.astimezone(UTC).date())


@lru_cache(maxsize=16)
def _compute_window(period: Period, at: date) -> tuple[str, datetime | None]:
    midnight = datetime.combine(at, time.min, UTC)
    if period == "day":
        return f"day#{at:%Y-%m-%d}", midnight + timedelta(days=1)
    if period == "month":
        return f"month#{at:%Y-%m}", (midnight.replace(day=1) + timedelta(days=32)).replace(day=1)
    return "total", None


def select_budgets(definitions: Iterable[BudgetDefinition], context: CallContext, now: datetime) -> tuple[Applied, ...]:
    """Return the budgets that a call counts against, at most one of each scope and period, the narrowest first."""
    chosen: dict[tuple[str, str], Applied] = {}
    for definition in definitions:
        subject: str | None = getattr(context, field_name(definition.scope))
        if subject is None or definition.subject not in (EACH, subject):
            continue
        key = (definition.scope, definition.period)
        if key in chosen and definition.subject == EACH:
            continue
        name, resets_at = compute_window(definition.period, now)
        counter = Counter(context.tenant_id, definition.scope, subject, name)
        chosen[key] = Applied(definition, counter, resets_at)
    narrowest_first = [(scope, period) for scope, periods in _PERIODS.items() for period in periods]
    return tuple(chosen[key] for key in narrowest_first if key in chosen)


def make_exceeded_error(applied: Applied, used_nanousd: int, amount_nanousd: int) -> BudgetExceeded:
    """Return the error of a call that does not fit a budget: which, its limit, and when it resets."""
    when = applied.resets_at
    resets = f"it resets at {when:%Y-%m-%dT%H:%M:%SZ}" if when else "it does not reset"
    return BudgetExceeded(
        f"the budget of {applied.words} is used up: {show(used_nanousd)} is spent or reserved "
        f"and this call may cost {show(amount_nanousd)}; {resets}",
        fix="wait until it resets, or have an operator raise it with: pentad budgets set",
        budget=applied.name,
        limit_nanousd=applied.definition.limit_nanousd,
        resets_at=f"{when:%Y-%m-%dT%H:%M:%SZ}" if when else None,
    )


def make_short_error(applied: Applied, free_nanousd: int, amount_nanousd: int) -> BudgetExceeded:
    """Return the error of work that a budget can't pay for: which, what is left, what it may cost, when it resets."""
    when = applied.resets_at
    resets = f"wait until {when:%Y-%m-%dT%H:%M:%SZ}, or " if when else ""
    left = show(max(0, free_nanousd))
    return BudgetExceeded(
        f"this was not begun: it may cost {show(amount_nanousd)}, and {left} is left of the budget of {applied.words}; "
        f"{resets}have an operator raise it with: pentad budgets set",
        budget=applied.name,
        limit_nanousd=applied.definition.limit_nanousd,
        resets_at=f"{when:%Y-%m-%dT%H:%M:%SZ}" if when else None,
    )


def keep_until(applied: Applied, now: datetime) -> int:
    """Return when a counter that is written now may be forgotten, epoch seconds."""
    return applied.expires_at or int((now + _KEEP_TOTAL).timestamp())


def reservation_expiry(now: datetime) -> int:
    """Return when a reservation made now is given back: epoch seconds, rounded up to a minute."""
    return -(-(int(now.timestamp()) + RESERVATION_SECONDS) // 60) * 60
