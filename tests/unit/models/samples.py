"""Requests, models and a provider that plays a script, for the tests of this folder."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from pentad.domain.declarations.agents import ToolSpec
from pentad.domain.messages import ContentBlock, Message, ProviderRaw, TextBlock, ToolCallBlock
from pentad.domain.models import CallContext, ChatRequest, StopReason
from pentad.domain.usage import Usage
from pentad.models.catalog.catalog import Effort, ModelCatalog, ModelEntry, load
from pentad.models.providers.exchange import ProviderFailure, ProviderReply

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
CATALOG: ModelCatalog = load()
SONNET, HAIKU = CATALOG.models["claude-sonnet-5-5"], CATALOG.models["claude-haiku-5-5"]
GPT, LUNA = CATALOG.models["gpt-6.1-sol"], CATALOG.models["gpt-6-luna"]
CONTEXT = CallContext(
    tenant_id="acme", agent="helper", session_id="s1", run_id="run_0123456789abcdefghjkmnpqrs", step=3
)
ADD = ToolSpec(
    name="add",
    description="Add two numbers.",
    input_schema={
        "type": "object",
        "properties": {"a": {"type": "number"}, "b": {"type": "number"}},
        "required": ["a", "b"],
        "additionalProperties": False,
    },
    effects="none",
)
SCHEMA = {
    "type": "object",
    "properties": {"answer": {"type": "integer"}},
    "required": ["answer"],
    "additionalProperties": False,
}
_numbers = count(1)


def message(role: str, *blocks: ContentBlock | str, raw: ProviderRaw | None = None) -> Message:
    made = tuple(TextBlock(text=block) if isinstance(block, str) else block for block in blocks)
    return Message.model_validate(
        {"message_id": f"m{next(_numbers)}", "role": role, "blocks": made, "created_at": NOW, "raw": raw}
    )


def user(*blocks: ContentBlock | str) -> Message:
    return message("user", *blocks)


def assistant(*blocks: ContentBlock | str, raw: ProviderRaw | None = None) -> Message:
    return message("assistant", *blocks, raw=raw)


def call(call_id: str = "c1", tool: str = "add", **arguments: Any) -> ToolCallBlock:
    return ToolCallBlock(call_id=call_id, tool=tool, arguments=arguments or {"a": 1, "b": 2})


def request(*messages: Message, **fields: Any) -> ChatRequest:
    return ChatRequest(context=CONTEXT, messages=messages or (user("Hello"),), **fields)


def reply(*blocks: ContentBlock | str, stop: StopReason | None = None, **fields: Any) -> ProviderReply:
    made = tuple(TextBlock(text=block) if isinstance(block, str) else block for block in blocks)
    calls = any(isinstance(block, ToolCallBlock) for block in made)
    fields.setdefault("usage", Usage(input_tokens=100, output_tokens=10))
    return ProviderReply(made, stop or (StopReason.TOOL_CALLS if calls else StopReason.END), **fields)


@dataclass
class Clock:
    """Time that passes only when someone sleeps or a provider takes it."""

    now: float = NOW.timestamp()
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@dataclass
class Sent:
    model: str
    request: ChatRequest
    max_output_tokens: int
    timeout: float
    effort: Effort | None


Answer = ProviderReply | ProviderFailure | Callable[[Sent], ProviderReply]


class ScriptedProvider:
    """A provider that gives its answers in order; one that is not in the script is an error."""

    def __init__(self, clock: Clock, *answers: Answer, seconds: float = 1.0) -> None:
        self._clock = clock
        self._answers = list(answers)
        self._seconds = seconds
        self.sent: list[Sent] = []

    @property
    def unused(self) -> int:
        return len(self._answers)

    def send(
        self,
        model: ModelEntry,
        request: ChatRequest,
        *,
        max_output_tokens: int,
        timeout: float,
        effort: Effort | None = None,
    ) -> ProviderReply:
        self.sent.append(Sent(model.name, request, max_output_tokens, timeout, effort))
        self._clock.now += self._seconds
        if not self._answers:
            raise AssertionError(f"{model.name} was asked more often than the script says")
        answer = self._answers.pop(0)
        if isinstance(answer, ProviderFailure):
            raise answer
        return answer(self.sent[-1]) if callable(answer) else answer
