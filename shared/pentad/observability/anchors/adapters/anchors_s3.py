"""Anchors in a bucket under Object Lock: ``anchors/TENANT/COUNTDOWN-NUMBER.json``, the newest first.

Whoever puts one asks that there is none of its number; a second version of one is a fork, and shows in the list of
versions, which nobody can take it from.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from pentad.aws.errors import code_of, translate_errors
from pentad.domain.errors import Unreadable
from pentad.observability.anchors.anchor import PREFIX, AuditAnchor, read_anchor, write_anchor

_LAST = 9_999_999_999
_TAKEN = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})


class S3Anchors:
    """An `AnchorStore`.

    Args:
        client: a low-level S3 client.
        bucket: the bucket's name.
    """

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def get_newest(self, tenant_id: str) -> AuditAnchor | None:
        """See the port."""
        with translate_errors("the bucket of anchors"):
            reply = self._client.list_objects_v2(Bucket=self._bucket, Prefix=f"{PREFIX}{tenant_id}/", MaxKeys=1)
        found = reply.get("Contents", [])
        return self._read(str(found[0]["Key"]), None) if found else None

    def put(self, anchor: AuditAnchor) -> bool:
        """See the port."""
        with translate_errors("the bucket of anchors"):
            try:
                self._client.put_object(
                    Bucket=self._bucket,
                    Key=name_key(anchor.tenant_id, anchor.number),
                    Body=write_anchor(anchor),
                    ContentType="application/json",
                    IfNoneMatch="*",
                )
            except ClientError as error:
                if code_of(error) not in _TAKEN:
                    raise
                return False
        return True

    def iter_versions(self, tenant_id: str, *, since: datetime | None = None) -> Iterator[AuditAnchor]:
        """Yield a tenant's anchors, the newest first, with all versions of each.

        Args:
            tenant_id: whose.
            since: leave out those that S3 has taken in before.

        Raises:
            StoreUnavailable: the store did not answer.
            Unreadable: one is no anchor.
        """
        request: dict[str, Any] = {"Bucket": self._bucket, "Prefix": f"{PREFIX}{tenant_id}/"}
        while True:
            with translate_errors("the bucket of anchors"):
                reply = self._client.list_object_versions(**request)
            for one in reply.get("Versions", []):
                if since is not None and one["LastModified"] < since:
                    return
                yield self._read(str(one["Key"]), str(one["VersionId"]))
            if not reply.get("IsTruncated"):
                return
            request |= {"KeyMarker": reply["NextKeyMarker"], "VersionIdMarker": reply["NextVersionIdMarker"]}

    def list_hidden(self, tenant_id: str) -> list[str]:
        """Return the keys that somebody has put a delete marker on: the anchors below are there all the same.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        with translate_errors("the bucket of anchors"):
            reply = self._client.list_object_versions(Bucket=self._bucket, Prefix=f"{PREFIX}{tenant_id}/")
        return sorted({str(one["Key"]) for one in reply.get("DeleteMarkers", [])})

    def _read(self, key: str, version: str | None) -> AuditAnchor:
        place = {"Bucket": self._bucket, "Key": key} | ({} if version is None else {"VersionId": version})
        with translate_errors("the bucket of anchors"):
            body = self._client.get_object(**place)["Body"].read()
        try:
            anchor = read_anchor(body)
        except ValueError as error:
            raise Unreadable(f"'{key}' in the bucket of anchors is not an anchor", field="anchor") from error
        if name_key(anchor.tenant_id, anchor.number) != key:
            raise Unreadable(f"'{key}' in the bucket of anchors holds another anchor", field="anchor")
        return anchor


def name_key(tenant_id: str, number: int) -> str:
    """Return the key of an anchor: keys are listed in order, and the newest is wanted first."""
    return f"{PREFIX}{tenant_id}/{_LAST - number:010d}-{number}.json"
