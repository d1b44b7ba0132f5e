"""Decide what a model turn leads to. Pure: the same message gives the same decision, on every retry."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from pentad.domain.canonical import arguments_hash, canonical_json
from pentad.domain.declarations.agents import AgentSpec, ToolSpec
from pentad.domain.messages import Message, ToolCallBlock, ToolResultBlock
from pentad.domain.runs import Band, CallRef, CallStatus, Decision, Run, ToolCall
from pentad.tools.builtin.humans import ASK, BUILTIN, ESCALATE
from pentad.tools.policy.final_arguments import finalise_call
from pentad.tools.policy.grounds import Grounds, plan_call

CALLS_PER_TURN = 16
"""Calls of one turn that are run. With more, the decision could pass 2 KB."""
Kind = Literal["answer", "tools", "approve", "ask", "escalate", "stop"]
REPEATS = 3
"""The same call with the same arguments so often in one run is a loop."""
NOT_RUN = "This call was not run: the turn ended before it."
TOO_MANY = f"This call was not run: a turn may make at most {CALLS_PER_TURN} calls."
LOOP = "This call was not run: it repeats an earlier call with the same arguments."
ALONE = "This call was not run: a human is asked first, and one thing at a time. Make it again after the answer."
NO_TOOL = "This agent has no such tool."
UNSURE = "The agent is not sure enough of this turn."
REASON_CHARACTERS = 300
"""What a decision says of itself; it goes through the state machine."""
_OPEN = frozenset({CallStatus.PENDING, CallStatus.AWAITING})


def reply_id(run_id: str, step: int) -> str:
    """Return the id of the assistant's message of a step."""
    return f"msg_{run_id}_{step:05d}_a"


def results_id(run_id: str, step: int) -> str:
    """Return the id of the message with the results of a step's tool calls."""
    return f"msg_{run_id}_{step:05d}_r"


def stop_id(run_id: str, step: int) -> str:
    """Return the id of the message that says why a run stopped at a step."""
    return f"msg_{run_id}_{step:05d}_s"


def human_id(run_id: str, step: int) -> str:
    """Return the id of a human's message that a step led to: an answer, or why a draft was rejected."""
    return f"msg_{run_id}_{step:05d}_h"


def plan_calls(
    run: Run,
    step: int,
    reply: Message,
    tools: Mapping[str, ToolSpec],
    unavailable: Mapping[str, str] | None = None,
    grounds: Grounds | None = None,
) -> list[ToolCall]:
    """Return the calls of a reply as they are stored, the first `CALLS_PER_TURN` of them.

    `pentad.tools.policy.apply` says which of them run, which await a human and which are denied. One of a tool that
    the agent has not is failed at once: the gateway lets none through, but what decides about rights does not rely on
    that. A question to a human comes alone: of the other calls only those without effects are run.

    Args:
        run: the run; its ``allowed_tools`` need no approval.
        step: the step.
        reply: the model's message.
        tools: what the agent has, the built-in ones included.
        unavailable: tools that may not run now, each with the sentence that the model is told.
        grounds: the policy, and what of the context decides about calls.
    """
    grounds = grounds or Grounds()
    blocks = reply.tool_calls[:CALLS_PER_TURN]
    asking = next((index for index, block in enumerate(blocks) if block.tool in BUILTIN and block.tool in tools), None)
    calls = []
    for index, block in enumerate(blocks):
        tool = tools.get(block.tool)
        call = _make_call(run, step, index, block)
        if tool is None:
            call = _refuse_call(call, NO_TOOL, "PolicyDenied")
        elif unavailable and block.tool in unavailable:
            call = _refuse_call(call, unavailable[block.tool], "ToolUnavailable")
        elif block.tool in BUILTIN:
            status = {"status": CallStatus.AWAITING}
            call = call.model_copy(update=status) if index == asking else _refuse_call(call, ALONE, "PolicyDenied")
        else:
            call = plan_call(tool, run, call, grounds)
            if asking is not None and not (tool.effects == "none" and call.status is CallStatus.PENDING):
                call = _refuse_call(call, ALONE, "PolicyDenied")
        calls.append(call)
    return calls


