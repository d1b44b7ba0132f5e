"""Recall: find the passages for a run's question, choose the context, and keep both as the run's manifest."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from pentad.domain.declarations.agents import AgentSpec, ContextSpec
from pentad.domain.errors import BudgetExceeded, NotFound, PentadError, TransientError
from pentad.domain.models import EMBED_QUERY, CallContext
from pentad.domain.runs import Manifest, Piece, Run, RunStatus
from pentad.domain.tracing import find_retrieval_place, find_run_place
from pentad.domain.usage import estimate_tokens
from pentad.memory.context.asked import build_search_text
from pentad.memory.context.asking import is_courtesy
from pentad.memory.context.front import EpochFront
from pentad.memory.context.once_embedder import OnceEmbedder
from pentad.memory.context.pieces import describe_context
from pentad.memory.context.recall_turns import RecalledTurns, RecallTurns, TurnQuery
from pentad.memory.context.window import Epoch, choose_epoch, edge_order, is_question, mark_bare, scale_budget
from pentad.memory.retrieval.ports import Reranker, VectorStore
from pentad.memory.retrieval.readers import choose_collections
from pentad.memory.retrieval.remembered import estimate_remembered
from pentad.memory.retrieval.scores.scales import SCALES
from pentad.memory.retrieval.search import DocumentSearch, Found, Wanted
from pentad.memory.sessions.ports import Session, SessionStore, StoredMessage
from pentad.memory.tokens import Counter
from pentad.memory.turns.said import Memory
from pentad.memory.turns.segments import name_model
from pentad.models.ports import Embedder
from pentad.observability.metrics import names
from pentad.observability.ports import Telemetry

EMBED_SECONDS = 20.0
PAGE_MESSAGES = 20
"""So much of a conversation is read first, then twice as much, backwards, until the question before is found."""


class RunManifests(Protocol):
    """What recall needs of the runs' store (`pentad.orchestration.runs.ports.RunStore` has it)."""

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
        turns: finds what was said earlier; None where nothing of it is kept.
        front: puts what is remembered in front of an epoch; None where nothing is.
        reranker: puts passages into a better order; none leaves them as they are.
        count: estimates the tokens of a text.
        tools: what an agent's model is told of its tools, for the manifest.
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
        turns: RecallTurns | None = None,
        front: EpochFront | None = None,
        reranker: Reranker | None = None,
        count: Counter = estimate_tokens,
        tools: Callable[[AgentSpec], Piece | None] = lambda agent: None,
    ) -> None:
        self._sessions = sessions
        self._documents = DocumentSearch(
            vectors=vectors, telemetry=telemetry, clock=clock, count=count, reranker=reranker
        )
        self._embedder = embedder
        self._runs = runs
        self._telemetry = telemetry
        self._clock = clock
        self._turns = turns
        self._front = front
        self._count = count
        self._tools = tools

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
        self._telemetry.join(find_run_place(current))
        if current.manifest is not None:
            if current.status is RunStatus.QUEUED:
                self._runs.set_status(tenant_id, run_id, RunStatus.RUNNING)  # A fork brings its manifest along.
            return current.manifest
        head = self._sessions.get(tenant_id, session_id)
        if head is None:
            raise NotFound("no such session")
        memory = self._load_memory(head, agent)
        stored = self._read_newest(head, current.request_seq, searches=agent.knowledge.top_k > 0 or memory is not None)
        if not stored or stored[-1].seq != current.request_seq:
            raise NotFound("the run's message is not in its session")
        context = CallContext(
            tenant_id=tenant_id,
            agent=agent.name,
            user_id=current.user_id,
            session_id=session_id,
            run_id=run_id,
            purpose=EMBED_QUERY,
        )
        embedder = OnceEmbedder(self._embedder)
        notices: tuple[str, ...] = ()
        if not stored[-1].passages and agent.knowledge.top_k > 0:
            found = self._search_within_budget(current, stored, agent, context, embedder, deadline)
            more = self._sessions.attach_passages(tenant_id, session_id, stored[-1].seq, found.passages)
            head = head.model_copy(update={"estimated_tokens": head.estimated_tokens + more})
            stored[-1] = stored[-1].model_copy(update={"passages": found.passages})
            notices = found.notices
        turns = None
        if memory is not None and not stored[-1].recalled:
            turns = self._recall_turns(head, memory, stored, agent, context, embedder, deadline)
            more = self._sessions.attach_recalled(tenant_id, session_id, stored[-1].seq, turns.said)
            head = head.model_copy(update={"estimated_tokens": head.estimated_tokens + more})
            stored[-1] = stored[-1].model_copy(update={"recalled": turns.said})
        manifest = self._choose(head, stored, agent, turns, notices)
        return self._runs.set_manifest(tenant_id, run_id, manifest).manifest or manifest

    def _load_memory(self, head: Session, agent: AgentSpec) -> Memory | None:
        """Return what is kept of earlier conversations; without it, if it does not answer: the question can do so."""
        if self._turns is None or agent.memory.recall_tokens == 0:
            return None
        try:
            return self._turns.load(head)
        except PentadError as error:
            self._telemetry.log_event("recall.turns_skipped", level="WARNING", error=type(error).__name__)
            return None

    def _recall_turns(
        self,
        head: Session,
        memory: Memory,
        stored: Sequence[StoredMessage],
        agent: AgentSpec,
        context: CallContext,
        embedder: Embedder,
        deadline: float | None,
    ) -> RecalledTurns:
        """Return what was said earlier and speaks to the question; by its words alone where no embedder answers."""
        assert self._turns is not None  # noqa: S101 - whoever has a memory has loaded it
        began = self._clock()
        asked = TurnQuery(build_query(stored))
        needs = self._turns.may_need(stored[-1].message.text)
        if needs and any(segment.places for segment in memory.vectors) and asked.text:
            until = began.timestamp() + EMBED_SECONDS if deadline is None else deadline
            try:
                reply = embedder.embed([asked.text], context, deadline=until)
                model = name_model(reply.model, reply.dimensions)
                asked = TurnQuery(asked.text, reply.vectors[0], model, SCALES.get(reply.model))
            except (TransientError, BudgetExceeded) as error:
                self._telemetry.log_event("recall.words_only", level="WARNING", error=type(error).__name__)
        turned = self._find_epoch(head, stored, agent.context)
        first = head.epoch_first_seq if turned is None else turned.first_seq
        told = {"gen_ai.operation.name": "search_memory", "gen_ai.conversation.id": head.session_id}
        # As an epoch turns, by what is recalled now at the latest, what was given with earlier questions leaves.
        most = scale_budget(agent.context, head.token_permille).high_water_tokens
        turns_over = turned is not None or head.estimated_tokens + agent.memory.recall_tokens > most
        bare = stored[-1].seq if turns_over else head.bare_before_seq
        with self._telemetry.span("search_memory turns", told) as span:
            turns = self._turns.find(head, memory, asked, stored, (first, max(first, bare)), agent.memory)
            span.set("pentad.matches", len(turns.said))
        self._telemetry.count(
            names.TURNS_RECALLED, len(turns.said), agent=agent.name, outcome=turns.piece.reason.partition(";")[0]
        )
        return turns

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
        run: Run,
        stored: Sequence[StoredMessage],
        agent: AgentSpec,
        context: CallContext,
        embedder: Embedder,
        deadline: float | None,
    ) -> Found:
        """Search, if the budgets allow it; where they do not, it is the turn's affair to stop the run and say why."""
        try:
            return self._search(run, stored, agent, context, embedder, deadline)
        except BudgetExceeded as error:
            self._telemetry.log_event("recall.skipped", level="WARNING", error=type(error).__name__)
            return Found()

    def _search(
        self,
        run: Run,
        stored: Sequence[StoredMessage],
        agent: AgentSpec,
        context: CallContext,
        embedder: Embedder,
        deadline: float | None,
    ) -> Found:
        query = build_query(stored)
        if not query:
            return Found()
        began = self._clock()
        wanted = Wanted(
            text=query,
            context=context,
            top_k=agent.knowledge.top_k,
            minimum_score=agent.knowledge.minimum_score,
            minimum_relevance=agent.knowledge.minimum_relevance,
            tokens=agent.context.low_water_tokens // 2,
            deadline=deadline,
            where=choose_collections(agent.knowledge.collections),
        )
        source = {"gen_ai.operation.name": "retrieval", "gen_ai.data_source.id": "documents"}
        place = find_retrieval_place(find_run_place(run))
        with self._telemetry.span("retrieval documents", source, place=place, final=(BudgetExceeded,)) as span:
            span.set("pentad.top_k", wanted.top_k)
            found = self._documents.find(wanted, embedder)
            span.set("pentad.matches", found.candidates)
            span.set("pentad.passages", len(found.passages))
        took = (self._clock() - began).total_seconds() * 1000
        self._telemetry.count(names.RECALL_DURATION, took, unit="Milliseconds", agent=agent.name)
        self._telemetry.count(names.PASSAGES_RECALLED, len(found.passages), agent=agent.name)
        return replace(found, passages=edge_order(found.passages))

    def _find_epoch(self, head: Session, newest: Sequence[StoredMessage], budget: ContextSpec) -> Epoch | None:
        """Return where a new epoch begins, or None while the context fits below the high-water mark.

        As an epoch turns, what was given with earlier questions goes first: it is most of a history, and each question
        has its own. Only then is the rest of the conversation read.
        """
        budget = scale_budget(budget, head.token_permille)
        if head.estimated_tokens <= budget.high_water_tokens:
            return None
        rest = self._sessions.read(head.tenant_id, head.session_id, head.epoch_first_seq, newest[0].seq - 1)
        low = budget.model_copy(update={"high_water_tokens": min(budget.low_water_tokens, budget.high_water_tokens)})
        stored = mark_bare([*rest, *newest], newest[-1].seq)
        chosen = choose_epoch(stored, low, self._count)
        # What stood in front of this message before does so still; what is new there is added as it is attached.
        front = next((one.remembered for one in stored if one.seq == chosen.first_seq), None)
        more = 0 if front is None else estimate_remembered(front, self._count)
        return Epoch(chosen.first_seq, chosen.estimated_tokens + more)

    def _choose(
        self,
        head: Session,
        newest: Sequence[StoredMessage],
        agent: AgentSpec,
        turns: RecalledTurns | None,
        notices: tuple[str, ...],
    ) -> Manifest:
        epoch, bare = Epoch(head.epoch_first_seq, head.estimated_tokens), head.bare_before_seq
        turned = self._find_epoch(head, newest, agent.context)
        if turned is not None:
            epoch, bare = turned, newest[-1].seq
            self._sessions.begin_epoch(
                head.tenant_id, head.session_id, epoch.first_seq, epoch.estimated_tokens, bare_before_seq=bare
            )
        front, more = None, 0
        if self._front is not None:
            front, more = self._front.attach(head, epoch.first_seq, newest, agent.memory)
        epoch = Epoch(epoch.first_seq, epoch.estimated_tokens + more)
        told = [piece for piece in [self._tools(agent)] if piece is not None]
        return Manifest(
            epoch_first_seq=epoch.first_seq,
            bare_before_seq=bare,
            request_seq=newest[-1].seq,
            passages=len(newest[-1].passages),
            estimated_tokens=epoch.estimated_tokens,
            dropped_messages=epoch.first_seq,
            notices=notices,
            recalled=len(newest[-1].recalled),
            pieces=(*told, *describe_context(epoch, newest[-1], turns, self._count, front)),
        )


def build_query(stored: Sequence[StoredMessage]) -> str:
    """Return what to search for: what is asked in the newest message, with the question before it in a follow-up.

    Args:
        stored: messages in order, the newest question last.
    """
    previous = next((one.message.text.strip() for one in reversed(stored[:-1]) if is_question(one.message)), "")
    # Thanks close a matter: what is asked after them is asked by itself.
    return build_search_text(stored[-1].message.text, "" if is_courtesy(previous) else previous)
