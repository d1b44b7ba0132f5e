"""Sums of rules: what a planned call would come to, and what a call that runs adds.

Who plans a call reads; the tool runner adds, in one conditional write, before the tool runs. So of calls that are
planned at once and pass a limit together, those that came too late do not run.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from pentad.domain.canonical import call_key
from pentad.domain.declarations.agents import ToolSpec
from pentad.domain.declarations.approval_rules import AskWhenSum
from pentad.domain.errors import StoreUnavailable
from pentad.domain.runs import CallStatus, Run, ToolCall
from pentad.tools.policy.apply import SumOf, find_amount, list_sum_rules
from pentad.tools.policy.ports import CallSums, SumPlace

_FORMATS = {"hour": "%Y-%m-%dT%H", "day": "%Y-%m-%d", "month": "%Y-%m"}
_SECONDS = {"hour": 3600, "day": 86_400, "month": 31 * 86_400}
_SPARE_SECONDS = 2 * 86_400
"""Kept so much longer, for calls that are given back late."""


def name_place(tool: str, rule: AskWhenSum, run: Run, currency: str, now: datetime) -> SumPlace:
    """Return which sum a rule means for a run; users and sessions stand in it by their hash."""
    whose = {"user": run.user_id or "", "session": run.session_id, "tenant": ""}[rule.per]
    hashed = hashlib.sha256(whose.encode()).hexdigest()[:32] if whose else "-"
    # Two rules over one argument, such as a daily and a monthly sum, have sums and marks of their own.
    own = "#".join((tool, *rule.sum_of))
    name = f"{own}#{hashed}#{now.strftime(_FORMATS[rule.every])}#{currency or '-'}"
    expires = int(now.timestamp()) + _SECONDS[rule.every] + _SPARE_SECONDS
    return SumPlace(tenant_id=run.tenant_id, rule=own, name=name, expires_at=expires)


@dataclass
class PlannedSums:
    """Tells what sums have come to, with the calls of the same reply that may run before.

    Args:
        store: where sums are; None where nobody keeps any: then a rule over a sum asks.
        now: the clock, UTC.
    """

    store: CallSums | None
    now: Callable[[], datetime]
    _planned: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def of(self, tool: ToolSpec, run: Run) -> SumOf:
        """Return what tells the sums of a tool's rules for a run."""

        def read(rule: AskWhenSum, currency: str) -> Decimal | None:
            if self.store is None:
                return None
            place = name_place(tool.name, rule, run, currency, self.now())
            try:
                return self.store.get(place) + self._planned[place.name]
            except StoreUnavailable:
                return None

        return read

    def note(self, tool: ToolSpec, run: Run, call: ToolCall) -> None:
        """Count a call that will run, or may."""
        for rule in list_sum_rules(tool):
            amount = find_amount(tool, rule, call)
            if amount is not None:
                self._planned[name_place(tool.name, rule, run, amount.currency, self.now()).name] += amount.value


@dataclass
class TakeSums:
    """Adds what calls come to, and gives it back.

    Args:
        store: where sums are.
        now: the clock, UTC.
    """

    store: CallSums
    now: Callable[[], datetime]

    def take(self, tool: ToolSpec, run: Run, call: ToolCall) -> str | None:
        """Add a call to the sums of its tool's rules; return why it may not run, where it passes a limit unasked.

        Raises:
            StoreUnavailable: the store did not answer; nothing ran, and again is safe.
        """
        asked = call.status is CallStatus.APPROVED or tool.name in run.allowed_tools
        for rule in list_sum_rules(tool):
            amount = find_amount(tool, rule, call)
            if amount is None:
                continue  # a human has seen it: what can't be added up always asks
            place = name_place(tool.name, rule, run, amount.currency, self.now())
            at_most = None if asked else rule.above
            if not self.store.add(place, call_key(call), amount.value, at_most=at_most):
                self.give_back(tool, run, call)
                return (
                    f"This call was not run: with others that ran meanwhile '{rule.argument}' exceeds "
                    f"{rule.above:f} in this {rule.every}. Make it again: a human will be asked."
                )
        return None

    def give_back(self, tool: ToolSpec, run: Run, call: ToolCall) -> None:
        """Take away what a call has added of which nothing ran, or that was undone.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        for rule in list_sum_rules(tool):
            amount = find_amount(tool, rule, call)
            if amount is not None:
                place = name_place(tool.name, rule, run, amount.currency, self.now())
                self.store.give_back(place, call_key(call))
