"""Find the passages that speak to a question: by meaning and by words, ranked, each once, as many as there is room for.

Where the embedder does not answer, words alone find them, and the caller is told. What a reader may not see is left out
by the store, by a condition that each search has.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from pydantic import ValidationError

from pentad.domain.errors import ConfigurationError, TransientError
from pentad.domain.knowledge import Passage, find_owner
from pentad.domain.models import CallContext
from pentad.domain.usage import estimate_tokens
from pentad.memory.retrieval.ports import Match, Reranker, SearchRequest, VectorStore
from pentad.memory.retrieval.questions import split_question
from pentad.memory.retrieval.rank import WEIGHTS, RankWeights, Signals, rank
from pentad.memory.retrieval.readers import DOCUMENT_KIND, READERS, list_labels
from pentad.memory.retrieval.scores.scales import find_minimum
from pentad.memory.retrieval.words import covers
from pentad.memory.tokens import Counter
from pentad.models.ports import Embedder
from pentad.observability.ports import Telemetry

CANDIDATES: Final = 50
"""Of each kind and part. Fewer, and what stands in both lists but on top of neither is missed."""
COVERED: Final = 0.6
"""A passage with so much of what a part's words say is given whatever its cosine is."""
COVERED_ALONE: Final = 0.3
"""The same where no embedder answered: then words are all there is to go by."""
COMPANY: Final = 3
"""So many of the best say what the others should be like."""
RERANKED: Final = 40
"""So many of the best are given to a reranker."""
EMBED_SECONDS: Final = 20.0
_SPARE_SECONDS: Final = 3.0
_THREADS: Final = 6
WORDS_ONLY: Final = "The documents were searched by words only, since no embedding model answered."


@dataclass(frozen=True)
class Wanted:
    """What to look for, and for whom.

    Attributes:
        text: what is asked.
        context: on whose behalf; its tenant's documents are searched, and those of its user's own.
        top_k: at most so many passages.
        minimum_score: cosine similarity below which a passage is given for its words only; None: by relevance.
        tokens: at most so many in all.
        minimum_relevance: the same as a relevance, which the embedding model's scale makes a cosine of.
        deadline: ``time.time()`` by which an answer is of use; 20 s from now where it is None.
        where: further conditions on the metadata.
    """

    text: str
    context: CallContext
    top_k: int
    minimum_score: float | None
    tokens: int
    minimum_relevance: float = 0.0
    deadline: float | None = None
    where: Mapping[str, str | tuple[str, ...]] | None = None


@dataclass(frozen=True)
class Found:
    """What was found: passages, the best first; how many candidates there were; and what the user is told."""

    passages: tuple[Passage, ...] = ()
    candidates: int = 0
    notices: tuple[str, ...] = ()


