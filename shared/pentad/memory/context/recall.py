"""Recall: find the passages for a run's question, choose the context, and keep both as the run's manifest."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from pydantic import ValidationError

from pentad.domain.declarations.agents import AgentSpec, ContextSpec
from pentad.domain.errors import BudgetExceeded, NotFound
from pentad.domain.knowledge import Passage, find_owner
from pentad.domain.models import CallContext
from pentad.domain.runs import Manifest, Run, RunStatus
from pentad.domain.usage import estimate_tokens
from pentad.memory.context.asked import build_search_text
from pentad.memory.context.window import Epoch, choose_epoch, edge_order, is_question
from pentad.memory.retrieval.ports import Match, SearchRequest, VectorStore
from pentad.memory.retrieval.readers import DOCUMENT_KIND, READERS, list_labels
from pentad.memory.sessions.ports import Session, SessionStore, StoredMessage
from pentad.memory.tokens import Counter
from pentad.models.ports import Embedder
from pentad.observability.metrics import names
from pentad.observability.ports import Telemetry

EMBED_SECONDS = 20.0
PAGE_MESSAGES = 20
"""So much of a conversation is read first, then twice as much, backwards, until the question before is found."""
_OVERFETCH = 2  # dropping overlaps must still leave top_k


class RunManifests(Protocol):
    """What recall needs of the runs' store (`pentad.orchestration.ports.RunStore` has it)."""

    def get(self, tenant_id: str, run_id: str) -> Run:
        """Return a run.

        Raises:
            NotFound: no such run for this tenant.
        """
        ...

    def set_manifest(self, tenant_id: str, run_id: str, manifest: Manifest) -> Run:
        """Store the manifest; a repeat keeps the first."""
        ...

    def set_status(self, tenant_id: str, run_id: str, status: RunStatus, *, waited_seconds: float = 0) -> Run:
        """Go to a status; staying changes nothing."""
        ...


