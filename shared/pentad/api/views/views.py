"""What the API shows of things: the stored models without what is nobody's business, such as task tokens."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from pentad.api.views.approvals import HumanWaits, pick_shown
from pentad.api.views.view import View
from pentad.domain.declarations.agents import AgentSpec, BandsSpec, Catalog
from pentad.domain.declarations.policy import PolicySpec
from pentad.domain.declarations.workflows import WorkflowSpec
from pentad.domain.knowledge import Citation
from pentad.domain.messages import ToolCallBlock, ToolResultBlock
from pentad.domain.money import show
from pentad.domain.runs import Actor, CallStatus, Overrides, Piece, Run, RunStatus, ToolCall, UndoFailure
from pentad.domain.usage import Usage
from pentad.domain.values import stored_name
from pentad.memory.retrieval.passages import name_passage
from pentad.memory.sessions.ports import Session, StoredMessage
from pentad.orchestration.lifecycle.answer_links import defuse_message


class ReplacedView(View):
    """What a fork replaced, or a fork that it is a fork of."""

    prompt: bool = Field(description="it has another prompt than its agent")
    model: str | None = Field(description="the model that is asked instead of the agent's")
    tool_results: tuple[str, ...] = Field(description="ids of the calls whose results were given, and by no tool")


class CitationView(Citation):
    """A place in an answer that points to a passage."""

    link: str = Field(description="the path of the API by which whoever may see the run opens the place")


class CitedPlaceView(Citation):
    """The place in a document that an answer cites: ``document[start:end] == text`` in that version's parsed text."""

    text: str = Field(description="the passage; where 'is_whole' is false, what is left of it: the quotation")
    header: str = Field(description="of the table that the text's rows are of; not a part of the text")
    is_whole: bool = Field(description="false where the session with the passage has expired or was deleted")
    document_status: str = Field(description="of the document now: indexed, stale, failed or deleted")
    is_newest: bool = Field(description="the version that is cited is the one that is in the index now")


class RunView(View):
    """A run as it stands."""

    run_id: str
    agent: str
    session: str
    user: str | None
    status: RunStatus
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None
    answer: str | None
    citations: tuple[CitationView, ...]
    notices: tuple[str, ...]
    error: str | None
    stop_reason: str | None
    usage: Usage
    tokens: int = Field(description="all tokens in and out")
    cost_nanousd: int = Field(description="nano-dollars: 1 USD is 1,000,000,000")
    cost: str = Field(description="dollars for a reader")
    steps: int
    confidence: float | None = Field(default=None, description="the lowest of its steps, where they were assessed")
    pending_approval: str | None = Field(default=None, description="the approval that the run waits for")
    holding: str | None = Field(
        default=None, description="words for the user while a human looks at this run, or at the one before it"
    )
    queue_position: int | None = Field(default=None, description="its place among those that wait for the session")
    redrive_of: str | None = Field(default=None, description="the failed run that this one goes on for")
    forked_from: str | None = Field(default=None, description="the run that this one is a fork of")
    replaced: ReplacedView | None = Field(default=None, description="what whoever forked it has replaced")
    parent: str | None = Field(default=None, description="the workflow's run that this one is a step of")
    metadata: dict[str, str]
    taint: tuple[str, ...] = Field(default=(), description="sources of text from outside in its context so far")


class RunPage(View):
    """Runs, the newest first."""

    items: tuple[RunView, ...]
    cursor: str | None


class Event(View):
    """Something that happened in a run."""

    at: datetime
    type: Literal["run.created", "step", "model_attempt", "tool_call", "approval", "run.ended"]
    step: int | None = None
    detail: dict[str, Any]


class EventList(View):
    """A run's events in time order."""

    events: tuple[Event, ...]
    cursor: str | None = None


class SpanView(View):
    """One bar of the waterfall."""

    name: str
    kind: Literal["run", "state", "function", "model", "tool", "node"] = Field(description="node: of a graph")
    start: datetime
    end: datetime
    duration_ms: int
    depth: int
    attributes: dict[str, str | int | float | bool]


class ContextView(View):
    """What Recall chose as the context of a run's first turn."""

    estimated_tokens: int
    epoch_first_seq: int = Field(description="the session's first message that is sent")
    pieces: tuple[Piece, ...] = Field(description="what it consists of, as it is sent, why, and what stayed out")


class TraceView(View):
    """A run's waterfall."""

    run_id: str
    status: RunStatus
    spans: tuple[SpanView, ...]
    transitions: int = Field(description="states entered, as Step Functions bills them; 0 where it kept no history")
    source: Literal["history", "records"] = Field(
        description="records: an Express execution keeps no history, so the waterfall is made of steps and attempts"
    )
    context: ContextView | None = Field(default=None, description="none where Recall has not chosen one")


class ToolCallView(View):
    """A tool call."""

    run_id: str
    step: int
    index: int
    tool: str
    arguments: dict[str, Any]
    arguments_hash: str
    status: CallStatus
    result: str | None
    is_error: bool
    masked: int = Field(default=0, description="values of the result that look like secrets and were masked")
    error_type: str | None
    undo_token: str | None
    started_at: datetime | None
    ended_at: datetime | None
    undone_by: Actor | None = Field(default=None, description="who undid it, by which credential and from where")
    undo_failure: UndoFailure | None = Field(default=None, description="why the last try to undo it failed")
    taint: tuple[str, ...] = Field(default=(), description="sources of text from outside in the context that led to it")
    reasons: tuple[str, ...] = Field(default=(), description="why a human was asked")


class SessionView(View):
    """A session's head."""

    session: str
    agent: str
    user: str | None
    messages: int
    estimated_tokens: int
    created_at: datetime
    updated_at: datetime
    expires_at: datetime


