"""Take an order: start its state machine."""

import json
import os
from typing import Any

import boto3


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Return 202 with the execution's ARN."""
    started = boto3.client("stepfunctions").start_execution(stateMachineArn=os.environ["MACHINE"], input=event["body"])
    return {"statusCode": 202, "body": json.dumps({"execution": started["executionArn"]})}
