"""What becomes of a call: by its tool's rules, by sums, and by the policy once there is text from outside."""

from decimal import Decimal
from typing import Any

import pytest

from pentad.domain.canonical import arguments_hash
from pentad.domain.declarations.agents import ToolSpec
from pentad.domain.declarations.approval_rules import Ask, AskWhenSum, for_users, has_taint, over, unsure
from pentad.domain.declarations.policy import PolicySpec
from pentad.domain.runs import CallStatus, Run, ToolCall
from pentad.domain.taint.sources import merge_sources
from pentad.tools.policy.apply import ALWAYS, Verdict, apply_policy, may_ask
from tests.unit.tools.worlds import RUN, START

DAILY = AskWhenSum("amount", above=200, currency="currency")


def spec(approval: Any = "never", effects: Any = "external") -> ToolSpec:
    return ToolSpec(name="refund", description="Refund.", input_schema={}, effects=effects, approval=approval)


def run_of(**more: Any) -> Run:
    values = {"run_id": RUN, "session_id": "s1", "user_id": "ada", "tenant_id": "acme", "agent": "helper"}
    kept = {"status": "running", "trigger": "api", "request_seq": 0, "request_hash": "x"}
    return Run(**{**values, **kept, "created_at": START, "updated_at": START, **more})


def call_of(arguments: dict[str, Any], **more: Any) -> ToolCall:
    return ToolCall(
        tenant_id="acme",
        run_id=RUN,
        step=1,
        index=0,
        call_id="c",
        tool="refund",
        arguments=arguments,
        arguments_hash=arguments_hash(arguments),
        status=CallStatus.PENDING,
        **more,
    )


def verdict(
    approval: Any, arguments: dict[str, Any], *, policy: Any = None, spent: Any = None, run: Any = None, **more: Any
) -> Verdict:
    rules = PolicySpec.model_validate(policy or {})
    return apply_policy(spec(approval), rules, run_of(**(run or {})), call_of(arguments, **more), spent=spent)


def test_a_tool_that_always_asks_says_so_and_one_that_never_does_runs() -> None:
    assert verdict("always", {}) == Verdict("ask", (ALWAYS,))
    assert verdict("never", {}) == Verdict()
    assert verdict("always", {}, run={"allowed_tools": ("refund",)}) == Verdict()


def test_a_refund_above_the_limit_asks_and_one_below_runs() -> None:
    rule = [Ask(when=over("amount", 50))]
    assert verdict(rule, {"amount": 50}).kind == "run"
    assert verdict(rule, {"amount": 51}) == Verdict("ask", ("'amount' is over 50.",))
    assert verdict(rule, {"amount": "lots"}) == Verdict("ask", ("'amount' can't be compared with 50.",))
    assert verdict(rule, {}).kind == "ask"


def test_all_of_when_have_to_hold_and_none_of_unless() -> None:
    rule = [Ask(when=[over("amount", 50), has_taint()], unless=for_users("bot"))]
    assert verdict(rule, {"amount": 60}).kind == "run"
    trusting = {"trusted": ["documents"]}
    assert verdict(rule, {"amount": 60}, taint=("documents",), policy=trusting).kind == "ask"
    assert verdict(rule, {"amount": 60}, taint=("documents",), policy=trusting, run={"user_id": "bot"}).kind == "run"


def test_doubt_in_unless_does_not_stop_the_question() -> None:
    rule = [Ask(when=has_taint(), unless=over("amount", 10))]
    trusting = {"trusted": ["documents"]}
    assert verdict(rule, {"amount": "?"}, taint=("documents",), policy=trusting).kind == "ask"
    assert verdict(rule, {"amount": 11}, taint=("documents",), policy=trusting).kind == "run"


def test_a_turn_that_nobody_rated_asks_where_a_rule_is_about_confidence() -> None:
    assert verdict([Ask(when=unsure(0.8))], {}) == Verdict("ask", ("The turn's confidence is not known.",))
    assert verdict([Ask(when=unsure(0.8))], {}, confidence=0.9).kind == "run"
    assert verdict([Ask(when=unsure(0.8))], {}, confidence=0.5).kind == "ask"


