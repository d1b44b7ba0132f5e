"""What services refuse before they do anything, and moto takes: by service and operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from twin.front.checks.events import check_events, check_rule
from twin.front.checks.messages import Refusal
from twin.front.checks.objects import check_acl, check_deletion, check_listing, check_object
from twin.front.checks.queues import check_attributes, check_deletions, check_parameters, check_send
from twin.front.checks.schedules import check_schedule
from twin.front.checks.targets import check_targets
from twin.front.checks.values import check_key_deletion, check_notification, check_parameter, check_secret
from twin.front.errors import build_error
from twin.front.model import ApiCall, ApiResponse

_OBJECTS: Final = ("PutObject", "GetObject", "HeadObject", "DeleteObject", "CopyObject", "CreateMultipartUpload")
_LISTINGS: Final = ("ListObjects", "ListObjectsV2", "ListObjectVersions")
_SECRETS: Final = ("CreateSecret", "PutSecretValue", "UpdateSecret")


def find_refusal(call: ApiCall) -> ApiResponse | None:
    """Return the error that a call gets, None where it may go on."""
    check = _CHECKS.get((call.service, call.operation))
    found = check(call) if check is not None else None
    return None if found is None else build_error(call.service, 400, *found)


_CHECKS: Final[Mapping[tuple[str, str], Callable[[ApiCall], Refusal | None]]] = {
    ("sqs", "SendMessage"): check_send,
    ("sqs", "ReceiveMessage"): check_parameters,
    ("sqs", "ChangeMessageVisibility"): check_parameters,
    ("sqs", "DeleteMessageBatch"): check_deletions,
    ("sqs", "ChangeMessageVisibilityBatch"): check_deletions,
    ("sqs", "CreateQueue"): check_attributes,
    ("sqs", "SetQueueAttributes"): check_attributes,
    **{("s3", operation): check_object for operation in _OBJECTS},
    ("s3", "DeleteObjects"): check_deletion,
    **{("s3", operation): check_listing for operation in _LISTINGS},
    ("s3", "PutObjectAcl"): check_acl,
    ("s3", "PutBucketAcl"): check_acl,
    ("events", "PutEvents"): check_events,
    ("events", "PutRule"): check_rule,
    ("events", "PutTargets"): check_targets,
    ("kms", "ScheduleKeyDeletion"): check_key_deletion,
    ("scheduler", "CreateSchedule"): check_schedule,
    ("scheduler", "UpdateSchedule"): check_schedule,
    ("sns", "Publish"): check_notification,
    **{("secretsmanager", operation): check_secret for operation in _SECRETS},
    ("ssm", "PutParameter"): check_parameter,
}
