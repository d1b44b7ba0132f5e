"""Record one ended run: all that went in and out of it, to run it again without model, tool or network.

It holds words (of the user, the model, the tools, the humans who decided) and is to be kept like them. It does not
hold: the tenant's and the users' names, the agent's prompt (its digest), thinking and providers' raw forms, what undoes
a tool's effect, task tokens; and what looks like a secret is masked.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, Field

from pentad.domain.canonical import sha256_of
from pentad.domain.declarations.agents import AgentSpec, Catalog, ToolSpec
from pentad.domain.declarations.approval_rules import ApprovalRules
from pentad.domain.declarations.policy import PolicySpec
from pentad.domain.errors import InvalidInput, InvalidTransition, NotFound
from pentad.domain.ids import approval_id
from pentad.domain.knowledge import Citation, Passage, Utterance
from pentad.domain.memories.front import Remembered
from pentad.domain.messages import ContentBlock, Message, ThinkingBlock
from pentad.domain.runs import Approval, Assessment, Decision, Manifest, Overrides, Run, RunStatus, Step, ToolCall
from pentad.domain.secrets import MASK, is_secret_value, mask_secrets
from pentad.domain.usage import Usage
from pentad.domain.values import FrozenValue
from pentad.memory.context.window import mark_bare
from pentad.memory.sessions.ports import SessionStore, StoredMessage
from pentad.orchestration.approvals.ports import ApprovalStore
from pentad.orchestration.runs.ports import RunStore
from pentad.orchestration.turn.decision import reply_id
from pentad.tools.builtin.humans import list_tools
from pentad.tools.policy.final_arguments import keep_defaults
from pentad.tools.policy.given_addresses import list_known

RECORDED = "recorded"
"""Stands for the tenant, and for whoever decided."""
NOTE = (
    "Holds the words of a conversation: keep it like them. Left out: tenant and users, the agent's prompt (its digest "
    "is here), thinking, providers' raw forms, undo data, task tokens. What looks like a secret is masked."
)
_NOT_KEPT = {"prompt", "schedules", "description"}
_M = TypeVar("_M", bound=BaseModel)


class RecordedMessage(FrozenValue):
    """A message of the session, as far as a replay needs it."""

    seq: int = Field(ge=0)
    message_id: str
    role: Literal["user", "assistant"]
    blocks: tuple[ContentBlock, ...]
    created_at: datetime
    run_id: str | None = None
    step: int | None = None
    passages: tuple[Passage, ...] = ()
    recalled: tuple[Utterance, ...] = ()
    remembered: Remembered | None = None
    taint: tuple[str, ...] = Field(default=(), description="sources of untrusted text in it")


class MessagePrint(FrozenValue):
    """One message as the model was sent it: enough to tell whether it is the same, and what it is about."""

    role: str
    digest: str
    shown: str = Field(description="its first characters")


class RequestPrint(FrozenValue):
    """One request to the model."""

    system: str = Field(description="digest of the system prompt")
    tools: dict[str, str] = Field(description="digest of each tool as the model is given it")
    messages: tuple[MessagePrint, ...]
    task: str
    model: str | None = None


class RecordedCall(FrozenValue):
    """A tool call and what came of it."""

    index: int
    call_id: str
    tool: str
    arguments: dict[str, Any]
    status: str
    result: str | None = None
    is_error: bool
    untrusted: bool
    error_type: str | None = None


class RecordedStep(FrozenValue):
    """One turn."""

    step: int
    at: datetime
    request: RequestPrint | None = Field(default=None, description="made by `pentad runs export`; the API has none")
    reply: tuple[ContentBlock, ...] | None = Field(
        default=None, description="what the model said; none where it was not asked"
    )
    provider: str | None = None
    model: str | None = None
    usage: Usage
    cost_nanousd: int
    notices: tuple[str, ...]
    degraded: bool
    decision: Decision
    calls: tuple[RecordedCall, ...]
    assessment: Assessment | None = None
    human: Approval | None = Field(default=None, description="what a human was asked and decided")


class RecordedTool(FrozenValue):
    """What of a tool the decisions depend on, and the digest of what the model is told of it."""

    name: str
    digest: str
    effects: Literal["none", "internal", "external"]
    approval: Literal["never", "always"] | ApprovalRules
    defaults: dict[str, Any] = Field(default={}, description="what of its schema fills in arguments")
    any_address: bool = Field(default=False, description="it may ask any public address")
    listed: tuple[str, ...] = Field(default=(), description="words of its schema, of one that may ask any address")


class Definition(FrozenValue):
    """The agent as it was deployed when the recording was made."""

    agent: str
    prompt: str = Field(description="digest of the system prompt")
    settings: dict[str, Any] = Field(description="agent.yaml, defaults filled in")
    tools: tuple[RecordedTool, ...]
    policy: PolicySpec = PolicySpec()


class RecordedOutcome(FrozenValue):
    """How the run ended."""

    status: RunStatus
    answer: str | None = None
    citations: tuple[Citation, ...]
    notices: tuple[str, ...]
    error: str | None = None
    stop_reason: str | None = None


class Recording(FrozenValue):
    """One run, to be replayed."""

    format: Literal["pentad.recording"] = "pentad.recording"
    version: Literal[1] = 1
    note: str = NOTE
    recorded_at: datetime
    run_id: str
    session_id: str
    created_at: datetime
    metadata: dict[str, str]
    overrides: Overrides | None = None
    first_step: int
    taint: tuple[str, ...] = Field(default=(), description="sources of untrusted text that the run began with")
    definition: Definition
    manifest: Manifest | None = None
    context: tuple[RecordedMessage, ...] = Field(description="the session up to the run's message, and copied turns")
    request_seq: int
    steps: tuple[RecordedStep, ...]
    outcome: RecordedOutcome


def record(
    run: Run,
    catalog: Catalog,
    runs: RunStore,
    sessions: SessionStore,
    approvals: ApprovalStore,
    *,
    at: datetime,
) -> Recording:
    """Return the recording of an ended run, without the prints of its requests.

    Raises:
        InvalidInput: it is the run of a workflow.
        InvalidTransition: it has not ended.
        NotFound: its agent is no more, or its conversation has expired.
    """
    if run.kind != "agent":
        raise InvalidInput("a workflow's run has no turns", field="run", fix="record the run of one of its steps")
    if not run.status.ended:
        raise InvalidTransition(f"the run is {run.status}", field="run", fix="wait for its end, or cancel it")
    agent = catalog.agents.get(run.agent)
    if agent is None:
        raise NotFound(f"the agent '{run.agent}' no longer exists", field="agent")
    stored = _read_messages(run, sessions)
    steps = runs.list_steps(run.tenant_id, run.run_id)
    recording = Recording(
        recorded_at=at,
        run_id=run.run_id,
        session_id=run.session_id,
        created_at=run.created_at,
        metadata=run.metadata,
        overrides=run.overrides,
        first_step=run.first_step,
        # What was in the first turn's context that no message holds, such as what a fork's source had read.
        taint=steps[0].taint if steps else run.taint,
        definition=build_definition(agent, catalog),
        manifest=run.manifest,
        context=tuple(_record_message(one) for one in stored if _is_before(one, run)),
        request_seq=run.request_seq,
        steps=_record_steps(run, steps, stored, runs, approvals),
        outcome=build_outcome(run),
    )
    return _mask_model(recording)


def build_definition(agent: AgentSpec, catalog: Catalog) -> Definition:
    """Return an agent's definition as recordings hold it."""
    return Definition(
        agent=agent.name,
        prompt=compute_digest(agent.prompt),
        settings=agent.model_dump(mode="json", exclude=_NOT_KEPT),
        tools=tuple(
            RecordedTool(
                name=tool.name,
                digest=compute_tool_digest(tool),
                effects=tool.effects,
                approval=tool.approval,
                defaults=keep_defaults(tool.input_schema),
                any_address=tool.any_address,
                listed=tuple(sorted(list_known(tool.input_schema))) if tool.any_address else (),
            )
            for tool in list_tools(catalog, agent)
        ),
        policy=catalog.policy,
    )


