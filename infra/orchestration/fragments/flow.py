"""A workflow while it is written down: makes its parts, checks them together, and says what its steps are."""

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel

from infra.orchestration.fragments.base import Fragment
from infra.orchestration.fragments.control import Branch, Cases, Parallel, Policy, Refine, Sequential
from infra.orchestration.fragments.delegate import Delegate, build_findings_template
from infra.orchestration.fragments.exports import find_argument_problems, select_small_fields
from infra.orchestration.fragments.humans import HumanApproval, HumanRun
from infra.orchestration.fragments.steps import AgentRun, ModelTask, Text, ToolRun
from infra.orchestration.fragments.workflow import Workflow
from pentad.domain.declarations.asking import Approvers
from pentad.domain.declarations.schedules import ScheduleSpec
from pentad.domain.declarations.strictest import complete_approvers
from pentad.domain.declarations.workflows import (
    ROUNDS,
    AgentStep,
    HumanStep,
    ModelStep,
    TextStep,
    ToolStep,
    WorkflowSpec,
)
from pentad.domain.errors import InvalidInput
from pentad.domain.usage import Limits
from pentad.models.structured.schemas import build_strict_schema
from pentad.orchestration.workflows.templates import find_problems
from pentad.tools.policy.apply import may_ask

_STRICTEST = Approvers()


