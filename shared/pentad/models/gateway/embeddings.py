"""The gateway for embeddings: the same chain, retries and ledger as for chat, and vectors of length 1."""

import math
import time
from collections.abc import Callable, Mapping, Sequence

from pentad.aws.jitter import draw
from pentad.domain.errors import (
    ConfigurationError,
    InvalidInput,
    ModelAuthentication,
    ModelCallerError,
    ModelThrottled,
    ModelUnavailable,
    PentadError,
)
from pentad.domain.ids import make_id
from pentad.domain.models import CallContext, EmbedReply, Outcome
from pentad.domain.usage import Usage
from pentad.models.breaker.ports import Breaker
from pentad.models.breaker.shared_breaker import AlwaysClosed
from pentad.models.breaker.tenant_breaker import TenantBreaker
from pentad.models.catalog.catalog import Link, ModelCatalog, Route
from pentad.models.gateway.sender import Pace, Sender
from pentad.models.gateway.tokens import estimate_tokens
from pentad.models.gateway.walk import Walk
from pentad.models.ledger.attempts import Attempts, MakeId
from pentad.models.ledger.ports import Ledger
from pentad.models.providers.exchange import ProviderFailure, ProviderVectors
from pentad.models.providers.outcomes import RECOVERIES
from pentad.models.providers.ports import ProviderEmbed
from pentad.models.remote.wire import check_texts
from pentad.observability.ports import Telemetry

# OpenAI takes 2,048 texts and 300,000 tokens a request. Batches stay well under both: a repeat after a fault is cheap.
BATCH_TEXTS = 96
BATCH_TOKENS = 250_000


class EmbeddingGateway:
    """A `pentad.models.ports.Embedder` over the chain of the tier ``embeddings``.

    Args:
        providers: an adapter for each provider's name.
        catalog: models and tiers.
        ledger: where every attempt is recorded.
        clock: ``time.time``.
        sleep: ``time.sleep``.
        random: from 0 up to 1, for jitter.
        ids: makes attempt ids.
        breaker: keeps calls away from models that are down; None for none.
        telemetry: metrics; None for none.
    """

    def __init__(
        self,
        providers: Mapping[str, ProviderEmbed],
        catalog: ModelCatalog,
        ledger: Ledger,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        random: Callable[[], float] = draw,
        ids: MakeId = make_id,
        breaker: Breaker | None = None,
        telemetry: Telemetry | None = None,
    ) -> None:
        self._providers = providers
        self._catalog = catalog
        self._ledger = ledger
        self._clock = clock
        self._sleep = sleep
        self._random = random
        self._ids = ids
        self._breaker = breaker or AlwaysClosed()
        self._telemetry = telemetry

    def embed(
        self, texts: Sequence[str], context: CallContext, *, deadline: float, dimensions: int | None = None
    ) -> EmbedReply:
        """Return the vectors; see the port. At most 1,024 texts."""
        check_texts(texts)
        route = self._catalog.route(task="embed")
        wanted = dimensions or route.dimensions
        links = self._choose_links(route, dimensions)
        attempts = Attempts(
            context, route.tier, self._ledger, self._clock, self._ids, self._telemetry, operation="embeddings"
        )
        pace = Pace(deadline, route.attempt_seconds, self._clock, self._sleep, self._random)
        walk: Walk[ProviderVectors, list[tuple[float, ...]]] = Walk(
            links, attempts, pace, TenantBreaker(self._breaker, context.tenant_id)
        )
        answer = walk.run(lambda sender: self._embed_all(sender, texts, wanted))
        if answer is not None:
            return _make_reply(*answer, attempts)
        failure = walk.failed[-1][1] if walk.failed else None
        raise _make_error(failure) from failure

    def _choose_links(self, route: Route, dimensions: int | None) -> list[Link]:
        """Return the links that are configured, and can make vectors of that length where one is asked for."""
        links = [link for link in route.links if link.model.provider in self._providers]
        if not links:
            raise ConfigurationError(
                "no provider in the embeddings chain is configured", fix="configure the adapter of one of them"
            )
        able = [link for link in links if dimensions in (None, route.dimensions) or link.model.can_make(dimensions)]
        if not able:
            raise InvalidInput("no model has that many dimensions", field="dimensions", fix="leave it out")
        return able

    def _embed_all(
        self, sender: Sender[ProviderVectors], texts: Sequence[str], wanted: int | None
    ) -> list[tuple[float, ...]]:
        model = sender.link.model
        dimensions = wanted or model.dimensions or 0
        vectors: list[tuple[float, ...]] = []
        for batch in split_batches(texts, model.context_tokens, model.token_factor):
            vectors.extend(self._embed_batch(sender, batch, dimensions))
        return vectors

    def _embed_batch(
        self, sender: Sender[ProviderVectors], batch: Sequence[str], dimensions: int
    ) -> list[tuple[float, ...]]:
        model = sender.link.model
        provider = self._providers[model.provider]

        def send(timeout: float) -> ProviderVectors:
            return provider.send(model, batch, dimensions=dimensions, timeout=timeout)

        def estimate(_: ProviderVectors) -> Usage:
            return estimate_usage(batch, model.token_factor)

        try:
            reply = sender.make_attempt(send, _check_directions, estimate)
        except ProviderFailure as failure:
            recovery = RECOVERIES[failure.outcome]
            # Vectors are short work and one link's alone: a request without an answer was lost, and is made again.
            again = recovery.retry or recovery.repair or failure.outcome is Outcome.TIMEOUT
            if not failure.sent or not again or not sender.wait(failure):
                raise
            reply = sender.make_attempt(send, _check_directions, estimate)
        return [normalise_vector(vector) for vector in reply.vectors]


