"""Presigned uploads to, and removals from, the documents bucket."""

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from pentad.aws.clients import LazyClient
from pentad.aws.errors import translate_errors

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

    def sign_upload(self, key: str, media_type: str, seconds: int) -> tuple[str, dict[str, str]]:
        """See `DocumentStore`."""
        url: str = self._client.generate_presigned_url(
            "put_object",
            Params={"Bucket": self._bucket, "Key": key, "ContentType": media_type},
            ExpiresIn=seconds,
            HttpMethod="PUT",
        )
        return url, {"Content-Type": media_type}

    def delete(self, key: str) -> None:
        """See `DocumentStore`."""
        with translate_errors("the documents bucket"):
            self._client.delete_object(Bucket=self._bucket, Key=key)
