"""Runs, steps, tool calls and approvals, and the transitions that are allowed."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field

from pentad.domain.errors import InvalidTransition
from pentad.domain.ids import AgentName, RunId, SessionId, TenantId, ToolName, UserId
from pentad.domain.knowledge import Citation
from pentad.domain.taint.sources import FromOutside
from pentad.domain.usage import Spent, Usage
from pentad.domain.values import FrozenValue


class RunStatus(StrEnum):
    """Where a run is. ``queued`` to ``running``, with ``awaiting_human`` between steps, to one of the ends."""

    QUEUED = "queued"
    RUNNING = "running"
    AWAITING_HUMAN = "awaiting_human"
    SUCCEEDED = "succeeded"
    DEGRADED = "degraded"
    STOPPED = "stopped"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """No transition leads out of it."""
        return not TRANSITIONS[self]


_ENDS = frozenset({RunStatus.SUCCEEDED, RunStatus.DEGRADED, RunStatus.STOPPED, RunStatus.FAILED, RunStatus.CANCELLED})
TRANSITIONS: dict[RunStatus, frozenset[RunStatus]] = {
    RunStatus.QUEUED: frozenset({RunStatus.RUNNING}) | _ENDS,
    RunStatus.RUNNING: frozenset({RunStatus.AWAITING_HUMAN}) | _ENDS,
    RunStatus.AWAITING_HUMAN: frozenset({RunStatus.RUNNING}) | _ENDS,
} | {end: frozenset() for end in _ENDS}


def check_transition(current: RunStatus, target: RunStatus) -> None:
    """Return if the run may go from ``current`` to ``target``; staying is always allowed, so retries pass.

    Raises:
        InvalidTransition: it may not.
    """
    if target != current and target not in TRANSITIONS[current]:
        raise InvalidTransition(f"a run that is {current} can't become {target}", field="status")


class Actor(FrozenValue):
    """Who did something: the credential, the human behind it, and where it came from."""

    user_id: UserId | None = Field(default=None, description="the credential's user")
    key_id: str = Field(max_length=100, description="the API key's id; jwt for a token")
    person: str = Field(max_length=200, description="the human: the user, else the key's owner")
    group: str | None = Field(default=None, description="for which group it was done")
    at: datetime
    source_ip: str | None = Field(default=None, max_length=45, description="the address that the request came from")


class Source(FrozenValue):
    """One thing that stands in a piece of the context, or that was looked at for it."""

    name: str = Field(max_length=300, description="a passage's id and document, or session#message.part")
    tokens: int = Field(ge=0)
    score: float | None = None
    signal: str | None = Field(default=None, description="what of its score counts most, such as words or dense")


class Piece(FrozenValue):
    """A piece of a context: what it is, why it is in, how large it is, and what stayed out."""

    kind: Literal["tools", "history", "summary", "profile", "turns", "passages", "question"]
    count: int = Field(ge=0, description="tools, messages, facts, turns or passages")
    tokens: int = Field(ge=0, description="estimated")
    reason: str = Field(max_length=300)
    signals: dict[str, float] = Field(default_factory=dict, description="what was looked at to decide it")
    sources: tuple[Source, ...] = Field(default=(), max_length=40, description="the first of them")
    left_out: int = Field(default=0, ge=0, description="what had a claim and no room")


class Manifest(FrozenValue):
    """What Recall chose for a run: the context of its first turn, by reference."""

    epoch_first_seq: int = Field(ge=0, description="the first message of the session's epoch that is sent")
    bare_before_seq: int = Field(default=0, ge=0, description="messages before it are sent without what came with them")
    request_seq: int = Field(ge=0, description="the user's newest message")
    passages: int = Field(ge=0, description="passages attached to the newest message")
    estimated_tokens: int = Field(ge=0)
    dropped_messages: int = Field(default=0, ge=0, description="messages of the session left out by the budget")
    notices: tuple[str, ...] = Field(default=(), description="what the run's user is told of the search")
    recalled: int = Field(default=0, ge=0, description="turns of earlier conversations given with the newest message")
    pieces: tuple[Piece, ...] = Field(default=(), description="what the context consists of, in the order it is sent")


class Overrides(FrozenValue):
    """What a fork changes: given to the turns of this run instead of what the agent's definition says."""

    prompt: str | None = Field(default=None, max_length=100_000, description="the system prompt")
    model: str | None = Field(default=None, description="a model of the catalog, by its id")
    replaced: tuple[str, ...] = Field(default=(), description="call ids whose results the fork gave, not the tool")


