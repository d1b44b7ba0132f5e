"""The options approval and rate_limit: what they may say of a tool's arguments, and what is refused with a fix."""

from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from pentad.domain.declarations.agents import ToolSpec
from pentad.domain.errors import ConfigurationError
from pentad.tools.declare import Ask, AskWhenSum, among, ends_with, for_users, has_taint, over, tool, unsure


class Line(BaseModel):
    sku: str
    price: Decimal


def refund(
    amount: float,
    currency: Literal["EUR", "USD"],
    to: list[str],
    lines: list[Line],
    price: Decimal | None = None,
    force: bool = False,
    note: Annotated[str, Field(pattern="^[A-Z]{3}$")] | None = None,
    paid_in: Literal["EUR"] | None = None,
) -> str:
    """Refund."""
    return ""


def declared(**options: Any) -> ToolSpec:
    made: ToolSpec = tool(effects="external", **options)(refund).spec
    return made


@pytest.mark.parametrize(
    "rule",
    [
        Ask(when=over("amount", 50)),
        Ask(when=[over("price", "0.5"), has_taint()], unless=[among("currency", ["EUR"]), for_users("bot")]),
        Ask(when=over("lines.price", 5)),
        Ask(when=ends_with("to", "@acme.eu")),
        Ask(when=ends_with("lines.sku", "-X")),
        Ask(when=unsure(0.8)),
        AskWhenSum("amount", above=200),
        AskWhenSum("lines.price", above=200, per="tenant", every="month", currency="currency"),
        AskWhenSum("amount", above=200, currency="paid_in"),
    ],
)
def test_a_rule_about_the_tools_own_arguments_is_kept_and_read_back_from_the_catalog(rule: Any) -> None:
    spec = declared(approval=[rule])
    assert spec.approval == (rule,)
    assert ToolSpec.model_validate_json(spec.model_dump_json()) == spec
    assert declared(approval=rule).approval == (rule,)


@pytest.mark.parametrize(
    ("approval", "says"),
    [
        ("sometimes", "approval='sometimes' is not known"),
        ([], "approval is not valid"),
        ([3], "is neither a rule nor a list of rules"),
        (3, "is neither a rule nor a list of rules"),
        ([Ask(when=over("amonut", 50))], "no argument 'amonut'. name one of: 'amount', 'currency'"),
        ([Ask(when=over("lines.cost", 50))], "no argument 'cost'. name one of: 'price', 'sku'"),
        ([Ask(when=over("currency", 50))], "compares 'currency', which is of the type string, not number"),
        ([Ask(when=over("force", 50))], "compares 'force', which is of the type boolean, not number"),
        ([Ask(when=among("amount", ["1"]))], "compares 'amount', which is of the type number, not text"),
        ([Ask(when=has_taint(), unless=over("nothing", 1))], "no argument 'nothing'"),
        ([AskWhenSum("to", above=1)], "compares 'to'"),
        ([AskWhenSum("amount", above=1, currency="amount")], "compares 'amount'"),
        ([AskWhenSum("amount", above=1, currency="unit")], "no argument 'unit'"),
        ([AskWhenSum("amount", above=1, currency="unit_price.currency")], "no argument 'unit_price'"),
        (
            [AskWhenSum("amount", above=1, currency="lines.sku")],
            "keeps a sum for each 'lines.sku', which may be any text",
        ),
        ([AskWhenSum("amount", above=1, currency="note")], "keeps a sum for each 'note', which may be any text"),
        ([AskWhenSum("amount", above=1), AskWhenSum("amount", above=2)], "has two rules over the same sum"),
    ],
)
def test_a_rule_that_does_not_fit_the_tool_is_refused_where_it_is_declared(approval: Any, says: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        declared(approval=approval)
    assert says in f"{caught.value.message}. {caught.value.fix}"
    assert "test_approval_option.py" in caught.value.message


def test_rates_are_read_the_narrowest_first() -> None:
    spec = declared(rate_limit="1_000/day per tenant, 20/minute per user, 5/second, 9/hour per tool")
    found = [(rate.calls, rate.seconds, rate.scope) for rate in spec.rates]
    assert found == [(20, 60, "user"), (5, 1, "tenant"), (1000, 86400, "tenant"), (9, 3600, "tool")]
    assert declared().rates == ()


@pytest.mark.parametrize(
    ("rate", "says"),
    [
        ("20 per minute", "'20 per minute' is not a rate"),
        ("0/minute", "'0/minute' is not a rate"),
        ("20/minute per planet", "'planet' is not a scope (session, user, tenant, tool)"),
        ("20/fortnight", "is not a rate"),
        ("", "'' is not a rate"),
        ("5/minute,", "'' is not a rate"),
        ("5/minute, 6/minute", "there are two rates per tenant and minute"),
        ("2000000/day", "are more than 1,000,000"),
        (20, "rate_limit=20 is not text"),
    ],
)
def test_what_is_no_rate_is_refused_with_an_example(rate: Any, says: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        declared(rate_limit=rate)
    assert says in caught.value.message
    assert "20/minute per user" in (caught.value.fix or "")


@pytest.mark.parametrize("calls", [1, 3, 7, 999_999])
def test_a_token_never_comes_back_too_soon(calls: int) -> None:
    [rate] = declared(rate_limit=f"{calls}/day").rates
    assert rate.interval_us * calls >= 86_400 * 1_000_000
