"""What the tables in the twin's README are made of: resource types, limits, and the histories recorded on AWS."""

import re
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import botocore.session
from moto.core.utils import camelcase_to_underscores

from tests.twin.machine import cases
from twin.deploy.registry import list_types
from twin.deploy.services import register_all
from twin.front import server as front_server
from twin.http_api import server as http_api_server
from twin.machine.distributed import faults, runs
from twin.moto_patches.stepfunctions.api import state_tests
from twin.servers.connection import Limits

Row = tuple[str, ...]
PATCHES = Path(__file__).resolve().parents[1] / "twin" / "moto_patches" / "README.md"


class Limit(NamedTuple):
    """A limit that the twin enforces.

    Attributes:
        service: Whose.
        what: What is limited.
        unit: Of the number.
        module: Where the number stands.
        name: Its name there.
    """

    service: str
    what: str
    unit: str
    module: str
    name: str


_HTTP_APIS = "twin.deploy.services.compute.http_apis"
_DYNAMODB = "twin.front.dynamodb"
_CHECKS = "twin.front.checks"
LIMITS = (
    Limit("API Gateway", "body of a request", "bytes", "twin.http_api.server", "MAXIMUM_BODY"),
    Limit("API Gateway", "time of an integration", "ms", _HTTP_APIS, "_INTEGRATION_TIMEOUT"),
    Limit("API Gateway", "time of an authorizer", "s", "twin.http_api.gateway", "_AUTHORIZER_SECONDS"),
    Limit("DynamoDB", "value of a partition key", "bytes", f"{_DYNAMODB}.tables", "PARTITION_KEY_BYTES"),
    Limit("DynamoDB", "value of a sort key", "bytes", f"{_DYNAMODB}.tables", "SORT_KEY_BYTES"),
    Limit("DynamoDB", "significant digits of a number", "", f"{_DYNAMODB}.values", "NUMBER_DIGITS"),
    Limit("DynamoDB", "levels of lists and maps", "", f"{_DYNAMODB}.values", "NESTING_LEVELS"),
    Limit("DynamoDB", "name of an attribute", "bytes", f"{_DYNAMODB}.values", "NAME_BYTES"),
    Limit("DynamoDB", "item", "bytes", f"{_DYNAMODB}.values", "ITEM_BYTES"),
    Limit("DynamoDB", "expression", "bytes", f"{_DYNAMODB}.language.reading", "EXPRESSION_BYTES"),
    Limit("DynamoDB", "operators of an update", "", f"{_DYNAMODB}.language.updates", "OPERATORS"),
    Limit("DynamoDB", "operands of IN", "", f"{_DYNAMODB}.language.conditions", "IN_OPERANDS"),
    Limit("DynamoDB", "writes of a batch", "", f"{_DYNAMODB}.requests", "BATCH_WRITES"),
    Limit("DynamoDB", "reads of a batch", "", f"{_DYNAMODB}.requests", "BATCH_READS"),
    Limit("DynamoDB", "items of a transaction", "", f"{_DYNAMODB}.requests", "TRANSACTION_ITEMS"),
    Limit("DynamoDB", "size of a transaction's items", "bytes", f"{_DYNAMODB}.requests", "TRANSACTION_BYTES"),
    Limit("EventBridge", "entries of a PutEvents", "bytes", f"{_CHECKS}.events", "EVENT_BYTES"),
    Limit("EventBridge", "type of an event", "characters", f"{_CHECKS}.events", "TYPE_CHARACTERS"),
    Limit("EventBridge", "targets of a rule", "", "twin.moto_patches.events.targets", "TARGETS"),
    Limit("EventBridge", "number that a pattern compares", "", "twin.pumps.events.patterns", "LARGEST_NUMBER"),
    Limit("IAM", "inline policies of a role", "characters", "twin.moto_patches.policies.sizes", "INLINE"),
    Limit("IAM", "managed policy", "characters", "twin.moto_patches.policies.sizes", "MANAGED"),
    Limit("IAM", "trust policy", "characters", "twin.moto_patches.policies.sizes", "TRUST"),
    Limit("IAM", "managed policies of a role", "", "twin.moto_patches.policies.sizes", "ATTACHED"),
    Limit("Lambda", "policy of a function", "bytes", "twin.moto_patches.policies.sizes", "FUNCTION_BYTES"),
    Limit("Lambda", "messages of a queue's batch", "", "twin.deploy.services.compute.mappings", "BATCH"),
    Limit("Lambda", "payload of a synchronous call", "bytes", "twin.host.model", "SYNC_PAYLOAD_BYTES"),
    Limit("Lambda", "payload of an asynchronous call", "bytes", "twin.host.model", "ASYNC_PAYLOAD_BYTES"),
    Limit("Lambda", "response", "bytes", "twin.host.model", "RESPONSE_BYTES"),
    Limit("S3", "key of an object", "bytes", f"{_CHECKS}.objects", "KEY_BYTES"),
    Limit("S3", "metadata of an object", "bytes", f"{_CHECKS}.objects", "METADATA_BYTES"),
    Limit("S3", "tags of an object", "", f"{_CHECKS}.objects", "TAGS"),
    Limit("S3", "objects of a DeleteObjects", "", f"{_CHECKS}.objects", "DELETED_KEYS"),
    Limit("Secrets Manager", "value of a secret", "bytes", f"{_CHECKS}.values", "SECRET_BYTES"),
    Limit("SNS", "message with its attributes", "bytes", f"{_CHECKS}.values", "NOTIFICATION_BYTES"),
    Limit("SNS", "subject of a message", "characters", f"{_CHECKS}.values", "SUBJECT_CHARACTERS"),
    Limit("SQS", "message with its attributes", "bytes", f"{_CHECKS}.messages", "MESSAGE_BYTES"),
    Limit("SQS", "attributes of a message", "", f"{_CHECKS}.messages", "MESSAGE_ATTRIBUTES"),
    Limit("SQS", "delay of a message", "s", f"{_CHECKS}.queues", "DELAY_SECONDS"),
    Limit("SQS", "visibility timeout", "s", f"{_CHECKS}.queues", "HIDDEN_SECONDS"),
    Limit("SQS", "wait of a receive", "s", f"{_CHECKS}.queues", "WAIT_SECONDS"),
    Limit("SQS", "retention of a message", "s", f"{_CHECKS}.queues", "RETENTION_SECONDS"),
    Limit("SQS", "receives before the dead-letter queue", "", f"{_CHECKS}.queues", "RECEIVES"),
    Limit("SSM", "parameter of the standard tier", "characters", f"{_CHECKS}.values", "STANDARD_CHARACTERS"),
    Limit("SSM", "parameter of the advanced tier", "characters", f"{_CHECKS}.values", "ADVANCED_CHARACTERS"),
    Limit("Step Functions", "input, output or result", "bytes", "twin.machine.encoding", "MAX_BYTES"),
    Limit("Step Functions", "events of a history", "", "twin.machine.lifecycle", "max_events"),
    Limit("Step Functions", "time of an Express execution", "s", "twin.machine.lifecycle", "LIFETIME"),
    Limit(
        "Step Functions",
        "iterations at once of an inline Map",
        "",
        "twin.moto_patches.stepfunctions.language.map",
        "MAX_INLINE_CONCURRENCY",
    ),
)