class SessionPage(View):
    """Sessions, the last used first."""

    items: tuple[SessionView, ...]
    cursor: str | None


class SessionDeleted(View):
    """A session that is no more."""

    session: str
    status: Literal["deleted"] = "deleted"


class MessageView(View):
    """A message: its words, tool calls and results; thinking and raw forms stay inside."""

    seq: int
    role: str
    run_id: str | None
    step: int | None
    created_at: datetime
    text: str
    tool_calls: tuple[dict[str, Any], ...] = ()
    tool_results: tuple[dict[str, Any], ...] = ()
    passages: int = 0


class MessagePage(View):
    """Messages in order."""

    items: tuple[MessageView, ...]
    cursor: str | None


class AgentTool(View):
    """A tool as an agent has it."""

    name: str
    description: str
    effects: str
    approval: str = Field(description="never, always, or rules")
    reversible: bool


class AgentView(View):
    """An agent or a workflow, and its tools: what a run can be started with."""

    name: str
    kind: Literal["agent", "workflow"] = "agent"
    description: str
    tools: tuple[AgentTool, ...]
    bands: BandsSpec | None = Field(default=None, description="its thresholds; none where it does not rate its turns")


class AgentList(View):
    """All agents."""

    items: tuple[AgentView, ...]


def build_run_view(run: Run, waits: HumanWaits) -> RunView:
    """Return the view of a run.

    Args:
        run: the run.
        waits: asked for what it waits for.
    """
    status, pending = waits.find(run)
    return RunView(
        run_id=run.run_id,
        tokens=run.spent.usage.total_tokens,
        usage=run.spent.usage,
        cost_nanousd=run.spent.cost_nanousd,
        cost=show(run.spent.cost_nanousd),
        steps=run.spent.steps,
        status=status,
        pending_approval=pending,
        holding=waits.find_words(run, status),
        replaced=_build_replaced(run.overrides),
        citations=tuple(
            CitationView(**one.model_dump(), link=build_citation_link(run.run_id, one.passage_id))
            for one in run.citations
        ),
        **{stored_name(name): getattr(run, name) for name in _RUN_FIELDS},
    )


def build_citation_link(run_id: str, passage_id: str) -> str:
    """Return the path by which a citation's place is opened."""
    return f"/v1/runs/{run_id}/citations/{name_passage(passage_id)}"


def build_context_view(run: Run) -> ContextView | None:
    """Return the view of what Recall chose for a run, or None where it has not."""
    if run.manifest is None:
        return None
    return ContextView(
        estimated_tokens=run.manifest.estimated_tokens,
        epoch_first_seq=run.manifest.epoch_first_seq,
        pieces=run.manifest.pieces,
    )


def _build_replaced(overrides: Overrides | None) -> ReplacedView | None:
    if overrides is None:
        return None
    prompt = overrides.prompt is not None
    return ReplacedView(prompt=prompt, model=overrides.model, tool_results=overrides.replaced)


_RUN_FIELDS = (
    "agent",
    "session_id",
    "user_id",
    "created_at",
    "updated_at",
    "ended_at",
    "answer",
    "notices",
    "error",
    "stop_reason",
    "confidence",
    "taint",
    "redrive_of_run_id",
    "forked_from_run_id",
    "parent_run_id",
    "metadata",
)


def build_call_view(call: ToolCall) -> ToolCallView:
    """Return the view of a tool call; its undo data stays inside."""
    undone = call.status is CallStatus.UNDONE
    undo: dict[str, Any] = {"undone_by": call.undone_by, "undo_failure": None} if undone else {"undone_by": None}
    return ToolCallView(**pick_shown(call, ToolCallView) | {"run_id": call.run_id} | undo)


def build_session_view(session: Session) -> SessionView:
    """Return the view of a session."""
    return SessionView(messages=session.length, **pick_shown(session, SessionView))


def build_message_view(
    stored: StoredMessage, policy: PolicySpec | None = None, own_words: tuple[str, ...] = ()
) -> MessageView:
    """Return the view of a message.

    Args:
        stored: the message at its place.
        policy: says which links of an agent's words may lead elsewhere; the default one where None.
        own_words: what users wrote around it.
    """
    message = stored.message
    blocks = message.blocks
    return MessageView(
        seq=stored.seq,
        role=message.role,
        run_id=message.run_id,
        step=message.step,
        created_at=message.created_at,
        text=defuse_message(policy or PolicySpec(), message, own_words),
        tool_calls=tuple(block.model_dump() for block in blocks if isinstance(block, ToolCallBlock)),
        tool_results=tuple(block.model_dump() for block in blocks if isinstance(block, ToolResultBlock)),
        passages=len(stored.passages),
    )


def build_agent_list(catalog: Catalog) -> AgentList:
    """Return all agents, then all workflows, with their tools."""

    def build_view(kind: Literal["agent", "workflow"], one: AgentSpec | WorkflowSpec) -> AgentView:
        shown = set(AgentTool.model_fields)
        specs = [catalog.tools[name] for name in sorted(one.tools)]
        asks = [spec.approval if isinstance(spec.approval, str) else "rules" for spec in specs]
        tools = tuple(
            AgentTool(**spec.model_dump(include=shown) | {"approval": word})
            for spec, word in zip(specs, asks, strict=True)
        )
        bands = one.confidence.bands if isinstance(one, AgentSpec) and one.confidence is not None else None
        return AgentView(name=one.name, kind=kind, description=one.description, tools=tools, bands=bands)

    agents = [build_view("agent", one) for _, one in sorted(catalog.agents.items())]
    return AgentList(items=(*agents, *(build_view("workflow", one) for _, one in sorted(catalog.workflows.items()))))