@pytest.mark.parametrize(
    ("arguments", "before", "kind"),
    [
        ({"amount": 50, "currency": "EUR"}, 150, "run"),
        ({"amount": "50.01", "currency": "EUR"}, 150, "ask"),
        ({"amount": 50, "currency": ""}, 0, "ask"),
        ({"amount": 50, "currency": "€"}, 0, "ask"),
        ({"amount": 50}, 0, "ask"),
        ({"amount": -50, "currency": "EUR"}, 0, "ask"),
        ({"currency": "EUR"}, 0, "ask"),
        ({"amount": 50, "currency": "EUR"}, None, "ask"),
    ],
)
def test_a_sum_asks_above_its_limit_and_where_it_can_not_be_told(arguments: Any, before: Any, kind: str) -> None:
    found = verdict([DAILY], arguments, spent=lambda rule, currency: None if before is None else Decimal(before))
    assert found.kind == kind
    assert len(found.reasons) == (kind == "ask")


def test_each_currency_has_a_sum_of_its_own_and_the_reason_names_it() -> None:
    sums = {"EUR": Decimal(190), "USD": Decimal(0)}

    def spent(rule: AskWhenSum, currency: str) -> Decimal:
        return sums[currency]

    assert verdict([DAILY], {"amount": 20, "currency": "usd"}, spent=spent).kind == "run"
    said = verdict([DAILY], {"amount": 20, "currency": "eur"}, spent=spent).reasons
    assert said == ("With this call 'amount' comes to 210 EUR in this day for this user, above 200 EUR.",)


def test_a_sum_by_user_asks_where_the_run_has_none() -> None:
    said = verdict([AskWhenSum("amount", above=9)], {"amount": 1}, run={"user_id": None}, spent=lambda *_: Decimal(0))
    assert said.kind == "ask"


def test_effects_outside_ask_once_there_is_text_from_outside_unless_the_policy_allows_them() -> None:
    taint = ("documents", "tool:web")
    asked = verdict("never", {}, taint=taint)
    assert asked.kind == "ask"
    assert "documents, tool:web" in asked.reasons[0]
    one = {"rules": [{"sources": ["documents"], "decide": "allow"}]}
    assert verdict("never", {}, taint=taint, policy=one).kind == "ask"
    assert verdict("never", {}, taint=("documents",), policy=one).kind == "run"
    both = {"rules": [{"agents": ["helper"], "tools": ["refund"], "decide": "allow"}]}
    assert verdict("never", {}, taint=taint, policy=both).kind == "run"
    assert verdict("always", {}, taint=taint, policy=both) == Verdict("ask", (ALWAYS,))
    other = {"rules": [{"agents": ["another"], "decide": "allow"}]}
    assert verdict("never", {}, taint=taint, policy=other).kind == "ask"


def test_a_denied_call_is_denied_also_where_it_would_ask_or_was_allowed() -> None:
    policy = {"rules": [{"tools": ["refund"], "sources": ["tool:web"], "decide": "deny"}]}
    assert verdict("always", {}, policy=policy).kind == "ask"
    denied = verdict("always", {}, taint=("tool:web",), policy=policy, run={"allowed_tools": ("refund",)})
    assert denied.kind == "deny"
    assert "tool:web" in denied.reasons[0]


def test_what_a_human_allowed_for_the_run_is_allowed_with_the_sources_that_were_there() -> None:
    allowed = {"allowed_tools": ("refund",), "allowed_taint": ("refund|documents",)}
    assert verdict("always", {}, taint=("documents",), run=allowed).kind == "run"
    assert verdict("always", {}, taint=("documents", "tool:web"), run=allowed).kind == "ask"


@pytest.mark.parametrize("effects", ["none", "internal"])
def test_effects_inside_run_with_text_from_outside_by_default(effects: str) -> None:
    tool = spec(effects=effects)
    assert apply_policy(tool, PolicySpec(), run_of(), call_of({}, taint=("documents",))) == Verdict()