def list_limits() -> list[Row]:
    """Service, what is limited, and how much."""
    return [(one.service, one.what, _show(one)) for one in LIMITS]


SERVERS = {
    "the AWS endpoint": front_server.LIMITS,
    "an HTTP API": http_api_server.LIMITS,
    "the others": Limits(),
}
"""The bounds of each HTTP server of the twin."""


def list_bounds() -> list[Row]:
    """Of each server connections, bytes of a request's head and body, and seconds of arrival and of silence."""
    return [
        (
            name,
            *(
                f"{each:,.0f}"
                for each in (of.connections, of.head_bytes, of.body_bytes, of.read_seconds, of.idle_seconds)
            ),
        )
        for name, of in SERVERS.items()
    ]


def _show(limit: Limit) -> str:
    number = getattr(import_module(limit.module), limit.name)
    return f"{number:,} {limit.unit}".replace(".0 ", " ").strip()


class Service(NamedTuple):
    """Who answers a service's calls.

    Attributes:
        title: What the README calls it.
        model: Its name in botocore.
        module: Where moto answers it.
        name: moto's class.
    """

    title: str
    model: str
    module: str
    name: str


SERVICES = (
    Service("DynamoDB", "dynamodb", "moto.dynamodb.responses", "DynamoHandler"),
    Service("EventBridge", "events", "moto.events.responses", "EventsHandler"),
    Service("KMS", "kms", "moto.kms.responses", "KmsResponse"),
    Service("Lambda", "lambda", "moto.awslambda.responses", "LambdaResponse"),
    Service("Scheduler", "scheduler", "moto.scheduler.responses", "EventBridgeSchedulerResponse"),
    Service("Secrets Manager", "secretsmanager", "moto.secretsmanager.responses", "SecretsManagerResponse"),
    Service("SNS", "sns", "moto.sns.responses", "SNSResponse"),
    Service("SQS", "sqs", "moto.sqs.responses", "SQSResponse"),
    Service("Step Functions", "stepfunctions", "moto.stepfunctions.responses", "StepFunctionResponse"),
)


