"""``python -m benchmarks.memory``: how well documents are found, through the product's own code.

Parsed, cut, embedded, indexed, searched and ranked as ingest and recall do it, with the twin's embedding model in this
process and a store in memory. Weights were fitted on the first half of each collection's questions; the other half is
what is reported, a little too kindly: which signals there are was chosen by a look at both. The collections are not
part of the project: without them this says so and ends.
"""

import argparse
import os
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean, quantiles
from typing import cast

from rich.table import Table

from benchmarks.memory.corpora import READERS, Corpus, Question
from benchmarks.memory.embedding import KeptEmbedder
from benchmarks.memory.indexing import TENANT, index_corpus
from benchmarks.memory.latency import PASSAGES, list_latencies
from benchmarks.memory.locomo import BUDGETS, FILE, Talks
from benchmarks.memory.long_talk import PIECES, list_costs
from benchmarks.memory.measures import list_documents, measure_found, measure_ndcg
from benchmarks.memory.scale import list_scale, read_indexed, read_vectors
from benchmarks.terminal import ERR, OUT
from pentad.domain.models import CallContext
from pentad.domain.usage import estimate_tokens
from pentad.memory.retrieval.adapters.vectors_memory import MemoryVectors
from pentad.memory.retrieval.ports import Match, SearchRequest, StoreCapabilities, Vector, VectorStore
from pentad.memory.retrieval.rank import WEIGHTS, RankWeights
from pentad.memory.retrieval.search import DocumentSearch, Wanted
from pentad.observability.adapters.null import NullTelemetry

DATA_VARIABLE = "PENTAD_MEMORY_DATA"
DATA = Path("../shared/data/memory")
KEPT = Path("build/bench-memory/vectors.sqlite")
RECIPES = {
    "all": WEIGHTS,
    "meaning and words": RankWeights(0.5, 0.5),
    "meaning": RankWeights(1, 0),
    "words": RankWeights(0, 1),
}
LOCOMO, TALK, SCALE, LATENCY = "locomo", "talk", "scale", "latency"
OTHERS = (LOCOMO, TALK, SCALE, LATENCY)
_PASSAGES = 40
_CONTEXT = CallContext(tenant_id=TENANT, purpose="embed_query")


class SearchedOnce:
    """A store that answers a question of the same words with what it found before: recipes differ in ranking alone."""

    def __init__(self, store: MemoryVectors) -> None:
        self._store = store
        self._found: dict[tuple[str | None, tuple[float, ...] | None], list[Match]] = {}

    @property
    def capabilities(self) -> StoreCapabilities:
        """Those of the store."""
        return self._store.capabilities

    def search(self, tenant_id: str, request: SearchRequest) -> list[Match]:
        """Return what the store finds."""
        key = (request.text, request.dense)
        if key not in self._found:
            self._found[key] = self._store.search(tenant_id, request)
        return self._found[key]

    def fetch(self, tenant_id: str, vector_ids: Sequence[str]) -> dict[str, Vector]:
        """Return what the store has."""
        return self._store.fetch(tenant_id, vector_ids)


def read_arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument(
        "names", nargs="*", help=f"what to measure: {', '.join((*READERS, *OTHERS))} (all unless given)"
    )
    parser.add_argument("--data", type=Path, help=f"the folder with them (or {DATA_VARIABLE}; {DATA} unless given)")
    parser.add_argument("--kept", type=Path, default=KEPT, help="the file that keeps vectors for the next time")
    parser.add_argument("--limit", type=int, help="at most so many questions of each")
    parser.add_argument("--fitted", action="store_true", help="report the half that weights were fitted on instead")
    return parser.parse_args(given)


def measure_corpus(
    corpus: Corpus, questions: Sequence[Question], store: MemoryVectors, embedder: KeptEmbedder
) -> list[tuple[str, ...]]:
    """Return a row for each recipe: nDCG, what is found within 500 and 2,000 tokens, and milliseconds."""
    rows: list[tuple[str, ...]] = []
    once = SearchedOnce(store)
    for recipe, weights in RECIPES.items():
        search = DocumentSearch(
            vectors=cast(VectorStore, once), telemetry=NullTelemetry(), clock=lambda: datetime.now(UTC), weights=weights
        )
        scores: list[tuple[float, ...]] = []
        took: list[float] = []
        for question in questions:
            wanted = Wanted(question.text, _CONTEXT, top_k=_PASSAGES, minimum_score=-1, tokens=100_000)
            began = time.perf_counter()
            passages = search.find(wanted, embedder).passages
            took.append(1000 * (time.perf_counter() - began))
            ndcg = measure_ndcg(list_documents(passages), question.relevant)
            found = [measure_found(passages, question.relevant, tokens, estimate_tokens) for tokens in (500, 2000)]
            scores.append((ndcg, *found))
        means = [f"{fmean(column):.3f}" for column in zip(*scores, strict=True)]
        # The first recipe searches; the others are given what it found.
        milliseconds = "" if rows else f"{quantiles(took, n=100)[49]:.0f}"
        rows.append((corpus.name, recipe, str(len(questions)), *means, milliseconds))
    return rows


