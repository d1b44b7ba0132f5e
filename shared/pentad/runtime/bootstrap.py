"""Wiring: the only module that knows concrete adapters. Each is imported and made when it is first asked for.

One cached function a collaborator, so an instance makes each once, and a function imports only what it uses.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from pentad.runtime import settings as environment
from pentad.runtime.catalog import load_catalog

if TYPE_CHECKING:
    from pentad.api.app import Api
    from pentad.api.identity.authorize import Authorize
    from pentad.aws.redelivery import SqsRedelivery
    from pentad.aws.table import Table
    from pentad.domain.declarations.agents import Catalog
    from pentad.memory.context.recall import Recall
    from pentad.memory.documents.ingest import Ingest
    from pentad.memory.documents.ports import DocumentRegistry
    from pentad.memory.objects.ports import ObjectStore
    from pentad.memory.retrieval.adapters.vectors_pinecone import PineconeVectors
    from pentad.memory.sessions.ports import SessionStore
    from pentad.models.catalog.catalog import ModelCatalog
    from pentad.models.ledger.ports import Ledger
    from pentad.models.ports import Embedder
    from pentad.models.providers.ports import CredentialSource
    from pentad.observability.adapters.powertools import PowertoolsTelemetry
    from pentad.orchestration.approvals.ask import Asking
    from pentad.orchestration.approvals.ports import ApprovalStore
    from pentad.orchestration.lifecycle.deliver import Deliver
    from pentad.orchestration.lifecycle.handle_message import Triggered
    from pentad.orchestration.runs.ports import RunStore, WorkflowEngine
    from pentad.orchestration.turn.think import Think
    from pentad.tools.records.ports import RecordStore
    from pentad.tools.runtime.runtime import ToolRuntime

S = TypeVar("S", bound=environment.Settings)
_GATEWAY_SECONDS = 120.0
"""How long to wait for the gateway's answer with vectors; more than its own attempts take."""


def now() -> datetime:
    """Return the time, UTC."""
    return datetime.now(UTC)


@cache
def settings(kind: type[S]) -> S:
    """Return a function's settings, read from its environment.

    Raises:
        ConfigurationError: a variable is missing or not valid.
    """
    from pydantic import ValidationError

    from pentad.domain.errors import ConfigurationError

    try:
        return kind()
    except ValidationError as error:
        fields = ", ".join(sorted({str(one["loc"][0]).upper() for one in error.errors()}))
        raise ConfigurationError(f"these variables are missing or not valid: {fields}") from error


@cache
def telemetry(service: str) -> "PowertoolsTelemetry":
    """Return the function's telemetry."""
    from pentad.observability.adapters.powertools import PowertoolsTelemetry

    values = settings(environment.Settings)
    return PowertoolsTelemetry(
        service=service,
        stage=values.pentad_stage,
        level=values.log_level,
        trace_header=environment.trace_header,
    )


def catalog() -> "Catalog":
    """Return the deployment's agents and tools."""
    return load_catalog()


@cache
def table(name: str) -> "Table":
    """Return a table by its name."""
    from pentad.aws.clients import client
    from pentad.aws.table import Table

    return Table(client("dynamodb"), name)


@cache
def objects(bucket: str) -> "ObjectStore":
    """Return the objects of a bucket."""
    from pentad.aws.clients import client
    from pentad.memory.objects.adapters.objects_s3 import S3Objects

    return S3Objects(client("s3"), bucket)


@cache
def sessions() -> "SessionStore":
    """Return the session store."""
    from pentad.memory.sessions.adapters.sessions_dynamodb import DynamoSessions

    values = settings(environment.StateTable)
    return DynamoSessions(table(values.state_table), objects(values.payload_bucket), clock=now)


@cache
def runs() -> "RunStore":
    """Return the run store."""
    from pentad.orchestration.runs.adapters.runs_dynamodb import DynamoRuns
    from pentad.orchestration.runs.adapters.runs_start import RunStart
    from pentad.orchestration.runs.spill import Spill

    values = settings(environment.StateTable)
    state, transient = table(values.state_table), table(values.transient_table)
    bucket = objects(values.payload_bucket)
    return DynamoRuns(state, transient, Spill(bucket), RunStart(state, transient, bucket), now)


