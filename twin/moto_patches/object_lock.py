"""Object Lock of S3.

What moto gets wrong: the retention of a locked version can be shortened, ended or weakened by anybody who may set one,
and versioning of a bucket with Object Lock can be suspended, after which what is written is not locked. S3 refuses both
(S3 user guide, "Managing Object Lock"): in compliance mode always, in governance mode but for who bypasses it, whose
right to do so the front has checked before.
"""

from datetime import UTC, datetime
from typing import Any

from moto.s3.exceptions import AccessDeniedByLock, InvalidBucketState
from moto.s3.models import FakeKey, S3Backend
from moto.s3.responses import S3Response

from twin.moto_patches.patching import Patches

_BYPASS = "x-amz-bypass-governance-retention"


def apply(patches: Patches) -> None:
    """Let a lock hold."""
    put = S3Response.put_object_retention
    set_versioning = S3Backend.put_bucket_versioning

    def put_object_retention(self: Any) -> Any:
        key = self.backend.get_object(self.bucket_name, self.parse_key_name(), version_id=self._get_param("versionId"))
        bypasses = any(name.lower() == _BYPASS and text.lower() == "true" for name, text in self.headers.items())
        if key is not None and is_weakened(key, *self._mode_until_from_body(), bypasses=bypasses):
            raise AccessDeniedByLock
        return put(self)

    def put_bucket_versioning(self: Any, bucket_name: str, status: str) -> None:
        if status != "Enabled" and self.get_bucket(bucket_name).object_lock_enabled:
            raise InvalidBucketState(
                "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed."
            )
        set_versioning(self, bucket_name, status)

    patches.set_attribute(S3Response, "put_object_retention", put_object_retention)
    patches.set_attribute(S3Backend, "put_bucket_versioning", put_bucket_versioning)


def is_weakened(key: FakeKey, mode: str | None, until: str | None, *, bypasses: bool) -> bool:
    """Tell whether a retention would leave a version less protected than it is, and nothing allows that."""
    if key.lock_mode not in ("GOVERNANCE", "COMPLIANCE") or not key.lock_until:
        return False
    ends = _parse(key.lock_until)
    if ends <= datetime.now(UTC) or (key.lock_mode == "GOVERNANCE" and bypasses):
        return False
    sooner = until is None or _parse(until) < ends
    return sooner or (key.lock_mode == "COMPLIANCE" and mode != "COMPLIANCE")


def _parse(text: str) -> datetime:
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
