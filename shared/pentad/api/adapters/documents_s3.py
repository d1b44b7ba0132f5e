"""Presigned uploads to, and removals from, the documents bucket."""

import base64
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from pentad.api.ports import UploadTerms
from pentad.aws.clients import LazyClient
from pentad.aws.errors import translate_errors
from pentad.memory.objects.ports import KEY_METADATA

_CONNECT_SECONDS = 2.0
_READ_SECONDS = 10.0


@cache
def get_signing_client() -> LazyClient:
    """Return the process's S3 client that signs addresses with Signature Version 4.

    Without being told so, boto3 signs addresses with version 2 in us-east-1, and S3 refuses those for objects under a
    customer key ("Using Server Side Encryption with KMS requires AWS Signature Version 4").
    """
    config = Config(
        signature_version="s3v4",
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": 3},
        s3={"addressing_style": "auto", "us_east_1_regional_endpoint": "regional"},
    )
    return LazyClient(lambda: boto3.client("s3", config=config))


class S3Documents:
    """A `DocumentStore`.

    Args:
        client: a low-level S3 client that signs with Signature Version 4, which encrypted buckets require.
        bucket: the documents bucket.
    """

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def sign_upload(self, terms: UploadTerms) -> tuple[str, dict[str, str]]:
        """See `DocumentStore`."""
        checksum = base64.b64encode(bytes.fromhex(terms.sha256)).decode()
        condition = self._build_condition(terms.key)
        own = {} if terms.key_id is None else {KEY_METADATA: terms.key_id}
        url: str = self._client.generate_presigned_url(
            "put_object",
            Params={
                "Bucket": self._bucket,
                "Key": terms.key,
                "ContentType": terms.media_type,
                "ContentLength": terms.size,
                "ChecksumSHA256": checksum,
                "Metadata": own,
                **{name.replace("-", ""): value for name, value in condition.items()},
            },
            ExpiresIn=terms.seconds,
            HttpMethod="PUT",
        )
        return url, {
            "Content-Type": terms.media_type,
            "Content-Length": str(terms.size),
            "x-amz-checksum-sha256": checksum,
            **{f"x-amz-meta-{name}": value for name, value in own.items()},
            **condition,
        }

    def _build_condition(self, key: str) -> dict[str, str]:
        """Return the header that lets one PUT replace what stands there now: after it, something else does."""
        with translate_errors("the documents bucket"):
            # A listing, and not a HEAD, for which the role would have to read documents. The key itself sorts first.
            found = self._client.list_objects_v2(Bucket=self._bucket, Prefix=key, MaxKeys=1).get("Contents", ())
        for entry in found:
            if entry["Key"] == key:
                return {"If-Match": entry["ETag"]}
        return {"If-None-Match": "*"}

    def delete(self, key: str) -> None:
        """See `DocumentStore`."""
        with translate_errors("the documents bucket"):
            self._client.delete_object(Bucket=self._bucket, Key=key)