class Band(StrEnum):
    """What a confidence allows, from much to little."""

    AUTONOMOUS = "autonomous"
    REVIEW = "review"
    DRAFT = "draft"
    ESCALATE = "escalate"


class Signal(FrozenValue):
    """One source's say on a turn."""

    source: Literal["self_report", "judge", "agreement", "validators"]
    score: float = Field(ge=0, le=1)
    detail: str = Field(default="", max_length=300)


class Assessment(FrozenValue):
    """How sure one turn is: the sources' signals, what the stated rule makes of them, and what that allows."""

    confidence: float = Field(ge=0, le=1)
    band: Band
    signals: tuple[Signal, ...]


class Run(FrozenValue):
    """One run of one agent or of one workflow."""

    tenant_id: TenantId
    run_id: RunId
    agent: AgentName
    session_id: SessionId
    user_id: UserId | None = None
    status: RunStatus
    trigger: Literal["api", "event", "queue", "schedule", "cli", "workflow"]
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None = None
    request_seq: int = Field(ge=0, description="sequence number of the user's message in the session")
    request_hash: str = Field(description="SHA-256 of the request; tells a repeat from a conflict")
    idempotency_key: str | None = None
    manifest: Manifest | None = None
    spent: Spent = Spent()
    waited_seconds: float = Field(default=0, ge=0, description="time spent waiting for humans")
    answer: str | None = None
    citations: tuple[Citation, ...] = ()
    notices: tuple[str, ...] = ()
    error: str | None = None
    stop_reason: str | None = None
    execution_arn: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)
    kind: Literal["agent", "workflow"] = "agent"
    parent_run_id: RunId | None = Field(default=None, description="the workflow's run that this one is a step of")
    fence: int = Field(default=0, ge=0, description="fencing token of the session's lease; grows with each holder")
    if_busy: Literal["reject", "enqueue", "interrupt"] = "reject"
    overrides: Overrides | None = None
    hands_over: bool = Field(default=False, description="it has ended while others waited in its session's queue")
    forked_from_run_id: RunId | None = None
    first_step: int = Field(default=1, ge=1, description="the step its execution begins with; a fork has later ones")
    redrive_of_run_id: RunId | None = None
    allowed_tools: tuple[ToolName, ...] = Field(default=(), description="tools a human allowed for the rest of the run")
    allowed_taint: tuple[str, ...] = Field(default=(), description="TOOL|SOURCE: allowed with text of that source")
    taint: tuple[str, ...] = Field(default=(), description="sources of untrusted text that was in its context so far")
    confidence: float | None = Field(default=None, ge=0, le=1, description="the lowest of the run's steps so far")
    requester: Actor | None = Field(default=None, description="whose credential started it; none where nobody's did")
    traceparent: str | None = Field(default=None, max_length=200, description="the span that caused it, as W3C has it")

    @property
    def waiting(self) -> bool:
        """It waits in its session's queue and holds no lease yet."""
        return self.status is RunStatus.QUEUED and self.fence == 0


class CallStatus(StrEnum):
    """Where a tool call is."""

    PENDING = "pending"
    AWAITING = "awaiting"
    APPROVED = "approved"
    REJECTED = "rejected"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNDONE = "undone"


class UndoFailure(FrozenValue):
    """The last try to undo a call, which failed."""

    at: datetime
    error: str = Field(description="class name of the error tree")
    detail: str = Field(max_length=1000, description="what the tool said, or why it could not be asked")