class DocumentSearch:
    """Searches the documents of tenants.

    Args:
        vectors: where the chunks are.
        telemetry: is told where the embedder does not answer.
        clock: tells the time, in UTC.
        count: estimates the tokens of a text.
        weights: what each signal is worth.
        reranker: puts the best of a question of one part into a better order; none leaves them as they are.
    """

    def __init__(
        self,
        *,
        vectors: VectorStore,
        telemetry: Telemetry,
        clock: Callable[[], datetime],
        count: Counter = estimate_tokens,
        weights: RankWeights = WEIGHTS,
        reranker: Reranker | None = None,
    ) -> None:
        self._vectors = vectors
        self._telemetry = telemetry
        self._clock = clock
        self._count = count
        self._weights = weights
        self._reranker = reranker

    def find(self, wanted: Wanted, embedder: Embedder) -> Found:
        """Return what speaks to a question.

        Raises:
            StoreUnavailable: the vectors did not answer.
            ModelUnavailable: the embedder did not, and the store can't find by words.
            ModelThrottled: the same.
            BudgetExceeded: a budget leaves no room for embedding.
        """
        parts = split_question(wanted.text)
        if not parts:
            return Found()
        vectors, model, notices = self._embed(parts, wanted, embedder)
        requests = [self._make_request(wanted, part, vector) for part, vector in zip(parts, vectors, strict=True)]
        matches = self._search(wanted.context.tenant_id, requests)
        matches = [[one for one in found if _may_see(one, wanted.context.user_id)] for found in matches]
        signals = [read_signals(found) for found in matches]
        ranked = rank(signals, self._weights)
        if len(parts) == 1:
            if requests[0].dense is not None and self._weights.company and len(ranked) > COMPANY:
                company = self._score_company(wanted.context.tenant_id, requests[0], list(ranked)[:COMPANY])
                ranked = rank([replace(signals[0], company=company)], self._weights)
            ranked = self._rerank(wanted.text, matches[0], ranked)
        minimum = self._find_minimum(wanted, model)
        passages = choose_passages(parts, matches, ranked, top_k=wanted.top_k, minimum_score=minimum)
        kept = limit_tokens(passages, wanted.tokens, self._count)
        return Found(kept, len({one.vector_id for found in matches for one in found}), notices)

    def _embed(
        self, parts: Sequence[str], wanted: Wanted, embedder: Embedder
    ) -> tuple[Sequence[tuple[float, ...] | None], str | None, tuple[str, ...]]:
        """Return the parts' vectors, what made them, and what the user is told."""
        latest = self._clock().timestamp() + EMBED_SECONDS
        # What is left after an embedder that does not answer is enough to search by words.
        until = latest if wanted.deadline is None else min(latest, wanted.deadline - _SPARE_SECONDS)
        try:
            reply = embedder.embed(parts, wanted.context, deadline=until)
        except TransientError as error:
            if not self._vectors.capabilities.words:
                raise
            self._telemetry.log_event("recall.words_only", level="WARNING", error=type(error).__name__)
            return [None] * len(parts), None, (WORDS_ONLY,)
        return reply.vectors, reply.model, ()

    def _find_minimum(self, wanted: Wanted, model: str | None) -> float:
        """Return the cosine that a passage needs; of a model without a scale none is too low, which is logged."""
        if wanted.minimum_score is not None:
            return wanted.minimum_score
        if model is None:
            return 1.0  # No cosine was computed: words decide.
        if wanted.minimum_relevance <= 0:
            return -1.0
        minimum = find_minimum(model, wanted.minimum_relevance)
        if minimum is None:
            self._telemetry.log_event("recall.scale_unknown", level="WARNING", model=model)
            return -1.0
        return minimum

    def _score_company(self, tenant_id: str, request: SearchRequest, best: Sequence[str]) -> dict[str, float]:
        """Return how near to the mean of the best others are."""
        vectors = [one.values for one in self._vectors.fetch(tenant_id, best).values()]
        mean = compute_mean(vectors)
        if mean is None:
            return {}  # they are gone meanwhile
        near = request.model_copy(update={"dense": mean, "text": None})
        return {one.vector_id: one.dense for one in self._vectors.search(tenant_id, near) if one.dense is not None}

    def _rerank(self, question: str, found: Sequence[Match], ranked: dict[str, float]) -> dict[str, float]:
        """Return the best in the reranker's order, with its scores, the rest behind them; as they were without one."""
        if self._reranker is None or not ranked:
            return ranked
        texts = {one.vector_id: f"{one.metadata.get('title', '')}\n{one.metadata.get('text', '')}" for one in found}
        best = list(ranked)[:RERANKED]
        try:
            scores = self._reranker.rerank(question, [texts[name] for name in best])
        except (TransientError, ConfigurationError) as error:
            self._telemetry.log_event("recall.not_reranked", level="WARNING", error=type(error).__name__)
            return ranked
        if scores is None:
            return ranked
        top = max(scores, default=0.0)
        by_name = {name: score / top if top > 0 else 0.0 for name, score in zip(best, scores, strict=True)}
        order = sorted(best, key=lambda name: (-by_name[name], -ranked[name], name))
        return {name: by_name[name] for name in order} | dict.fromkeys(list(ranked)[RERANKED:], 0.0)

    def _make_request(self, wanted: Wanted, part: str, vector: tuple[float, ...] | None) -> SearchRequest:
        where = {**(wanted.where or {}), "kind": DOCUMENT_KIND, READERS: list_labels(wanted.context.user_id)}
        return SearchRequest(k=max(CANDIDATES, 2 * wanted.top_k), dense=vector, text=part, where=where)

    def _search(self, tenant_id: str, requests: Sequence[SearchRequest]) -> list[list[Match]]:
        if len(requests) == 1:
            return [self._vectors.search(tenant_id, requests[0])]
        with ThreadPoolExecutor(min(_THREADS, len(requests))) as pool:
            return list(pool.map(lambda request: self._vectors.search(tenant_id, request), requests))


