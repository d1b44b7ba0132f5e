"""Faults on request: which call goes wrong, how, and how often."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from twin.simulator.neutral import Conversation, Reply, Stop, ToolCall, parse_stop

KINDS = frozenset(
    """status timeout cut_stream reset html half_json malformed_tool_args truncated_tool_args refusal context_overflow
    no_usage delay stop_reason odd_end half_pair plain_ids slow""".split()
)
MAX_FAULTS = 100
MAX_SECONDS = 900.0
_DEFAULT_SECONDS = {"timeout": 60.0, "delay": 1.0, "slow": 2.0}
_HALF_PAIR = "\ud83d"


@dataclass
class Fault:
    """One rule. Empty matches fit everything; ``times`` counts down, None lasts until cleared.

    A call that a fault delays goes on when its seconds are over, or as soon as the fault is cleared.

    ``text`` is looked for in the request's body as it was sent, so it should be plain words: a session's or a tenant's
    calls can be made to fail while all others go on. ``name`` is looked for in the request's name, the header
    ``x-client-request-id``.
    """

    kind: str
    provider: str = ""
    path: str = ""
    model: str = ""
    text: str = ""
    name: str = ""
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    times: int | None = None
    seconds: float = 0.0
    stop: str = ""

    def match_call(self, provider: str, path: str, model: str, text: str, name: str) -> bool:
        """Whether a call is meant; path, model, text and name match as substrings."""
        return (
            self.provider in ("", provider)
            and self.path in path
            and self.model in model
            and self.text in text
            and self.name in name
            and (self.times is None or self.times > 0)
        )


def parse_fault(raw: Mapping[str, Any]) -> Fault:
    """Return a fault.

    Raises:
        ValueError: If it is not one; the message tells what is wrong.
    """
    kind = raw.get("kind", "status")
    if kind not in KINDS:
        raise ValueError(f"unknown fault kind {kind!r}: one of {', '.join(sorted(KINDS))}")
    unknown = set(raw) - {"kind", "match", *Fault.__dataclass_fields__}
    if unknown:
        raise ValueError(f"unknown fault fields: {', '.join(sorted(unknown))}")
    merged = {**(raw.get("match") or {}), **{key: value for key, value in raw.items() if key != "match"}}
    fault = Fault(**{**merged, "kind": kind})
    if kind == "status" and not 400 <= fault.status <= 599:
        raise ValueError(f"a status fault needs a status from 400 to 599, got {fault.status}")
    if fault.stop and kind != "odd_end":
        parse_stop(fault.stop)
    fault.seconds = min(MAX_SECONDS, fault.seconds or _DEFAULT_SECONDS.get(kind, 0.0))
    return fault


class FaultBoard:
    """The faults in force; safe under threads."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, raw: Any) -> list[dict[str, Any]]:
        """Add faults and return all in force.

        Raises:
            ValueError: If one is malformed; then none is added.
        """
        found = [parse_fault(one) for one in (raw if isinstance(raw, list) else [raw])]
        with self._lock:
            if len(self._faults) + len(found) > MAX_FAULTS:
                raise ValueError(f"at most {MAX_FAULTS} faults")
            self._faults.extend(found)
        return self.list_active()

    def clear(self, text: str = "", name: str = "") -> None:
        """Remove the faults that are for one text or name, or all of them."""
        with self._lock:
            self._faults = [
                fault
                for fault in self._faults
                if (text or name) and not (text and fault.text == text) and not (name and name in fault.name)
            ]

    def is_held(self, fault: Fault) -> bool:
        """Whether a fault has not been cleared, used up or not."""
        with self._lock:
            return any(one is fault for one in self._faults)

    def list_active(self) -> list[dict[str, Any]]:
        """Return the faults in force."""
        with self._lock:
            return [dict(vars(fault)) for fault in self._faults if fault.times is None or fault.times > 0]

    def take(self, provider: str, path: str, model: str, text: str = "", name: str = "") -> Fault | None:
        """Return the first fault that is meant for a call, and count it."""
        with self._lock:
            for fault in self._faults:
                if fault.match_call(provider, path, model, text, name):
                    if fault.times is not None:
                        fault.times -= 1
                    return fault
        return None


def apply_fault(fault: Fault, reply: Reply, conversation: Conversation) -> Reply:
    """Apply a fault that changes what the model says."""
    if fault.kind == "refusal":
        extra = fault.body if isinstance(fault.body, Mapping) else {"category": "general_harms"}
        return Reply(stop="refusal", extra=dict(extra))
    if fault.kind == "no_usage":
        return replace(reply, omit_usage=True)
    if fault.kind == "stop_reason":
        return replace(reply, stop=parse_stop(fault.stop or "pause_turn"))
    if fault.kind == "odd_end":  # any word, as other servers write it
        return replace(reply, raw_stop=fault.stop)
    if fault.kind == "half_pair":
        calls = tuple(replace(call, arguments=_break_texts(call.arguments)) for call in reply.calls)
        return replace(reply, text=reply.text and reply.text + _HALF_PAIR, calls=calls)
    if fault.kind == "plain_ids":  # counted anew in each reply
        return replace(reply, calls=tuple(replace(call, id=f"call_{at}") for at, call in enumerate(reply.calls)))
    if fault.kind in ("malformed_tool_args", "truncated_tool_args"):
        return _break_arguments(fault.kind, reply, conversation)
    return reply


def _break_texts(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments whose texts end in half of a surrogate pair, as of a model that is cut inside an emoji."""
    return {name: value + _HALF_PAIR if isinstance(value, str) else value for name, value in arguments.items()}


def _break_arguments(kind: str, reply: Reply, conversation: Conversation) -> Reply:
    calls = reply.calls
    if not calls and conversation.tools:
        calls = (ToolCall(conversation.tools[0].name, {"value": "made up by the fault"}),)
    broken = []
    for call in calls:
        text = json.dumps(call.arguments)
        half = text[: max(1, len(text) // 2)]
        broken.append(replace(call, raw_arguments=half if kind == "truncated_tool_args" else half + '"]} oops'))
    stop: Stop = "max_tokens" if kind == "truncated_tool_args" else "tool_calls"
    return replace(reply, text="", calls=tuple(broken), stop=stop if broken else reply.stop)
