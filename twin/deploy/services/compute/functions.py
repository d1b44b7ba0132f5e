"""Lambda: functions, layers, versions, aliases, permissions, event source mappings."""

import io
import json
import uuid
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from twin.deploy.deployment import (
    FunctionDefinition,
    FunctionVersion,
    InvokeConfig,
    InvokePermission,
    LayerVersion,
    QueueMapping,
)
from twin.deploy.registry import COST, METADATA, TAGS, Created, JsonObject, Resource, as_json, register_resource
from twin.deploy.services.compute.mappings import find_fault
from twin.private_files import make_private_folder, write_private

#: A layer whose root holds this file is made of third-party packages built for Lambda's processor.
THIRD_PARTY_MARKER = ".third-party"
_DEFAULT_MEMORY = 128
_DEFAULT_TIMEOUT = 3


def _prepare_code(target: Resource, code: JsonObject, what: str) -> Path:
    target.check_keys(what, code, {"S3Bucket", "S3Key", "S3ObjectVersion", "ZipFile"})
    if "ZipFile" in code:
        folder = target.place.scratch / target.physical_name(limit=120)
        make_private_folder(make_private_folder(target.place.scratch) / folder.name)
        # Lambda stores inline source as index.py, whatever the handler says.
        write_private(folder / "index.py", code["ZipFile"])
        return folder
    asset = target.stack.find_asset(code["S3Key"])
    if asset is None:
        raise target.build_error(f"{what}: no asset of the assembly is published as {code['S3Key']}")
    return asset.resolve_directory(target.place.scratch)


def _build_stub() -> bytes:
    """A minimal archive: moto only lists functions, the host runs them from the assembly's own folder."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("index.py", "")
    return buffer.getvalue()


_STUB = _build_stub()

_CONFIGURATION = ("Handler", "Runtime", "Role", "Description", "MemorySize", "Timeout", "Environment", "Layers")


@register_resource(
    "AWS::Lambda::Function",
    handled={
        "FunctionName",
        "Code",
        "Handler",
        "Runtime",
        "Role",
        "Description",
        "Environment",
        "MemorySize",
        "Timeout",
        "Layers",
        "LoggingConfig",
        "ReservedConcurrentExecutions",
        "DeadLetterConfig",
        "PackageType",
        "Architectures",
        "TracingConfig",
    },
    ignored={
        "EphemeralStorage": "the host gives each function a scratch folder of the machine",
        "KmsKeyArn": "environment values are not encrypted at rest in a process",
        "RecursiveLoop": "the twin's queues and executions are bounded",
        "SnapStart": "the host starts processes, there is no snapshot",
        "Tags": TAGS,
        "RuntimeManagementConfig": "there is one interpreter: the project's",
    },
)
def create_function(target: Resource, properties: JsonObject) -> Created:
    """Create a function."""
    definition = build_definition(target, properties)
    target.deployment.functions[definition.name] = definition
    _register_routes(target, definition.name, properties, definition)
    return Created(definition.name, {"Arn": definition.arn})


def build_definition(target: Resource, properties: JsonObject) -> FunctionDefinition:
    """Return a function as its properties describe it.

    Raises:
        ResourceFailed: it cannot run locally.
    """
    if properties.get("PackageType", "Zip") != "Zip":
        raise target.build_error("the local twin runs no container images: deploy the function as a zip file")
    name = properties.get("FunctionName") or target.physical_name(limit=64)
    arn = target.format_arn("lambda", f"function:{name}")
    environment = properties.get("Environment", {}).get("Variables", {})
    logging = properties.get("LoggingConfig", {})
    # SystemLogLevel has no effect: the host writes every platform line, as at the level INFO.
    allowed = {"LogGroup", "LogFormat", "ApplicationLogLevel", "SystemLogLevel"}
    target.check_keys("LoggingConfig", logging, allowed)
    reserved = properties.get("ReservedConcurrentExecutions")
    return FunctionDefinition(
        name=name,
        arn=arn,
        handler=properties["Handler"],
        runtime=properties["Runtime"],
        role_arn=properties["Role"],
        code=_prepare_code(target, properties["Code"], "Code"),
        environment={key: _format_variable(value) for key, value in environment.items()},
        layers=_resolve_layers(target, properties.get("Layers", [])),
        memory=int(properties.get("MemorySize", _DEFAULT_MEMORY)),
        timeout=int(properties.get("Timeout", _DEFAULT_TIMEOUT)),
        log_group=logging.get("LogGroup", f"/aws/lambda/{name}"),
        log_format=logging.get("LogFormat", "Text"),
        log_level=logging.get("ApplicationLogLevel"),
        reserved_concurrency=None if reserved is None else int(reserved),
        dead_letter_arn=properties.get("DeadLetterConfig", {}).get("TargetArn"),
        architecture=properties.get("Architectures", ["x86_64"])[0],
        tracing=properties.get("TracingConfig", {}).get("Mode") == "Active",
        stack=target.stack.name,
        logical_id=target.logical_id,
    )


def _format_variable(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _resolve_layers(target: Resource, arns: Sequence[str]) -> tuple[LayerVersion, ...]:
    for arn in arns:
        if arn not in target.deployment.layers:
            raise target.build_error(f"the assembly has no layer '{arn}'")
    return tuple(target.deployment.layers[arn] for arn in arns)


def build_configuration(properties: JsonObject, definition: FunctionDefinition) -> JsonObject:
    """Return a function's configuration as Lambda's API takes it, for listings: the host has its own."""
    # Layers are left out: moto would refuse what it has no archive of.
    request = {key: properties[key] for key in _CONFIGURATION if key in properties and key != "Layers"}
    request["Environment"] = {"Variables": dict(definition.environment)}
    if "LoggingConfig" in properties:
        request["LoggingConfig"] = properties["LoggingConfig"]
    return request


def _register_routes(target: Resource, name: str, properties: JsonObject, definition: FunctionDefinition) -> None:
    client = target.get_client("lambda")
    request = build_configuration(properties, definition)
    client.create_function(FunctionName=name, Code={"ZipFile": _STUB}, Publish=False, **request)
    if definition.reserved_concurrency is not None:
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=definition.reserved_concurrency)


@register_resource(
    "AWS::Lambda::LayerVersion",
    handled={"Content", "LayerName"},
    ignored={
        "CompatibleArchitectures": "third-party layers are replaced by the project's environment",
        "CompatibleRuntimes": "there is one interpreter: the project's",
        "Description": METADATA,
        "LicenseInfo": METADATA,
    },
)
def publish_layer_version(target: Resource, properties: JsonObject) -> Created:
    """Take a layer from its asset. moto is not told: it only wants the archive's bytes."""
    name = properties.get("LayerName") or target.physical_name(limit=140)
    earlier = sum(1 for one in target.deployment.layers if one.split(":")[6] == name)
    arn = target.format_arn("lambda", f"layer:{name}:{earlier + 1}")
    folder = _prepare_code(target, properties["Content"], "Content")
    third_party = (folder / THIRD_PARTY_MARKER).is_file()
    target.deployment.layers[arn] = LayerVersion(arn, folder, third_party)
    return Created(arn, {"LayerVersionArn": arn})


