"""Conditions of approval rules: what holds, what does not, and what can't be told."""

from decimal import Decimal
from typing import Any

import pytest

from pentad.domain.declarations.approval_rules import (
    Condition,
    among,
    ends_with,
    for_tenants,
    for_users,
    has_taint,
    over,
    under,
    unsure,
)
from pentad.tools.policy.conditions import Circumstances, evaluate, read_number


def seen(arguments: dict[str, Any] | None = None, **more: Any) -> Circumstances:
    return Circumstances(**{"tenant_id": "acme", "user_id": "ada", "arguments": arguments or {}, **more})


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (50, 50),
        (50.5, Decimal("50.5")),
        (0.1, Decimal("0.1")),
        (1e14, Decimal(10) ** 14),
        (1e-7, Decimal("0.0000001")),
        ("50.01", Decimal("50.01")),
        ("-3", -3),
        ("1,5", None),
        ("1e9", None),
        (" 5", None),
        ("٣", None),
        ("\uff15", None),
        ("", None),
        ("NaN", None),
        (float("nan"), None),
        (float("inf"), None),
        (True, None),
        (None, None),
        (10**16, None),
        ("9" * 40, None),
        (1e300, None),
        ([], None),
    ],
)
def test_a_number_is_read_as_it_is_written_or_not_at_all(value: Any, number: Any) -> None:
    assert read_number(value) == number


@pytest.mark.parametrize(
    ("condition", "arguments", "holds"),
    [
        (over("amount", 50), {"amount": 50}, False),
        (over("amount", 50), {"amount": "50.000001"}, True),
        (over("amount", "0.1"), {"amount": 0.1}, False),
        (over("amount", 50), {}, None),
        (over("amount", 50), {"amount": None}, None),
        (over("amount", 50), {"amount": "fifty"}, None),
        (over("amount", 50), {"amount": -1000}, None),
        (under("amount", 50), {"amount": -1000}, None),
        (under("balance", 0), {"balance": -1}, True),
        (over("balance", -10), {"balance": -20}, False),
        (over("order.amount", 50), {"order": {"amount": 51}}, True),
        (over("order.amount", 50), {"order": "51"}, None),
        (over("items.amount", 50), {"items": [{"amount": 1}, {"amount": 2}]}, False),
        (over("items.amount", 50), {"items": [{"amount": 1}, {"amount": 51}]}, None),
        (over("items.amount", 50), {"items": []}, None),
        (over("items.amount", 50), {"items": [{"amount": 1}] * 2000}, None),
        (among("currency", ["EUR", "USD"]), {"currency": "eur"}, True),
        (among("currency", ["EUR"]), {"currency": "XYZ"}, False),
        (among("currency", ["EUR"]), {"currency": "E\u200bUR"}, None),
        (among("country", ["IR"]), {"country": "IR "}, None),
        (among("country", ["IR"]), {"country": "\uff29R"}, None),
        (among("country", ["IR"]), {"country": "\u0406R"}, None),
        (among("country", ["IR"]), {"country": "IR\ud83d"}, None),
        (among("country", ["IR"]), {"country": "\u00d6sterreich"}, False),
        (among("country", ["\u00d6sterreich"]), {"country": "\u00d6sterreich"}, True),
        (among("country", ["\u00d6sterreich"]), {"country": "\u00f6sterreich"}, None),
        (ends_with("to", "@acme.eu"), {"to": "bob@ACME.eu"}, True),
        (ends_with("to", "@acme.eu"), {"to": "bob@evil.com"}, False),
        (ends_with("to", "@acme.eu"), {"to": "evil@evil.com,bob@acme.eu"}, None),
        (ends_with("to", "@acme.eu"), {"to": "bob@acme.eu, evil@evil.com"}, None),
        (ends_with("to", "@acme.eu"), {"to": '["bob@acme.eu"]'}, True),
        (ends_with("to", "@acme.eu"), {"to": "o'hara@acme.eu"}, True),
        (ends_with("to", "@acme.eu"), {"to": "Bob <bob@acme.eu>"}, None),
        (ends_with("to", "@acme.eu"), {"to": "a@evil.com, b@evil.com"}, False),
        (ends_with("file", ".exe"), {"file": "my tool.exe"}, None),
        (among("to", ["ceo@acme.eu"]), {"to": "bob@acme.eu,CEO@acme.eu"}, None),
        (among("to", ["ceo@acme.eu"]), {"to": '["ceo@acme.eu"]'}, None),
        (among("to", ["ceo@acme.eu"]), {"to": "The CEO <ceo@acme.eu>"}, None),
        (among("to", ["ceo@acme.eu"]), {"to": "bob@acme.eu, ann@acme.eu"}, False),
        (among("to", ["broken"]), {"to": "not broken"}, False),
        (ends_with("to", "@acme.eu"), {"to": "evil@evil.com\nbob@acme.eu"}, None),
        (ends_with("to", "@acme.eu"), {"to": ["bob@acme.eu", "x@evil.com"]}, None),
        (ends_with("to", "@acme.eu"), {"to": "bob@\u0430cme.eu"}, None),
        (for_users("ada"), {}, True),
        (for_users("bob"), {}, False),
        (for_tenants("acme"), {}, True),
    ],
)
def test_a_condition_holds_does_not_or_can_not_be_told(condition: Condition, arguments: Any, holds: Any) -> None:
    assert evaluate(condition, seen(arguments)) is holds


def test_taint_and_confidence() -> None:
    assert evaluate(has_taint(), seen()) is False
    assert evaluate(has_taint(), seen(taint=("documents",))) is True
    assert evaluate(has_taint("trigger"), seen(taint=("documents",))) is False
    assert evaluate(has_taint("trigger"), seen(taint=("documents", "many"))) is None
    assert evaluate(has_taint("trigger"), seen(taint=("memory",))) is None
    assert evaluate(has_taint("trigger"), seen(taint=("many", "trigger"))) is True
    assert evaluate(unsure(0.8), seen()) is None
    assert evaluate(unsure(0.8), seen(confidence=0.79)) is True
    assert evaluate(unsure(0.8), seen(confidence=0.8)) is False
    assert evaluate(for_users("ada"), seen(user_id=None)) is False