class Recall:
    """Chooses a run's context once; a repeat returns what was chosen, without a call to the embedder.

    Args:
        sessions: where the conversation is.
        vectors: where the documents' chunks are; not touched where the agent's ``top_k`` is 0.
        embedder: turns the question into a vector; not touched where the agent's ``top_k`` is 0.
        runs: where the manifest goes.
        telemetry: counts passages and their scores.
        clock: tells the time, in UTC.
        count: estimates the tokens of a text.
    """

    def __init__(
        self,
        *,
        sessions: SessionStore,
        vectors: VectorStore,
        embedder: Embedder,
        runs: RunManifests,
        telemetry: Telemetry,
        clock: Callable[[], datetime],
        count: Counter = estimate_tokens,
    ) -> None:
        self._sessions = sessions
        self._vectors = vectors
        self._embedder = embedder
        self._runs = runs
        self._telemetry = telemetry
        self._clock = clock
        self._count = count

    def run(
        self, tenant_id: str, run_id: str, session_id: str, agent: AgentSpec, *, deadline: float | None = None
    ) -> Manifest:
        """Return the run's manifest, made now or before.

        Args:
            tenant_id: the tenant.
            run_id: the run's id.
            session_id: the run's session.
            agent: says how to retrieve and how much context there is room for.
            deadline: ``time.time()`` by which an answer is of use; 20 s from now where none is given.

        Raises:
            NotFound: no such run, session or message.
            StoreUnavailable: the sessions or the vectors did not answer.
            ModelUnavailable: the embedder did not answer.
            ModelThrottled: the embedder's provider said 429.
        """
        current = self._runs.get(tenant_id, run_id)
        if current.manifest is not None:
            if current.status is RunStatus.QUEUED:
                self._runs.set_status(tenant_id, run_id, RunStatus.RUNNING)  # A fork brings its manifest along.
            return current.manifest
        head = self._sessions.get(tenant_id, session_id)
        if head is None:
            raise NotFound("there is no such session")
        stored = self._read_newest(head, current.request_seq, searches=agent.knowledge.top_k > 0)
        if not stored or stored[-1].seq != current.request_seq:
            raise NotFound("the run's message is not in its session")
        message = stored[-1]
        if not message.passages and agent.knowledge.top_k > 0:
            context = CallContext(
                tenant_id=tenant_id,
                agent=agent.name,
                user_id=current.user_id,
                session_id=session_id,
                run_id=run_id,
                purpose="embed_query",
            )
            found = self._search_within_budget(tenant_id, stored, agent, context, deadline)
            more = self._sessions.attach_passages(tenant_id, session_id, message.seq, found)
            head = head.model_copy(update={"estimated_tokens": head.estimated_tokens + more})
            stored[-1] = message.model_copy(update={"passages": found})
        manifest = self._choose(head, stored, agent.context)
        return self._runs.set_manifest(tenant_id, run_id, manifest).manifest or manifest

    def _read_newest(self, head: Session, request_seq: int, *, searches: bool) -> list[StoredMessage]:
        """Return a run's message; for a search, with what stands before it, back to the user's message before."""
        if not searches:
            return self._sessions.read(head.tenant_id, head.session_id, request_seq, request_seq)
        stored: list[StoredMessage] = []
        first, page = request_seq + 1, PAGE_MESSAGES
        while first > head.epoch_first_seq and not any(is_question(one.message) for one in stored[:-1]):
            last, first = first - 1, max(head.epoch_first_seq, first - page)
            stored = [*self._sessions.read(head.tenant_id, head.session_id, first, last), *stored]
            page *= 2
        return stored

    def _search_within_budget(
        self,
        tenant_id: str,
        stored: Sequence[StoredMessage],
        agent: AgentSpec,
        context: CallContext,
        deadline: float | None,
    ) -> tuple[Passage, ...]:
        """Search, if the budgets allow it; where they do not, it is the turn's affair to stop the run and say why."""
        try:
            return self._search(tenant_id, stored, agent, context, deadline)
        except BudgetExceeded as error:
            self._telemetry.log_event("recall.skipped", level="WARNING", error=type(error).__name__)
            return ()

    def _search(
        self,
        tenant_id: str,
        stored: Sequence[StoredMessage],
        agent: AgentSpec,
        context: CallContext,
        deadline: float | None,
    ) -> tuple[Passage, ...]:
        query = build_query(stored)
        if not query:
            return ()
        began = self._clock()
        until = began.timestamp() + EMBED_SECONDS if deadline is None else deadline
        top_k = agent.knowledge.top_k
        with self._telemetry.span("memory.search", {"pentad.top_k": top_k}) as span:
            [values] = self._embedder.embed([query], context, deadline=until).vectors
            matches = self._query(tenant_id, values, top_k * _OVERFETCH, context.user_id)
            passages = select(matches, top_k=top_k, minimum_score=agent.knowledge.minimum_score)
            passages = _limit_tokens(passages, agent.context.low_water_tokens // 2, self._count)
            span.set("pentad.matches", len(matches))
            span.set("pentad.passages", len(passages))
        took = (self._clock() - began).total_seconds() * 1000
        self._telemetry.count(names.RECALL_DURATION, took, unit="Milliseconds", agent=agent.name)
        self._telemetry.count(names.PASSAGES_RECALLED, len(passages), agent=agent.name)
        return edge_order(passages)

    def _query(self, tenant_id: str, values: Sequence[float], k: int, user_id: str | None) -> list[Match]:
        """Return the nearest passages of the tenant's documents and the user's own, and of nobody else's own."""
        where = {"kind": DOCUMENT_KIND, READERS: list_labels(user_id)}
        found = self._vectors.search(tenant_id, SearchRequest(k=k, dense=tuple(values), where=where))
        return [match for match in found if _may_see(match, user_id)]

    def _choose(self, head: Session, newest: Sequence[StoredMessage], budget: ContextSpec) -> Manifest:
        epoch = Epoch(head.epoch_first_seq, head.estimated_tokens)
        if epoch.estimated_tokens > budget.high_water_tokens:
            # Only where something has to go is the rest of the conversation read.
            rest = self._sessions.read(head.tenant_id, head.session_id, head.epoch_first_seq, newest[0].seq - 1)
            epoch = choose_epoch([*rest, *newest], budget, self._count)
        if epoch.first_seq != head.epoch_first_seq:
            self._sessions.begin_epoch(head.tenant_id, head.session_id, epoch.first_seq, epoch.estimated_tokens)
        return Manifest(
            epoch_first_seq=epoch.first_seq,
            request_seq=newest[-1].seq,
            passages=len(newest[-1].passages),
            estimated_tokens=epoch.estimated_tokens,
            dropped_messages=epoch.first_seq,
        )


def build_query(stored: Sequence[StoredMessage]) -> str:
    """Return what to search for: what is asked in the newest message, with the question before it in a follow-up.

    Args:
        stored: messages in order, the newest question last.
    """
    previous = next((one.message.text.strip() for one in reversed(stored[:-1]) if is_question(one.message)), "")
    return build_search_text(stored[-1].message.text, previous)


def select(matches: Sequence[Match], *, top_k: int, minimum_score: float) -> tuple[Passage, ...]:
    """Return the best passages, best first: near enough, no text twice, and no two that overlap by half.

    Args:
        matches: as the vector store returned them.
        top_k: at most so many.
        minimum_score: cosine similarity below which a passage is not given.
    """
    chosen: list[Passage] = []
    for match in sorted(matches, key=lambda match: (-(match.dense or 0.0), match.vector_id)):
        if (match.dense or 0.0) < minimum_score or len(chosen) == top_k:
            break
        passage = to_passage(match)
        if passage is not None and not any(_is_repeat(passage, other) for other in chosen):
            chosen.append(passage)
    return tuple(chosen)


def to_passage(match: Match) -> Passage | None:
    """Return the passage that ingest described in the vector's metadata, or None where another program wrote it."""
    fields = {name: match.metadata.get(name) for name in ("document", "version", "title", "text")}
    start, end = match.metadata.get("start"), match.metadata.get("end")
    if not isinstance(start, int | float) or not isinstance(end, int | float):
        return None
    try:
        # Pinecone returns every number as a float.
        return Passage.model_validate(
            {**fields, "passage_id": match.vector_id, "start": int(start), "end": int(end), "score": match.dense or 0.0}
        )
    except ValidationError:
        return None


def _may_see(match: Match, user_id: str | None) -> bool:
    owner = find_owner(str(match.metadata.get("document", "")))
    return owner is None or owner == user_id


def _is_repeat(passage: Passage, other: Passage) -> bool:
    if passage.text == other.text:
        return True
    if (passage.document, passage.version) != (other.document, other.version):
        return False
    overlap = min(passage.end, other.end) - max(passage.start, other.start)
    return 2 * overlap > min(passage.end - passage.start, other.end - other.start)


def _limit_tokens(passages: Sequence[Passage], tokens: int, count: Counter) -> tuple[Passage, ...]:
    """Return the best passages that fit, so that what is retrieved leaves room for the conversation."""
    kept: list[Passage] = []
    for passage in passages:
        tokens -= count(passage.text)
        if tokens < 0:
            break
        kept.append(passage)
    return tuple(kept)
