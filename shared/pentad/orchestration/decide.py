"""What a model turn leads to. Pure: the same message gives the same decision, on every retry."""

from collections.abc import Iterable, Mapping, Sequence

from pentad.domain.agents import ToolSpec
from pentad.domain.messages import Message, ToolCallBlock, ToolResultBlock
from pentad.domain.runs import CallRef, CallStatus, Decision, Run, ToolCall
from pentad.tools.canonical import arguments_hash

CALLS_PER_TURN = 16
"""Calls of one turn that are run. With more, the decision could pass 2 KB."""
REPEATS = 3
"""The same call with the same arguments so often in one run is a loop."""
NOT_RUN = "This call was not run: the turn ended before it."
TOO_MANY = f"This call was not run: a turn may make at most {CALLS_PER_TURN} calls."
LOOP = "This call was not run: it repeats an earlier call with the same arguments."


def reply_id(run: str, step: int) -> str:
    """Return the id of the assistant's message of a step."""
    return f"msg_{run}_{step:05d}_a"


def results_id(run: str, step: int) -> str:
    """Return the id of the message with the results of a step's tool calls."""
    return f"msg_{run}_{step:05d}_r"


def stop_id(run: str, step: int) -> str:
    """Return the id of the message that says why a run stopped at a step."""
    return f"msg_{run}_{step:05d}_s"


def planned_calls(run: Run, step: int, reply: Message, tools: Mapping[str, ToolSpec]) -> list[ToolCall]:
    """Return the calls of a reply as they are stored, the first `CALLS_PER_TURN` of them.

    A call that needs a human's approval awaits it. One of a tool that the agent has not is failed at once: the gateway
    lets none through, but what decides about rights does not rely on that.
    """
    return [_planned(run, step, index, block, tools) for index, block in enumerate(reply.tool_calls[:CALLS_PER_TURN])]


def _planned(run: Run, step: int, index: int, block: ToolCallBlock, tools: Mapping[str, ToolSpec]) -> ToolCall:
    call = ToolCall(
        tenant=run.tenant,
        run=run.run,
        step=step,
        index=index,
        call_id=block.call_id,
        tool=block.tool,
        arguments=block.arguments,
        arguments_hash=arguments_hash(block.arguments),
        status=CallStatus.PENDING,
    )
    tool = tools.get(block.tool)
    if tool is None:
        refusal = {
            "status": CallStatus.FAILED,
            "result": "This agent has no such tool.",
            "is_error": True,
            "error_type": "PolicyDenied",
        }
        return call.model_copy(update=refusal)
    if tool.approval == "always":
        return call.model_copy(update={"status": CallStatus.AWAITING})
    return call


def decision_on(step: int, calls: Sequence[ToolCall]) -> Decision:
    """Return where a turn with these calls goes."""
    if not calls:
        return Decision(kind="answer", step=step)
    open_calls = [call for call in calls if call.status in {CallStatus.PENDING, CallStatus.AWAITING}]
    awaiting = any(call.status is CallStatus.AWAITING for call in open_calls)
    return Decision(kind="approve" if awaiting else "tools", step=step, calls=references(open_calls))


def references(calls: Iterable[ToolCall]) -> tuple[CallRef, ...]:
    """Return what the state machine carries of calls."""
    return tuple(CallRef(tool=call.tool, index=call.index) for call in calls)


def repeated(run: str, earlier: Iterable[Message], reply: Message) -> str | None:
    """Return the tool of a call that the run has now made `REPEATS` times with the same arguments, or None."""
    counts: dict[tuple[str, str], int] = {}
    for message in (*earlier, reply):
        if message.run != run:
            continue
        for block in message.tool_calls:
            key = (block.tool, arguments_hash(block.arguments))
            counts[key] = counts.get(key, 0) + 1
    for block in reply.tool_calls:
        if counts[block.tool, arguments_hash(block.arguments)] >= REPEATS:
            return block.tool
    return None


def results_of(reply: Message, calls: Sequence[ToolCall]) -> tuple[ToolResultBlock, ...]:
    """Return one result for each call of a reply, in order; a call that left none has an error result."""
    stored = {call.index: call for call in calls}
    return tuple(_result(block, index, stored.get(index)) for index, block in enumerate(reply.tool_calls))


def _result(block: ToolCallBlock, index: int, call: ToolCall | None) -> ToolResultBlock:
    if call is None or call.result is None:
        reason = TOO_MANY if index >= CALLS_PER_TURN else NOT_RUN
        return ToolResultBlock(call_id=block.call_id, content=reason, is_error=True)
    return ToolResultBlock(call_id=block.call_id, content=call.result, is_error=call.is_error, untrusted=call.untrusted)
