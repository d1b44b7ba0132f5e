"""What a budget is, when its windows begin, and which budgets a call counts against."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pentad.domain.errors import InvalidInput
from pentad.domain.models import CallContext
from pentad.models.budgets.budgets import (
    RESERVATION_SECONDS,
    BudgetDefinition,
    compute_window,
    define,
    make_exceeded_error,
    reservation_expiry,
    select_budgets,
)

NOW = datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)
CONTEXT = CallContext(tenant_id="acme", agent="helper", user_id="ada", session_id="s1", run_id="run_1")


def made(scope: str, period: str, **fields: Any) -> BudgetDefinition:
    return define("acme", scope, period, limit_nanousd=fields.pop("limit", 1_000), **fields)


def test_days_and_months_end_in_utc() -> None:
    assert compute_window("day", NOW) == ("day#2026-12-31", datetime(2027, 1, 1, tzinfo=UTC))
    assert compute_window("month", NOW) == ("month#2026-12", datetime(2027, 1, 1, tzinfo=UTC))
    assert compute_window("total", NOW) == ("total", None)
    tokyo = timezone(timedelta(hours=9))
    assert compute_window("day", datetime(2027, 1, 1, 8, tzinfo=tokyo))[0] == "day#2026-12-31"


@given(st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_a_window_ends_after_now_in_the_next_one(now: datetime) -> None:
    for period, longest in (("day", timedelta(days=1)), ("month", timedelta(days=31))):
        name, ends = compute_window(period, now)  # type: ignore[arg-type]
        assert ends is not None
        assert timedelta(0) < ends - now <= longest
        assert compute_window(period, ends)[0] != name  # type: ignore[arg-type]
        assert compute_window(period, ends - timedelta(microseconds=1))[0] == name  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("scope", "period", "fields"),
    [
        ("run", "day", {}),
        ("tenant", "total", {}),
        ("user", "total", {}),
        ("team", "day", {}),
        ("tenant", "week", {}),
        ("tenant", "day", {"subject": "acme"}),
        ("tenant", "day", {"limit": -1}),
        ("tenant", "day", {"soft": Decimal("1.1")}),
        ("user", "day", {"subject": ""}),
    ],
)
def test_a_budget_that_makes_no_sense_is_refused_with_a_fix(scope: str, period: str, fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as caught:
        made(scope, period, **fields)
    assert caught.value.fix


def test_the_soft_limit_is_a_share_rounded_down() -> None:
    assert made("tenant", "day", limit=999, soft=Decimal("0.5")).soft_nanousd == 499
    assert made("tenant", "day", limit=1_000).soft_nanousd == 800


def test_one_budget_of_each_scope_and_period_applies() -> None:
    definitions = [
        made("tenant", "day"),
        made("tenant", "month"),
        made("user", "day", subject="ada", limit=5),
        made("user", "day"),
        made("user", "day", subject="bob"),
        made("session", "total"),
        made("run", "total"),
    ]
    for order in (definitions, definitions[::-1]):
        applied = select_budgets(order, CONTEXT, NOW)
        assert [(each.counter.scope, each.definition.period) for each in applied] == [
            ("run", "total"),
            ("session", "total"),
            ("user", "day"),
            ("tenant", "day"),
            ("tenant", "month"),
        ]
        assert applied[2].definition.limit_nanousd == 5


def test_a_call_without_a_user_has_no_users_budget() -> None:
    context = CallContext(tenant_id="acme", purpose="embed_document")
    assert select_budgets([made("user", "day"), made("run", "total")], context, NOW) == ()


def test_the_refusal_fits_a_decisions_reason() -> None:
    user = "a" * 64
    [applied] = select_budgets([made("user", "day")], CONTEXT.model_copy(update={"user_id": user}), NOW)
    error = make_exceeded_error(applied, 999, 160_003_125)
    assert len(f"The run was stopped: {error.message}.") <= 300
    assert "resets at 2027-01-01T00:00:00Z" in error.message


@given(st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_reservations_end_together_by_the_minute_and_never_early(now: datetime) -> None:
    expiry = reservation_expiry(now)
    assert expiry % 60 == 0
    assert 0 <= expiry - int(now.timestamp()) - RESERVATION_SECONDS < 60