@cache
def approvals(key: str | None) -> "ApprovalStore":
    """Return the approval store; without a key it neither writes nor reads task tokens."""
    from pentad.aws.clients import client
    from pentad.orchestration.approvals.adapters.approvals_dynamodb import DynamoApprovals
    from pentad.orchestration.approvals.adapters.ciphers import KmsCipher
    from pentad.orchestration.runs.spill import Spill

    values = settings(environment.StateTable)
    cipher = KmsCipher(client("kms"), key) if key else None
    return DynamoApprovals(table(values.state_table), Spill(objects(values.payload_bucket)), cipher)


@cache
def ledger(name: str) -> "Ledger":
    """Return the ledger of model attempts in a table."""
    from pentad.models.ledger.adapters.ledger_dynamodb import DynamoDBLedger

    return DynamoDBLedger(table(name))


@cache
def registry(name: str) -> "DocumentRegistry":
    """Return the document registry in a table."""
    from pentad.memory.documents.adapters.registry_dynamodb import DynamoRegistry

    return DynamoRegistry(table(name), clock=now)


@cache
def engine(arn_prefix: str) -> "WorkflowEngine":
    """Return the workflow engine."""
    from pentad.aws.clients import client
    from pentad.orchestration.runs.adapters.engine_stepfunctions import StepFunctions

    return StepFunctions(client("stepfunctions"), arn_prefix)


@cache
def embedder(function: str) -> "Embedder":
    """Return the gateway's function as an embedder."""
    from pentad.aws.clients import client
    from pentad.models.remote.adapters.gateway_lambda import LambdaEmbedder

    # One attempt: a second one would embed, and bill, twice. The caller's own retry comes from the queue or the state.
    return LambdaEmbedder(client("lambda", read_timeout=_GATEWAY_SECONDS, attempts=1), function)


@cache
def secret(arn: str) -> Callable[[], Mapping[str, Any]]:
    """Return a function that gets a secret's JSON, kept for a while."""
    return lambda: _secrets().get_json(arn)


@cache
def _secrets() -> Any:
    from pentad.aws.clients import client
    from pentad.models.providers.adapters.secrets import SecretsManagerSecrets

    return SecretsManagerSecrets(client("secretsmanager"))


@cache
def vectors(secret_arn: str) -> "PineconeVectors":
    """Return the vector store."""
    from pentad.memory.retrieval.adapters.vectors_pinecone import PineconeVectors

    return PineconeVectors(secret(secret_arn))


@cache
def trigger() -> "Triggered":
    """Return the collaborator of functions.orchestration.trigger."""
    from pentad.runtime import lifecycle_services

    return lifecycle_services.triggered()


@cache
def redelivery() -> "SqsRedelivery":
    """Return what postpones the messages that a function could not process."""
    from pentad.aws.clients import client
    from pentad.aws.redelivery import SqsRedelivery

    return SqsRedelivery(client("sqs"))


@cache
def recall() -> "Recall":
    """Return the collaborator of functions.memory.recall."""
    from pentad.memory.context.recall import Recall

    values = settings(environment.RecallSettings)
    return Recall(
        sessions=sessions(),
        vectors=vectors(values.pinecone_secret),
        embedder=embedder(values.gateway_function),
        runs=runs(),
        telemetry=telemetry("recall"),
        clock=now,
    )


@cache
def ingest() -> "Ingest":
    """Return the collaborator of functions.memory.ingest."""
    from pentad.memory.documents.ingest import Ingest

    values = settings(environment.IngestSettings)
    return Ingest(
        objects=objects(values.documents_bucket),
        registry=registry(values.state_table),
        vectors=vectors(values.pinecone_secret),
        embedder=embedder(values.gateway_function),
        telemetry=telemetry("ingest"),
        clock=now,
    )


def models() -> "ModelCatalog":
    """Return the deployment's models, tiers and tasks."""
    from pentad.runtime.model_providers import load_models

    return load_models()


@cache
def provider_credentials(name: str | None) -> "CredentialSource":
    """Return the credentials in a provider's secret; none where the provider has no secret.

    Args:
        name: of the secret, behind the deployment's prefix.
    """
    from pentad.models.providers.adapters.secrets import FixedCredentials, SecretCredentials

    if name is None:
        return FixedCredentials("")
    values = settings(environment.GatewaySettings)
    named = {"anthropic": values.anthropic_secret, "openai": values.openai_secret, **values.provider_secrets}
    return SecretCredentials(_secrets(), named.get(name, ""))


