"""The embedding gateway: batches, unit length, retries, ledger."""

import math
from collections.abc import Sequence

import pytest

from pentad.domain.errors import InvalidInput, ModelAuthentication, ModelCallerError, ModelThrottled, ModelUnavailable
from pentad.domain.models import CallContext, EmbedReply, Outcome
from pentad.domain.usage import Usage
from pentad.models.catalog.catalog import ModelEntry
from pentad.models.gateway.embeddings import BATCH_TEXTS, BATCH_TOKENS, EmbeddingGateway, split_batches
from pentad.models.ledger.adapters.ledger_memory import MemoryLedger
from pentad.models.providers.exchange import ProviderFailure, ProviderVectors
from pentad.models.remote.wire import MAX_TEXTS
from tests.unit.models.samples import CATALOG, Clock

CONTEXT = CallContext(tenant_id="acme", purpose="embed_query")


class Vectors:
    """A provider whose vectors tell which text they are of; it fails first where told to."""

    def __init__(self, *failures: ProviderFailure) -> None:
        self._failures = list(failures)
        self.sent: list[tuple[list[str], int]] = []

    def send(self, model: ModelEntry, texts: Sequence[str], *, dimensions: int, timeout: float) -> ProviderVectors:
        self.sent.append((list(texts), dimensions))
        if self._failures:
            raise self._failures.pop(0)
        made = tuple((float(len(text)), 2.0) for text in texts)
        return ProviderVectors(made, Usage(input_tokens=len(texts)), "req_1")


def embed(provider: Vectors, *texts: str, ledger: MemoryLedger | None = None, clock: Clock | None = None) -> EmbedReply:
    clock = clock or Clock()
    gateway = EmbeddingGateway(
        {"openai": provider}, CATALOG, ledger or MemoryLedger(), clock=clock, sleep=clock.sleep, random=lambda: 0.5
    )
    return gateway.embed(texts, CONTEXT, deadline=clock.now + 60)


def test_vectors_are_of_length_one_and_in_order() -> None:
    answer = embed(Vectors(), "a", "bb", "ccc")
    assert [round(first / second * 2) for first, second in answer.vectors] == [1, 2, 3]
    assert all(math.hypot(*vector) == pytest.approx(1) for vector in answer.vectors)


def test_a_call_is_split_into_batches_each_on_the_ledger() -> None:
    provider, ledger = Vectors(), MemoryLedger()
    answer = embed(provider, *["text"] * (2 * BATCH_TEXTS + 1), ledger=ledger)
    assert [len(texts) for texts, _ in provider.sent] == [BATCH_TEXTS, BATCH_TEXTS, 1]
    assert len(ledger.all) == 3
    assert answer.usage.input_tokens == 2 * BATCH_TEXTS + 1
    assert answer.cost_nanousd == 20 * (2 * BATCH_TEXTS + 1)
    assert {attempt.tier for attempt in ledger.all} == {"embeddings"}


def test_the_tiers_dimensions_are_asked_for() -> None:
    provider = Vectors()
    embed(provider, "a")
    assert provider.sent[0][1] == 512


def test_batches_keep_under_the_providers_tokens() -> None:
    made = split_batches(["x" * 28_000] * 80, 8_191, 1.0)
    assert sum(len(batch) for batch in made) == 80
    assert all(len(batch) * 8_000 <= BATCH_TOKENS for batch in made)


@pytest.mark.parametrize(
    ("texts", "field"),
    [((), "texts"), (("a", " "), "texts[1]"), (("a",) * (MAX_TEXTS + 1), "texts"), (("x" * 100_000,), "texts[0]")],
)
def test_texts_that_cant_be_embedded_are_the_callers_error(texts: tuple[str, ...], field: str) -> None:
    provider = Vectors()
    with pytest.raises(InvalidInput) as caught:
        embed(provider, *texts)
    assert caught.value.field == field
    assert provider.sent == []


def test_a_transient_fault_is_retried_once() -> None:
    ledger, clock = MemoryLedger(), Clock()
    embed(Vectors(ProviderFailure(Outcome.OVERLOAD, "503")), "a", ledger=ledger, clock=clock)
    assert [attempt.outcome for attempt in ledger.all] == [Outcome.OVERLOAD, Outcome.OK]
    assert clock.slept == [0.25]


@pytest.mark.parametrize(
    ("outcome", "error"),
    [
        (Outcome.RATE_LIMIT, ModelThrottled),
        (Outcome.OVERLOAD, ModelUnavailable),
        (Outcome.CONNECTION, ModelUnavailable),
        (Outcome.MALFORMED, ModelUnavailable),
        (Outcome.AUTHENTICATION, ModelAuthentication),
        (Outcome.CALLER_ERROR, ModelCallerError),
    ],
)
def test_what_stays_down_is_a_typed_error(outcome: Outcome, error: type[Exception]) -> None:
    provider = Vectors(*[ProviderFailure(outcome, "x")] * 2)
    with pytest.raises(error):
        embed(provider, "a")
    assert len(provider.sent) <= 2


def test_a_vector_without_direction_is_never_passed_on() -> None:
    class Zeros(Vectors):
        def send(self, model: ModelEntry, texts: Sequence[str], *, dimensions: int, timeout: float) -> ProviderVectors:
            return ProviderVectors(((0.0, 0.0),), Usage(input_tokens=1))

    with pytest.raises(ModelUnavailable):
        embed(Zeros(), "a")
