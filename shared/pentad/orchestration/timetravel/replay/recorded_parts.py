"""Stand in for model, assessor, switchboard and search in a replay: each returns what was recorded."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from pentad.domain.declarations.agents import AgentSpec
from pentad.domain.declarations.words import NO_MODEL
from pentad.domain.errors import ModelUnavailable, Refused
from pentad.domain.messages import Message, TextBlock, ToolCallBlock, ToolResultBlock
from pentad.domain.models import CallContext, ChatReply, ChatRequest, EmbedReply, StopReason
from pentad.domain.runs import Assessment, RunStatus, ToolCall
from pentad.domain.usage import Usage
from pentad.orchestration.confidence.bands import band_of
from pentad.orchestration.switches.ports import Availability
from pentad.orchestration.timetravel.recording import (
    MessagePrint,
    RecordedStep,
    Recording,
    RequestPrint,
    compute_digest,
    compute_tool_digest,
    dump_blocks,
)
from pentad.orchestration.timetravel.replay.machine import MachineError
from pentad.orchestration.timetravel.replay.report import Findings, compare_definitions, compare_requests

_SHOWN = 160
_STOPPED = "The run was stopped: "
_LIMIT = "the run has used its "


class Over(Exception):
    """The replay can't go on: the recording ends here, or the run has left what was recorded."""


class Tape:
    """A recording as it is played: where it is, and what differs.

    Args:
        recording: the recording.
    """

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.findings = Findings()
        self.requests: dict[int, RequestPrint] = {}
        self.step = recording.first_step
        self._steps = {step.step: step for step in recording.steps}

    @property
    def last(self) -> int:
        """The last recorded turn; one less than the first where there is none."""
        return max(self._steps, default=self.recording.first_step - 1)

    def find_step(self, step: int) -> RecordedStep | None:
        """Return a recorded turn, or None."""
        return self._steps.get(step)

    def end(self, step: int, now: str) -> Exception:
        """Return what to raise where the recording has nothing more: as the run ended then, or a divergence.

        Args:
            step: the turn that is asked for.
            now: what happens now, for the reader.
        """
        outcome = self.recording.outcome
        if outcome.status is RunStatus.CANCELLED:
            return Over()
        if outcome.status is RunStatus.FAILED and outcome.error:
            name, _, text = outcome.error.partition(": ")
            return MachineError(name, json.dumps({"errorMessage": text}))
        self.findings.note(step, "decision", "end", f"the run ended {outcome.status} after turn {self.last}", now)
        return Over()


def print_of(request: ChatRequest) -> RequestPrint:
    """Return the print of a request."""
    return RequestPrint(
        system=compute_digest(request.system),
        tools={tool.name: compute_tool_digest(tool) for tool in request.tools},
        messages=tuple(_message_print(message) for message in request.messages),
        task=request.task,
        model=request.model,
    )


def _apply_definition(recording: Recording, sent: RequestPrint) -> RequestPrint:
    """Return what is known of the recorded requests without their prints."""
    overrides, definition = recording.overrides, recording.definition
    prompt = compute_digest(overrides.prompt) if overrides and overrides.prompt else definition.prompt
    tools = {tool.name: tool.digest for tool in definition.tools}
    return sent.model_copy(update={"system": prompt, "tools": tools})


def _message_print(message: Message) -> MessagePrint:
    words = dump_blocks(message.blocks)
    return MessagePrint(
        role=message.role, digest=compute_digest([message.role, words]), shown=_render_message(message)[:_SHOWN]
    )


def _render_message(message: Message) -> str:
    parts = []
    for block in message.blocks:
        if isinstance(block, TextBlock):
            parts.append(block.text)
        elif isinstance(block, ToolCallBlock):
            parts.append(f"calls {block.tool} {json.dumps(block.arguments, ensure_ascii=False)}")
        elif isinstance(block, ToolResultBlock):
            parts.append(f"result {block.content}")
    return " | ".join(parts)


