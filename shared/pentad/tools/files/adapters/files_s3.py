"""Files in S3, below ``files/{tenant}/`` of a versioned bucket. Writes are conditional on what is there."""

from typing import Any

from botocore.exceptions import ClientError

from pentad.aws.errors import translate_errors
from pentad.tools.files.paths import check_key
from pentad.tools.files.ports import FileEntry, FoundFile

ROOT = "files"
_ABSENT = frozenset({"NoSuchKey", "NoSuchVersion", "404", "NotFound"})
_MET = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})
_DENIED = frozenset({"AccessDenied", "403", "Forbidden"})
_BEYOND = frozenset({"InvalidRange", "416"})


class S3Files:
    """`FileStore` of one tenant.

    Args:
        client: a low-level S3 client with credentials of the call.
        bucket: the bucket's name.
        tenant_id: whose files.
    """

    def __init__(self, client: Any, bucket: str, tenant_id: str) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = f"{ROOT}/{tenant_id}/"

    def read(
        self, path: str, *, start: int = 0, length: int | None = None, version: str | None = None
    ) -> FoundFile | None:
        """See `FileStore`."""
        place = self._name(path) | ({"VersionId": version} if version else {})
        with translate_errors("the store of files"):
            try:
                if length == 0:
                    return self._make_found(path, self._client.head_object(**place), b"", 0)
                asked = {} if length is None else {"Range": f"bytes={start}-{start + length - 1}"}
                reply = self._client.get_object(**place, **asked)
                return self._make_found(path, reply, reply["Body"].read(), start if asked else 0)
            except ClientError as error:
                code = _read_code(error)
                if code in _BEYOND:
                    return self.read(path, length=0, version=version)
                # S3 tells that a key is absent only to who may list the whole bucket; to others it is denied.
                if code in _ABSENT or (code in _DENIED and not self._is_listed(path)):
                    return None
                raise

    def _is_listed(self, path: str) -> bool:
        entries, _ = self.list(path, limit=1)
        return any(one.path == path for one in entries)

    def write(
        self, path: str, data: bytes, *, content_type: str, marks: dict[str, str], if_etag: str | None
    ) -> str | None:
        """See `FileStore`."""
        condition = {"IfNoneMatch": "*"} if if_etag is None else {"IfMatch": f'"{if_etag}"'}
        with translate_errors("the store of files"):
            try:
                reply = self._client.put_object(
                    **self._name(path), Body=data, ContentType=content_type, Metadata=marks, **condition
                )
            except ClientError as error:
                if _read_code(error) in _MET | _ABSENT:
                    return None
                raise
        return str(reply["ETag"]).strip('"')

    def delete(self, path: str, *, if_etag: str) -> bool:
        """See `FileStore`."""
        found = self.read(path, length=0)
        if found is None or found.entry.etag != if_etag:
            return False
        with translate_errors("the store of files"):
            try:
                self._client.delete_object(**self._name(path), IfMatch=f'"{if_etag}"')
            except ClientError as error:
                if _read_code(error) in _MET | _ABSENT:
                    return False
                raise
        return True

    def list(self, folder: str, *, limit: int, after: str | None = None) -> tuple[list[FileEntry], bool]:
        """See `FileStore`."""
        begins = {"StartAfter": self._prefix + after} if after else {}
        with translate_errors("the store of files"):
            reply = self._client.list_objects_v2(
                Bucket=self._bucket, Prefix=self._prefix + folder, MaxKeys=limit, **begins
            )
        entries = [self._make_entry(one["Key"].removeprefix(self._prefix), one, one["Size"]) for one in
                   reply.get("Contents", [])]  # fmt: skip
        return entries, bool(reply.get("IsTruncated"))

    def _name(self, path: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": check_key(self._prefix, path)}

    def _make_found(self, path: str, reply: dict[str, Any], data: bytes, start: int) -> FoundFile:
        whole = str(reply.get("ContentRange", "")).rpartition("/")[2]
        size = int(whole) if whole.isdecimal() else int(reply["ContentLength"])
        return FoundFile(
            entry=self._make_entry(path, reply, size),
            data=data,
            start=start,
            version=str(reply.get("VersionId") or ""),
            content_type=str(reply.get("ContentType") or ""),
            marks=dict(reply.get("Metadata") or {}),
        )

    def _make_entry(self, path: str, reply: dict[str, Any], size: int) -> FileEntry:
        at = reply["LastModified"].isoformat(timespec="seconds")
        return FileEntry(path=path, size=size, etag=str(reply["ETag"]).strip('"'), modified_at=at)


def _read_code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
