"""The wiring of ledger, budgets and spend: a part of the bootstrap, apart for its length."""

from collections.abc import Mapping
from functools import cache, partial
from typing import TYPE_CHECKING

from pentad.runtime import bootstrap
from pentad.runtime import settings as environment

if TYPE_CHECKING:
    from pentad.models.breaker.ports import Breaker
    from pentad.models.gateway.budgeted import BudgetedChat, Meter
    from pentad.models.gateway.gateway import Gateway
    from pentad.models.ledger.ports import Ledger, SpendReader
    from pentad.models.ports import Embedder
    from pentad.models.providers.ports import ProviderChat, ProviderEmbed


@cache
def ledger() -> "Ledger":
    """Return the gateway's ledger: with each attempt it raises the spend counters, and a graph's run."""
    from pentad.models.ledger.adapters.ledger_dynamodb import DynamoDBLedger
    from pentad.orchestration.runs.adapters.graph_usage import counting

    values = bootstrap.settings(environment.GatewaySettings)
    state = bootstrap.table(values.state_table)
    return DynamoDBLedger(bootstrap.table(values.ledger_table), state, counting=partial(counting, state))


@cache
def meter() -> "Meter":
    """Return what holds and settles what calls cost."""
    from pentad.models.budgets.adapters.budget_definitions import DynamoBudgetStore, RememberedDefinitions
    from pentad.models.budgets.adapters.budgets_dynamodb import DynamoBudget
    from pentad.models.gateway.budgeted import Meter

    values = bootstrap.settings(environment.GatewaySettings)
    definitions = RememberedDefinitions(DynamoBudgetStore(bootstrap.table(values.state_table)))
    return Meter(DynamoBudget(bootstrap.table(values.transient_table), definitions), bootstrap.telemetry("gateway"))


def paying(adapters: "Mapping[str, ProviderChat]") -> "dict[str, ProviderChat]":
    """Return providers' adapters that send what the budgets can pay."""
    from pentad.models.gateway.budgeted import BudgetedProvider

    return {name: BudgetedProvider(adapter, meter()) for name, adapter in adapters.items()}


def budgeted(gateway: "Gateway") -> "BudgetedChat":
    """Return the gateway, going to the fast tier near a budget's limit."""
    from pentad.models.gateway.budgeted import BudgetedChat

    catalog = bootstrap.models()
    return BudgetedChat(gateway, meter(), catalog, frozenset(entry.name for entry in catalog.used_providers))


def budgeted_embedder(adapters: "Mapping[str, ProviderEmbed]", breaker: "Breaker") -> "Embedder":
    """Return the gateway of embeddings over adapters that send what the budgets can pay."""
    from pentad.models.gateway.budgeted import BudgetedEmbedder
    from pentad.models.gateway.embeddings import EmbeddingGateway

    def of(providers: "Mapping[str, ProviderEmbed]") -> EmbeddingGateway:
        return EmbeddingGateway(
            providers,
            bootstrap.models(),
            ledger(),
            breaker=breaker,
            telemetry=bootstrap.telemetry("gateway"),
        )

    return BudgetedEmbedder(adapters, of, meter())


@cache
def spend(state_table: str) -> "SpendReader":
    """Return what reads the spend counters in a table."""
    from pentad.models.ledger.adapters.spend_dynamodb import DynamoSpend

    return DynamoSpend(bootstrap.table(state_table))
