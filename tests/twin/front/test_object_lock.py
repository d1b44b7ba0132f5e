"""What is locked in a bucket stays as it is until its time is over, whoever asks."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.twin.front.conftest import Client, MakeRole, allow

pytestmark = pytest.mark.twin
BUCKET = "anchors-of-audit"
ARN = f"arn:aws:s3:::{BUCKET}"


def make_bucket(client: Client, mode: str) -> Any:
    s3 = client("s3")
    s3.create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)
    rule = {"DefaultRetention": {"Mode": mode, "Days": 5}}
    lock = {"ObjectLockEnabled": "Enabled", "Rule": rule}
    s3.put_object_lock_configuration(Bucket=BUCKET, ObjectLockConfiguration=lock)
    return s3


def put(s3: Any, **options: Any) -> dict[str, str]:
    made = s3.put_object(Bucket=BUCKET, Key="a", Body=b"1", **options)
    return {"Bucket": BUCKET, "Key": "a", "VersionId": made["VersionId"]}


def keep_for(mode: str, **length: int) -> dict[str, Any]:
    return {"Mode": mode, "RetainUntilDate": datetime.now(UTC) + timedelta(**length)}


@pytest.mark.parametrize("bypass", [{}, {"BypassGovernanceRetention": True}])
def test_in_compliance_mode_nobody_deletes_a_version_or_shortens_its_time(client: Client, bypass: Any) -> None:
    s3 = make_bucket(client, "COMPLIANCE")
    place = put(s3)
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(**place, **bypass)
    for retention in (keep_for("COMPLIANCE", days=1), keep_for("GOVERNANCE", days=9)):
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.put_object_retention(**place, Retention=retention, **bypass)
    s3.put_object_retention(**place, Retention=keep_for("COMPLIANCE", days=9))
    assert s3.get_object(**place)["Body"].read() == b"1"


def test_a_marker_hides_a_locked_version_and_takes_nothing_away(client: Client) -> None:
    s3 = make_bucket(client, "COMPLIANCE")
    place = put(s3)
    s3.delete_object(Bucket=BUCKET, Key="a")
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.get_object(Bucket=BUCKET, Key="a")
    assert s3.get_object(**place)["Body"].read() == b"1"


def test_in_governance_mode_only_who_may_bypass_deletes_or_shortens(client: Client, role: MakeRole) -> None:
    s3 = make_bucket(client, "GOVERNANCE")
    place = put(s3)
    actions = ["s3:DeleteObjectVersion", "s3:PutObjectRetention"]
    lesser = client("s3", role(allow(actions, f"{ARN}/*")))
    for bypass in ({}, {"BypassGovernanceRetention": True}):
        with pytest.raises(ClientError, match="AccessDenied"):
            lesser.delete_object(**place, **bypass)
        with pytest.raises(ClientError, match="AccessDenied"):
            lesser.put_object_retention(**place, Retention=keep_for("GOVERNANCE", days=1), **bypass)
    greater = client("s3", role(allow([*actions, "s3:BypassGovernanceRetention"], f"{ARN}/*"), name="greater"))
    greater.put_object_retention(**place, Retention=keep_for("GOVERNANCE", days=1), BypassGovernanceRetention=True)
    greater.delete_object(**place, BypassGovernanceRetention=True)
    with pytest.raises(ClientError, match=r"NoSuchVersion|404"):
        s3.get_object(**place)


def test_who_sets_a_lock_needs_the_right_to(client: Client, role: MakeRole) -> None:
    make_bucket(client, "GOVERNANCE")
    worker = client("s3", role(allow("s3:PutObject", f"{ARN}/*")))
    put(worker)
    lock = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": datetime.now(UTC) + timedelta(days=1)}
    with pytest.raises(ClientError, match="not authorized to perform: s3:PutObjectRetention"):
        put(worker, **lock)


def test_versioning_of_a_bucket_with_locks_can_not_be_suspended(client: Client) -> None:
    s3 = make_bucket(client, "GOVERNANCE")
    with pytest.raises(ClientError, match="InvalidBucketState"):
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})