def build_outcome(run: Run) -> RecordedOutcome:
    """Return how a run ended."""
    return RecordedOutcome(**{name: getattr(run, name) for name in RecordedOutcome.model_fields})


def compute_digest(value: Any) -> str:
    """Return the first half of the SHA-256 of a value's canonical JSON."""
    return sha256_of(value)[:32]


def compute_tool_digest(tool: ToolSpec) -> str:
    """Return the digest of what a model is told of a tool."""
    return compute_digest({"name": tool.name, "description": tool.description, "schema": tool.input_schema})


def dump_blocks(blocks: Sequence[ContentBlock]) -> list[dict[str, Any]]:
    """Return blocks as plain values, without thinking, of which a recording has none, or a text's second form."""
    kept = [block for block in blocks if not isinstance(block, ThinkingBlock)]
    return [block.model_dump(mode="json", exclude={"citable"}) for block in kept]


def _read_messages(run: Run, sessions: SessionStore) -> list[StoredMessage]:
    head = sessions.get(run.tenant_id, run.session_id)
    if head is None:
        raise NotFound("the run's conversation has expired", field="run")
    first = run.manifest.epoch_first_seq if run.manifest else head.epoch_first_seq
    stored = sessions.read(run.tenant_id, run.session_id, min(first, run.request_seq), head.length - 1)
    if not any(one.seq == run.request_seq and one.message.run_id == run.run_id for one in stored):
        raise NotFound("the run's conversation has expired", field="run")
    return mark_bare(stored, run.manifest.bare_before_seq if run.manifest else head.bare_before_seq)


