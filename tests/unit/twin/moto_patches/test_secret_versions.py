"""Rotation of secrets as AWS begins it, and labels that stand on one version each."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from tests.moto_clients import client
from twin.moto_patches import secret_versions

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:rotate"


class Begun(list[tuple[str, str, str, bool]]):
    """Rotations that were begun."""

    refusal: str | None = None

    def check(self, function_arn: str, secret_arn: str) -> str | None:
        return self.refusal

    def begin(self, function_arn: str, secret_arn: str, token: str, *, trial: bool) -> None:
        self.append((function_arn, secret_arn, token, trial))


@pytest.fixture
def begun() -> Iterator[Begun]:
    found = Begun()
    secret_versions.listen(found)
    with mock_aws():
        yield found
    secret_versions.listen(None)


def labels(secrets: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = secrets.describe_secret(SecretId="a")["VersionIdsToStages"]
    return {version: sorted(stages) for version, stages in found.items() if stages}


def test_without_a_function_nothing_is_rotated_and_the_value_stays(begun: Begun) -> None:
    secrets = client("secretsmanager")
    first = secrets.create_secret(Name="a", SecretString="one")["VersionId"]
    with pytest.raises(ClientError, match="No Lambda rotation function"):
        secrets.rotate_secret(SecretId="a")
    assert (labels(secrets), secrets.get_secret_value(SecretId="a")["SecretString"]) == ({first: ["AWSCURRENT"]}, "one")
    assert begun == []


def test_a_rotation_begins_with_a_pending_version_and_moves_nothing(begun: Begun) -> None:
    secrets = client("secretsmanager")
    made = secrets.create_secret(Name="a", SecretString="one")
    token = str(uuid.uuid4())
    secrets.rotate_secret(
        SecretId=made["ARN"],
        RotationLambdaARN=FUNCTION,
        ClientRequestToken=token,
        RotationRules={"AutomaticallyAfterDays": 7},
    )
    assert labels(secrets) == {made["VersionId"]: ["AWSCURRENT"], token: ["AWSPENDING"]}
    assert secrets.get_secret_value(SecretId="a")["SecretString"] == "one"
    with pytest.raises(ClientError, match="ResourceNotFound"):
        secrets.get_secret_value(SecretId="a", VersionStage="AWSPENDING")
    secrets.put_secret_value(SecretId="a", ClientRequestToken=token, SecretString="two", VersionStages=["AWSPENDING"])
    assert secrets.get_secret_value(SecretId="a", VersionStage="AWSPENDING")["SecretString"] == "two"
    assert begun == [(FUNCTION, made["ARN"], token, False)]
    with pytest.raises(ClientError, match="isn't complete"):
        secrets.rotate_secret(SecretId="a")
    secrets.rotate_secret(SecretId="a", ClientRequestToken=token)
    assert len(begun) == 2


def test_a_trial_leaves_no_version(begun: Begun) -> None:
    from moto.secretsmanager.models import secretsmanager_backends

    secrets = client("secretsmanager")
    made = secrets.create_secret(Name="a", SecretString="one")
    secrets.rotate_secret(SecretId="a", RotationLambdaARN=FUNCTION, RotateImmediately=False)
    (told,) = begun
    assert told[3] is True
    secret_versions.finish_rotation(
        secretsmanager_backends["123456789012"]["us-east-1"], made["ARN"], told[2], trial=True
    )
    assert labels(secrets) == {made["VersionId"]: ["AWSCURRENT"]}


def test_a_value_that_is_stored_after_a_label_was_moved_is_the_only_current_one(begun: Begun) -> None:
    secrets = client("secretsmanager")
    first = secrets.create_secret(Name="a", SecretString="one")["VersionId"]
    second, nowhere = str(uuid.uuid4()), str(uuid.uuid4())
    secrets.put_secret_value(SecretId="a", ClientRequestToken=second, SecretString="two", VersionStages=["NEXT"])
    move = {"SecretId": "a", "VersionStage": "AWSCURRENT", "RemoveFromVersionId": first}
    with pytest.raises(ClientError):
        secrets.update_secret_version_stage(**move, MoveToVersionId=nowhere)
    secrets.update_secret_version_stage(**move, MoveToVersionId=second)
    third = secrets.put_secret_value(SecretId="a", SecretString="three")["VersionId"]
    assert labels(secrets) == {second: ["AWSPREVIOUS", "NEXT"], third: ["AWSCURRENT"]}
    assert json.dumps(secrets.get_secret_value(SecretId="a")["SecretString"]) == '"three"'


def test_a_function_that_may_not_be_called_is_refused_before_anything_is_pending(begun: Begun) -> None:
    begun.refusal = "no permission"
    secrets = client("secretsmanager")
    made = secrets.create_secret(Name="a", SecretString="one")
    with pytest.raises(ClientError, match="no permission"):
        secrets.rotate_secret(SecretId="a", RotationLambdaARN=FUNCTION)
    assert (labels(secrets), list(begun)) == ({made["VersionId"]: ["AWSCURRENT"]}, [])
