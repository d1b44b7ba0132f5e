"""Whole results: what every store does, and the address that takes one of them over HTTP."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

import botocore.auth
import pytest
from botocore.config import Config
from botocore.credentials import Credentials
from moto import mock_aws

from pentad.domain.errors import StoreUnavailable
from pentad.tools.results.adapters.upload_http import put_by_http
from pentad.tools.results.adapters.whole_memory import MemoryWholeResults
from pentad.tools.results.adapters.whole_s3 import S3WholeResults
from pentad.tools.results.ports import WholeResults
from tests.moto_clients import _session
from tests.moto_clients import client as moto_client

BUCKET, KEY = "payloads", "acme/runs/run_1/results/00001-00.txt"
KEYS = Credentials("AKIATEST", "secret", "token")


def make_s3(endpoint: str | None = None) -> S3WholeResults:
    return S3WholeResults(moto_client("s3"), BUCKET, credentials=lambda: KEYS, region="eu-central-1", endpoint=endpoint)


@pytest.fixture(params=["memory", "s3"])
def store(request: pytest.FixtureRequest) -> Iterator[WholeResults]:
    if request.param == "memory":
        yield MemoryWholeResults()
        return
    with mock_aws():
        moto_client("s3").create_bucket(Bucket=BUCKET)
        yield make_s3()


def test_a_result_is_read_from_anywhere_to_anywhere(store: WholeResults) -> None:
    data = bytes(range(256)) * 3_000
    store.put(KEY, data)
    assert store.get_size(KEY) == len(data)
    assert b"".join(store.iter_blocks(KEY)) == data
    assert b"".join(store.iter_blocks(KEY, 700_000)) == data[700_000:]
    assert b"".join(store.iter_blocks(KEY, 5, 70_000)) == data[5:70_000]
    assert b"".join(store.iter_blocks(KEY, 7, 7)) == b""
    assert max(map(len, store.iter_blocks(KEY))) <= 262_144


def test_a_second_try_replaces_the_first(store: WholeResults) -> None:
    store.put(KEY, b"first, longer")
    store.put(KEY, b"second")
    assert b"".join(store.iter_blocks(KEY)) == b"second" and store.get_size(KEY) == 6


def test_what_is_not_there_has_no_size_and_no_bytes(store: WholeResults) -> None:
    assert store.get_size(KEY) is None and list(store.iter_blocks(KEY)) == []


def test_an_address_is_signed_as_botocores_own_signer_does() -> None:
    config = Config(signature_version="s3v4", s3={"addressing_style": "virtual"})
    theirs = _session().client(
        "s3",
        region_name="eu-central-1",
        aws_access_key_id=KEYS.access_key,
        aws_secret_access_key=KEYS.secret_key,
        aws_session_token=KEYS.token,
        config=config,
        endpoint_url="https://s3.eu-central-1.amazonaws.com",
    )
    at = datetime(2026, 11, 30, 8, tzinfo=UTC)
    with patch.object(botocore.auth, "get_current_datetime", lambda: at):
        expected = theirs.generate_presigned_url("put_object", Params={"Bucket": BUCKET, "Key": KEY}, ExpiresIn=30)
        made = make_s3().sign_put(KEY, seconds=30)
    assert urlsplit(made)[:3] == urlsplit(expected)[:3]
    assert parse_qs(urlsplit(made).query) == parse_qs(urlsplit(expected).query)


class _Bucket(BaseHTTPRequestHandler):
    taken: list[tuple[str, bytes]]
    status: int

    def do_PUT(self) -> None:
        self.taken.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.status)
        self.send_header("Location", "http://127.0.0.1:9/elsewhere")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def bucket() -> Iterator[tuple[str, type[_Bucket]]]:
    handler = type("_Own", (_Bucket,), {"taken": [], "status": 200})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", handler
        server.shutdown()
        thread.join()


def test_a_result_goes_to_its_address_and_no_further(bucket: tuple[str, type[_Bucket]]) -> None:
    endpoint, handler = bucket
    url = make_s3(endpoint).sign_put(KEY, seconds=30)
    put_by_http(url, b"x" * 3_000_000)
    [(path, data)] = handler.taken
    assert path.startswith(f"/{BUCKET}/{KEY}?") and data == b"x" * 3_000_000


@pytest.mark.parametrize("status", [301, 307, 403, 503])
def test_an_address_that_does_not_take_it_is_told_without_the_address(
    bucket: tuple[str, type[_Bucket]], status: int
) -> None:
    endpoint, handler = bucket
    handler.status = status
    with pytest.raises(StoreUnavailable) as refused:
        put_by_http(make_s3(endpoint).sign_put(KEY, seconds=30), b"x")
    assert str(status) in refused.value.message and "AKIA" not in refused.value.message
    assert len(handler.taken) == 1


@pytest.mark.parametrize(
    "url", ["http://example.com/x?y", "ftp://127.0.0.1/x", "//127.0.0.1/x", "https://127.0.0.1:9/x"]
)
def test_what_is_no_such_address_is_refused(url: str) -> None:
    with pytest.raises(StoreUnavailable):
        put_by_http(url, b"x")
