"""The wiring of the gateway's function: a part of the bootstrap, apart for its length."""

import time
from functools import cache
from typing import TYPE_CHECKING

from pentad.runtime import accounts, bootstrap, wrapping
from pentad.runtime import settings as environment

if TYPE_CHECKING:
    from pentad.models.breaker.circuits import SharedBreaker
    from pentad.models.drill.drill import Drill
    from pentad.models.gateway.gateway import Gateway
    from pentad.models.ports import ChatModel, Embedder


@cache
def breaker() -> "SharedBreaker":
    """Return the breaker that all gateways share."""
    from pentad.models.breaker.adapters.breaker_dynamodb import DynamoCircuits
    from pentad.models.breaker.circuits import SharedBreaker

    store = DynamoCircuits(bootstrap.table(bootstrap.settings(environment.GatewaySettings).transient_table))
    return SharedBreaker(store, telemetry=bootstrap.telemetry("gateway"))


@cache
def gateway() -> "Gateway":
    """Return the model gateway; a provider's SDK is imported with its first call."""
    from pentad.models.gateway.gateway import Gateway
    from pentad.runtime.model_providers import chat_providers

    providers = accounts.paying(chat_providers(bootstrap.models(), bootstrap.provider_credentials))
    told = bootstrap.telemetry("gateway")
    return Gateway(providers, bootstrap.models(), accounts.ledger(), breaker=breaker(), telemetry=told)


@cache
def chat_model() -> "ChatModel":
    """Return what answers every call of a model: all that wraps the gateway is composed here."""
    return wrapping.wrapped(accounts.budgeted(gateway()))


@cache
def embedding_gateway() -> "Embedder":
    """Return the gateway of embeddings."""
    from pentad.runtime.model_providers import embedding_providers

    adapters = embedding_providers(bootstrap.models(), bootstrap.provider_credentials)
    return accounts.budgeted_embedder(adapters, breaker())


@cache
def drill() -> "Drill":
    """Return what exercises every link; no budget is in its way, since it must run when budgets are used up."""
    from pentad.models.drill.adapters.drills_dynamodb import DynamoDrills
    from pentad.models.drill.drill import Drill
    from pentad.runtime.model_providers import chat_providers, embedding_providers

    values = bootstrap.settings(environment.GatewaySettings)
    return Drill(
        chat_providers(bootstrap.models(), bootstrap.provider_credentials),
        embedding_providers(bootstrap.models(), bootstrap.provider_credentials),
        bootstrap.models(),
        accounts.ledger(),
        breaker(),
        DynamoDrills(bootstrap.table(values.transient_table)),
        bootstrap.telemetry("gateway"),
        clock=time.time,
    )
