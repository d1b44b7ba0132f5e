"""Data that outlive a twin: what comes back, what doesn't, and what a damaged folder says."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws
from moto.backends import get_backend

from tests import moto_clients
from twin.iam.model import ACCOUNT_ID
from twin.running.kept_data import DATA, FOLDER, KeptData, KeptUnreadable

ITEM = {
    "pk": {"S": "T#acme"},
    "sk": {"S": "1"},
    "number": {"N": "12345678901234567890.5"},
    "nested": {"M": {"list": {"L": [{"M": {"deep": {"L": [{"L": [{"BOOL": True}, {"NULL": True}]}]}}}, {"S": "ü"}]}}},
    "set": {"SS": ["a", "b"]},
    "binary": {"B": b"\x00\xff"},
    "named": {"M": {"$bytes": {"B": b"\x01"}}},
    "binaries": {"M": {"list": {"L": [{"B": b"\xfe"}]}}},
}


@pytest.fixture
def account() -> Iterator[None]:
    with mock_aws():
        make()
        yield


def make(*, bucket: bool = True) -> None:
    """What an assembly deploys."""
    moto_clients.table("orders", index=True)
    if bucket:
        s3 = moto_clients.client("s3")
        s3.create_bucket(Bucket="papers")
        s3.put_bucket_versioning(Bucket="papers", VersioningConfiguration={"Status": "Enabled"})


def backends() -> tuple[Any, Any]:
    found: Any = get_backend("dynamodb"), get_backend("s3")
    return found[0][ACCOUNT_ID]["us-east-1"], found[1][ACCOUNT_ID]["aws"]


def restart(kept: KeptData, *, bucket: bool = True) -> int:
    """Keep what there is, forget all, deploy again and take it up."""
    kept.save(*backends())
    for backend in backends():
        backend.reset()
    make(bucket=bucket)
    return kept.restore(*backends())


@pytest.mark.usefixtures("account")
def test_items_come_back_as_they_were_with_every_type_and_in_their_indexes(tmp_path: Path) -> None:
    dynamodb = moto_clients.client("dynamodb")
    item = ITEM | {"gsi1pk": {"S": "open"}, "gsi1sk": {"S": "x"}}
    dynamodb.put_item(TableName="orders", Item=item)
    assert restart(KeptData(tmp_path)) == 1
    key = {name: item[name] for name in ("pk", "sk")}
    assert dynamodb.get_item(TableName="orders", Key=key)["Item"] == item
    values = {":open": {"S": "open"}}
    asked = {"KeyConditionExpression": "gsi1pk = :open", "ExpressionAttributeValues": values}
    assert dynamodb.query(TableName="orders", IndexName="gsi1", **asked)["Count"] == 1


@pytest.mark.usefixtures("account")
def test_the_newest_version_of_an_object_comes_back_under_its_own_id_and_a_deleted_one_does_not(tmp_path: Path) -> None:
    s3 = moto_clients.client("s3")
    for content in (b"old", b"new \x00"):
        stored = s3.put_object(
            Bucket="papers", Key="acme/ü.md", Body=content, ContentType="text/markdown", Metadata={"key-id": "k1"}
        )
    s3.put_object(Bucket="papers", Key="gone.md", Body=b"x")
    s3.delete_object(Bucket="papers", Key="gone.md")
    before = s3.head_object(Bucket="papers", Key="acme/ü.md")
    assert restart(KeptData(tmp_path)) == 1
    found = s3.get_object(Bucket="papers", Key="acme/ü.md")
    assert found["Body"].read() == b"new \x00"
    assert (found["VersionId"], found["ContentType"], found["Metadata"]) == (
        stored["VersionId"],
        "text/markdown",
        {"key-id": "k1"},
    )
    assert (found["ETag"], found["LastModified"]) == (before["ETag"], before["LastModified"])
    assert [one["Key"] for one in s3.list_objects_v2(Bucket="papers")["Contents"]] == ["acme/ü.md"]


@pytest.mark.usefixtures("account")
def test_what_an_assembly_no_longer_has_waits_for_one_that_has_it_again(tmp_path: Path) -> None:
    moto_clients.client("s3").put_object(Bucket="papers", Key="a", Body=b"kept")
    kept = KeptData(tmp_path)
    assert restart(kept, bucket=False) == 0
    assert restart(kept) == 1
    assert moto_clients.client("s3").get_object(Bucket="papers", Key="a")["Body"].read() == b"kept"


@pytest.mark.usefixtures("account")
def test_a_save_that_is_cut_leaves_the_former_data(tmp_path: Path) -> None:
    moto_clients.client("dynamodb").put_item(TableName="orders", Item=ITEM)
    kept = KeptData(tmp_path)
    kept.save(*backends(), lambda path: path.write_bytes(b"vectors"))

    def fail(path: Path) -> None:
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        kept.save(*backends(), fail)
    # Cut between the two renames.
    (tmp_path / FOLDER).rename(tmp_path / f"{FOLDER}.former")
    assert kept.vectors is not None
    assert kept.vectors.read_bytes() == b"vectors"
    backends()[0].reset()
    moto_clients.table("orders", index=True)
    assert kept.restore(*backends()) == 1


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize("damage", ["format", "noise"])
def test_what_cannot_be_read_says_which_folder_to_delete(tmp_path: Path, damage: str) -> None:
    kept = KeptData(tmp_path)
    kept.save(*backends())
    path = tmp_path / FOLDER / DATA
    if damage == "noise":
        path.write_bytes(b"not a database at all, not at all" * 100)
    else:
        with sqlite3.connect(path) as data:
            data.execute("UPDATE settings SET value = '0'")
        data.close()
    with pytest.raises(KeptUnreadable, match=r"delete that folder to start again"):
        kept.restore(*backends())


def test_nothing_kept_is_nothing_restored(tmp_path: Path) -> None:
    kept = KeptData(tmp_path)
    assert (kept.restore(None, None), kept.vectors) == (0, None)
