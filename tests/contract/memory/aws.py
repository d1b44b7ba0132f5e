"""A state table and a bucket in moto, in this process."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from moto import mock_aws

from pentad.aws.table import Table
from tests.moto_clients import client, table

BUCKET = "payloads"


@contextmanager
def local_aws(*, versioned: bool = False) -> Iterator[tuple[Table, Any]]:
    """Yield the state table and an S3 client with the bucket."""
    with mock_aws():
        dynamodb = table("state", index=True)
        s3 = client("s3")
        s3.create_bucket(Bucket=BUCKET)
        if versioned:
            s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield Table(dynamodb, "state"), s3
