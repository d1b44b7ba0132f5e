"""Scripted mode: replies in a fixed order, for tests; what the script does not expect fails loudly."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from twin.simulator.neutral import Problem, Reply, ToolCall, Usage, parse_stop

UNEXPECTED_STATUS = 599
MAX_STEPS = 1000
_MATCHES = frozenset(("provider", "path", "model", "contains", "last"))
_OF_REPLY = frozenset(("text", "tool_calls", "stop_reason", "thinking", "usage"))
_OF_CALL = frozenset(("name", "arguments", "id", "raw_arguments"))
_OF_USAGE = frozenset(one.name for one in fields(Usage))


@dataclass(frozen=True)
class RawReply:
    """A wire body sent as it is."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """One expected request with its reply."""

    match: Mapping[str, str]
    reply: Reply | RawReply


def parse_step(raw: Any) -> Step:
    """Return a step.

    Raises:
        ValueError: If it is malformed.
    """
    if not isinstance(raw, Mapping) or not ("reply" in raw) ^ ("raw" in raw):
        raise ValueError("a step is an object with either reply or raw, and optionally match")
    match = raw.get("match") or {}
    if set(match) - _MATCHES:
        raise ValueError(f"a match takes {', '.join(sorted(_MATCHES))}")
    if "raw" in raw:
        sent = raw["raw"]
        return Step(match, RawReply(int(sent.get("status", 200)), sent.get("body"), sent.get("headers") or {}))
    return Step(match, _parse_reply(raw["reply"]))


def _refuse_unknown(what: str, given: Any, known: frozenset[str]) -> None:
    unknown = [str(name) for name in given if name not in known]
    if unknown:
        raise ValueError(f"{what} has no '{unknown[0]}': it takes {', '.join(sorted(known))}")


def _parse_reply(raw: Mapping[str, Any]) -> Reply:
    _refuse_unknown("a reply", raw, _OF_REPLY)
    _refuse_unknown("usage", raw.get("usage") or (), _OF_USAGE)
    for one in raw.get("tool_calls") or ():
        _refuse_unknown("a tool call", one, _OF_CALL)
    calls = tuple(
        ToolCall(
            name=str(one["name"]),
            arguments=dict(one.get("arguments") or {}),
            id=str(one.get("id", "")),
            raw_arguments=one.get("raw_arguments"),
        )
        for one in raw.get("tool_calls") or ()
    )
    usage = Usage(**raw["usage"]) if raw.get("usage") else None
    stop = parse_stop(str(raw.get("stop_reason") or ("tool_calls" if calls else "end")))
    return Reply(str(raw.get("text") or ""), calls, stop, str(raw.get("thinking") or ""), usage=usage)


class Script:
    """The steps still to come and what went wrong; safe under threads."""

    def __init__(self) -> None:
        self._steps: list[Step] | None = None
        self._total = 0
        self._unexpected: list[dict[str, Any]] = []
        self._generation = 0
        self._lock = threading.Lock()

    @property
    def generation(self) -> int:
        """Which script this is: a request that came before it was loaded, and hangs, is none of its steps."""
        return self._generation

    @property
    def active(self) -> bool:
        """Whether scripted mode is on."""
        return self._steps is not None

    def load(self, raw: Any) -> None:
        """Switch scripted mode on with these steps, in place of any others.

        Raises:
            ValueError: If a step is malformed.
        """
        if not isinstance(raw, list) or len(raw) > MAX_STEPS:
            raise ValueError(f"a script is a list of at most {MAX_STEPS} steps")
        steps = [parse_step(one) for one in raw]
        with self._lock:
            self._steps, self._total, self._unexpected = steps, len(steps), []
            self._generation += 1

    def clear(self) -> None:
        """Switch scripted mode off."""
        with self._lock:
            self._steps, self._total, self._unexpected = None, 0, []
            self._generation += 1

    def report(self) -> dict[str, Any]:
        """Return what was not consumed and what was not expected."""
        with self._lock:
            left = self._steps or []
            first = self._total - len(left)
            return {
                "active": self._steps is not None,
                "total": self._total,
                "unconsumed": [{"step": first + i, "match": dict(step.match)} for i, step in enumerate(left)],
                "unexpected": list(self._unexpected),
            }

    def take(self, provider: str, path: str, model: str, text: str) -> Reply | RawReply:
        """Return the next step's reply.

        Raises:
            Problem: 599 naming what was expected, if the request is not it.
        """
        seen = {"provider": provider, "path": path, "model": model}
        with self._lock:
            steps = self._steps or []
            wanted = steps[0].match if steps else None
            if wanted is not None and match_step(wanted, seen, text, text):
                return steps.pop(0).reply
            expected = "no further request" if wanted is None else f"a request with {dict(wanted)}"
            self._unexpected.append({**seen, "expected": expected})
            del self._unexpected[MAX_STEPS:]
        raise Problem(
            UNEXPECTED_STATUS,
            f"the script expected {expected}, got {seen}",
            kind="unexpected_request",
            code="unexpected_request",
        )


def match_step(wanted: Mapping[str, str], seen: Mapping[str, str], text: str, last: str) -> bool:
    """Tell whether a request is the one that a step waits for.

    Args:
        wanted: the step's match.
        seen: the request's provider, path and model.
        text: all that the request says.
        last: what it says since the model spoke last.
    """
    words = {"contains": text, "last": last}
    return all(
        value in words[key] if key in words else (value == seen[key] if key == "provider" else value in seen[key])
        for key, value in wanted.items()
    )
