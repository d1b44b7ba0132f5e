"""One model call, as every layer speaks of it: request, reply, attempt."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field

from pentad.domain.declarations.agents import ToolSpec
from pentad.domain.messages import Message
from pentad.domain.usage import Usage
from pentad.domain.values import FrozenValue

EMBED_QUERY = "embed_query"
"""The purpose of an embedding with which a turn's passages or memories are looked for."""


class CallContext(FrozenValue):
    """On whose behalf a call is made: the ledger's dimensions."""

    tenant_id: str
    agent: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    run_id: str | None = None
    step: int | None = None
    purpose: str = Field(default="turn", description="turn, embed_query, embed_document, judge, ...")


class StopReason(StrEnum):
    """Why a model stopped."""

    END = "end"
    TOOL_CALLS = "tool_calls"
    MAX_TOKENS = "max_tokens"
    REFUSAL = "refusal"
    PAUSE = "pause"
    CONTEXT_OVERFLOW = "context_overflow"


class Outcome(StrEnum):
    """What became of one attempt; each has one recovery (see pentad.models.providers.outcomes)."""

    OK = "ok"
    RATE_LIMIT = "rate_limit"
    OVERLOAD = "overload"
    TIMEOUT = "timeout"
    CONNECTION = "connection"
    MALFORMED = "malformed"
    TRUNCATED = "truncated"
    REFUSAL = "refusal"
    CONTEXT_OVERFLOW = "context_overflow"
    AUTHENTICATION = "authentication"
    CALLER_ERROR = "caller_error"
    FAULT = "fault"  # code of ours or of an SDK failed where nobody expected it
    BEGUN = "begun"  # it is under way, or its process ended before the outcome was on the ledger


PromptCache = Literal["none", "5m", "1h"]
"""How long a provider keeps a prompt's prefix: not at all, its short lifetime, or its long one."""


class CascadeSpec(FrozenValue):
    """Ask a cheaper tier first, and move up where it is not sure enough of its answer."""

    first: str = Field(default="fast", description="the tier that is asked first")
    threshold: float = Field(default=0.75, gt=0, le=1, description="the least confidence with which its answer stands")


class ChatRequest(FrozenValue):
    """What a caller asks of the gateway. One of task, tier or model selects; task is the usual way."""

    context: CallContext
    task: str = "reason"
    tier: str | None = None
    model: str | None = None
    system: str = ""
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    deferred: tuple[ToolSpec, ...] = Field(
        default=(), description="tools that may be called and are not sent: the model finds them by words"
    )
    tool_choice: Literal["auto", "none", "required"] = "auto"
    output_schema: dict[str, Any] | None = None
    max_output_tokens: int | None = Field(default=None, ge=1)
    prompt_cache: PromptCache | None = Field(default=None, description="unset: as the task has it")
    cascade: CascadeSpec | None = Field(default=None, description="unset: as the task has it")
    fresh: bool = Field(default=False, description="answer anew, though the reply to an exact repeat may be kept")


class Attempt(FrozenValue):
    """One request on the wire: an entry of the ledger."""

    attempt_id: str
    context: CallContext
    provider: str
    model: str
    tier: str
    link: int = Field(ge=0, description="position in the chain; 0 is the primary")
    number: int = Field(ge=1, description="count of attempts of this call")
    outcome: Outcome
    started_at: datetime
    duration_ms: int = Field(ge=0)
    usage: Usage = Usage()
    cost_nanousd: int = Field(default=0, ge=0)
    request_id: str | None = Field(default=None, description="the provider's id of the request")
    error: str | None = Field(default=None, max_length=500, description="class and status; never content or a key")
    is_estimated: bool = Field(default=False, description="usage and cost are an estimate: the provider did not say")
    first_byte_ms: int | None = Field(default=None, ge=0, description="from the request to the reply's first byte")


class ChatReply(FrozenValue):
    """What a model answered, through the gateway."""

    message: Message
    stop: StopReason
    usage: Usage
    cost_nanousd: int
    provider: str
    model: str
    notices: tuple[str, ...] = Field(default=(), description="sentences for the user, such as a fallback's")
    attempts: tuple[Attempt, ...] = ()


class EmbedReply(FrozenValue):
    """Vectors in the order of the texts."""

    vectors: tuple[tuple[float, ...], ...]
    provider: str
    model: str
    dimensions: int
    usage: Usage
    cost_nanousd: int