class ToolCall(FrozenValue):
    """One tool call of one step: what was asked, what was decided, what came back."""

    tenant_id: TenantId
    run_id: RunId
    step: int = Field(ge=1)
    index: int = Field(ge=0, le=99)
    call_id: str
    tool: str
    arguments: dict[str, Any]
    arguments_hash: str = Field(description="SHA-256 of the canonical JSON; what was approved is what runs")
    status: CallStatus
    result: str | None = Field(default=None, description="text for the model, validated and sanitised")
    is_error: bool = False
    untrusted: bool = False
    sources: tuple[str, ...] = Field(default=(), description="of text from outside in its result, of others' words")
    masked: int = Field(default=0, ge=0, description="how many values of the result look like secrets and were masked")
    error_type: str | None = None
    undo: dict[str, Any] | None = Field(default=None, description="what the tool needs to undo its effect")
    undo_token: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    effect_key: str | None = Field(default=None, description="of a failed run's call that this one goes on with")
    undone_by: Actor | None = None
    undo_failure: UndoFailure | None = None
    taint: tuple[str, ...] = Field(default=(), description="sources of untrusted text in the context that led to it")
    confidence: float | None = Field(default=None, ge=0, le=1, description="of the turn that made it")
    reasons: tuple[str, ...] = Field(default=(), description="why a human is asked")
    outside: tuple[FromOutside, ...] = Field(default=(), description="arguments with words of untrusted text")
    rewritten: bool = Field(default=False, description="the arguments are the model's in another form")
    composed: tuple[str, ...] = Field(default=(), description="places of addresses that nobody gave the model")


class Decision(FrozenValue):
    """What a model turn leads to. Goes through the state machine, so it stays under 2 KB: references only."""

    kind: Literal["answer", "tools", "approve", "ask", "escalate", "stop"]
    step: int
    calls: tuple["CallRef", ...] = ()
    reason: str | None = Field(default=None, max_length=300)
    wait: int | None = Field(default=None, ge=1, description="seconds until the first reminder or the expiry")


class CallRef(FrozenValue):
    """A reference to a tool call: all that the Act state carries of one."""

    tool: str
    index: int


Decision.model_rebuild()


class Step(FrozenValue):
    """One model turn of a run, or one step of a workflow's run."""

    tenant_id: TenantId
    run_id: RunId
    step: int = Field(ge=1)
    name: str | None = Field(default=None, description="of a workflow's step")
    child_run_id: RunId | None = Field(default=None, description="the run of an agent's step of a workflow")
    decision: Decision
    message_seq: int | None = Field(description="the assistant's message in the session; none where none was made")
    provider: str | None = None
    model: str | None = None
    usage: Usage = Usage()
    cost_nanousd: int = 0
    notices: tuple[str, ...] = ()
    degraded: bool = False
    citations: tuple[Citation, ...] = ()
    assessment: Assessment | None = None
    taint: tuple[str, ...] = Field(default=(), description="sources of untrusted text in its context")
    started_at: datetime
    duration_ms: int = Field(ge=0)


class ApprovalStatus(StrEnum):
    """Where an approval is."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    ANSWERED = "answered"
    EXPIRED = "expired"


class ApprovalCall(FrozenValue):
    """A call as it is shown to the human: exactly this runs."""

    index: int
    tool: str
    arguments: dict[str, Any]
    arguments_hash: str
    edited: bool = Field(default=False, description="a human changed the arguments that the model had chosen")
    reasons: tuple[str, ...] = Field(default=(), description="why it asks")
    outside: tuple[FromOutside, ...] = Field(default=(), description="arguments with words of untrusted text")
    taint: tuple[str, ...] = Field(default=(), description="sources of untrusted text in the context that led to it")


class Vote(FrozenValue):
    """One human's say, where several have to agree."""

    by: str
    decision: Literal["approve", "reject"]
    at: datetime
    reason: str | None = None
    shown_hash: str = Field(description="of what this human was shown; a vote counts only for exactly that")
    actor: Actor | None = None

    @property
    def person(self) -> str:
        """The human whose vote it is; votes of earlier versions name the credential only."""
        return self.by if self.actor is None else self.actor.person