@cache
def think() -> "Think":
    """Return the collaborator of functions.models.gateway for a turn."""
    from pentad.orchestration.turn.think import Think
    from pentad.runtime import gateway_services, lifecycle_services, review_services

    attempts = ledger(settings(environment.GatewaySettings).ledger_table)
    chat = gateway_services.chat_model()
    return Think(
        catalog(),
        runs(),
        sessions(),
        chat,
        attempts,
        telemetry("gateway"),
        now=now,
        switchboard=lifecycle_services.switches("gateway"),
        assessor=review_services.assessor(chat),
        reviews=review_services.reviews("gateway"),
    )


@cache
def asking() -> "Asking":
    """Return the collaborator of functions.orchestration.await_human."""
    from pentad.runtime import human_services

    return human_services.asking("await-human", settings(environment.AwaitHumanSettings))


@cache
def deliver() -> "Deliver":
    """Return the collaborator of functions.orchestration.deliver."""
    from pentad.aws.clients import client
    from pentad.orchestration.lifecycle.deliver import Deliver
    from pentad.orchestration.runs.adapters.events_eventbridge import EventBridge
    from pentad.runtime import lifecycle_services, review_services

    bus = EventBridge(client("events"), settings(environment.DeliverSettings).event_bus)
    return Deliver(
        runs(),
        sessions(),
        approvals(None),
        bus,
        telemetry("deliver"),
        now=now,
        reviews=review_services.reviews("deliver"),
        switchboard=lifecycle_services.switches("deliver"),
    )


@cache
def tool_runtime() -> "ToolRuntime":
    """Return the runtime of the tool that this function is for."""
    from pentad.runtime import lifecycle_services
    from pentad.tools.declare.discovery import load_tool
    from pentad.tools.runtime.adapters.audit_dynamodb import DynamoAudit
    from pentad.tools.runtime.adapters.effects_dynamodb import DynamoEffects
    from pentad.tools.runtime.runtime import ToolRuntime

    values = settings(environment.ToolSettings)
    tool = load_tool(values.tool_module)
    if "checkpoints" in tool.needs:
        from pentad.runtime import graph_services

        tool = tool.equipped(graph_services.equipment(values))
    return ToolRuntime(
        tool,
        catalog=catalog(),
        runs=runs(),
        effects=DynamoEffects(table(values.state_table)),
        audit=DynamoAudit(table(values.ledger_table)),
        records=_records(values.records_table),
        telemetry=telemetry(tool_service()),
        now=now,
        gate=lifecycle_services.switches(tool_service()),
    )


def tool_service() -> str:
    """Return the name of this tool's function without the deployment's prefix."""
    module = settings(environment.ToolSettings).tool_module
    return f"tool-{module.rsplit('.', 1)[-1].replace('_', '-')}"


def _records(name: str | None) -> Callable[[str], "RecordStore"]:
    def of(tenant: str) -> "RecordStore":
        from pentad.domain.errors import ConfigurationError
        from pentad.tools.records.adapters.records_dynamodb import DynamoRecords

        if name is None:
            raise ConfigurationError("the tool has no records table", fix="declare a Grant on records")
        return DynamoRecords(table(name), tenant)

    return of


@cache
def authorize() -> "Authorize":
    """Return the collaborator of functions.api.authorizer."""
    from pentad.api.identity.adapters.keys_dynamodb import DynamoKeys
    from pentad.api.identity.authorize import Authorize
    from pentad.api.identity.keys import KeyAuthenticator

    values = settings(environment.AuthorizerSettings)
    keys = KeyAuthenticator(DynamoKeys(table(values.state_table)), now=now)
    if values.oidc_issuer is None or values.oidc_audience is None:
        return Authorize(keys)

    from pentad.api.identity.adapters.oidc import OidcVerifier
    from pentad.api.identity.tokens import JwtAuthenticator

    tokens = JwtAuthenticator(
        OidcVerifier(values.oidc_issuer, values.oidc_audience),
        issuer=values.oidc_issuer,
        tenant_claim=values.oidc_tenant_claim,
        scope_claim=values.oidc_scope_claim,
        groups_claim=values.oidc_groups_claim,
    )
    return Authorize(keys, tokens)


@cache
def api() -> "Api":
    """Return the HTTP API."""
    from pentad.api.app import Api
    from pentad.runtime.api_services import ApiServices

    return Api(ApiServices())
