"""A state table and a bucket in moto, in this process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from moto import mock_aws

from pentad.aws.table import Table
from tests.moto_clients import client, table

BUCKET = "payloads"


class Serialised:
    """A client whose calls come one by one: moto's conditions are not atomic under threads, DynamoDB's are."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)

        def locked(**arguments: Any) -> Any:
            with self._lock:
                return call(**arguments)

        return locked


@contextmanager
def local_aws(*, versioned: bool = False) -> Iterator[tuple[Table, Any]]:
    """Yield the state table and an S3 client with the bucket."""
    with mock_aws():
        dynamodb = table("state", index=True)
        s3 = client("s3")
        s3.create_bucket(Bucket=BUCKET)
        if versioned:
            s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield Table(Serialised(dynamodb), "state"), s3