class Change(FrozenValue):
    """What became of an approval before its decision."""

    what: Literal["edited", "escalated"]
    by: str
    at: datetime
    group: str = Field(description="who was asked until then")
    reason: str | None = None
    actor: Actor | None = None


class Approval(FrozenValue):
    """A decision that a human owes. The task token is kept encrypted beside it and is in no view of it.

    ``calls``: tool calls that run once approved. ``answer``: a drafted answer that is delivered once approved.
    ``question``: the agent (or a step) asks; the answer goes back to it. ``escalation``: the agent gives up the matter.
    """

    tenant_id: TenantId
    approval_id: str
    run_id: RunId
    step: int
    agent: AgentName
    session_id: SessionId
    kind: Literal["calls", "answer", "question", "escalation"] = "calls"
    status: ApprovalStatus
    calls: tuple[ApprovalCall, ...]
    text: str | None = Field(default=None, description="the draft, the question or why it was escalated")
    group: str = Field(default="operators", description="who is asked")
    quorum: int = Field(default=1, ge=1, le=20, description="so many have to approve; one reject rejects")
    votes: tuple[Vote, ...] = ()
    on_expiry: Literal["reject", "approve", "escalate"] = "reject"
    escalate_to: tuple[str, ...] = Field(default=(), description="the groups asked next, in order")
    remind_seconds: int | None = Field(default=None, ge=60, description="a reminder each so many seconds")
    reminded: int = Field(default=0, ge=0)
    confidence: float | None = Field(default=None, ge=0, le=1)
    created_at: datetime
    expires_at: datetime
    decided_at: datetime | None = None
    decided_by: str | None = None
    reason: str | None = None
    reply: str | None = Field(default=None, description="the human's answer, or the draft as edited")
    asked_at: datetime | None = Field(default=None, description="when the present group was asked, if not at first")
    drafts: bool = Field(default=False, description="an escalation's text is a drafted answer, delivered once approved")
    asks_for: str | None = Field(default=None, description="the entry of the run's metadata that the answer becomes")
    allowed_tools: tuple[ToolName, ...] = Field(default=(), description="always allowed for the rest of the run")
    user_id: UserId | None = Field(default=None, description="the run's user")
    parent_run_id: RunId | None = Field(default=None, description="the workflow's run, where the run is a step of one")
    requester: Actor | None = Field(default=None, description="whose credential started the run")
    not_requester: bool = Field(default=False, description="others than who asked for the run have to decide")
    decider: Actor | None = None
    changes: tuple[Change, ...] = ()
    version: int = Field(default=0, ge=0, description="grows by one with each change; a change is conditional on it")

    @property
    def requesters(self) -> frozenset[str]:
        """The humans who asked for the run: its user, and whoever's credential started it."""
        people = {self.user_id, None if self.requester is None else self.requester.person}
        return frozenset(person for person in people if person is not None)

    @property
    def asked(self) -> datetime:
        """When the group that is asked now was asked."""
        return self.asked_at or self.created_at


class Review(FrozenValue):
    """Something that was done and that a human should look at afterwards."""

    tenant_id: TenantId
    review_id: str
    run_id: RunId
    step: int
    agent: AgentName
    session_id: SessionId
    cause: Literal["confidence", "loop", "limit", "failed", "escalated"]
    summary: str = Field(max_length=500)
    confidence: float | None = Field(default=None, ge=0, le=1)
    created_at: datetime
    closed_at: datetime | None = None
    closed_by: str | None = None
    verdict: Literal["correct", "wrong"] | None = None
    note: str | None = Field(default=None, max_length=1000)
    user_id: UserId | None = Field(default=None, description="the run's user")
    closer: Actor | None = None
