"""Say what becomes of a call: it runs, it asks a human first, or it is denied. The one place for all of them. Pure.

Turns and workflows ask as they plan a call, and store what they asked with (`ToolCall.taint`, ``confidence``). The tool
runner asks again, of what is stored, before anything runs.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from pentad.domain.declarations.agents import ToolSpec
from pentad.domain.declarations.approval_rules import Ask, AskWhenSum
from pentad.domain.declarations.policy import STRICTEST, Answer, PolicySpec
from pentad.domain.runs import Run, ToolCall
from pentad.tools.policy.conditions import Circumstances, describe, evaluate, list_values, read_number
from pentad.tools.policy.final_arguments import canonicalise_arguments

ALWAYS = "This tool asks each time."
_MAX_REASONS = 20
SumOf = Callable[[AskWhenSum, str], Decimal | None]
"""What has run so far of a rule's sum, in one currency; None where nobody can tell."""


@dataclass(frozen=True)
class Verdict:
    """What becomes of a call.

    Attributes:
        kind: run, ask a human first, or deny.
        reasons: why it asks, or is denied, for whoever decides.
    """

    kind: Literal["run", "ask", "deny"] = "run"
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Amount:
    """A call's part of a sum: how much, in which currency (empty where the rule names none)."""

    value: Decimal
    currency: str


def apply_policy(
    tool: ToolSpec, policy: PolicySpec, run: Run, call: ToolCall, *, spent: SumOf | None = None
) -> Verdict:
    """Return what becomes of a call.

    Args:
        tool: what it calls.
        policy: the project's.
        run: the run; what a human has allowed for the rest of it is not asked for again.
        call: with its arguments, taint and confidence.
        spent: tells sums of what has run; without it sums are left to `Admission`, which takes them.
    """
    answer = _ask_policy(tool, policy, run, call, call.taint)
    if answer == "deny":
        words = f"policy.yaml denies '{tool.name}' once there is text from outside in the context: {_list(call.taint)}."
        return Verdict("deny", (words,))
    reasons = [] if tool.name in run.allowed_tools else list(_iter_own_reasons(tool, run, call, spent))
    open_sources = list_open_sources(tool, policy, run, call)
    if open_sources:
        reasons.append(f"Text from outside is in the context ({_list(open_sources)}), and {_say_why(tool, call)}.")
    return Verdict("ask", tuple(reasons[:_MAX_REASONS])) if reasons else Verdict()


def list_open_sources(tool: ToolSpec, policy: PolicySpec, run: Run, call: ToolCall) -> list[str]:
    """Return the sources of untrusted text for which a call asks; none where the policy or a human has allowed it."""
    left = tuple(one for one in call.taint if f"{tool.name}|{one}" not in run.allowed_taint)
    return list(left) if _ask_policy(tool, policy, run, call, left) == "ask" else []


def may_ask(tool: ToolSpec, policy: PolicySpec, agent: str) -> Literal["never", "maybe", "always"]:
    """Return whether calls of a tool by an agent or workflow may ask a human, whatever their arguments."""
    if tool.approval == "always":
        return "always"
    if tool.approval != "never" or getattr(policy.untrusted, tool.effects) == "ask":
        return "maybe"
    if tool.any_address and policy.untrusted.addresses == "ask":
        return "maybe"
    fits = (one for one in policy.rules if (not one.tools or tool.name in one.tools) and _names(one.agents, agent))
    return "maybe" if any(one.decide == "ask" for one in fits) else "never"


def _ask_policy(tool: ToolSpec, policy: PolicySpec, run: Run, call: ToolCall, taint: tuple[str, ...]) -> Answer:
    """Return the policy's answer: the stricter one of those for the tool's effects and for what an address tells."""
    answers = [policy.find_answer(run.agent, tool.name, tool.effects, taint)]
    if tool.any_address and call.composed:
        answers.append(policy.find_answer(run.agent, tool.name, "addresses", taint))
    return max(answers, key=STRICTEST.index)


def _say_why(tool: ToolSpec, call: ToolCall) -> str:
    if tool.effects == "none" and call.composed:
        named = ", ".join(f"'{place}'" for place in call.composed[:3])
        return f"nobody gave the model what it has written in {named}: asking that address may tell others something"
    return "it may have led to this call"


def find_amount(tool: ToolSpec, rule: AskWhenSum, call: ToolCall) -> Amount | None:
    """Return what a call adds to a rule's sum; None where it can't be told: then a human is asked."""
    arguments = canonicalise_arguments(tool, call.arguments)
    numbers = [read_number(value) for value in list_values(arguments, rule.argument)]
    if not numbers or any(number is None or number < 0 for number in numbers):
        return None
    total = sum((number for number in numbers if number is not None), Decimal(0))
    if rule.currency is None:
        return Amount(total, "")
    named = {_read_currency(value) for value in list_values(arguments, rule.currency)}
    currency = named.pop() if len(named) == 1 else ""
    return Amount(total, currency) if currency else None


def _read_currency(value: object) -> str:
    word = value.strip().upper() if isinstance(value, str) else ""
    return word if len(word) <= 20 and word.isascii() and word.isalnum() else ""


def list_sum_rules(tool: ToolSpec) -> list[AskWhenSum]:
    """Return the rules of a tool that add something up."""
    rules = () if isinstance(tool.approval, str) else tool.approval
    return [rule for rule in rules if isinstance(rule, AskWhenSum)]


def _iter_own_reasons(tool: ToolSpec, run: Run, call: ToolCall, spent: SumOf | None) -> Iterable[str]:
    """Yield why the tool's own declaration asks."""
    if tool.approval == "always":
        yield ALWAYS
    if isinstance(tool.approval, str):
        return
    arguments = canonicalise_arguments(tool, call.arguments)
    seen = Circumstances(run.tenant_id, run.user_id, arguments, call.taint, call.confidence)
    for rule in tool.approval:
        if isinstance(rule, Ask):
            if all(evaluate(one, seen) is not False for one in rule.when) and not any(
                evaluate(one, seen) for one in rule.unless
            ):
                words = " and ".join(describe(one, seen) for one in rule.when)
                yield f"{words[0].upper()}{words[1:]}."
        elif (reason := _explain_sum(tool, rule, run, call, spent)) is not None:
            yield reason


def _explain_sum(tool: ToolSpec, rule: AskWhenSum, run: Run, call: ToolCall, spent: SumOf | None) -> str | None:
    amount = find_amount(tool, rule, call)
    name, whom = f"'{rule.argument}'", f"this {rule.per}"
    if rule.per == "user" and run.user_id is None:
        return f"The sum of {name} is kept by user, and this run has none."
    if amount is None:
        currency = "" if rule.currency is None else f" with '{rule.currency}'"
        return f"{name}{currency} can't be added up."
    if spent is None:
        return None
    before = spent(rule, amount.currency)
    if before is None:
        return f"What {name} comes to in this {rule.every} for {whom} can't be told now."
    total = before + amount.value
    if total <= rule.above:
        return None
    unit = f" {amount.currency}" if amount.currency else ""
    comes = f"With this call {name} comes to {total:f}{unit} in this {rule.every} for {whom}"
    return f"{comes}, above {rule.above:f}{unit}."


def _names(names: Sequence[str], name: str) -> bool:
    return not names or name in names


def _list(sources: Iterable[str]) -> str:
    return ", ".join(sources)
