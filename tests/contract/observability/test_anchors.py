"""Where anchors are kept, and where ends of chains are found, over AWS's own SDK."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto import mock_aws

from pentad.aws.sealed import SealedLog
from pentad.aws.table import Table
from pentad.domain.errors import Unreadable
from pentad.observability.anchors.adapters.anchors_memory import MemoryAnchors
from pentad.observability.anchors.adapters.anchors_s3 import S3Anchors, name_key
from pentad.observability.anchors.adapters.heads_dynamodb import DynamoHeads
from pentad.observability.anchors.anchor import AuditAnchor, ChainHead, find_faults
from tests.moto_clients import client, table
from tests.unit.observability.anchors.test_write import Key

AT = datetime(2026, 11, 30, 8, 30, tzinfo=UTC)
BUCKET = "anchors"


def make_bucket() -> Any:
    s3 = client("s3")
    s3.create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)
    return s3


@pytest.fixture(params=["memory", "s3"])
def store(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "memory":
        yield MemoryAnchors()
        return
    with mock_aws():
        yield S3Anchors(make_bucket(), BUCKET)


def make_anchor(number: int, tenant_id: str = "acme", before: str = "") -> AuditAnchor:
    head = ChainHead(pk=f"T#{tenant_id}#AUDIT#r", number=number, digest="ab")
    made = AuditAnchor(tenant_id=tenant_id, number=number, at=AT, heads=(head,), before=before)
    return made.sign(Key())


def test_the_newest_of_a_tenant_is_found_and_comes_back_as_it_was_put(store: Any) -> None:
    assert store.get_newest("acme") is None
    for number in (1, 2, 9, 10, 11):
        assert store.put(make_anchor(number))
    store.put(make_anchor(99, "acme-2"))
    assert store.get_newest("acme") == make_anchor(11)
    assert [one.number for one in store.iter_versions("acme")] == [11, 10, 9, 2, 1]


def test_a_place_that_is_taken_stays_as_it_is(store: Any) -> None:
    assert store.put(make_anchor(1))
    other = make_anchor(1).model_copy(update={"heads": ()}).sign(Key())
    assert not store.put(other)
    assert store.get_newest("acme") == make_anchor(1)


def test_a_second_version_and_a_marker_are_seen() -> None:
    with mock_aws():
        s3 = make_bucket()
        store = S3Anchors(s3, BUCKET)
        first = make_anchor(1)
        store.put(first)
        fork = make_anchor(1).model_copy(update={"heads": ()}).sign(Key())
        s3.put_object(Bucket=BUCKET, Key=name_key("acme", 1), Body=fork.model_dump_json(by_alias=True).encode())
        versions = list(store.iter_versions("acme"))
        assert len(versions) == 2
        assert any("fork" in fault for fault in find_faults(versions, Key()))
        assert store.list_hidden("acme") == []
        s3.delete_object(Bucket=BUCKET, Key=name_key("acme", 1))
        assert store.get_newest("acme") is None
        assert len(list(store.iter_versions("acme"))) == 2
        assert store.list_hidden("acme") == [name_key("acme", 1)]


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", make_anchor(2).model_dump_json(by_alias=True).encode()])
def test_what_is_no_anchor_of_its_place_is_told(body: bytes) -> None:
    with mock_aws():
        s3 = make_bucket()
        s3.put_object(Bucket=BUCKET, Key=name_key("acme", 1), Body=body)
        with pytest.raises(Unreadable, match="anchors/acme/"):
            S3Anchors(s3, BUCKET).get_newest("acme")


def test_ends_of_chains_are_found_by_the_time_of_their_last_entry() -> None:
    with mock_aws():
        ledger = Table(table("ledger", index=True), "ledger")
        clock = [AT]
        log = SealedLog(ledger, Key(), now=lambda: clock[0])
        for number in range(40):
            log.append(f"T#t{number % 3}#AUDIT#run_{number}", [{"sk": "a", "body": "x"}])
        clock[0] = AT + timedelta(hours=2)
        log.append("T#t0#AUDIT#run_0", [{"sk": "b", "body": "y"}])
        heads = DynamoHeads(ledger)
        early = list(heads.iter_heads(AT, AT))
        assert len(early) == 39, "the one that grew since stands under its new time"
        late = list(heads.iter_heads(AT + timedelta(hours=1), AT + timedelta(hours=2)))
        assert [(head.pk, head.number) for head in late] == [("T#t0#AUDIT#run_0", 2)]
        [item] = [one for one in ledger.iter_items("T#t0#AUDIT#run_0") if one["sk"] == "b"]
        assert late[0].digest == item["hash"]
        every = list(heads.iter_heads(AT - timedelta(hours=5), AT + timedelta(hours=2, minutes=10)))
        assert len({head.pk for head in every}) == 40
