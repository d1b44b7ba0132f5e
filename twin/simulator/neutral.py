"""The conversation as the rules see it, whatever wire format it came in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Json = dict[str, Any]

Stop = Literal["end", "tool_calls", "max_tokens", "stop_sequence", "refusal", "pause_turn", "context_window_exceeded"]

STOP_NAMES: dict[str, Stop] = {name: name for name in get_args(Stop)} | {
    "end_turn": "end",
    "stop": "end",
    "tool_use": "tool_calls",
    "length": "max_tokens",
    "model_context_window_exceeded": "context_window_exceeded",
}
"""Stop reasons by our name and by the providers'."""


def parse_stop(raw: str) -> Stop:
    """Return a stop reason from any of its names.

    Raises:
        ValueError: If there is none of that name.
    """
    if raw not in STOP_NAMES:
        raise ValueError(f"unknown stop reason {raw!r}: one of {', '.join(sorted(STOP_NAMES))}")
    return STOP_NAMES[raw]


@dataclass(frozen=True)
class ToolCall:
    """A tool call that a model made; ``raw_arguments`` overrides the arguments' JSON text, to break it on purpose."""

    name: str
    arguments: Json
    id: str = ""
    raw_arguments: str | None = None


@dataclass(frozen=True)
class ToolResult:
    """What came back for a tool call."""

    call_id: str
    text: str
    is_error: bool = False


@dataclass(frozen=True)
class Turn:
    """One message; consecutive messages of a role stay apart."""

    role: Literal["user", "assistant", "system"]
    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    results: tuple[ToolResult, ...] = ()


@dataclass(frozen=True)
class Tool:
    """A tool definition of the request."""

    name: str
    description: str
    schema: Json


@dataclass(frozen=True)
class ToolChoice:
    """How tools may be used: ``auto``, ``none``, ``any`` (at least one) or ``tool`` (the named one)."""

    mode: Literal["auto", "none", "any", "tool"] = "auto"
    name: str = ""
    parallel: bool = True


@dataclass(frozen=True)
class Conversation:
    """A request, ready for the rules."""

    model: str
    turns: tuple[Turn, ...]
    system: str = ""
    tools: tuple[Tool, ...] = ()
    choice: ToolChoice = ToolChoice()
    schema: Json | None = None
    json_mode: bool = False
    thinking: bool = False
    max_tokens: int | None = None
    stop_sequences: tuple[str, ...] = ()
    stream: bool = False


@dataclass(frozen=True)
class Usage:
    """Tokens of one call. ``input`` counts all prompt tokens, cached ones included."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    cache_write: int = 0
    thinking: int = 0


@dataclass(frozen=True)
class Reply:
    """What the rules, a script or a fault made of a request; ``raw_stop`` is sent as the end, whatever it is."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    stop: Stop = "end"
    thinking: str = ""
    stop_sequence: str | None = None
    usage: Usage | None = None
    omit_usage: bool = False
    raw_stop: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


class Problem(Exception):
    """A request that the provider would refuse; each wire format gives it its shape."""

    def __init__(
        self, status: int, message: str, *, kind: str = "", code: str | None = None, param: str | None = None
    ) -> None:
        """Describe the refusal.

        Args:
            status: HTTP status.
            message: The provider's wording.
            kind: The provider's error type; by default the one that belongs to the status.
            code: OpenAI's error code.
            param: OpenAI's name of the offending parameter.
        """
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind
        self.code = code
        self.param = param