PARTS = {
    "DynamoDB": (
        "PartiQL: `ExecuteStatement`, `BatchExecuteStatement`, `ExecuteTransaction` are refused by name",
        "types of the two paths of a condition, where no value is given",
        "parentheses around one operand and `size` inside `contains` are refused",
    ),
    "EventBridge": ("patterns that are too complex for their wildcards are taken",),
    "SNS": ("`PublishBatch`: lengths of messages and subjects", "a topic's own `MaximumMessageSize`"),
    "Step Functions": (
        *(f"`TestState`: `stateConfiguration.{name}`" for name in state_tests.WITHOUT),
        "`TestState`: `mock.fieldValidationMode` is not looked at",
        "`StartSyncExecution`: billing details",
        "tasks of activities and of `http:invoke`",
        *(f"distributed Map: `{field}: {one}`" for field, found in faults.NOT_SUPPORTED.items() for one in found),
        f"distributed Map: a redrive goes on with {runs.KEPT} child executions that failed, others begin anew",
    ),
}
"""What is missing of operations that are answered, by the service's title."""


def list_missing() -> list[Row]:
    """The operations of each service that nobody answers, those of its API less moto's and the patches'; and parts."""
    rows: list[Row] = []
    for one in SERVICES:
        operations = ", ".join(f"`{name}`" for name in _find_missing(one))
        rows.append((one.title, operations or "none", "; ".join(PARTS.get(one.title, ()))))
    return rows


def _find_missing(service: Service) -> list[str]:
    answers = getattr(import_module(service.module), service.name)
    patched = set(re.findall(rf"`{service.name}\.(\w+)`", PATCHES.read_text(encoding="utf-8")))
    model = botocore.session.get_session().get_service_model(service.model)
    names = {name: camelcase_to_underscores(name) for name in model.operation_names}
    return [name for name, called in names.items() if not hasattr(answers, called) and called not in patched]


def list_resource_types() -> list[Row]:
    """The resource types that are deployed, by service."""
    register_all()
    found: dict[str, list[str]] = {}
    for resource_type in list_types():
        _, service, name = resource_type.split("::")
        found.setdefault(service, []).append(f"`{name}`")
    return [(service, ", ".join(names)) for service, names in sorted(found.items())]


def list_recordings() -> list[Row]:
    """Recorded cases by feature: all, those whose history is equal, those with a known difference, those not run."""
    rows = [_count(feature, prefix) for prefix, feature in cases.FEATURES.items()]
    total = [sum(int(row[column]) for row in rows) for column in range(1, 5)]
    return [*rows, ("**all**", *(f"**{number}**" for number in total))]


def _count(feature: str, prefix: str) -> Row:
    run = [case_id for case_id in cases.RUN if case_id.startswith(f"{prefix}::")]
    differs = [case_id for case_id in run if case_id in cases.DIFFERENCES]
    not_run = [case_id for case_id in cases.NOT_RUN if case_id.startswith(f"{prefix}::")]
    numbers = (len(run) + len(not_run), len(run) - len(differs), len(differs), len(not_run))
    return (feature, *(str(number) for number in numbers))
