"""Clients of moto in this process, made once: making one reads a megabyte of JSON, and many tests need theirs empty.

What they see is as new as the `mock_aws` around the test. moto takes the session that boto3 keeps away with each.
"""

import threading
from functools import cache
from typing import Any

import boto3

from twin.moto_patches import ciphertexts, dynamodb, lookups, secret_versions, updates
from twin.moto_patches.patching import apply_once

_KEYS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
_lock = threading.Lock()


def client(service: str, region: str = "us-east-1") -> Any:
    """Return the client of a service, to be used under `mock_aws`."""
    # Making clients is not safe for threads; using them is.
    with _lock:
        return _client(service, region)


@cache
def _client(service: str, region: str) -> Any:
    apply_once(ciphertexts.apply)
    apply_once(dynamodb.apply)
    apply_once(lookups.apply)
    apply_once(secret_versions.apply)
    apply_once(updates.apply)
    made = new_client(service, region)
    if service == "dynamodb":
        _serialise(made)
    return made


def _serialise(made: Any) -> None:
    """Let a client's calls come one by one: moto's conditions are not atomic under threads, DynamoDB's are."""
    call, lock = made._make_api_call, threading.RLock()

    def call_alone(*arguments: Any, **named: Any) -> Any:
        with lock:
            return call(*arguments, **named)

    made._make_api_call = call_alone


def new_client(service: str, region: str = "us-east-1") -> Any:
    """Return a client of one test's own, for what changes it."""
    return _session().client(service, region_name=region, **_KEYS)


@cache
def _session() -> Any:
    return boto3.session.Session()


def table(name: str, *, index: bool = False, region: str = "us-east-1") -> Any:
    """Make a table as the project's are, with the index gsi1 where it is asked for, and return its client."""
    keys = ["pk", "sk", "gsi1pk", "gsi1sk"] if index else ["pk", "sk"]
    request: dict[str, Any] = {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"} for key in keys],
        "KeySchema": _schema(*keys[:2]),
    }
    if index:
        projection = {"ProjectionType": "ALL"}
        request["GlobalSecondaryIndexes"] = [
            {"IndexName": "gsi1", "KeySchema": _schema(*keys[2:]), "Projection": projection}
        ]
    made = client("dynamodb", region)
    made.create_table(**request)
    return made


def _schema(first: str, second: str) -> list[dict[str, str]]:
    return [{"AttributeName": first, "KeyType": "HASH"}, {"AttributeName": second, "KeyType": "RANGE"}]
