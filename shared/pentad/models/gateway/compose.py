"""All that a model call passes through, composed in one function: read it from top to bottom.

Everything here is a port. Concrete adapters come from the composition root, `pentad.runtime.wiring`; a test gives those
in memory. What asks for a value of a type, `pentad.models.structured.structured`, is a function over the result.
"""

import time
from collections.abc import Callable, Mapping

from pentad.aws.jitter import draw
from pentad.models.breaker.ports import Breaker
from pentad.models.budgets.ports import Budget
from pentad.models.cache.cache import CachedChat
from pentad.models.cache.ports import ResponseCache
from pentad.models.catalog.catalog import ModelCatalog
from pentad.models.gateway.budgeted import BudgetedChat, BudgetedEmbedder, BudgetedProvider, Meter
from pentad.models.gateway.cascade import Cascade
from pentad.models.gateway.compaction import CompactingChat
from pentad.models.gateway.embeddings import EmbeddingGateway
from pentad.models.gateway.gateway import Gateway
from pentad.models.gateway.guarded import Guard, guard_chat, guard_embed
from pentad.models.ledger.ports import Ledger
from pentad.models.ports import ChatModel, Embedder
from pentad.models.providers.ports import ProviderChat, ProviderEmbed
from pentad.observability.ports import Telemetry


def compose_chat(
    providers: Mapping[str, ProviderChat],
    catalog: ModelCatalog,
    *,
    ledger: Ledger,
    breaker: Breaker,
    budget: Budget,
    replies: ResponseCache,
    telemetry: Telemetry,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
    random: Callable[[], float] = draw,
) -> ChatModel:
    """Return what answers every call of a model, composed from the inside out.

    Args:
        providers: an adapter for each provider's name; each `send` is one request on the wire.
        catalog: models, tiers, tasks.
        ledger: where every attempt is recorded.
        breaker: keeps calls away from models that are down.
        budget: what has been used of each budget.
        replies: keeps replies for exact repeats.
        telemetry: metrics and logs.
        clock: ``time.time``.
        sleep: ``time.sleep``, for the backoff between attempts.
        random: from 0 up to 1, for jitter.
    """
    meter, guard = Meter(budget, telemetry, clock=clock), Guard(telemetry, clock=clock)
    # Whatever an adapter does, what comes out is a reply or a failure, with usage that can be.
    guarded = guard_chat(providers, guard)
    # Each request on the wire reserves its worst case of the budgets first, and is settled afterwards.
    paid = {name: BudgetedProvider(provider, meter) for name, provider in guarded.items()}
    # Along the chain, around open circuits: attempts with retry, repair and fallback, each of them on the ledger.
    gateway = Gateway(
        paid,
        catalog,
        ledger,
        clock=clock,
        sleep=sleep,
        random=random,
        breaker=breaker,
        telemetry=telemetry,
        speeds=guard.speeds,
    )
    # Near a budget's limit the fast tier is asked; over it, nobody is.
    affordable = BudgetedChat(gateway, meter, catalog, providers.keys())
    # A conversation that no model of the chain holds is shortened, and asked again once.
    compacting = CompactingChat(affordable, catalog, telemetry)
    # An exact repeat is answered from the cache, and repeats at once go out once, for tasks that declare it.
    cached = CachedChat(compacting, replies, catalog, telemetry, clock=clock, sleep=sleep, random=random)
    # A cheaper tier is asked first, for tasks that declare it.
    return Cascade(cached, catalog, telemetry, clock=clock)


def compose_embedder(
    providers: Mapping[str, ProviderEmbed],
    catalog: ModelCatalog,
    *,
    ledger: Ledger,
    breaker: Breaker,
    budget: Budget,
    telemetry: Telemetry,
) -> Embedder:
    """Return what answers every call for embeddings; the arguments are those of `compose_chat`."""

    def over(paid: Mapping[str, ProviderEmbed]) -> Embedder:
        return EmbeddingGateway(paid, catalog, ledger, breaker=breaker, telemetry=telemetry)

    return BudgetedEmbedder(guard_embed(providers, Guard(telemetry)), over, Meter(budget, telemetry))
