"""Embeddings on the real SDK and the wire."""

import math
import time
from collections.abc import Callable

import pytest

from pentad.domain.models import CallContext, Outcome
from pentad.models.catalog.catalog import load
from pentad.models.gateway.embeddings import EmbeddingGateway
from pentad.models.ledger.adapters.ledger_memory import MemoryLedger
from pentad.models.providers.exchange import ProviderFailure
from tests.contract.models.conftest import Adapters, Serve
from tests.unit.models.samples import CATALOG
from twin.servers.loopback import Response, json_response
from twin.simulator import SimulatorControl

MODEL = CATALOG.models["text-embedding-3-small"]


def test_vectors_of_the_tiers_dimensions_that_know_what_is_alike(adapters: Adapters, control: SimulatorControl) -> None:
    ledger = MemoryLedger()
    gateway = EmbeddingGateway({"openai": adapters.embeddings}, load(), ledger)
    texts = ["a cat sits on the mat", "a kitten lies on the rug", "interest rates rose again"]
    reply = gateway.embed(texts, CallContext(tenant_id="acme"), deadline=time.time() + 60)
    assert reply.dimensions == 512
    assert all(math.hypot(*vector) == pytest.approx(1) for vector in reply.vectors)
    near, far = (sum(map(float.__mul__, reply.vectors[0], other)) for other in reply.vectors[1:])
    assert near > far
    assert len(control.list_requests()) == len(ledger.all) == 1
    assert reply.cost_nanousd == 20 * reply.usage.input_tokens > 0


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(429, Outcome.RATE_LIMIT), (401, Outcome.AUTHENTICATION), (500, Outcome.OVERLOAD), (400, Outcome.CALLER_ERROR)],
)
def test_faults_have_their_outcomes(
    adapters: Adapters, control: SimulatorControl, status: int, outcome: Outcome
) -> None:
    control.add_faults({"kind": "status", "status": status})
    with pytest.raises(ProviderFailure) as caught:
        adapters.embeddings.send(MODEL, ["a"], dimensions=8, timeout=10)
    assert caught.value.outcome is outcome
    assert len(control.list_requests()) == 1


def _answer(*embeddings: object) -> Callable[[object], Response]:
    data = [{"index": index, "embedding": value} for index, value in enumerate(embeddings)]
    return lambda _: json_response(200, {"data": data, "usage": {"prompt_tokens": 1}})


@pytest.mark.parametrize("embeddings", [(), ([1.0],), ([1.0, 2.0], [1.0, 2.0]), ("AAA=",), ("!",), (None,)])
def test_vectors_of_the_wrong_count_or_size_are_malformed(serve: Serve, embeddings: tuple[object, ...]) -> None:
    adapters = serve(_answer(*embeddings))
    with pytest.raises(ProviderFailure) as caught:
        adapters.embeddings.send(MODEL, ["a"], dimensions=2, timeout=10)
    assert caught.value.outcome is Outcome.MALFORMED


def test_vectors_as_numbers_are_read_too(serve: Serve) -> None:
    adapters = serve(_answer([1.0, 2.0]))
    assert adapters.embeddings.send(MODEL, ["a"], dimensions=2, timeout=10).vectors == ((1.0, 2.0),)