def _is_before(one: StoredMessage, run: Run) -> bool:
    """Tell whether a message stood there when the run's execution began."""
    return one.seq <= run.request_seq or (one.message.run_id == run.run_id and (one.message.step or 0) < run.first_step)


def _record_message(one: StoredMessage) -> RecordedMessage:
    message = one.message
    return RecordedMessage(
        seq=one.seq,
        message_id=message.message_id,
        role=message.role,
        blocks=_drop_thinking(message.blocks),
        created_at=message.created_at,
        run_id=message.run_id,
        step=message.step,
        passages=() if one.is_bare else one.passages,
        recalled=() if one.is_bare else one.recalled,
        remembered=one.remembered,
        taint=message.taint,
    )


def _drop_thinking(blocks: Sequence[ContentBlock]) -> tuple[ContentBlock, ...]:
    return tuple(block for block in blocks if not isinstance(block, ThinkingBlock))


def _record_steps(
    run: Run, steps: Sequence[Step], stored: Sequence[StoredMessage], runs: RunStore, approvals: ApprovalStore
) -> tuple[RecordedStep, ...]:
    replies = {one.message.message_id: one.message for one in stored}
    calls = runs.list_calls(run.tenant_id, run.run_id)
    return tuple(
        _record_step(step, replies.get(reply_id(run.run_id, step.step)), calls, _find_approval(step, approvals))
        for step in steps
    )


def _record_step(step: Step, reply: Message | None, calls: Sequence[ToolCall], human: Approval | None) -> RecordedStep:
    return RecordedStep(
        step=step.step,
        at=step.started_at,
        reply=None if reply is None else _drop_thinking(reply.blocks),
        provider=step.provider,
        model=step.model,
        usage=step.usage,
        cost_nanousd=step.cost_nanousd,
        notices=step.notices,
        degraded=step.degraded,
        decision=step.decision,
        calls=tuple(record_call(call) for call in calls if call.step == step.step),
        assessment=step.assessment,
        human=human,
    )


def record_call(call: ToolCall) -> RecordedCall:
    """Return a call as recordings hold it."""
    values = {name: getattr(call, name) for name in RecordedCall.model_fields}
    return RecordedCall(**values | {"status": call.status.value})


def _find_approval(step: Step, approvals: ApprovalStore) -> Approval | None:
    try:
        found = approvals.get(step.tenant_id, approval_id(step.run_id, step.step))
    except NotFound:
        return None
    nobody = {
        "tenant_id": RECORDED,
        "decided_by": RECORDED if found.decided_by else None,
        "votes": tuple(vote.model_copy(update={"by": f"{RECORDED}-{place}"}) for place, vote in enumerate(found.votes)),
        "changes": (),
    }
    return found.model_copy(update=nobody)


def _mask_model(model: _M) -> _M:
    return type(model).model_validate(_mask_value(model.model_dump(mode="json")))


def _mask_value(value: Any) -> Any:
    if isinstance(value, str):
        return mask_secrets(value)
    if isinstance(value, Mapping):
        return {name: MASK if is_secret_value(name, part) else _mask_value(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_mask_value(part) for part in value]
    return value
