"""The wiring of functions.models.gateway: the gateway over its providers, and what asks it within the same function."""

import time
from functools import cache, partial

from pentad.aws.clients import get_client
from pentad.models.breaker.adapters.breaker_dynamodb import DynamoCircuits
from pentad.models.breaker.shared_breaker import SharedBreaker
from pentad.models.budgets.adapters.budget_definitions import DynamoBudgetStore, RememberedDefinitions
from pentad.models.budgets.adapters.budgets_dynamodb import DynamoBudget
from pentad.models.budgets.adapters.pledges_dynamodb import DynamoPledges
from pentad.models.budgets.admission import BudgetAdmission
from pentad.models.budgets.defaults import DefaultedDefinitions
from pentad.models.cache.adapters.response_cache_dynamodb import DynamoResponseCache
from pentad.models.drill.adapters.drills_dynamodb import DynamoDrills
from pentad.models.drill.drill import Drill
from pentad.models.gateway.compose import compose_chat, compose_embedder
from pentad.models.gateway.guarded import Guard, guard_chat, guard_embed
from pentad.models.ledger.adapters.ledger_dynamodb import DynamoDBLedger
from pentad.models.ports import ChatModel, Embedder
from pentad.models.providers.adapters.secrets import FixedCredentials, SecretCredentials, SecretsManagerSecrets
from pentad.models.providers.ports import CredentialSource
from pentad.models.remote.adapters.mac_kms import KmsMacKey
from pentad.models.shares.adapters.shares_dynamodb import DynamoShares
from pentad.models.shares.fair_share import FairShare
from pentad.observability.ports import Telemetry
from pentad.orchestration.confidence.assessor import Assess
from pentad.orchestration.reviews.adapters.reviews_dynamodb import DynamoReviews
from pentad.orchestration.reviews.reviews import CountedReviews
from pentad.orchestration.runs.adapters.graph_usage import build_spend_entries
from pentad.orchestration.runs.graph_calls import CheckGraphCall
from pentad.orchestration.runs.spill import Spill
from pentad.orchestration.switches.adapters.switches_dynamodb import DynamoSwitches
from pentad.orchestration.switches.call_gate import CallGate
from pentad.orchestration.switches.switchboard import Switches
from pentad.orchestration.turn.think import Think
from pentad.orchestration.workflows.adapters.results_dynamodb import DynamoResults
from pentad.orchestration.workflows.model_steps import Task
from pentad.orchestration.workflows.run_begins import Begin
from pentad.orchestration.workflows.said_texts import WorkflowSaid
from pentad.orchestration.workflows.steps import Stores
from pentad.runtime.catalog import load_catalog
from pentad.runtime.clock import now
from pentad.runtime.models import load_models
from pentad.runtime.settings import GatewaySettings, read_settings
from pentad.runtime.wiring.ground.audit import make_attempt_log
from pentad.runtime.wiring.ground.providers import chat_providers, embedding_providers
from pentad.runtime.wiring.ground.stores import make_objects, make_runs, make_sessions, make_table
from pentad.runtime.wiring.ground.telemetry import telemetry_of
from pentad.tools.policy.adapters.sums_dynamodb import DynamoCallSums

_NAME = "gateway"


def make_telemetry() -> Telemetry:
    """Return what tells of the gateway's calls."""
    return telemetry_of(_NAME)


@cache
def _make_secrets() -> SecretsManagerSecrets:
    return SecretsManagerSecrets(get_client("secretsmanager"))


def credentials_of(name: str | None) -> CredentialSource:
    """Return the credentials in a provider's secret; none where the provider has no secret.

    Args:
        name: of the secret, behind the deployment's prefix.
    """
    if name is None:
        return FixedCredentials("")
    values = read_settings(GatewaySettings)
    named = {"anthropic": values.anthropic_secret, "openai": values.openai_secret, **values.provider_secrets}
    return SecretCredentials(_make_secrets(), named.get(name, ""))


@cache
def make_ledger() -> DynamoDBLedger:
    """Return the ledger: each attempt that it records raises the spend counters, and the usage of a graph's run."""
    values = read_settings(GatewaySettings)
    state = make_table(values.state_table)
    tell = make_attempt_log(telemetry_of(_NAME))
    return DynamoDBLedger(
        make_table(values.ledger_table), state, counting=partial(build_spend_entries, state), tell=tell
    )


@cache
def _make_definitions() -> RememberedDefinitions:
    store = DynamoBudgetStore(make_table(read_settings(GatewaySettings).state_table))
    return RememberedDefinitions(DefaultedDefinitions(store))