def _split_name(reference: str) -> tuple[str, str | None]:
    """Split a function name or ARN, with or without a qualifier."""
    rest = reference.split(":function:", 1)[-1]
    name, _, qualifier = rest.partition(":")
    return name, qualifier or None


def get_function(target: Resource, reference: str) -> FunctionDefinition:
    """Return the function that a name or an ARN means.

    Raises:
        ResourceFailed: it is not part of the assembly.
    """
    name, _ = _split_name(reference)
    definition = target.deployment.functions.get(name)
    if definition is None:
        raise target.build_error(f"the assembly has no function '{name}'")
    return definition


@register_resource(
    "AWS::Lambda::Version",
    handled={"FunctionName"},
    ignored={
        "CodeSha256": "the code is the assembly's",
        "Description": METADATA,
        "ProvisionedConcurrencyConfig": COST,
        "RuntimePolicy": "there is one interpreter: the project's",
    },
)
def publish_version(target: Resource, properties: JsonObject) -> Created:
    """Publish the present code as a version; the host keeps it when the function is updated."""
    definition = get_function(target, properties["FunctionName"])
    published = [one for one in target.deployment.versions if one.function == definition.name]
    number = str(1 + sum(one.qualifier.isdigit() for one in published))
    arn = f"{definition.arn}:{number}"
    target.deployment.versions.append(FunctionVersion(definition.name, number, number, arn))
    target.get_client("lambda").publish_version(FunctionName=definition.name)
    return Created(arn, {"Version": number, "FunctionArn": arn})


@register_resource(
    "AWS::Lambda::Alias",
    handled={"FunctionName", "FunctionVersion", "Name"},
    ignored={"Description": METADATA, "ProvisionedConcurrencyConfig": COST},
)
def create_alias(target: Resource, properties: JsonObject) -> Created:
    """Create an alias."""
    definition, name = get_function(target, properties["FunctionName"]), properties["Name"]
    arn = f"{definition.arn}:{name}"
    target.deployment.versions.append(FunctionVersion(definition.name, name, properties["FunctionVersion"], arn))
    request = {"FunctionVersion": properties["FunctionVersion"], "Name": name}
    target.get_client("lambda").create_alias(FunctionName=definition.name, **request)
    return Created(arn, {"AliasArn": arn})


