"""The calls that an execution makes: clients of the machine's own role, names of fields and of errors as AWS has them.

What moto gets wrong: it calls with fixed keys; it hands requests and responses through without changing the case of
the field names, so that `executionArn` never becomes `ExecutionArn`; it drops the SDK metadata; most errors of a
service have other names than on AWS.
"""

import functools
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, NamedTuple, Protocol

import botocore.session
from botocore.exceptions import BotoCoreError, ClientError
from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.response import StreamingBody

from twin.machine.encoding import dump_json, to_iso


class Connect(Protocol):
    """Supplied by the twin: a botocore client of `service` that acts as `role_arn`."""

    def __call__(self, service: str, role_arn: str) -> Any:
        """Return the client."""


class _Names(NamedTuple):
    prefix: str
    base: str
    service: str


_OPTIMISED: Final = {
    "lambda": _Names("Lambda", "AWSLambdaException", "AWSLambda"),
    "dynamodb": _Names("DynamoDB", "AmazonDynamoDBException", "AmazonDynamoDBv2"),
    "states": _Names("StepFunctions", "AWSStepFunctionsException", "AWSStepFunctions"),
    "sqs": _Names("SQS", "AmazonSQSException", "AmazonSQS"),
    "sns": _Names("SNS", "AmazonSNSException", "AmazonSNS"),
    "events": _Names("EventBridge", "AmazonEventBridgeException", "AmazonEventBridge"),
}
"""Optimised integrations speak of errors as version 1 of the Java SDK does: `<prefix>.<exception class>`."""
_SDK: Final = {
    "dynamodb": "DynamoDb",
    "eventbridge": "EventBridge",
    "lambda": "Lambda",
    "s3": "S3",
    "secretsmanager": "SecretsManager",
    "sfn": "Sfn",
    "sns": "Sns",
    "sqs": "Sqs",
    "ssm": "Ssm",
}
"""`aws-sdk` integrations speak of errors as version 2 does: `<service>.<exception class>`."""
_BOTO_NAMES: Final = {
    "sfn": "stepfunctions",
    "states": "stepfunctions",
    "eventbridge": "events",
    "cloudwatchlogs": "logs",
}
_METADATA: Final = ("SdkHttpMetadata", "SdkResponseMetadata")
_connect: Connect | None = None
_models = threading.Lock()


def use(connect: Connect | None) -> None:
    """Set where clients come from; None forgets it."""
    global _connect
    _connect = connect


class NotInstalledError(RuntimeError):
    """An execution called a service while the interpreter was not installed."""


def _with_metadata(response: dict[str, Any]) -> dict[str, Any]:
    metadata = response.pop("ResponseMetadata", None) or {}
    headers = {str(k): str(v) for k, v in metadata.get("HTTPHeaders", {}).items()}
    response["SdkHttpMetadata"] = {
        "AllHttpHeaders": {name: [value] for name, value in headers.items()},
        "HttpHeaders": headers,
        "HttpStatusCode": metadata.get("HTTPStatusCode", 200),
    }
    response["SdkResponseMetadata"] = {"RequestId": metadata.get("RequestId", "")}
    return response


class Client:
    """A botocore client whose responses carry the SDK metadata in the form of a task's result."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        method = getattr(self._client, operation)

        def call(**parameters: Any) -> dict[str, Any]:
            return _with_metadata(dict(method(**parameters)))

        return call


def create_client(region: str, service: str, state_credentials: Any = None) -> Client:
    """Return a client of `service` for the role in `state_credentials`; stands in for moto's `boto_client_for`.

    Raises:
        NotInstalledError: The interpreter was uninstalled.
    """
    if _connect is None:
        raise NotInstalledError(service)
    return Client(_connect(service, state_credentials.role_arn))


def to_boto_name(api_name: str) -> str:
    """Return botocore's name of a service that a `Resource` names."""
    return _BOTO_NAMES.get(api_name, api_name)


@functools.lru_cache(maxsize=64)
def _load_model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


def _find_operation(service: str, action: str) -> Any:
    with _models:
        model = _load_model(service)
        wanted = action.replace("_", "").lower()
        name = next((n for n in model.operation_names if n.lower() == wanted), None)
        return model.operation_model(name) if name else None


def _find_member(shape: StructureShape, key: str) -> str | None:
    if key in shape.members:
        return key
    return next((name for name in shape.members if name.lower() == key.lower()), None)


