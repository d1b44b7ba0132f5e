"""Store an order."""

import os
from typing import Any

import boto3


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Return the order as it was stored."""
    item = {"id": {"S": event["id"]}, "article": {"S": event["article"]}}
    boto3.client("dynamodb").put_item(TableName=os.environ["TABLE"], Item=item)
    return event
