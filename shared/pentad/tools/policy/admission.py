"""Let a call run now: its tool's rates have a token left, and the sums of its rules have room."""

from collections.abc import Callable
from dataclasses import dataclass

from pentad.domain.canonical import call_key
from pentad.domain.declarations.agents import ToolSpec
from pentad.domain.errors import PolicyDenied, ToolThrottled, ToolUnavailable
from pentad.domain.runs import CallStatus, Run, ToolCall
from pentad.tools.policy.apply import list_sum_rules
from pentad.tools.policy.sums import TakeSums
from pentad.tools.rates.limit import ToolRates

_NO_SUMS = "This call was not run: nothing keeps the sum that its tool's rule needs."


@dataclass(frozen=True)
class CallAdmission:
    """What the tool runner asks before a call begins, and tells after it has ended.

    Args:
        rates: holds tools to their rates; None where none is held.
        sums: adds up what rules ask for; without it calls of such rules run only when a human has approved them.
    """

    rates: ToolRates | None = None
    sums: TakeSums | None = None

    def refuse(
        self, tool: ToolSpec, run: Run, call: ToolCall, admit: Callable[[], str | None] | None = None
    ) -> tuple[str, str] | None:
        """Return why a call may not run now, with the name of the error, or None: then it counts.

        Args:
            tool: what it calls.
            run: its run.
            call: the call; a try of it that was counted is not counted again.
            admit: tells what is switched off, or out of order for a while. It is asked behind the rate, so that the
                one call that tries a tool out of order is made.

        Raises:
            StoreUnavailable: a store did not answer; nothing ran, and again is safe.
        """
        spent = self.rates.refuse(tool, run, call_key(call)) if self.rates is not None and tool.rates else None
        if spent is not None:
            return spent, ToolThrottled.__name__
        stopped = None if admit is None else admit()
        if stopped is not None:
            return stopped, ToolUnavailable.__name__
        beyond = self._take_sums(tool, run, call)
        return None if beyond is None else (beyond, PolicyDenied.__name__)

    def _take_sums(self, tool: ToolSpec, run: Run, call: ToolCall) -> str | None:
        """Add the call to the sums of its tool's rules, or return why it may not run."""
        if not list_sum_rules(tool):
            return None
        if self.sums is None:
            return None if call.status is CallStatus.APPROVED else _NO_SUMS
        return self.sums.take(tool, run, call)

    def give_back(self, tool: ToolSpec, run: Run, call: ToolCall) -> None:
        """Take away what a call has added of which nothing ran, or that was undone.

        A call that ran and failed is none: what raises after the vendor has paid has paid.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        if self.sums is not None and list_sum_rules(tool):
            self.sums.give_back(tool, run, call)