def choose_passages(
    parts: Sequence[str],
    matches: Sequence[Sequence[Match]],
    ranked: Mapping[str, float],
    *,
    top_k: int,
    minimum_score: float,
) -> tuple[Passage, ...]:
    """Return the best passages, best first: near enough, no text twice, and no two that overlap by half.

    Args:
        parts: what was searched for.
        matches: as the vector store returned them, for each part.
        ranked: their scores, the best first.
        top_k: at most so many.
        minimum_score: cosine similarity below which a passage is given only where it has most of a part's words.
    """
    by_name = {one.vector_id: one for found in matches for one in found}
    nearest = _find_nearest(matches)
    share = COVERED if nearest else COVERED_ALONE
    chosen: list[Passage] = []
    for name, score in ranked.items():
        if len(chosen) == top_k:
            break
        passage = to_passage(by_name[name], score)
        if passage is None or any(_is_repeat(passage, other) for other in chosen):
            continue
        near = nearest.get(name, -1.0) >= minimum_score
        if near or any(covers(part, f"{passage.title} {passage.text}", share) for part in parts):
            chosen.append(passage)
    return tuple(chosen)


def to_passage(match: Match, score: float) -> Passage | None:
    """Return the passage that ingest described in the vector's metadata, or None where another program wrote it.

    Args:
        match: what the store found.
        score: how well it ranks.
    """
    fields = {name: match.metadata.get(name) for name in ("document", "version", "title", "text")}
    start, end, page = (match.metadata.get(name) for name in ("start", "end", "page"))
    if not isinstance(start, int | float) or not isinstance(end, int | float):
        return None
    try:
        # Some stores return every number as a float.
        return Passage.model_validate(
            {
                **fields,
                "passage_id": match.vector_id,
                "header": match.metadata.get("header", ""),
                "start": int(start),
                "end": int(end),
                "page": int(page) if isinstance(page, int | float) else None,
                "score": score,
            }
        )
    except ValidationError:
        return None


def limit_tokens(passages: Sequence[Passage], tokens: int, count: Counter) -> tuple[Passage, ...]:
    """Return the best passages that fit with their headers, so that what is retrieved leaves room for the conversation.

    One that is too large for what is left makes room for the next that fits.
    """
    kept: list[Passage] = []
    for passage in passages:
        size = count(f"{passage.header}\n{passage.text}" if passage.header else passage.text)
        if size <= tokens:
            tokens -= size
            kept.append(passage)
    return tuple(kept)


def compute_mean(vectors: Sequence[tuple[float, ...]]) -> tuple[float, ...] | None:
    """Return the mean of the vectors' directions, or None where there is none."""
    units = [tuple(value / math.hypot(*vector) for value in vector) for vector in vectors if any(vector)]
    mean = tuple(math.fsum(column) / len(units) for column in zip(*units, strict=True)) if units else ()
    return mean if any(mean) else None


def read_signals(found: Sequence[Match]) -> Signals:
    """Return the scores of what a store found for one part."""
    return Signals(
        dense={one.vector_id: one.dense for one in found if one.dense is not None},
        words={one.vector_id: one.words for one in found if one.words is not None},
    )


def _find_nearest(matches: Sequence[Sequence[Match]]) -> dict[str, float]:
    nearest: dict[str, float] = {}
    for one in (one for found in matches for one in found):
        if one.dense is not None:
            nearest[one.vector_id] = max(one.dense, nearest.get(one.vector_id, one.dense))
    return nearest


def _may_see(match: Match, user_id: str | None) -> bool:
    """Tell so of one that the store should not have returned at all: what is private has two locks."""
    owner = find_owner(str(match.metadata.get("document", "")))
    return owner is None or owner == user_id


def _is_repeat(passage: Passage, other: Passage) -> bool:
    if passage.text == other.text:
        return True
    if (passage.document, passage.version) != (other.document, other.version):
        return False
    overlap = min(passage.end, other.end) - max(passage.start, other.start)
    return 2 * overlap > min(passage.end - passage.start, other.end - other.start)
