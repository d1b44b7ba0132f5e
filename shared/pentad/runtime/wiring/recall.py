"""The wiring of functions.memory.recall."""

from functools import cache, partial

from pentad.aws.clients import get_client
from pentad.memory.context.front import EpochFront
from pentad.memory.context.recall import Recall
from pentad.memory.context.recall_turns import RecallTurns
from pentad.memory.facts.adapters.facts_dynamodb import DynamoFacts
from pentad.memory.retrieval.knowledge import KnowledgeSearch
from pentad.memory.retrieval.ports import Reranker, VectorStore
from pentad.memory.retrieval.search import DocumentSearch
from pentad.memory.summaries.adapters.summaries_dynamodb import DynamoSummaries
from pentad.memory.turns.adapters.segments_dynamodb import DynamoSegments
from pentad.memory.turns.said import Said
from pentad.models.remote.adapters.gateway_lambda import LambdaEmbedder
from pentad.runtime.catalog import load_catalog
from pentad.runtime.clock import now
from pentad.runtime.settings import RecallSettings, read_settings
from pentad.runtime.wiring.ground.stores import make_runs, make_sessions, make_table
from pentad.runtime.wiring.ground.telemetry import telemetry_of
from pentad.runtime.wiring.ground.vectors import make_reranker, make_vectors
from pentad.tools.offer.choose import describe_tools

_GATEWAY_SECONDS = 120.0
"""How long to wait for the gateway's answer with vectors; more than its own attempts take."""


@cache
def make_recall() -> Recall:
    """Return what chooses a run's context."""
    values = read_settings(RecallSettings)
    table = make_table(values.state_table)
    return Recall(
        sessions=make_sessions(values),
        vectors=_make_vectors(),
        embedder=_make_embedder(),
        runs=make_runs(values),
        telemetry=telemetry_of("recall"),
        clock=now,
        reranker=_make_reranker(),
        turns=RecallTurns(Said(DynamoSegments(table))),
        front=EpochFront(
            sessions=make_sessions(values),
            facts=DynamoFacts(table),
            summaries=DynamoSummaries(table),
            telemetry=telemetry_of("recall"),
            clock=now,
        ),
        tools=partial(describe_tools, load_catalog()),
    )


@cache
def make_knowledge_search() -> KnowledgeSearch:
    """Return what answers calls of the tool `search_knowledge`."""
    documents = DocumentSearch(
        vectors=_make_vectors(), telemetry=telemetry_of("recall"), clock=now, reranker=_make_reranker()
    )
    return KnowledgeSearch(documents, _make_embedder())


@cache
def _make_vectors() -> VectorStore:
    return make_vectors(read_settings(RecallSettings))


@cache
def _make_reranker() -> Reranker | None:
    return make_reranker(read_settings(RecallSettings))


@cache
def _make_embedder() -> LambdaEmbedder:
    # One attempt: a second one would embed, and bill, twice. The state has a retry of its own.
    gateway = get_client("lambda", read_timeout=_GATEWAY_SECONDS, attempts=1)
    return LambdaEmbedder(gateway, read_settings(RecallSettings).gateway_function)