def run_conversations(path: Path, kept: Path, tell: Callable[[str], None]) -> None:
    """Measure how well what was said is found, and print it."""
    if not path.exists():
        OUT.print(f"{LOCOMO}: left out, {path} is not there (--data or {DATA_VARIABLE} says where)")
        return
    talks = Talks(path, KeptEmbedder(kept, tell), tell)
    table = Table(title="Turns that hold the evidence, found", title_justify="left")
    for column in ("ranked by", *(f"in {budget:,} tokens" for budget in BUDGETS), "ms (p50)"):
        table.add_column(column, justify="left" if column == "ranked by" else "right")
    for row in talks.list_rows():
        table.add_row(*row)
    found, took = talks.find()
    table.add_row("all, fitted ones too", *(f"{found[budget]:.3f}" for budget in BUDGETS), f"{took:.1f}")
    OUT.print(table)
    chosen = talks.choose(fitted=False)
    OUT.print(
        f"Recall itself chose {chosen['evidence']:.3f} of the evidence with {chosen['tokens']:,.0f} tokens a question,"
        f" more than its default for {chosen['more']:.0%} of them, nothing for {chosen['none']:.1%}."
    )


def run_long_talk(path: Path, kept: Path, tell: Callable[[str], None]) -> None:
    """Measure what a conversation of hundreds of turns costs, and print it."""
    if not path.exists():
        OUT.print(f"{TALK}: left out, {path} is not there (--data or {DATA_VARIABLE} says where)")
        return
    costs = Table(title="A conversation of hundreds of turns in one session", title_justify="left")
    shares = ("of the cached full history", *PIECES)
    for column in ("context", "input tokens at full price", *shares, "evidence in the context", "amid the talk"):
        costs.add_column(column, justify="left" if column == "context" else "right")
    for row in list_costs(path, KeptEmbedder(kept, tell), tell):
        costs.add_row(*row)
    OUT.print(costs)


def run_scale(stores: Mapping[str, tuple[Corpus, MemoryVectors]], embedder: KeptEmbedder) -> None:
    """Fit what cosines say, and print it."""
    names = ", ".join(stores)
    table = Table(title=f"What cosines say, on the questions that were not fitted: {names}", title_justify="left")
    for column in ("", "", "kept of what answers", "let through of what does not"):
        table.add_column(column)
    for row in list_scale([read_indexed(*one) for one in stores.values()], embedder):
        table.add_row(*row)
    OUT.print(table)


def run_latency(
    stores: Mapping[str, tuple[Corpus, MemoryVectors]], embedder: KeptEmbedder, tell: Callable[[str], None]
) -> None:
    """Measure what a search takes, and print it."""
    table = Table(title=f"A search of {PASSAGES:,} passages, without the embedder, in ms", title_justify="left")
    for column in ("store", "questions", "p50", "p99", "p50 without the store", "p99 without the store"):
        table.add_column(column, justify="left" if column == "store" else "right")
    vectors = [vector for _, store in stores.values() for vector in read_vectors(store)]
    questions = [one.text for one in next(iter(stores.values()))[0].halve()[1]][:200]
    for row in list_latencies(vectors, questions, embedder, tell):
        table.add_row(*row)
    OUT.print(table)


def run_documents(
    options: argparse.Namespace, folder: Path, embedder: KeptEmbedder, tell: Callable[[str], None]
) -> dict[str, tuple[Corpus, MemoryVectors]]:
    """Index the collections, measure how well those that are asked for are found, print it, and return all of them."""
    table = Table(title="Documents found", title_justify="left")
    for column in ("collection", "ranked by", "questions", "nDCG@10", "in 500 tokens", "in 2,000", "ms (p50)"):
        table.add_column(column, justify="left" if column in ("collection", "ranked by") else "right")
    stores: dict[str, tuple[Corpus, MemoryVectors]] = {}
    for name in READERS if _wants(options, SCALE, LATENCY) else [name for name in options.names if name in READERS]:
        file, read = READERS[name]
        if not (folder / file).exists():
            OUT.print(f"{name}: left out, {folder / file} is not there (--data or {DATA_VARIABLE} says where)")
            continue
        corpus = read(folder / file)
        store = index_corpus(corpus, embedder, tell)
        stores[name] = (corpus, store)
        if not _wants(options, name):
            continue
        fitted, reported = corpus.halve()
        questions = (fitted if options.fitted else reported)[: options.limit]
        embedder.embed([question.text for question in questions], _CONTEXT, deadline=0)
        for row in measure_corpus(corpus, questions, store, embedder):
            table.add_row(*row)
    if table.row_count:
        OUT.print(table)
    return stores


def _wants(options: argparse.Namespace, *names: str) -> bool:
    return not options.names or not set(names).isdisjoint(options.names)


def run(options: argparse.Namespace, tell: Callable[[str], None]) -> int:
    """Measure and print."""
    folder = options.data or Path(os.environ.get(DATA_VARIABLE, DATA))
    if _wants(options, LOCOMO):
        run_conversations(folder / FILE, options.kept, tell)
    if _wants(options, TALK):
        run_long_talk(folder / FILE, options.kept, tell)
    embedder = KeptEmbedder(options.kept, tell)
    stores = run_documents(options, folder, embedder, tell)
    if len(stores) > 1 and _wants(options, SCALE):
        run_scale(stores, embedder)
    if stores and _wants(options, LATENCY):
        run_latency(stores, embedder, tell)
    return 0


def main(given: Sequence[str] | None = None) -> int:
    """Return the exit code."""
    return run(read_arguments(given), lambda text: ERR.print(f"[dim]{text}[/]"))


if __name__ == "__main__":
    raise SystemExit(main())
