"""Scripts for a part of the requests each: those whose name (``x-client-request-id``) holds given texts.

So that tests side by side each script their own conversation. A request that is sent again, since whoever asked was
killed or lost the answer, gets the answer that it got before: the steps are taken by conversations, not by requests.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from twin.simulator.neutral import Conversation, Problem, Reply, Turn
from twin.simulator.rules.prompt import parse_passages, strip_passages
from twin.simulator.rules.results import extract_passages
from twin.simulator.script import MAX_STEPS, RawReply, Step, match_step, parse_step

HEADER = "x-client-request-id"
MAX_SCRIPTS = 1000
MAX_UNEXPECTED = 50
"""More of them are refused alike, and not told one by one."""
_SHOWN_CHARACTERS = 300
_FAILED = 400


@dataclass
class _PrivateScript:
    """One script.

    Attributes:
        of: the texts that the name of a request must hold.
        steps: all of them, in order.
        taken: how many were used.
        given: answers by the digest of what was asked.
        unexpected: what no step was for, by that digest.
    """

    of: tuple[str, ...]
    steps: list[Step] = field(default_factory=list)
    taken: int = 0
    given: dict[str, Reply | RawReply] = field(default_factory=dict)
    unexpected: dict[str, dict[str, Any]] = field(default_factory=dict)

    def report(self) -> dict[str, Any]:
        """Return what was not used and what was not expected."""
        left = list(enumerate(self.steps))[self.taken :]
        return {
            "of": list(self.of),
            "total": len(self.steps),
            "unconsumed": [{"step": place, "match": dict(step.match), **_show(step)} for place, step in left],
            "unexpected": list(self.unexpected.values()),
        }


class PrivateScripts:
    """All scripts of this kind; safe under threads."""

    def __init__(self) -> None:
        self._scripts: dict[tuple[str, ...], _PrivateScript] = {}
        self._lock = threading.Lock()

    def extend(self, raw: Any) -> dict[str, Any]:
        """Add steps to a script, which begins with its first ones, and return its report.

        Args:
            raw: ``{"of": [texts], "steps": [as in a script for all]}``; without a step, each request is refused.

        Raises:
            ValueError: it is malformed; then nothing is added.
        """
        of = _read_of(raw)
        steps = [parse_step(one) for one in raw.get("steps") or []]
        with self._lock:
            script = self._scripts.get(of) or _PrivateScript(of)
            others = len(self._scripts.keys() - {of})
            if len(script.steps) + len(steps) > MAX_STEPS or others >= MAX_SCRIPTS:
                raise ValueError(f"at most {MAX_SCRIPTS} scripts of {MAX_STEPS} steps")
            self._scripts[of] = script
            script.steps += steps
            return script.report()

    def report(self, of: Sequence[str]) -> dict[str, Any]:
        """Return what a script still expects and what it did not expect; one that is not there expects nothing."""
        with self._lock:
            return (self._scripts.get(tuple(of)) or _PrivateScript(tuple(of))).report()

    def clear(self, of: Sequence[str] = ()) -> None:
        """Forget one script, or all of them."""
        with self._lock:
            if of:
                self._scripts.pop(tuple(of), None)
            else:
                self._scripts.clear()

    def take(
        self, name: str, seen: Mapping[str, str], conversation: Conversation, call_prefix: str
    ) -> Reply | RawReply | None:
        """Return the answer to a request, or None where no script is for it.

        Args:
            name: the request's name.
            seen: its provider, path and model.
            conversation: what it says.
            call_prefix: how the provider's ids of calls begin.

        Raises:
            Problem: the script that is for it did not expect it; 400, which no client sends again.
        """
        with self._lock:
            script = self._find(name)
            if script is None:
                return None
            asked = _compute_digest(name, conversation)
            if asked in script.given:
                return script.given[asked]
            step = script.steps[script.taken] if script.taken < len(script.steps) else None
            if step is not None and match_step(step.match, seen, _list_words(conversation), _last_words(conversation)):
                script.taken += 1
                return _keep(script, asked, step.reply, call_prefix)
            if len(script.unexpected) < MAX_UNEXPECTED:
                script.unexpected[asked] = _describe(seen, conversation, step)
        raise Problem(_FAILED, "the test's script did not expect this request: its report says what it was")

    def _find(self, name: str) -> _PrivateScript | None:
        """Return the script that says the most about a request's name; of two such the newer one."""
        fitting = [one for one in self._scripts.values() if all(text in name for text in one.of)]
        return max(reversed(fitting), key=lambda one: len(one.of), default=None)


