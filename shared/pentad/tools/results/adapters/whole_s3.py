"""Whole results in S3, in the bucket of payloads; and an address that takes one of them from a tool's function."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError, ClientError

from pentad.aws.errors import code_of, translate_errors
from pentad.domain.errors import StoreUnavailable

_BLOCK = 262_144
_MISSING = frozenset({"404", "NoSuchKey", "NotFound", "InvalidRange"})
_MEDIA_TYPE = "text/plain; charset=utf-8"


class S3WholeResults:
    """`WholeResults` in a bucket.

    Args:
        client: a low-level S3 client.
        bucket: the bucket's name.
        credentials: returns the process's own credentials, which sign addresses.
        region: AWS's name of the region; the client's where none is given, which is asked for when something is signed:
            the client may not be made yet.
        endpoint: in place of AWS's own, on a twin.
    """

    def __init__(
        self,
        client: Any,
        bucket: str,
        *,
        credentials: Callable[[], Any],
        region: str | None = None,
        endpoint: str | None = None,
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._credentials = credentials
        self._region = region
        self._endpoint = endpoint

    def put(self, key: str, data: bytes) -> None:
        """See `WholeResults`."""
        with translate_errors("the bucket"):
            self._client.put_object(Bucket=self._bucket, Key=key, Body=data, ContentType=_MEDIA_TYPE)

    def get_size(self, key: str) -> int | None:
        """See `WholeResults`."""
        # With a GET, since the runner's role may not list, and S3 then says 403 to a HEAD of what is not there.
        reply = self._get(key, "bytes=0-0")
        if reply is None:
            return None
        reply["Body"].close()
        return int(str(reply.get("ContentRange", "/0")).rpartition("/")[2])

    def iter_blocks(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """See `WholeResults`."""
        if end is not None and end <= start:
            return
        reply = self._get(key, f"bytes={start}-{'' if end is None else end - 1}")
        if reply is None:
            return
        try:
            yield from reply["Body"].iter_chunks(_BLOCK)
        except (BotoCoreError, OSError) as error:
            raise StoreUnavailable("the bucket stopped answering") from error
        finally:
            reply["Body"].close()

    def sign_put(self, key: str, *, seconds: float) -> str:
        """See `WholeResults`; signed here, since a client's signer reads the whole model of S3 for it."""
        region = self._region or str(self._client.meta.region_name)
        suffix = ".cn" if region.startswith("cn-") else ""
        host = f"https://{self._bucket}.s3.{region}.amazonaws.com{suffix}"
        base = host if self._endpoint is None else f"{self._endpoint.rstrip('/')}/{self._bucket}"
        request = AWSRequest(method="PUT", url=f"{base}/{quote(key)}")
        S3SigV4QueryAuth(self._credentials(), "s3", region, expires=max(1, int(seconds))).add_auth(request)
        return str(request.url)

    def _get(self, key: str, span: str) -> Any:
        with translate_errors("the bucket"):
            try:
                return self._client.get_object(Bucket=self._bucket, Key=key, Range=span)
            except ClientError as error:
                if code_of(error) in _MISSING or code_of(error) == "AccessDenied":
                    return None
                raise