class RecordedModel:
    """A `ChatModel` that says what the model said then, and compares what it is asked.

    Args:
        tape: the recording.
        now: the clock.
    """

    def __init__(self, tape: Tape, now: Callable[[], datetime]) -> None:
        self._tape = tape
        self._now = now

    def complete(self, request: ChatRequest, *, deadline: float) -> ChatReply:
        """Return the recorded reply.

        Raises:
            Refused: it was refused, or the budget was used up, then.
            ModelUnavailable: no model could be reached then.
            MachineError: the state failed then.
            Over: there is no recorded reply.
        """
        number = request.context.step or 0
        step = self._tape.find_step(number)
        self._tape.requests[number] = print_of(request)
        if step is None:
            raise self._tape.end(number, f"the model is asked for turn {number}")
        findings, sent = self._tape.findings, self._tape.requests[number]
        if step.request is not None:
            compare_requests(findings, number, step.request, sent)
        else:
            compare_definitions(findings, number, _apply_definition(self._tape.recording, sent), sent)
        if step.reply is None:
            raise self._make_refusal(step)
        if step.degraded:
            raise _outage(step)
        return self._build_reply(step, step.reply)

    def _make_refusal(self, step: RecordedStep) -> Exception:
        reason = step.decision.reason or ""
        said = reason.removeprefix(_STOPPED).removesuffix(".")
        if step.decision.kind == "stop" and said != reason and not said.startswith(_LIMIT):
            return Refused(said)
        self._tape.findings.note(step.step, "decision", "kind", f"{step.decision.kind}: {reason}", "the model is asked")
        return Over()

    def _build_reply(self, step: RecordedStep, blocks: Sequence[object]) -> ChatReply:
        message = Message.model_validate(
            {"message_id": f"replayed_{step.step}", "role": "assistant", "blocks": blocks, "created_at": self._now()}
        )
        return ChatReply(
            message=message,
            stop=StopReason.TOOL_CALLS if message.tool_calls else StopReason.END,
            usage=step.usage,
            cost_nanousd=step.cost_nanousd,
            provider=step.provider or "none",
            model=step.model or "none",
            notices=step.notices,
        )


def _outage(step: RecordedStep) -> ModelUnavailable:
    outage = ModelUnavailable("no model could be reached then")
    outage.notices = tuple(notice for notice in step.notices if notice != NO_MODEL)
    return outage


class RecordedAssessor:
    """An `Assessor` that is as sure as it was then; what that allows is for the agent's bands of now to say."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape

    def assess(
        self,
        agent: AgentSpec,
        request: ChatRequest,
        reply: Message,
        calls: Sequence[ToolCall],
        *,
        unknown_citations: int,
        deadline: float,
    ) -> Assessment | None:
        """Return the recorded assessment with the band of now."""
        step = self._tape.find_step(self._tape.step)
        if step is None or step.assessment is None or agent.confidence is None:
            return None
        band = band_of(step.assessment.confidence, agent.confidence.bands)
        return step.assessment.model_copy(update={"band": band})


class RecordedSwitchboard:
    """A `Switchboard` that has out of order what was so then."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape

    def get_availability(self, tenant_id: str, agent: str, tools: Sequence[str]) -> Availability:
        """Return what was out of order as the turn was planned."""
        step = self._tape.find_step(self._tape.step)
        if step is None:
            return Availability()
        planned = {reference.index for reference in step.decision.calls}
        refused: Mapping[str, str] = {
            call.tool: call.result or ""
            for call in step.calls
            if call.index not in planned and call.error_type == "ToolUnavailable"
        }
        return Availability(unavailable=refused)

    def record_failure(self, tenant_id: str, tool: str, error: str) -> None:
        """Count nothing."""

    def record_success(self, tenant_id: str, tool: str) -> None:
        """Forget nothing."""


class NoSearch:
    """An `Embedder` that finds nothing: what was found is in the recording."""

    def embed(
        self, texts: Sequence[str], context: CallContext, *, deadline: float, dimensions: int | None = None
    ) -> EmbedReply:
        """Return vectors that are like no other."""
        vectors = tuple((1.0,) for _ in texts)
        return EmbedReply(vectors=vectors, provider="none", model="none", dimensions=1, usage=Usage(), cost_nanousd=0)
