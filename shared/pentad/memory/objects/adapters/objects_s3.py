"""Objects in S3: documents, and content too large for an item."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from pentad.aws.errors import code_of, translate_errors
from pentad.domain.errors import ConfigurationError, NotFound, StoreUnavailable
from pentad.memory.objects.ports import KEY_METADATA, ObjectHead

_MISSING = frozenset({"404", "NoSuchKey", "NotFound", "NoSuchVersion"})


class S3Objects:
    """Objects of one bucket.

    Args:
        client: a low-level S3 client.
        bucket: the bucket's name.
    """

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def get_head(self, key: str) -> ObjectHead | None:
        """Return what stands under the key now, or None.

        Raises:
            ConfigurationError: not allowed; without s3:ListBucket S3 says 403 for what is missing too.
            StoreUnavailable: S3 did not answer.
        """
        with translate_errors("the bucket"):
            try:
                reply = self._client.head_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                if code_of(error) in _MISSING:
                    return None
                if code_of(error) == "403":  # a HEAD has no body, so no name of the error
                    raise ConfigurationError(
                        "the bucket refused to describe an object", fix="grant s3:GetObject and s3:ListBucket"
                    ) from error
                raise
        return ObjectHead(
            key=key,
            version=_get_version(reply),
            bytes=reply["ContentLength"],
            media_type=reply.get("ContentType", "application/octet-stream"),
            key_id=reply.get("Metadata", {}).get(KEY_METADATA),
        )

    def get(self, key: str, *, version: str | None = None) -> bytes:
        """Return an object's content.

        Raises:
            NotFound: no such object, or it has another version now.
            StoreUnavailable: S3 did not answer.
        """
        with translate_errors("the bucket"):
            try:
                reply = self._client.get_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                if code_of(error) in _MISSING:
                    raise NotFound("no such object") from error
                raise
            if version is not None and _get_version(reply) != version:
                reply["Body"].close()
                raise NotFound("the object has another version now")
            try:
                data: bytes = reply["Body"].read()
            except (BotoCoreError, OSError) as error:
                raise StoreUnavailable("the bucket stopped answering") from error
        return data

    def put(self, key: str, data: bytes, *, media_type: str = "application/octet-stream") -> None:
        """Store an object, replacing what stood there."""
        with translate_errors("the bucket"):
            self._client.put_object(Bucket=self._bucket, Key=key, Body=data, ContentType=media_type)


def _get_version(reply: Any) -> str:
    version = reply.get("VersionId")
    # A bucket that keeps no versions names none, or "null".
    return str(version) if version not in (None, "null") else str(reply["ETag"]).strip('"')