def _make_call(run: Run, step: int, index: int, block: ToolCallBlock) -> ToolCall:
    return ToolCall(
        tenant_id=run.tenant_id,
        run_id=run.run_id,
        step=step,
        index=index,
        call_id=block.call_id,
        tool=block.tool,
        arguments=block.arguments,
        arguments_hash=arguments_hash(block.arguments),
        status=CallStatus.PENDING,
    )


def _refuse_call(call: ToolCall, why: str, error: str) -> ToolCall:
    told = {"status": CallStatus.FAILED, "result": why, "is_error": True, "error_type": error}
    return call.model_copy(update=told)


def hold_calls(calls: Sequence[ToolCall], tools: Mapping[str, ToolSpec]) -> list[ToolCall]:
    """Return the calls of a turn that is not sure enough of itself: none runs before a human has agreed."""
    return [_hold_call(call, tools) if call.status is CallStatus.PENDING else call for call in calls]


def _hold_call(call: ToolCall, tools: Mapping[str, ToolSpec]) -> ToolCall:
    tool = tools.get(call.tool)
    final = call if tool is None else finalise_call(tool, call)
    return final.model_copy(update={"status": CallStatus.AWAITING, "reasons": (*call.reasons, UNSURE)})


def make_decision(
    step: int, calls: Sequence[ToolCall], band: Band | None = None, *, wait: int | None = None
) -> Decision:
    """Return where a turn with these calls goes.

    Args:
        step: the step.
        calls: as planned, and `held` where the band asks for it.
        band: what the turn's confidence allows, where it was assessed.
        wait: see `wait_seconds`; goes with every decision that waits for a human.
    """
    open_calls = [call for call in calls if call.status in _OPEN]
    kind = _select_kind(calls, {call.tool for call in open_calls if call.status is CallStatus.AWAITING}, band)
    waiting = wait if kind in {"approve", "ask", "escalate"} else None
    return Decision(kind=kind, step=step, calls=to_references(open_calls), wait=waiting)


def _select_kind(calls: Sequence[ToolCall], awaiting: set[str], band: Band | None) -> Kind:
    if ESCALATE in awaiting:
        return "escalate"
    if ASK in awaiting:
        return "ask"
    if band is Band.ESCALATE and (awaiting or not calls):
        return "escalate"
    if awaiting or (band is Band.DRAFT and not calls):
        return "approve"
    return "tools" if calls else "answer"


def compute_agent_wait(agent: AgentSpec) -> int:
    """Return how long a human is waited for at first: until the first reminder, or the expiry."""
    return min(agent.humans.remind_seconds or agent.approval_seconds, agent.approval_seconds)


def find_missing(agent: AgentSpec, run: Run) -> tuple[str, str] | None:
    """Return the first of the metadata that the agent can't do without and the run lacks, with its question."""
    lacking = ((key, question) for key, question in agent.requires.items() if not run.metadata.get(key, "").strip())
    return next(lacking, None)


def to_references(calls: Iterable[ToolCall]) -> tuple[CallRef, ...]:
    """Return what the state machine carries of calls."""
    return tuple(CallRef(tool=call.tool, index=call.index) for call in calls)


def build_results(reply: Message, calls: Sequence[ToolCall]) -> tuple[ToolResultBlock, ...]:
    """Return one result for each call of a reply, in order; a call that left none has an error result."""
    stored = {call.index: call for call in calls}
    return tuple(_build_result(block, index, stored.get(index)) for index, block in enumerate(reply.tool_calls))


def _build_result(block: ToolCallBlock, index: int, call: ToolCall | None) -> ToolResultBlock:
    if call is None or call.result is None:
        reason = TOO_MANY if index >= CALLS_PER_TURN else NOT_RUN
        return ToolResultBlock(call_id=block.call_id, content=reason, is_error=True)
    content = call.result
    if call.arguments != block.arguments and not call.rewritten:
        # The model sees its own arguments beside this result; what ran were a human's.
        content = f"(A human changed the arguments to {canonical_json(call.arguments)}.)\n{content}"
    return ToolResultBlock(call_id=block.call_id, content=content, is_error=call.is_error, untrusted=call.untrusted)
