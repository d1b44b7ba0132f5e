"""S3: operations and IAM actions have different names, and one call may need several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote

from twin.iam.classify.call import Call, UnknownCall
from twin.iam.model import Access, ContextValue

_OBJECT_ACTIONS: Final = {
    "GetObject": "GetObject",
    "HeadObject": "GetObject",
    "GetObjectAttributes": "GetObjectAttributes",
    "PutObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "AbortMultipartUpload": "AbortMultipartUpload",
    "ListParts": "ListMultipartUploadParts",
    "DeleteObject": "DeleteObject",
    "GetObjectTagging": "GetObjectTagging",
    "PutObjectTagging": "PutObjectTagging",
    "DeleteObjectTagging": "DeleteObjectTagging",
    "CopyObject": "PutObject",
    "UploadPartCopy": "PutObject",
    "GetObjectRetention": "GetObjectRetention",
    "PutObjectRetention": "PutObjectRetention",
    "GetObjectLegalHold": "GetObjectLegalHold",
    "PutObjectLegalHold": "PutObjectLegalHold",
}
_WITH_VERSION: Final = frozenset(
    ("GetObject", "DeleteObject", "GetObjectTagging", "PutObjectTagging", "GetObjectAttributes")
)
_BUCKET_ACTIONS: Final = {
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "HeadBucket": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "GetBucketLocation": "GetBucketLocation",
    "GetBucketVersioning": "GetBucketVersioning",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "GetBucketPolicy": "GetBucketPolicy",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
}
_WITH_ACL: Final = ("PutObject", "CreateMultipartUpload", "CopyObject")
"""What sets a list of grants beside an object asks for s3:PutObjectAcl too (S3 user guide, "Required permissions")."""

_CONTEXT_PARAMS: Final = {
    "Prefix": "s3:prefix",
    "Delimiter": "s3:delimiter",
    "MaxKeys": "s3:max-keys",
    "VersionId": "s3:VersionId",
    "ACL": "s3:x-amz-acl",
    "ServerSideEncryption": "s3:x-amz-server-side-encryption",
    "SSEKMSKeyId": "s3:x-amz-server-side-encryption-aws-kms-key-id",
}


def classify_s3(call: Call) -> Sequence[Access]:
    """Return the accesses of an S3 call.

    Raises:
        UnknownCall: An operation that this stack does not use.
    """
    params, operation = call.params, call.operation
    context = {name: str(params[key]) for key, name in _CONTEXT_PARAMS.items() if params.get(key) is not None}
    if operation == "ListBuckets":
        return [Access("s3:ListAllMyBuckets", "*")]
    if operation in _BUCKET_ACTIONS:
        return [Access(f"s3:{_BUCKET_ACTIONS[operation]}", _format_bucket_arn(params["Bucket"]), context)]
    if operation == "DeleteObjects":
        objects = params.get("Delete", {}).get("Objects", [])
        found = [_classify_object(params["Bucket"], entry, "DeleteObject", context) for entry in objects]
        return [*found, *(access for entry in objects for access in _list_lock_accesses(params, entry, context))]
    if operation not in _OBJECT_ACTIONS:
        raise UnknownCall(f"the local twin cannot authorise s3:{operation}")
    found = [_classify_object(params["Bucket"], params, _OBJECT_ACTIONS[operation], context)]
    if operation in ("CopyObject", "UploadPartCopy"):
        found.insert(0, _classify_source(params["CopySource"]))
    found += _list_lock_accesses(params, params, context)
    if params.get("Tagging") and operation in ("PutObject", "CreateMultipartUpload", "CopyObject"):
        found.append(_classify_object(params["Bucket"], params, "PutObjectTagging", context))
    if any(name == "ACL" or name.startswith("Grant") for name in params) and operation in _WITH_ACL:
        found.append(_classify_object(params["Bucket"], params, "PutObjectAcl", context))
    return found


def _list_lock_accesses(
    params: Mapping[str, Any], entry: Mapping[str, Any], context: Mapping[str, ContextValue]
) -> list[Access]:
    """Return what Object Lock asks for beside the operation's own action (S3 user guide, "Managing Object Lock")."""
    wanted = {
        "BypassGovernanceRetention": params.get("BypassGovernanceRetention"),
        "PutObjectRetention": params.get("ObjectLockMode") or params.get("ObjectLockRetainUntilDate"),
        "PutObjectLegalHold": params.get("ObjectLockLegalHoldStatus"),
    }
    return [_classify_object(params["Bucket"], entry, action, context) for action, asked in wanted.items() if asked]


def _format_bucket_arn(name: str) -> str:
    return f"arn:aws:s3:::{name}"


def _classify_object(bucket: str, entry: Mapping[str, Any], action: str, context: Mapping[str, ContextValue]) -> Access:
    version = entry.get("VersionId")
    if version and action in _WITH_VERSION:
        action = action.replace("Object", "ObjectVersion", 1)
    return Access(f"s3:{action}", f"{_format_bucket_arn(bucket)}/{entry['Key']}", context)


def _classify_source(copy_source: object) -> Access:
    if isinstance(copy_source, Mapping):
        return _classify_object(copy_source["Bucket"], copy_source, "GetObject", {})
    path, _, version = str(copy_source).partition("?versionId=")
    bucket, _, key = unquote(path).lstrip("/").partition("/")
    return _classify_object(bucket, {"Key": key, "VersionId": version or None}, "GetObject", {})
