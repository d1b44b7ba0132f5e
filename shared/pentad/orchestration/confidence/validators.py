"""Check of a turn what can be checked without a model. Pure, and free of charge.

``citations``: every marker of the answer points to a passage that was given. ``tool_errors``: every tool that this run
used gave a result in the end (a failure that a later call of the same tool made good does not count; a call that a
human rejected, or of a tool out of order, does: the turn was made without it). ``schema``: the calls' arguments fit the
tools' schemas, and the answer fits the request's where it has one.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from pentad.domain.messages import Message, ToolCallBlock, ToolResultBlock
from pentad.domain.models import ChatRequest, StopReason
from pentad.domain.runs import CallStatus, Signal, ToolCall
from pentad.models.providers.exchange import ProviderReply
from pentad.models.structured import checks
from pentad.orchestration.confidence.bands import CAPS

Validator = Literal["citations", "tool_errors", "schema"]
_DETAIL_CHARACTERS = 300


def run_validators(
    validators: Sequence[Validator],
    request: ChatRequest,
    reply: Message,
    calls: Sequence[ToolCall],
    *,
    unknown_citations: int,
) -> Signal | None:
    """Return the validators' signal: the lowest cap of those that failed, 1 where all passed; None where there is none.

    Args:
        validators: which to ask.
        request: what the model was sent.
        reply: its message.
        calls: its tool calls as planned.
        unknown_citations: markers in the answer that point to no passage.
    """
    if not validators:
        return None
    found: Mapping[Validator, str] = {
        "citations": f"{unknown_citations} cited passages are not there" if unknown_citations else "",
        "tool_errors": _find_tool_errors(request, reply, calls),
        "schema": _find_schema_error(request, reply) if "schema" in validators else "",
    }
    failed = {name: found[name] for name in validators if found[name]}
    detail = "; ".join(f"{name}: {why}" for name, why in failed.items()) or f"passed: {', '.join(validators)}"
    score = min((CAPS[name] for name in failed), default=1.0)
    return Signal(source="validators", score=score, detail=detail[:_DETAIL_CHARACTERS])


def _find_tool_errors(request: ChatRequest, reply: Message, calls: Sequence[ToolCall]) -> str:
    """Return which tools left the run without a result, or nothing."""
    tools: dict[str, str] = {}
    failed: dict[str, bool] = {}
    for message in request.messages:
        if message.run_id != request.context.run_id:
            continue
        for block in message.blocks:
            if isinstance(block, ToolCallBlock):
                tools[block.call_id] = block.tool
            elif isinstance(block, ToolResultBlock):
                failed[tools.get(block.call_id, "a tool")] = block.is_error
    again = {block.tool for block in reply.tool_calls}
    open_ones = [tool for tool, is_error in failed.items() if is_error and tool not in again]
    open_ones += [call.tool for call in calls if call.status is CallStatus.FAILED]
    return f"no result of {', '.join(dict.fromkeys(open_ones))}" if open_ones else ""


def _find_schema_error(request: ChatRequest, reply: Message) -> str:
    """Return where a reply does not fit the schemas, or nothing."""
    if not reply.tool_calls and request.output_schema is None:
        return ""
    stop = StopReason.TOOL_CALLS if reply.tool_calls else StopReason.END
    found = checks.find_problems(ProviderReply(reply.blocks, stop, None), request)
    return found[0] if found else ""
