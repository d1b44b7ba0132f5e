"""The environment of each function, one typed model a function: the only reader of ``os.environ``.

The synthesized environment is validated against these models in a test, in both directions: a variable that
no model names is as much an error as one that is missing. Powertools reads its own POWERTOOLS_* variables.
"""

import os
from functools import cache
from typing import Literal, TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from pentad.domain.errors import ConfigurationError
from pentad.memory.retrieval.ports import VectorStoreName
from pentad.tools.credentials.rotate import RotationPlan
from pentad.tools.outside.places import SecretPlace


class Settings(BaseSettings):
    """What every function has."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", case_sensitive=False)

    pentad_stage: Literal["dev", "staging", "prod"]
    pentad_prefix: str = Field(description="the deployment's name prefix, such as pentad-dev")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"


class StateTable(Settings):
    """Functions that read or write sessions and runs."""

    state_table: str
    transient_table: str = Field(description="leases; its items expire")
    payload_bucket: str = Field(description="content too large for an item")


class VectorSettings(Settings):
    """Functions that search or store vectors; which store it is says ``infra/config.py``."""

    vector_store: VectorStoreName
    vector_secret: str | None = Field(default=None, description="name of the store's secret, where it has one")
    vector_bucket: str | None = Field(default=None, description="name of the vector bucket, for s3vectors")


class AuthorizerSettings(Settings):
    """functions.api.authorizer."""

    state_table: str
    oidc_issuer: str | None = None
    oidc_audience: str | None = None
    oidc_tenant_claim: str = "tenant"
    oidc_scope_claim: str = "scope"
    oidc_groups_claim: str = "groups"


class StartSettings(StateTable):
    """Functions that start runs."""

    state_machine_arn_prefix: str = Field(description="ARN of the state machines up to `find_machine`'s name")


class FactSettings(Settings):
    """Functions that write what is remembered of users; how long it is kept says ``infra/retention.py``."""

    facts_days: int | None = Field(default=None, ge=1, description="after a fact was last learned or edited; or good")
    decisions_days: int = Field(ge=1, description="of the write gate's decisions")


class ApiSettings(StartSettings, FactSettings):
    """functions.api.http."""

    ledger_table: str
    audit_key: str = Field(description="ARN of the KMS key that signs the audit")
    documents_bucket: str
    approval_key: str = Field(description="ARN of the KMS key that encrypts task tokens")
    event_bus: str
    tool_runner: str = Field(description="ARN of the tool runner's function, for undo")
    gateway_function: str = Field(description="ARN of the gateway's alias or function: answers OpenAI's requests")
    mcp_origins: str | None = Field(default=None, description="pages that may ask as MCP clients, with spaces between")
    log_days: int = Field(ge=1, description="how long the API's access log is kept; a receipt of an erasure tells it")
    access_logs_days: int = Field(ge=1, description="how long the buckets' access logs are kept")
    backup_days: int = Field(ge=1, description="how far back tables can be restored")


class TriggerSettings(StartSettings):
    """functions.orchestration.trigger."""

    ledger_table: str
    event_bus: str
    lifecycle_queue: str = Field(description="ARN of the queue that only the stack itself fills")


class WorkflowSettings(StartSettings):
    """functions.orchestration.workflow."""

    approval_key: str
    event_bus: str


class RecallSettings(StateTable, VectorSettings):
    """functions.memory.recall."""

    gateway_function: str = Field(description="ARN of the gateway's alias or function: embeds the query")


class RememberSettings(StateTable, FactSettings):
    """functions.memory.remember."""

    said_days: int = Field(ge=1, description="how long what users' conversations hold is kept")

    gateway_function: str = Field(description="ARN of the gateway's alias or function: embeds what was said")


class EraseSettings(StateTable, VectorSettings):
    """functions.memory.erase."""

    documents_bucket: str
    records_table: str
    record_kinds: str = Field(default="", description="kinds of tools' records, as `pack_names`")
    contents_group: str = Field(description="the log group of contents; there need be none of this name")


class AnchorSettings(Settings):
    """functions.observability.anchor."""

    ledger_table: str
    audit_key: str = Field(description="ARN of the KMS key that signs the audit")
    anchor_bucket: str = Field(description="under Object Lock")


class IngestSettings(VectorSettings):
    """functions.memory.ingest."""

    state_table: str
    transient_table: str = Field(description="how many documents of each tenant are at work")
    ingest_share: int = Field(ge=1, description="documents of one tenant at once")
    bulk_share: int = Field(ge=1, description="batches of one tenant at once, of its bulk ingestions")
    documents_bucket: str
    gateway_function: str


class GatewaySettings(StateTable):
    """functions.models.gateway."""

    gateway_share: int = Field(ge=1, description="model calls of one tenant at once")

    ledger_table: str
    anthropic_secret: str = Field(description="ARN of the secret {api_key, base_url?}")
    openai_secret: str = Field(description="ARN of the secret {api_key, base_url?}")
    provider_secrets: dict[str, str] = Field(default={}, description="JSON: other providers' secrets, by provider")
    identity_key: str | None = Field(default=None, description="ARN of the KMS key that checks for whom a graph asks")


class AwaitHumanSettings(StateTable):
    """functions.orchestration.await_human."""

    approval_key: str
    event_bus: str


class NotifySettings(Settings):
    """functions.orchestration.notify."""

    transient_table: str = Field(description="what was sent; its items expire")
    notice_groups: dict[str, list[str]] = Field(description="JSON: channels (topic, slack, email) by group, * for any")
    notice_link: str = Field(description="what an approval's id is put behind")
    notice_topic: str = Field(description="ARN of the SNS topic")
    slack_secret: str = Field(description="ARN of the secret {default, GROUP?: address of an incoming webhook}")
    email_from: str | None = Field(default=None, description="a verified identity of SES")
    email_to: dict[str, list[str]] = Field(default={}, description="JSON: addresses by group, * for any")
    aws_endpoint_url: str | None = Field(default=None, description="set on the local twin only")


class DeliverSettings(StateTable):
    """functions.orchestration.deliver."""

    ledger_table: str
    event_bus: str


class AlertSettings(Settings):
    """functions.observability.alert."""

    transient_table: str
    alert_targets: dict[Literal["page", "ticket"], list[dict[str, str]]] = Field(description="JSON: who is told")
    alerts_secret: str = Field(description="ARN of the secret {TARGET: address or {url, headers?}}")
    alert_link: str = Field(default="", description="what a runbook's place is put behind")


class ExportSettings(Settings):
    """functions.observability.export."""

    trace_targets: list[dict[str, str | bool]] = Field(description="JSON: where spans go")
    traces_secret: str = Field(description="ARN of the secret {TARGET: {api_key, ...}}")
    export_queue: str = Field(description="address of the queue of the targets' shares")
    aws_region: str = Field(description="set by Lambda")
    aws_endpoint_url: str | None = Field(default=None, description="set on the local twin only")


class SpanContentsSettings(StateTable):
    """What functions.observability.export has besides, where a target gets what was said."""

    contents_agents: list[str] = Field(description="JSON: whose runs")
    contents_names: Literal["", "comprehend"] = Field(description="who finds names in text; empty for nobody")


class ContentsSettings(StateTable):
    """functions.observability.contents."""

    contents_group: str = Field(description="the log group of contents")
    contents_agents: list[str] = Field(description="JSON: whose runs")
    contents_names: Literal["", "comprehend"] = Field(description="who finds names in text; empty for nobody")


class ToolRunnerSettings(StateTable):
    """functions.orchestration.run_tool."""

    ledger_table: str
    audit_key: str = Field(description="ARN of the KMS key that signs the audit")
    tool_function_prefix: str = Field(description="name of the tools' functions up to the tool's name")
    tool_data_role: str = Field(default="", description="ARN of the role of tools' data; set where a tool reaches any")
    tool_data_roles: dict[str, str] = Field(
        default={}, description="JSON: those roles by the group of tools; set where tools are in groups"
    )
    tools_grouped: bool = Field(default=False, description="the tools are too many for one stack, and are in groups")
    identity_key: str | None = Field(default=None, description="ARN of the KMS key that signs; set for graphs")
    aws_region: str = Field(description="set by Lambda")
    aws_endpoint_url: str | None = Field(default=None, description="set on the local twin only")


class ToolSettings(Settings):
    """A tool's function."""

    tool_module: str = Field(description="dotted name of the module, such as functions.tools.notes")
    mcp_server: str | None = Field(default=None, description="of a remote MCP server's function: its name")
    records_table: str | None = Field(default=None, description="set where the tool declares a grant on it")
    tool_settings: str | None = Field(default=None, description="JSON of tools.yaml; set where it declares settings")
    tool_secrets: dict[str, SecretPlace] = Field(
        default={}, description="JSON: where its secrets are, by the names it declares; set where it declares any"
    )
    gateway_function: str | None = Field(default=None, description="the gateway's alias for graphs; set for a graph")
    state_table: str | None = Field(default=None, description="of checkpoints; set for a graph")
    payload_bucket: str | None = Field(
        default=None, description="of large checkpoints and of files; set where it has any"
    )
    langgraph_strict_msgpack: bool = Field(default=False, description="read by LangGraph: what a checkpoint may make")


