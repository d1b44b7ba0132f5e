"""S3's events on EventBridge, in AWS's exact shape.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
"""

import uuid
from typing import Any

from twin.moto_patches.hooks import StoredObject, build_event, next_sequencer

JsonObject = dict[str, Any]

_REASONS = {
    "Put": "PutObject",
    "Post": "POST Object",
    "Copy": "CopyObject",
    "CompleteMultipartUpload": "CompleteMultipartUpload",
    "Delete": "DeleteObject",
}


def build_object_event(change: str, stored: StoredObject, account: str) -> JsonObject:
    """Return the event for one change (`Put`, `Copy`, `CompleteMultipartUpload`, `Delete`, ...) of an object."""
    deleted = change == "Delete"
    body: JsonObject = {"key": stored.key}
    if not deleted:
        body["size"] = stored.size
    body["etag"] = stored.etag
    if stored.version_id is not None:
        body["version-id"] = stored.version_id
    body["sequencer"] = next_sequencer()
    detail: JsonObject = {
        "version": "0",
        "bucket": {"name": stored.bucket},
        "object": body,
        "request-id": uuid.uuid4().hex[:16].upper(),
        "requester": account,
        "source-ip-address": "127.0.0.1",
        "reason": _REASONS[change],
    }
    if deleted:
        detail["deletion-type"] = "Delete Marker Created" if stored.delete_marker else "Permanently Deleted"
    kind = "Object Deleted" if deleted else "Object Created"
    arn = f"arn:aws:s3:::{stored.bucket}"
    return build_event(kind, "aws.s3", detail, [arn], (account, stored.region))