def _to_boto(value: Any, shape: Shape) -> Any:
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        if getattr(shape, "is_document_type", False):
            return value
        named = ((_find_member(shape, key) or key, item) for key, item in value.items())
        return {key: _to_boto(item, shape.members[key]) if key in shape.members else item for key, item in named}
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_to_boto(item, shape.member) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: _to_boto(item, shape.value) for key, item in value.items()}
    if shape.type_name == "string" and not isinstance(value, str):
        return dump_json(value)
    if shape.type_name == "blob" and not isinstance(value, bytes):
        return (value if isinstance(value, str) else dump_json(value)).encode()
    return value


def to_boto(parameters: dict[str, Any], *, service: str, action: str) -> dict[str, Any]:
    """Return the arguments of a task as botocore takes them; null arguments are left out."""
    operation = _find_operation(service, action)
    given = {key: value for key, value in parameters.items() if value is not None}
    if operation is None or operation.input_shape is None:
        return given
    converted: dict[str, Any] = _to_boto(given, operation.input_shape)
    return converted


def _convert_scalar(value: Any, *, as_millis: bool) -> Any:
    if isinstance(value, datetime):
        return int(value.timestamp() * 1000) if as_millis else to_iso(value)
    if isinstance(value, StreamingBody):
        value = value.read()
    return value.decode("utf-8", "replace") if isinstance(value, bytes | bytearray) else value


def from_boto(value: Any, *, service: str, action: str, as_millis: bool) -> Any:
    """Return a response as a state machine sees it.

    Names of fields begin with a capital, keys of maps (such as a table's attributes) stay, and there are neither bytes
    nor time objects: times are milliseconds for optimised integrations and ISO 8601 for the others.
    """
    operation = _find_operation(service, action)
    shape = operation.output_shape if operation is not None else None
    return _from_boto(value, shape, as_millis=as_millis)


def _from_boto(value: Any, shape: Shape | None, *, as_millis: bool) -> Any:
    if isinstance(value, dict):
        members = shape.members if isinstance(shape, StructureShape) else {}
        plain = isinstance(shape, MapShape)
        return {
            key if plain or key in _METADATA else key[:1].upper() + key[1:]: item
            if key in _METADATA
            else _from_boto(item, shape.value if isinstance(shape, MapShape) else members.get(key), as_millis=as_millis)
            for key, item in value.items()
        }
    if isinstance(value, list):
        member = shape.member if isinstance(shape, ListShape) else None
        return [_from_boto(item, member, as_millis=as_millis) for item in value]
    return _convert_scalar(value, as_millis=as_millis)


def _error_class_name(error: ClientError, base: str) -> str:
    """Return the SDK's class for an error; the SDKs have none for a denied call, so it is the service's base class."""
    name = type(error).__name__
    code = str(error.response.get("Error", {}).get("Code", ""))
    if name == "ClientError" or "AccessDenied" in code:
        return base
    return name if name.endswith("Exception") else f"{name}Exception"


def translate_optimised_error(service: str, error: Exception) -> tuple[str, str] | None:
    """Return name and cause of an error of an optimised integration, None where it is not the service's.

    A denied Lambda call is `Lambda.AWSLambdaException` with the code in the cause, which is how AWS reports it.
    """
    names = _OPTIMISED.get(service)
    if names is None or not isinstance(error, ClientError | BotoCoreError):
        return None
    if isinstance(error, BotoCoreError):
        return f"{names.prefix}.SdkClientException", str(error)
    metadata = error.response.get("ResponseMetadata", {})
    details = error.response.get("Error", {})
    cause = (
        f"{details.get('Message', '')} (Service: {names.service}; Status Code: {metadata.get('HTTPStatusCode', 400)}; "
        f"Error Code: {details.get('Code', '')}; Request ID: {metadata.get('RequestId', '')}; Proxy: null)"
    )
    return f"{names.prefix}.{_error_class_name(error, names.base)}", cause


def translate_sdk_error(api_name: str, error: Exception) -> tuple[str, str] | None:
    """Return name and cause of an error of an `aws-sdk` integration, None where it is not the service's."""
    if not isinstance(error, ClientError | BotoCoreError):
        return None
    service = _SDK.get(api_name.lower(), api_name[:1].upper() + api_name[1:])
    if isinstance(error, BotoCoreError):
        return f"{service}.SdkClientException", str(error)
    metadata = error.response.get("ResponseMetadata", {})
    parts = [
        f"Service: {service}",
        f"Status Code: {metadata.get('HTTPStatusCode', 400)}",
        f"Request ID: {metadata.get('RequestId', '')}",
    ]
    message = error.response.get("Error", {}).get("Message", "")
    return f"{service}.{_error_class_name(error, f'{service}Exception')}", f"{message} ({', '.join(parts)})"