def _read_of(raw: Any) -> tuple[str, ...]:
    of = raw.get("of") if isinstance(raw, Mapping) else None
    if not isinstance(of, list) or not of or not all(isinstance(text, str) and text for text in of):
        raise ValueError("a script of one's own is {of: [texts of the request's name], steps: [...]}")
    return tuple(of)


def _keep(script: _PrivateScript, asked: str, reply: Reply | RawReply, call_prefix: str) -> Reply | RawReply:
    """Return a step's answer, and keep it for the same request; one that is an error comes once."""
    if isinstance(reply, RawReply):
        if reply.status < _FAILED:
            script.given[asked] = reply
        return reply
    named = tuple(
        replace(call, id=call.id or f"{call_prefix}{hashlib.sha256(f'{asked}/{place}'.encode()).hexdigest()[:24]}")
        for place, call in enumerate(reply.calls)
    )
    script.given[asked] = replace(reply, calls=named)
    return script.given[asked]


def _compute_digest(name: str, conversation: Conversation) -> str:
    """Return what is the same for a request and for its repetition, whichever provider gets it.

    A request's name ends in what is its alone. The providers' ids of calls differ, and so they count for nothing. Of
    passages their words count: they are search results to one provider, and text to another.
    """
    said = [
        [turn.role, _tell_words(turn.text), [[one.name, one.arguments] for one in turn.calls], _tell_results(turn)]
        for turn in conversation.turns
    ]
    tools = [tool.name for tool in conversation.tools]
    asked = [name.rpartition(".")[0], conversation.system, said, tools, conversation.schema]
    return hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()


def _tell_words(text: str) -> list[str]:
    return [" ".join(strip_passages(text).split()), *(passage.text for passage in parse_passages(text))]


def _tell_results(turn: Turn) -> list[list[str]]:
    passages = [[passage.text for passage in extract_passages(one)] for one in turn.results]
    return [found or [one.text] for found, one in zip(passages, turn.results, strict=True)]


def _list_words(conversation: Conversation) -> str:
    return "\n".join([conversation.system, *(_list_turn(turn) for turn in conversation.turns)])


def _last_words(conversation: Conversation) -> str:
    """Return what came since the model spoke last: the user's words, or the results of tools."""
    words: list[str] = []
    for turn in reversed(conversation.turns):
        if turn.role == "assistant":
            break
        words.append(_list_turn(turn))
    return "\n".join(reversed(words))


def _list_turn(turn: Turn) -> str:
    return "\n".join([turn.text, *(result.text for result in turn.results)])


def _describe(seen: Mapping[str, str], conversation: Conversation, step: Step | None) -> dict[str, Any]:
    return {
        **seen,
        "system": conversation.system[:_SHOWN_CHARACTERS],
        "said": _last_words(conversation)[-_SHOWN_CHARACTERS:],
        "tools": [tool.name for tool in conversation.tools],
        "expected": None if step is None else dict(step.match),
    }


def _show(step: Step) -> dict[str, Any]:
    """Return what a step would have said, for whoever reads that it was not asked for."""
    if isinstance(step.reply, RawReply):
        return {"reply": f"status {step.reply.status}"}
    calls = ", ".join(f"{one.name}({json.dumps(one.arguments)})" for one in step.reply.calls)
    return {"reply": (calls or step.reply.text)[:_SHOWN_CHARACTERS]}