@register_resource(
    "AWS::Lambda::Permission",
    handled={"Action", "FunctionName", "Principal", "SourceArn", "SourceAccount"},
    ignored={"FunctionUrlAuthType": "the twin serves no function URLs"},
)
def add_permission(target: Resource, properties: JsonObject) -> Created:
    """Add one statement to a function's resource policy."""
    definition = get_function(target, properties["FunctionName"])
    _, qualifier = _split_name(properties["FunctionName"])
    target.deployment.permissions.append(
        InvokePermission(
            function=definition.name,
            qualifier=qualifier,
            principal=properties["Principal"],
            action=properties["Action"],
            source_arn=properties.get("SourceArn"),
            source_account=properties.get("SourceAccount"),
        )
    )
    statement = target.physical_name(limit=100)
    request: JsonObject = {
        key: properties[key] for key in ("Action", "Principal", "SourceArn", "SourceAccount") if key in properties
    }
    if qualifier is not None:
        request["Qualifier"] = qualifier
    target.get_client("lambda").add_permission(FunctionName=definition.name, StatementId=statement, **request)
    return Created(statement, {"Id": statement})


@register_resource(
    "AWS::Lambda::EventSourceMapping",
    handled={
        "BatchSize",
        "Enabled",
        "EventSourceArn",
        "FilterCriteria",
        "FunctionName",
        "FunctionResponseTypes",
        "MaximumBatchingWindowInSeconds",
        "ScalingConfig",
    },
    ignored={"Tags": TAGS, "MetricsConfig": COST},
)
def create_event_source_mapping(target: Resource, properties: JsonObject) -> Created:
    """Record an SQS mapping: the pump polls. moto's own would call Docker inside SendMessage."""
    source = properties["EventSourceArn"]
    if ":sqs:" not in source:
        raise target.build_error(f"the local twin reads SQS queues only, not '{source}'")
    fault = find_fault(source, properties)
    if fault is not None:
        raise target.build_error(fault)
    definition = get_function(target, properties["FunctionName"])
    _check_visibility(target, source, definition)
    identifier = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{target.stack.name}/{target.logical_id}"))
    scaling = properties.get("ScalingConfig", {})
    target.check_keys("ScalingConfig", scaling, {"MaximumConcurrency"})
    filters = properties.get("FilterCriteria", {}).get("Filters", [])
    target.deployment.queue_mappings.append(
        QueueMapping(
            uuid=identifier,
            function=properties["FunctionName"],
            role_arn=definition.role_arn,
            queue_arn=source,
            batch_size=int(properties.get("BatchSize", 10)),
            window=int(properties.get("MaximumBatchingWindowInSeconds", 0)),
            partial_failures="ReportBatchItemFailures" in properties.get("FunctionResponseTypes", []),
            maximum_concurrency=scaling.get("MaximumConcurrency"),
            filters=tuple(_parse_pattern(item["Pattern"]) for item in filters),
            enabled=properties.get("Enabled", True) in (True, "true"),
        )
    )
    arn = target.format_arn("lambda", f"event-source-mapping:{identifier}")
    return Created(identifier, {"Id": identifier, "EventSourceMappingArn": arn})


def _check_visibility(target: Resource, queue_arn: str, definition: FunctionDefinition) -> None:
    """Refuse what Lambda refuses: messages would return while the function still works on them."""
    client = target.get_client("sqs")
    url = client.get_queue_url(QueueName=queue_arn.rsplit(":", 1)[-1])["QueueUrl"]
    attributes = client.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    visibility = int(attributes["VisibilityTimeout"])
    if visibility < definition.timeout:
        raise target.build_error(
            f"Queue visibility timeout: {visibility} seconds is less than Function timeout: "
            f"{definition.timeout} seconds"
        )


def _parse_pattern(pattern: Any) -> JsonObject:
    document: JsonObject = json.loads(as_json(pattern))
    return document


@register_resource(
    "AWS::Lambda::EventInvokeConfig",
    handled={"FunctionName", "MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig"},
    ignored={"Qualifier": "a function has one configuration, for all of its versions; a second one is refused"},
)
def put_event_invoke_config(target: Resource, properties: JsonObject) -> Created:
    """Record how asynchronous invocations are retried."""
    definition = get_function(target, properties["FunctionName"])
    destinations = properties.get("DestinationConfig", {})
    target.check_keys("DestinationConfig", destinations, {"OnFailure"})
    if any(one.function == definition.name for one in target.deployment.invoke_configs):
        raise target.build_error(
            f"'{definition.name}' has another EventInvokeConfig: the local twin keeps one a function"
        )
    target.deployment.invoke_configs.append(
        InvokeConfig(
            function=definition.name,
            maximum_retries=int(properties.get("MaximumRetryAttempts", 2)),
            maximum_age=int(properties.get("MaximumEventAgeInSeconds", 21600)),
            on_failure=destinations.get("OnFailure", {}).get("Destination"),
        )
    )
    return Created(target.physical_name(limit=128))