@cache
def _make_budget() -> DynamoBudget:
    return DynamoBudget(make_table(read_settings(GatewaySettings).transient_table), _make_definitions())


@cache
def make_breaker() -> SharedBreaker:
    """Return the breaker that all instances of the gateway share."""
    circuits = DynamoCircuits(make_table(read_settings(GatewaySettings).transient_table))
    return SharedBreaker(circuits, telemetry=telemetry_of(_NAME))


@cache
def make_share() -> FairShare:
    """Return what keeps one tenant's calls from taking the gateway from the others."""
    values = read_settings(GatewaySettings)
    return FairShare(DynamoShares(make_table(values.transient_table)), telemetry_of(_NAME), most=values.gateway_share)


@cache
def make_chat_model() -> ChatModel:
    """Return what answers every call of a model."""
    models = load_models()
    return compose_chat(
        chat_providers(models, credentials_of),
        models,
        ledger=make_ledger(),
        breaker=make_breaker(),
        budget=_make_budget(),
        replies=DynamoResponseCache(make_table(read_settings(GatewaySettings).transient_table)),
        telemetry=telemetry_of(_NAME),
    )


@cache
def make_embedder() -> Embedder:
    """Return what answers every call for embeddings."""
    models = load_models()
    return compose_embedder(
        embedding_providers(models, credentials_of),
        models,
        ledger=make_ledger(),
        breaker=make_breaker(),
        budget=_make_budget(),
        telemetry=telemetry_of(_NAME),
    )


@cache
def make_drill() -> Drill:
    """Return what exercises every link; no budget is in its way, since it must run when budgets are used up."""
    models, guard = load_models(), Guard(telemetry_of(_NAME))
    return Drill(
        guard_chat(chat_providers(models, credentials_of), guard),
        guard_embed(embedding_providers(models, credentials_of), guard),
        models,
        make_ledger(),
        make_breaker(),
        DynamoDrills(make_table(read_settings(GatewaySettings).transient_table)),
        telemetry_of(_NAME),
        clock=time.time,
    )


@cache
def _make_switches() -> Switches:
    switches = DynamoSwitches(make_table(read_settings(GatewaySettings).transient_table))
    return Switches(switches, telemetry_of(_NAME), now)


@cache
def make_call_gate() -> CallGate:
    """Return what stops calls that are no turn where an operator has switched off their tenant, agent or all."""
    return CallGate(DynamoSwitches(make_table(read_settings(GatewaySettings).transient_table)))


@cache
def make_think() -> Think:
    """Return what takes one turn of an agent's run."""
    values, telemetry, model = read_settings(GatewaySettings), telemetry_of(_NAME), make_chat_model()
    return Think(
        load_catalog(),
        make_runs(values),
        make_sessions(values),
        model,
        make_ledger(),
        telemetry,
        now=now,
        switchboard=_make_switches(),
        assessor=Assess(model, telemetry),
        reviews=CountedReviews(DynamoReviews(make_table(values.state_table)), telemetry),
        sums=DynamoCallSums(make_table(values.transient_table)),
        said_before=WorkflowSaid(_make_workflow_stores()).list_before,
    )


@cache
def make_graph_check() -> CheckGraphCall:
    """Return what checks for whom a graph asks."""
    values = read_settings(GatewaySettings)
    key = None if values.identity_key is None else KmsMacKey(get_client("kms"), values.identity_key)
    return CheckGraphCall(make_runs(values), load_catalog(), key, now=now)


@cache
def _make_workflow_stores() -> Stores:
    values = read_settings(GatewaySettings)
    results = DynamoResults(make_table(values.state_table), Spill(make_objects(values.payload_bucket)))
    return Stores(
        load_catalog(), make_runs(values), make_sessions(values), results, now, _make_switches(), telemetry_of(_NAME)
    )


@cache
def make_task() -> Task:
    """Return what does the model steps of workflows."""
    return Task(_make_workflow_stores(), make_chat_model(), make_ledger())


@cache
def make_begin() -> Begin:
    """Return what begins workflows' runs."""
    models = load_models()
    admission = BudgetAdmission(
        _make_budget(),
        _make_definitions(),
        DynamoPledges(make_table(read_settings(GatewaySettings).transient_table)),
        models,
        chat_providers(models, credentials_of).keys(),
        telemetry_of(_NAME),
    )
    return Begin(_make_workflow_stores(), admission)