class Flow(Workflow):
    """The builder that a file in ``infra/workflows/`` is given.

    Attributes:
        answer: template of what the run answers; to be set by the file.
        limits: caps on the run; may be set.
        session_days: how long its sessions live; may be set.
        schedules: when it runs by itself; may be set.
    """

    answer: str = ""
    limits: Limits = Limits(steps=50, seconds=3600)
    session_days: int = 30
    schedules: Sequence[ScheduleSpec] = ()

    # Steps

    def model(
        self,
        name: str,
        prompt: str,
        *,
        task: str = "reason",
        system: str = "",
        output: type[BaseModel] | None = None,
        exports: Sequence[str] | None = None,
    ) -> ModelTask:
        """Return a step that asks a model once.

        Args:
            name: what templates and branches call its result.
            prompt: template.
            task: of the gateway, which says who is asked.
            system: the system prompt.
            output: the type of a structured output; its fields can be referred to.
            exports: fields that branches and loops look at; all enumerations, numbers and truth values by default.
        """
        schema = self._build_schema(name, output)
        shown = tuple(exports) if exports is not None else select_small_fields(schema)
        for field in shown:
            if field not in (schema or {}).get("properties", {}):
                self.problem(name, "exports", f"the output has no field '{field}': use one that it has")
        fields = {"task": task, "system": system, "prompt": prompt, "output_schema": schema, "exports": shown}
        return ModelTask(self, self._step(ModelStep, name, fields))

    def agent(self, name: str, agent: str, prompt: str) -> AgentRun:
        """Return a step that an agent, loop or reply, does in a run of its own, with its tools, memory and limits.

        Args:
            name: what templates call its result.
            agent: the agent's name.
            prompt: template: the message that it is given.
        """
        found = self.agents.get(agent)
        if found is None:
            raise self._wrong(name, "agent", f"no agent '{agent}': use one of {', '.join(sorted(self.agents))}")
        if agent not in self.used_agents:
            self.used_agents.append(agent)
        return AgentRun(self, self._step(AgentStep, name, {"agent": agent, "prompt": prompt}))

    def tool(self, name: str, tool: str, approvers: Approvers = _STRICTEST, /, **arguments: Any) -> ToolRun:
        """Return a step that calls a tool.

        Args:
            name: what templates call its result.
            tool: the tool's name.
            approvers: who approves a call that asks; what it leaves out is as the strictest agent with the tool has it.
            arguments: of the call; strings may be templates.
        """
        if tool not in self.tools:
            raise self._wrong(name, "tool", f"no tool '{tool}': use one of {', '.join(sorted(self.tools))}")
        for sentence in find_argument_problems(self.tools[tool].spec.input_schema, arguments):
            self.problem(name, "arguments", sentence)
        return self._call(name, tool, approvers, {"arguments": arguments})

    def tool_of_message(self, name: str, tool: str, approvers: Approvers = _STRICTEST) -> ToolRun:
        """Return a step that calls a tool with the arguments that the run's message is, as a JSON object."""
        return self._call(name, tool, approvers, {"arguments": {}, "from_input": True})

    def _call(self, name: str, tool: str, approvers: Approvers, fields: dict[str, Any]) -> ToolRun:
        try:
            # Also where no call asks: whoever would approve is who may undo.
            fields |= complete_approvers(tool, approvers, self.agents.values())
        except ValueError as error:
            if may_ask(self.tools[tool].spec, self.policy, self.title) != "never":
                raise self._wrong(name, "approvers", str(error)) from error
        return ToolRun(self, self._step(ToolStep, name, {"tool": tool, **fields}))

    def text(self, name: str, text: str) -> Text:
        """Return a step that puts words together, without a model.

        Args:
            name: what templates call it.
            text: template.
        """
        return Text(self, self._step(TextStep, name, {"text": text}))

    def question(
        self,
        name: str,
        text: str,
        *,
        group: str = "operators",
        seconds: int = 86_400,
        escalate_to: Sequence[str] = (),
        remind_seconds: int | None = None,
    ) -> HumanRun:
        """Return a step that asks a human; the answer is its result.

        Args:
            name: what templates call the answer.
            text: template: the question.
            group: who is asked.
            seconds: how long the question waits.
            escalate_to: the groups asked next where nobody answers in time.
            remind_seconds: a reminder each so many seconds.
        """
        fields = {
            "asks": "question",
            "text": text,
            "group": group,
            "seconds": seconds,
            "on_expiry": "escalate" if escalate_to else "reject",
            "escalate_to": tuple(escalate_to),
            "remind_seconds": remind_seconds,
        }
        return HumanRun(self, self._step(HumanStep, name, fields), strict=False)

    def approval(
        self,
        name: str,
        text: str,
        *,
        approved: Fragment | None = None,
        rejected: Fragment | None = None,
        group: str = "operators",
        quorum: int = 1,
        seconds: int = 86_400,
        on_expiry: Literal["reject", "approve", "escalate"] = "reject",
        escalate_to: Sequence[str] = (),
        remind_seconds: int | None = None,
        not_requester: bool | None = None,
    ) -> HumanApproval:
        """Return a step at which humans approve a text, edit it or reject it; the text as approved is its result.

        Args:
            name: what templates call it.
            text: template: what is shown.
            approved: what follows an approval.
            rejected: what follows a rejection; without it, a rejection stops the run and says why.
            group: who is asked.
            quorum: so many have to approve; one rejection rejects.
            seconds: how long it waits.
            on_expiry: what happens where nobody decides.
            escalate_to: the groups asked next, in order.
            remind_seconds: a reminder each so many seconds.
            not_requester: whoever asked for the run may not approve it; by default where several have to.
        """
        fields = {
            "text": text,
            "group": group,
            "quorum": quorum,
            "seconds": seconds,
            "on_expiry": on_expiry,
            "escalate_to": tuple(escalate_to),
            "remind_seconds": remind_seconds,
            "not_requester": not_requester,
        }
        human = HumanRun(self, self._step(HumanStep, name, fields), strict=rejected is None)
        return HumanApproval(self, human, approved, rejected)

    # What holds steps together

    def sequential(self, *parts: Fragment, name: str | None = None) -> Sequential:
        """Return parts one after the other."""
        return Sequential(self, name or self._free("then"), parts)

    def parallel(self, *branches: Fragment, needs: Policy = "all", name: str | None = None) -> Parallel:
        """Return parts at once; ``needs`` says how many have to succeed: ``all``, ``any`` or `AtLeast`."""
        return Parallel(self, name or self._free("at_once"), branches, needs)

    def branch(
        self,
        on: str,
        cases: Cases,
        otherwise: Fragment | None = None,
        *,
        name: str | None = None,
    ) -> Branch:
        """Return one of several parts, by ``step.field``."""
        return Branch(self, name or self._free("which"), on, cases, otherwise)

    def refine(
        self,
        name: str,
        *,
        produce: Fragment,
        judge: ModelTask,
        improve: Fragment,
        score: str = "score",
        threshold: float,
        rounds: int,
    ) -> Refine:
        """Return a loop: produce, judge, improve until the score is reached or all rounds are used."""
        return Refine(
            self, name, produce=produce, judge=judge, improve=improve, score=score, threshold=threshold, rounds=rounds
        )

    def delegate(
        self,
        name: str,
        *,
        plan: Fragment,
        specialists: Sequence[Fragment],
        review: Fragment,
        synthesis: Fragment,
        findings: str = "findings",
        needs: Policy = "any",
    ) -> Delegate:
        """Return a delegation: a plan, specialists at once, a review of what they found, a synthesis.

        Args:
            name: of the delegation.
            plan: an orchestrator's step; specialists' prompts refer to it.
            specialists: the parts that work at once.
            review: a separate reviewer's step; its prompt refers to the findings.
            synthesis: makes the answer.
            findings: what templates call the specialists' results put together.
            needs: how many specialists have to succeed.
        """
        together = self.text(findings, build_findings_template(specialists))
        return Delegate(
            self,
            name,
            plan=plan,
            specialists=specialists,
            findings=together,
            review=review,
            synthesis=synthesis,
            needs=needs,
        )

    # What it comes to

    def build_spec(self, root: Fragment, description: str) -> WorkflowSpec:
        """Return the workflow as data.

        Raises:
            ConfigurationError: something does not fit together; the message names the file, the parts and the fields.
        """
        known = root.resolve({})
        for problem in find_problems(self.answer, known):
            self.problem("answer", "template", problem)
        if not self.answer.strip():
            self.problem("answer", "template", "flow.answer is missing: set it to a template")
        if root.span > ROUNDS:
            self.problem(root.name, "rounds", f"nested loops come to {root.span} rounds: allow at most {ROUNDS} in all")
        unused = sorted(set(self._steps) - set(root.owned))
        if unused:
            self.problem(unused[0], "name", "no part of the workflow uses this step: use it or remove it")
        if self._problems:
            raise self._error(self._problems)
        return WorkflowSpec(
            name=self.title,
            description=description,
            steps=self._steps,
            certain=root.certain,
            answer=self.answer,
            limits=self.limits,
            session_days=self.session_days,
            schedules=tuple(self.schedules),
        )

    def _build_schema(self, name: str, output: type[BaseModel] | None) -> dict[str, Any] | None:
        try:
            return None if output is None else build_strict_schema(output)
        except InvalidInput as error:
            raise self._wrong(name, f"output.{error.field}", error.message) from error