class RotateSecretSettings(Settings):
    """functions.orchestration.rotate_secret."""

    secret_rotations: dict[str, RotationPlan] = Field(description="JSON: how each secret is rotated, by its name")


S = TypeVar("S", bound=Settings)


@cache
def read_settings(kind: type[S]) -> S:
    """Return a function's settings, read from its environment.

    Raises:
        ConfigurationError: a variable is missing or not valid.
    """
    try:
        return kind()
    except ValidationError as error:
        fields = ", ".join(sorted({str(one["loc"][0]).upper() for one in error.errors()}))
        raise ConfigurationError(f"environment variables are missing or not valid: {fields}") from error


def trace_header() -> str | None:
    """Return the X-Ray header of the current invocation, which Lambda sets anew for each."""
    return os.environ.get("_X_AMZN_TRACE_ID")


def initialization_type() -> str | None:
    """Return how Lambda made this process ready: ``on-demand``, ``snap-start``, ...; None where it is no Lambda's."""
    return os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE")


def list_lambda_endpoints() -> tuple[str, ...]:
    """Return the addresses that Lambda gives this process, as URLs: its Runtime API, its credentials with SnapStart."""
    api = os.environ.get("AWS_LAMBDA_RUNTIME_API")
    credentials = os.environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")
    return tuple(url for url in (api and f"http://{api}", credentials) if url)


def read_process_environment() -> dict[str, str]:
    """Return what a process gets that handles what is not trusted: where the interpreter finds itself, no credentials.

    Lambda's interpreter finds its own library by LD_LIBRARY_PATH.
    """
    return {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "PATH") if name in os.environ}
