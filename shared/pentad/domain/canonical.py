"""Make one text of a JSON value, and its hash, to tell what was approved from what would run."""

import hashlib
import json
from typing import Any

from pentad.domain.runs import ToolCall


def canonical_json(value: Any) -> str:
    """Return JSON with sorted keys, no spaces and no escapes beyond those JSON asks for.

    Raises:
        ValueError: the value holds NaN or an infinity, which JSON has no form for.
        TypeError: the value is not made of JSON's types.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def sha256_of(value: Any) -> str:
    """Return the SHA-256 of the canonical JSON, in hex."""
    # surrogatepass: a lone surrogate can come out of a model's "\ud83d"; it must have a hash like anything else.
    return hashlib.sha256(canonical_json(value).encode("utf-8", "surrogatepass")).hexdigest()


def arguments_hash(arguments: dict[str, Any]) -> str:
    """Return the hash that stands for a call's arguments in approvals and in the audit log."""
    return sha256_of(arguments)


def effect_key(run_id: str, step: int, index: int, tool: str, arguments: dict[str, Any], *, action: str = "run") -> str:
    """Return the key of one effect. Nothing in it is the model's choice but the arguments that were checked.

    Args:
        run_id: the run's id.
        step: the step of the run.
        index: the call's place in the step.
        tool: the tool's name.
        arguments: the call's arguments as stored.
        action: ``run`` or ``undo``: undoing is an effect of its own.
    """
    return sha256_of([run_id, step, index, tool, arguments, action])


def call_key(call: ToolCall) -> str:
    """Return the key of the effect that a call has: its own, or that of the call which it goes on with."""
    return call.effect_key or effect_key(call.run_id, call.step, call.index, call.tool, call.arguments)
