"""Plan the calls of a turn: with the policy, the untrusted text of its context, sums of rules, and its confidence."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pentad.domain.declarations.agents import AgentSpec, Catalog, ToolSpec
from pentad.domain.messages import Message
from pentad.domain.runs import Run, ToolCall
from pentad.orchestration.turn.decision import plan_calls
from pentad.orchestration.turn.offered import list_turn_tools
from pentad.orchestration.turn.taint import list_own_words, list_said, list_untrusted_texts
from pentad.orchestration.turn.turn_input import TurnContext
from pentad.tools.policy.given_addresses import SaidText
from pentad.tools.policy.grounds import Grounds
from pentad.tools.policy.ports import CallSums
from pentad.tools.policy.sums import PlannedSums

SaidBefore = Callable[[Run], Sequence[SaidText]]


@dataclass(frozen=True)
class PlanCalls:
    """Plans calls.

    Args:
        catalog: tools, and the policy.
        sums: what rules of approvals add up; None where no tool has such a rule.
        now: the clock.
        said_before: tells what was said in a workflow before it asked an agent; None where that is a model's.
    """

    catalog: Catalog
    sums: CallSums | None
    now: Callable[[], datetime]
    said_before: SaidBefore | None = None

    def __call__(self, situation: TurnContext, reply: Message, confidence: float | None = None) -> list[ToolCall]:
        """Return a reply's calls as they are stored; nothing is looked for where it makes none.

        Args:
            situation: what the turn began with.
            reply: the model's message.
            confidence: of the turn, where it was rated.
        """
        if not reply.tool_calls:
            return []
        taint, seen = situation.taint, situation.seen
        tools = {tool.name: tool for tool in list_turn_tools(self.catalog, situation).callable}
        grounds = Grounds(
            policy=self.catalog.policy,
            taint=taint,
            confidence=confidence,
            sums=PlannedSums(self.sums, self.now),
            untrusted=list_untrusted_texts(seen) if taint else (),
            own_words=list_own_words(seen) if taint else (),
            said=self._list_said(situation, [tools[one.tool] for one in reply.tool_calls if one.tool in tools]),
        )
        return plan_calls(situation.run, situation.turn.step, reply, tools, situation.unavailable, grounds)

    def _list_said(self, situation: TurnContext, called: Sequence[ToolSpec]) -> list[SaidText] | None:
        """Return who said what, where it decides about the addresses of calls."""
        if not situation.taint or not any(tool.any_address for tool in called):
            return None
        run = situation.run
        if run.trigger != "workflow":
            return list_said(situation.seen)
        before = [] if self.said_before is None else self.said_before(run)
        return [*before, *list_said(situation.seen, asked_by="model")]

    def should_assess(self, agent: AgentSpec, calls: Sequence[ToolCall]) -> bool:
        """Tell whether a turn is assessed: an answer is, and calls that change something."""
        if agent.confidence is None:
            return False
        specs = [self.catalog.tools[call.tool] for call in calls if call.tool in self.catalog.tools]
        return not calls or any(spec.effects != "none" for spec in specs)