def split_batches(texts: Sequence[str], window: int, factor: float) -> list[list[str]]:
    """Return the texts in batches that a provider takes, in order.

    Args:
        texts: the texts.
        window: tokens of one text.
        factor: the model's ``token_factor``.

    Raises:
        InvalidInput: a text is beyond the window even by the lowest estimate.
    """
    made: list[list[str]] = []
    tokens = 0.0
    for index, text in enumerate(texts):
        estimate = estimate_tokens(text) * factor
        if estimate > 2 * window:  # the estimate errs on the side of too many, so this one surely is
            raise InvalidInput("a text is too long for the model", field=f"texts[{index}]", fix="cut it into chunks")
        if not made or len(made[-1]) == BATCH_TEXTS or tokens + estimate > BATCH_TOKENS:
            made.append([])
            tokens = 0
        made[-1].append(text)
        tokens += estimate
    return made


def normalise_vector(vector: Sequence[float]) -> tuple[float, ...]:
    """Return the vector scaled to length 1 (Euclidean norm)."""
    length = math.hypot(*vector)
    return tuple(value / length for value in vector)


def estimate_usage(texts: Sequence[str], factor: float) -> Usage:
    """Return about what embedding texts uses, where the provider did not say.

    Args:
        texts: the texts.
        factor: the model's ``token_factor``.
    """
    return Usage(input_tokens=math.ceil(sum(estimate_tokens(text) for text in texts) * factor))


def _check_directions(reply: ProviderVectors) -> None:
    lengths = (math.hypot(*vector) for vector in reply.vectors)
    if not all(math.isfinite(length) and length > 0 for length in lengths):
        raise ProviderFailure(Outcome.MALFORMED, "a vector has no direction")


def _make_reply(link: Link, vectors: list[tuple[float, ...]], attempts: Attempts) -> EmbedReply:
    return EmbedReply(
        vectors=tuple(vectors),
        provider=link.model.provider,
        model=link.model.name,
        dimensions=len(vectors[0]),
        usage=attempts.usage,
        cost_nanousd=attempts.cost_nanousd,
    )


def _make_error(failure: ProviderFailure | None) -> PentadError:
    outcome = failure.outcome if failure else None
    if outcome is Outcome.RATE_LIMIT:
        return ModelThrottled(
            "the embeddings provider throttles requests (429)", retry_after=failure.retry_after if failure else None
        )
    if outcome is Outcome.AUTHENTICATION:
        return ModelAuthentication("the embeddings provider rejected the credential", fix="check its secret")
    if outcome in (Outcome.CALLER_ERROR, Outcome.CONTEXT_OVERFLOW):
        return ModelCallerError(
            "the embeddings provider rejected the request", fix="check the texts' number, length and dimensions"
        )
    return ModelUnavailable("no embeddings provider answered")
