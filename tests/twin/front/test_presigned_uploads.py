"""Presigned uploads are refused where S3 refuses them: late, altered, too long, of other content, or a second time."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config

from tests.twin.front.conftest import REGION, Client, MakeRole, allow
from twin.front.checks.presigned import find_refusal
from twin.front.front import AwsFront

pytestmark = pytest.mark.twin
CONTENT = b"alpha beta"
KEY = "acme/a b (1)+c.md"


def checksum(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


@pytest.fixture
def worker(front: AwsFront, client: Client, role: MakeRole) -> Any:
    client("s3").create_bucket(Bucket="docs")
    keys = role(allow("s3:PutObject", "arn:aws:s3:::docs/*"))
    make_client: Any = boto3.client
    return make_client(
        "s3",
        endpoint_url=front.url,
        region_name=REGION,
        aws_access_key_id=keys.access_key_id,
        aws_secret_access_key=keys.secret_access_key,
        aws_session_token=keys.session_token,
        config=Config(signature_version="s3v4"),
    )


def sign(worker: Any, content: bytes = CONTENT, seconds: int = 60, **condition: str) -> tuple[str, dict[str, str]]:
    params = {
        "Bucket": "docs",
        "Key": KEY,
        "ContentType": "text/markdown",
        "ContentLength": len(content),
        "ChecksumSHA256": checksum(content),
        **(condition or {"IfNoneMatch": "*"}),
    }
    url = worker.generate_presigned_url("put_object", Params=params, ExpiresIn=seconds)
    names = {"IfNoneMatch": "If-None-Match", "IfMatch": "If-Match"}
    conditions = {names[name]: value for name, value in (condition or {"IfNoneMatch": "*"}).items()}
    return url, {"Content-Type": "text/markdown", "x-amz-checksum-sha256": checksum(content), **conditions}


def put(url: str, content: bytes, headers: dict[str, str]) -> tuple[int, str]:
    answer = httpx.put(url, content=content, headers=headers, timeout=30, trust_env=False)
    code = answer.text.partition("<Code>")[2].partition("</Code>")[0]
    return answer.status_code, code


def test_an_upload_as_it_was_signed_is_taken_once(worker: Any, client: Client) -> None:
    url, headers = sign(worker)
    assert put(url, CONTENT, headers) == (200, "")
    assert put(url, CONTENT, headers) == (412, "PreconditionFailed")
    assert client("s3").get_object(Bucket="docs", Key=KEY)["Body"].read() == CONTENT


def test_an_upload_that_replaces_a_version_is_taken_once(worker: Any, client: Client) -> None:
    etag = client("s3").put_object(Bucket="docs", Key=KEY, Body=b"before")["ETag"]
    url, headers = sign(worker, IfMatch=etag)
    assert put(url, CONTENT, headers) == (200, "")
    assert put(url, CONTENT, headers) == (412, "PreconditionFailed")


@pytest.mark.parametrize(
    ("content", "changed"),
    [
        (CONTENT * 2, {}),
        (CONTENT, {"If-None-Match": None}),
        (CONTENT, {"If-None-Match": "x"}),
        (CONTENT, {"Content-Type": "text/html"}),
        (CONTENT, {"x-amz-checksum-sha256": None}),
        (b"0123456789", {"x-amz-checksum-sha256": checksum(b"0123456789")}),
    ],
)
def test_an_upload_other_than_it_was_signed_is_refused(worker: Any, content: bytes, changed: dict[str, Any]) -> None:
    url, headers = sign(worker)
    sent = {name: value for name, value in {**headers, **changed}.items() if value is not None}
    assert put(url, content, sent) == (403, "SignatureDoesNotMatch")


def test_other_content_of_the_same_length_is_refused(worker: Any) -> None:
    url, headers = sign(worker)
    assert put(url, b"0123456789", headers) == (400, "BadDigest")


@pytest.mark.parametrize("change", ["X-Amz-Expires=60|X-Amz-Expires=600000", "a%20b|a%20c"])
def test_an_altered_address_is_refused(worker: Any, change: str) -> None:
    url, headers = sign(worker)
    before, after = change.split("|")
    assert before in url
    assert put(url.replace(before, after), CONTENT, headers) == (403, "SignatureDoesNotMatch")


def test_a_late_upload_is_refused() -> None:
    signed_at = datetime(2026, 11, 29, 12, tzinfo=UTC)
    query = {
        "X-Amz-SignedHeaders": "host",
        "X-Amz-Date": f"{signed_at:%Y%m%dT%H%M%SZ}",
        "X-Amz-Expires": "300",
        "X-Amz-Signature": "0",
    }
    environ = {"REQUEST_METHOD": "PUT", "PATH_INFO": "/docs/a"}
    codes = []
    for seconds in (299, 301):
        now = signed_at + timedelta(seconds=seconds)
        refusal = find_refusal(environ, {}, query, body=b"", secret="s", now=now)
        assert refusal is not None
        codes.append((refusal.code, refusal.message[:19]))
    assert codes == [("SignatureDoesNotMatch", "The request signatu"), ("AccessDenied", "Request has expired")]
