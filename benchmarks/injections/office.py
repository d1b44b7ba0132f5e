"""One agent with some tools, over stores in memory, a model that is played, and a human who decides."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pentad.domain.declarations.agents import AgentSpec, Catalog
from pentad.domain.declarations.policy import PolicySpec
from pentad.domain.errors import PolicyDenied
from pentad.domain.runs import CallStatus, Decision, Run, ToolCall
from pentad.domain.usage import Limits
from pentad.tools.declare.declare import Tool
from pentad.tools.records.adapters.records_memory import MemoryRecords
from pentad.tools.runtime.adapters.audit_memory import MemoryAudit
from pentad.tools.runtime.adapters.effects_memory import MemoryEffects
from pentad.tools.runtime.adapters.functions_memory import MemoryFunctions
from pentad.tools.runtime.runner import Invocation, ToolRunner
from tests.unit.orchestration.world import TENANT, World

Calls = list[tuple[str, dict[str, Any]]]
Says = Callable[[Sequence[ToolCall]], Calls | str]
"""What the model says next, seen the calls that have just ended: calls, or its answer."""
Human = Callable[[str, Mapping[str, Any]], bool]
"""Whether a human approves a call: the tool's name, its arguments."""
_TURNS = 50


@dataclass
class Played:
    """What came of a run.

    Attributes:
        answered: it came to an answer.
        approved: calls that a human approved.
        rejected: calls that a human rejected.
    """

    answered: bool = False
    approved: list[ToolCall] = field(default_factory=list)
    rejected: list[ToolCall] = field(default_factory=list)


class Office:
    """An agent with tools.

    Args:
        tools: its tools by name; without rules of their own they ask where the stack itself asks.
        human: decides what is asked.
        policy: the project's; None for the default one.
    """

    def __init__(self, tools: Mapping[str, Tool[..., Any]], human: Human, policy: PolicySpec | None = None) -> None:
        limits = Limits(steps=_TURNS, seconds=3_600)
        agent = AgentSpec(name="assistant", description="helps", prompt="You help.", tools=tuple(tools), limits=limits)
        specs = {name: one.spec for name, one in tools.items()}
        catalog = Catalog(agents={"assistant": agent}, tools=specs, policy=policy or PolicySpec())
        self.world = World(catalog)
        self._human = human
        self._runner = ToolRunner(
            catalog=catalog,
            runs=self.world.runs,
            functions=MemoryFunctions(
                tools, records=MemoryRecords().get_store, now=self.world.clock, remaining_seconds=lambda: 30.0
            ),
            effects=MemoryEffects(),
            audit=MemoryAudit(),
            telemetry=self.world.telemetry,
            now=self.world.clock,
        )

    def play(self, prompt: str, model: Says) -> Played:
        """Do a run whose model says what ``model`` returns, turn by turn."""
        run, played, ended = self.world.begin(prompt), Played(), list[ToolCall]()
        for step in range(1, _TURNS):
            self.world.model.script = [model(ended)]
            decision = self.world.turn(run, step)
            if decision.kind == "approve":
                self._try_unapproved(run, decision)
                decision = self._decide(run, decision, played)
            if decision.kind != "tools":
                played.answered = decision.kind == "answer"
                return played
            for call in decision.calls:
                self._execute(run, step, call.index)
            ended = self.world.runs.list_calls(TENANT, run.run_id, step)
        return played

    def _decide(self, run: Run, decision: Decision, played: Played) -> Decision:
        """Let the human decide: one call that is not wanted, and none of the step runs."""
        token = f"token-{decision.step}"
        asked = self.world.asking.ask_for_step(TENANT, run.run_id, decision.step, token)
        waiting = {call.index: call for call in self.world.runs.list_calls(TENANT, run.run_id, decision.step)}
        allowed = [one.index for one in asked.calls if self._human(one.tool, one.arguments)]
        every = len(allowed) == len(asked.calls)
        (played.approved if every else played.rejected).extend(waiting[one.index] for one in asked.calls)
        self.world.decide(TENANT, asked.approval_id, "approve" if every else "reject", by="human")
        return Decision.model_validate(self.world.engine.woken[token])

    def _try_unapproved(self, run: Run, decision: Decision) -> None:
        """Let the runner be asked for what waits, as by a state machine that somebody has changed."""
        for call in self.world.runs.list_calls(TENANT, run.run_id, decision.step):
            if call.status is CallStatus.AWAITING:
                try:
                    self._execute(run, decision.step, call.index)
                except PolicyDenied:
                    continue

    def _execute(self, run: Run, step: int, index: int) -> None:
        self._runner.execute(TENANT, run.run_id, run.agent, step, index, invocation=Invocation(f"r{step}{index}"))
