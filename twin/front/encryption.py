"""What an encrypted resource asks of its callers: the right to use the customer's key, through the service.

On AWS the service uses the key in the caller's name, so a role that may write to an encrypted queue and not use its
key is denied. Reads need kms:Decrypt, writes kms:GenerateDataKey (SQS asks a sender for both). Which operations need
which is in each service's developer guide, "Encryption at rest". Keys of AWS (`alias/aws/...`) ask nothing.
DynamoDB asks each caller for kms:Decrypt and remembers the answer for five minutes; the twin asks every time.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from twin.front.account import GLOBAL, MotoAccount
from twin.iam.model import ACCOUNT_ID, Access, ContextValue

DECRYPT: Final = ("kms:Decrypt",)
GENERATE: Final = ("kms:GenerateDataKey",)
BOTH: Final = ("kms:GenerateDataKey", "kms:Decrypt")
_ITEMS: Final = ("Get", "Put", "Update", "Delete", "BatchGet", "BatchWrite", "ConditionCheck")
_NEEDS: Final = {
    **{f"dynamodb:{item}Item": DECRYPT for item in _ITEMS},
    "dynamodb:Query": DECRYPT,
    "dynamodb:Scan": DECRYPT,
    "sqs:SendMessage": BOTH,
    "sqs:ReceiveMessage": DECRYPT,
    "s3:GetObject": DECRYPT,
    "s3:GetObjectVersion": DECRYPT,
    "s3:PutObject": GENERATE,
    "secretsmanager:GetSecretValue": DECRYPT,
    "secretsmanager:PutSecretValue": BOTH,
}


def list_key_accesses(account: MotoAccount, accesses: Sequence[Access], region: str) -> list[Access]:
    """Return the uses of keys that go with these accesses."""
    found: list[Access] = []
    for access in accesses:
        actions = _NEEDS.get(access.action, ())
        key = account.find_key_arn(_find_key(account, access.resource)) if actions else None
        if key is not None and not account.is_aws_key(key):
            found += [Access(action, key, _build_context(account, access, region)) for action in actions]
    return found


def _build_context(account: MotoAccount, access: Access, region: str) -> dict[str, ContextValue]:
    """Return how the service uses the key: through itself, and with the encryption context that it documents.

    Sources: "DynamoDB encryption at rest: usage notes", "Using encryption context with SSE-KMS" (with a bucket key it
    is the bucket's ARN, without the object's) and "Secrets Manager: encryption context".
    """
    service = access.action.split(":", 1)[0]
    context: dict[str, ContextValue] = {"kms:ViaService": f"{service}.{region}.amazonaws.com"}
    encryption: dict[str, str] = {}
    if service == "dynamodb":
        table = access.resource.split(":", 5)[-1].split("/")[1]
        encryption = {"aws:dynamodb:tableName": table, "aws:dynamodb:subscriberId": ACCOUNT_ID}
    elif service == "s3":
        bucket = account.get_service_backend("s3", GLOBAL).buckets.get(access.resource.split(":", 5)[-1].split("/")[0])
        keyed = any(rule.get("BucketKeyEnabled") in (True, "true") for rule in _list_bucket_rules(bucket))
        encryption = {"aws:s3:arn": access.resource.split("/", 1)[0] if keyed else access.resource}
    elif service == "secretsmanager":
        encryption = {"SecretARN": access.resource}
    if encryption:
        context["kms:EncryptionContextKeys"] = tuple(encryption)
    return context | {f"kms:EncryptionContext:{name}": value for name, value in encryption.items()}


def _find_key(account: MotoAccount, resource: str) -> str:
    """Return the customer key of a resource as it was configured, "" for none or one of AWS."""
    service, name = resource.split(":", 5)[2], resource.split(":", 5)[-1]
    if service == "sqs":
        key = getattr(account.get_service_backend("sqs").queues.get(name), "kms_master_key_id", None)
    elif service == "s3":
        key = _find_bucket_key(account.get_service_backend("s3", GLOBAL).buckets.get(name.split("/", 1)[0]))
    elif service == "dynamodb":
        table = account.get_service_backend("dynamodb").tables.get(name.split("/")[1])
        key = (getattr(table, "sse_specification", None) or {}).get("KMSMasterKeyId")
    else:
        key = getattr(account.get_service_backend("secretsmanager").secrets.get(resource), "kms_key_id", None)
    return "" if not key or "alias/aws/" in key else str(key)


def _list_bucket_rules(bucket: Any) -> list[dict[str, Any]]:
    encryption = getattr(bucket, "encryption", None)
    if not encryption:
        return []
    rules = json.loads(json.dumps(encryption)).get("Rule", [])
    return rules if isinstance(rules, list) else [rules]


def _find_bucket_key(bucket: Any) -> str | None:
    for rule in _list_bucket_rules(bucket):
        default = rule.get("ApplyServerSideEncryptionByDefault", {})
        if default.get("SSEAlgorithm") == "aws:kms":
            key: str | None = default.get("KMSMasterKeyID")
            return key
    return None