def test_whether_a_tool_may_ask_is_known_before_it_is_called() -> None:
    assert may_ask(spec("always"), PolicySpec(), "helper") == "always"
    assert may_ask(spec([Ask(when=has_taint())], effects="none"), PolicySpec(), "helper") == "maybe"
    assert may_ask(spec(), PolicySpec(), "helper") == "maybe"
    assert may_ask(spec(effects="internal"), PolicySpec(), "helper") == "never"
    asks = PolicySpec.model_validate({"rules": [{"agents": ["helper"], "decide": "ask"}]})
    assert may_ask(spec(effects="internal"), asks, "helper") == "maybe"
    assert may_ask(spec(effects="internal"), asks, "other") == "never"


PAGES = ToolSpec(
    name="refund", description="Read a page.", input_schema={}, effects="none", trusted_output=False, any_address=True
)


def visit(
    policy: Any = None, *, taint: tuple[str, ...] = ("tool:web",), composed: Any = ("url",), **run: Any
) -> Verdict:
    call = call_of({"url": "x"}, taint=taint, composed=composed)
    return apply_policy(PAGES, PolicySpec.model_validate(policy or {}), run_of(**run), call)


def test_an_address_that_nobody_gave_asks_once_there_is_text_from_outside() -> None:
    assert visit(composed=()) == visit(taint=()) == Verdict()
    [reason] = visit().reasons
    assert visit().kind == "ask"
    assert "tool:web" in reason and "'url'" in reason and "tell others something" in reason
    assert visit(allowed_taint=("refund|tool:web",)) == Verdict()
    assert visit(allowed_tools=("refund",)).kind == "ask"


@pytest.mark.parametrize(
    ("policy", "kind"),
    [
        ({"untrusted": {"addresses": "allow"}}, "run"),
        ({"untrusted": {"addresses": "deny"}}, "deny"),
        ({"untrusted": {"addresses": "allow", "none": "ask"}}, "ask"),
        ({"rules": [{"tools": ["refund"], "decide": "allow"}]}, "run"),
        ({"trusted": ["tool:web"]}, "run"),
    ],
)
def test_a_project_says_what_such_an_address_may_do(policy: Any, kind: str) -> None:
    assert visit(policy).kind == kind
    assert visit(policy, composed=()).kind == ("ask" if "none" in str(policy) else "run")


def test_a_tool_that_may_ask_any_address_may_ask_a_human() -> None:
    assert may_ask(PAGES, PolicySpec(), "helper") == "maybe"
    allowed = PolicySpec.model_validate({"untrusted": {"addresses": "allow"}})
    assert may_ask(PAGES, allowed, "helper") == "never"


MANY_RULES = [
    ([{"sources": ["tool:web"], "decide": "deny"}], "deny"),
    ([{"sources": ["tool:web"], "decide": "deny"}, {"decide": "allow"}], "deny"),
    ([{"decide": "allow"}, {"sources": ["tool:web"], "decide": "deny"}], "allow"),
    ([{"sources": ["many"], "decide": "allow"}, {"sources": ["tool:web"], "decide": "deny"}], "allow"),
    ([{"sources": ["tool:web"], "decide": "allow"}], "ask"),
    ([{"sources": ["tool:web"], "tools": ["other"], "decide": "deny"}], "ask"),
    ([{"sources": ["tool:web"], "agents": ["other"], "decide": "deny"}], "ask"),
]


@pytest.mark.parametrize(("rules", "answer"), MANY_RULES)
def test_what_stands_for_many_sources_is_decided_by_the_strictest_rule_that_may_be_meant(
    rules: list[dict[str, object]], answer: str
) -> None:
    policy = PolicySpec.model_validate({"rules": rules})
    assert policy.find_answer("helper", "send", "external", ("many",)) == answer


def test_more_sources_than_are_kept_lose_no_denial() -> None:
    taint = merge_sources(tuple(f"tool:a{number:02}" for number in range(30)), ("tool:web",))
    assert "tool:web" not in taint
    policy = PolicySpec.model_validate({"rules": [{"sources": ["tool:web"], "decide": "deny"}]})
    assert policy.find_answer("helper", "send", "external", taint) == "deny"
