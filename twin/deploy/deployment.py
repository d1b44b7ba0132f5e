"""What a deployment leaves behind for the rest of the twin: functions, roles, routes, mappings, rules, outputs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twin.alarms.alarms import CompositeAlarm, MetricAlarm

JsonObject = dict[str, Any]


@dataclass(frozen=True)
class LayerVersion:
    """A Lambda layer: a folder, or the marker that its packages are those of the project's environment."""

    arn: str
    directory: Path
    third_party: bool


@dataclass(frozen=True)
class FunctionDefinition:
    """A Lambda function as CloudFormation resolved it. Memory in MiB, timeout in seconds."""

    name: str
    arn: str
    handler: str
    runtime: str
    role_arn: str
    code: Path
    environment: Mapping[str, str]
    layers: tuple[LayerVersion, ...]
    memory: int
    timeout: int
    log_group: str
    log_format: str
    log_level: str | None
    reserved_concurrency: int | None
    dead_letter_arn: str | None
    architecture: str
    tracing: bool
    stack: str
    logical_id: str


@dataclass(frozen=True)
class FunctionVersion:
    """An alias or a published version of a function: `qualifier` is its name, `version` what runs."""

    function: str
    qualifier: str
    version: str
    arn: str


@dataclass(frozen=True)
class InvokePermission:
    """One statement of a function's resource policy."""

    function: str
    qualifier: str | None
    principal: str
    action: str
    source_arn: str | None
    source_account: str | None


@dataclass(frozen=True)
class InvokeConfig:
    """How asynchronous invocations of a function are retried. Age in seconds."""

    function: str
    maximum_retries: int
    maximum_age: int
    on_failure: str | None


@dataclass(frozen=True)
class QueueMapping:
    """An SQS event source mapping. Window in seconds."""

    uuid: str
    function: str
    role_arn: str
    queue_arn: str
    batch_size: int
    window: int
    partial_failures: bool
    maximum_concurrency: int | None
    filters: tuple[JsonObject, ...]
    enabled: bool


@dataclass(frozen=True)
class RuleTarget:
    """One target of an EventBridge rule. Retry age in seconds."""

    id: str
    arn: str
    role_arn: str | None
    input: str | None
    input_path: str | None
    input_paths: Mapping[str, str] | None
    input_template: str | None
    dead_letter_arn: str | None
    maximum_retries: int
    maximum_age: int
    message_group_id: str | None


@dataclass(frozen=True)
class EventRule:
    """An EventBridge rule: a pattern, a schedule, or both."""

    name: str
    arn: str
    pattern: JsonObject | None
    schedule: str | None
    targets: tuple[RuleTarget, ...]


@dataclass(frozen=True)
class HttpAuthorizer:
    """An authorizer of an HTTP API. Cache time in seconds."""

    id: str
    name: str
    kind: str
    function: str | None
    identity_sources: tuple[str, ...]
    cache_ttl: int
    simple_responses: bool
    issuer: str | None
    audience: tuple[str, ...]


@dataclass(frozen=True)
class HttpIntegration:
    """A Lambda proxy integration. Timeout in milliseconds."""

    id: str
    function: str
    timeout: int


@dataclass(frozen=True)
class HttpRoute:
    """A route: its key (`GET /runs/{id}`, `$default`), integration and authorizer."""

    id: str
    key: str
    integration: str
    authorizer: str | None
    scopes: tuple[str, ...]


@dataclass(frozen=True)
class HttpStage:
    """A stage of an HTTP API with its variables."""

    name: str
    variables: Mapping[str, str]


@dataclass
class HttpApi:
    """An API Gateway v2 HTTP API and all that belongs to it."""

    id: str
    name: str
    cors: JsonObject | None
    integrations: dict[str, HttpIntegration] = field(default_factory=dict)
    authorizers: dict[str, HttpAuthorizer] = field(default_factory=dict)
    routes: list[HttpRoute] = field(default_factory=list)
    stages: list[HttpStage] = field(default_factory=list)


@dataclass
class Rollout:
    """A state machine's alias on its way from one version to the next.

    `shifted` is the share of new executions, in percent, that the new version gets.
    """

    alias_arn: str
    before: str
    after: str
    kind: str
    percentage: int
    shifted: int


@dataclass(frozen=True)
class LogSubscription:
    """A subscription filter of a log group: lines that match go to a function."""

    name: str
    log_group: str
    pattern: str
    destination_arn: str


@dataclass
class Deployment:
    """Everything created from an assembly."""

    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    exports: dict[str, str] = field(default_factory=dict)
    roles: dict[str, list[JsonObject]] = field(default_factory=dict)
    trusts: dict[str, JsonObject] = field(default_factory=dict)
    managed_policies: dict[str, JsonObject] = field(default_factory=dict)
    functions: dict[str, FunctionDefinition] = field(default_factory=dict)
    layers: dict[str, LayerVersion] = field(default_factory=dict)
    versions: list[FunctionVersion] = field(default_factory=list)
    permissions: list[InvokePermission] = field(default_factory=list)
    invoke_configs: list[InvokeConfig] = field(default_factory=list)
    queue_mappings: list[QueueMapping] = field(default_factory=list)
    rules: list[EventRule] = field(default_factory=list)
    subscriptions: list[LogSubscription] = field(default_factory=list)
    metric_alarms: dict[str, MetricAlarm] = field(default_factory=dict)
    composite_alarms: dict[str, CompositeAlarm] = field(default_factory=dict)
    http_apis: dict[str, HttpApi] = field(default_factory=dict)
    state_machines: dict[str, str] = field(default_factory=dict)
    revisions: dict[str, str] = field(default_factory=dict)
    rollouts: list[Rollout] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)
    event_buckets: set[str] = field(default_factory=set)
    resources: dict[str, str] = field(default_factory=dict)
