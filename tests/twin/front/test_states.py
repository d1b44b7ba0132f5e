"""What services refuse for the state of a thing: keys that are disabled, secrets that are marked for deletion."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.twin.front.conftest import Client

pytestmark = pytest.mark.twin


def fail(call: Any, **request: Any) -> str:
    """Return the code of a call's error."""
    with pytest.raises(ClientError) as caught:
        call(**request)
    return str(caught.value.response["Error"]["Code"])


def test_a_key_that_is_disabled_or_waits_for_its_deletion_does_nothing(client: Client) -> None:
    # Developer guide, "Key states of AWS KMS keys".
    kms = client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    sealed = kms.encrypt(KeyId=key, Plaintext=b"a")["CiphertextBlob"]
    uses: list[tuple[Any, dict[str, Any]]] = [
        (kms.encrypt, {"KeyId": key, "Plaintext": b"a"}),
        (kms.decrypt, {"CiphertextBlob": sealed}),
        (kms.generate_data_key, {"KeyId": key, "KeySpec": "AES_256"}),
        (kms.re_encrypt, {"CiphertextBlob": sealed, "DestinationKeyId": key}),
    ]
    kms.disable_key(KeyId=key)
    assert {fail(call, **request) for call, request in uses} == {"DisabledException"}
    kms.enable_key(KeyId=key)
    assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"a"
    for days in (6, 31):
        assert fail(kms.schedule_key_deletion, KeyId=key, PendingWindowInDays=days) == "ValidationException"
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert {fail(call, **request) for call, request in uses} == {"KMSInvalidStateException"}


def test_a_key_that_waits_for_its_deletion_is_not_changed_until_that_is_cancelled(client: Client) -> None:
    kms = client("kms")
    made = kms.create_key()["KeyMetadata"]
    key = made["KeyId"]
    changes: list[tuple[Any, dict[str, Any]]] = [
        (kms.disable_key, {"KeyId": key}),
        (kms.enable_key, {"KeyId": made["Arn"]}),
        (kms.enable_key_rotation, {"KeyId": key}),
        (kms.update_key_description, {"KeyId": key, "Description": "d"}),
        (kms.tag_resource, {"KeyId": key, "Tags": [{"TagKey": "a", "TagValue": "b"}]}),
        (kms.untag_resource, {"KeyId": key, "TagKeys": ["a"]}),
        (kms.create_alias, {"AliasName": "alias/a", "TargetKeyId": key}),
        (kms.schedule_key_deletion, {"KeyId": key, "PendingWindowInDays": 30}),
    ]
    assert fail(kms.cancel_key_deletion, KeyId=key) == "KMSInvalidStateException"
    until = kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)["DeletionDate"]
    assert {fail(call, **request) for call, request in changes} == {"KMSInvalidStateException"}
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["DeletionDate"] == until
    kms.cancel_key_deletion(KeyId=key)
    for call, request in changes:
        call(**request)


def test_a_key_for_macs_makes_macs_and_no_other_key_does(client: Client) -> None:
    kms = client("kms")
    mac = kms.create_key(KeyUsage="GENERATE_VERIFY_MAC", KeySpec="HMAC_256")["KeyMetadata"]["KeyId"]
    other = kms.create_key()["KeyMetadata"]["KeyId"]
    request: dict[str, Any] = {"Message": b"a", "MacAlgorithm": "HMAC_SHA_256"}
    assert kms.generate_mac(KeyId=mac, **request)["Mac"]
    assert fail(kms.encrypt, KeyId=mac, Plaintext=b"a") == "InvalidKeyUsageException"
    assert fail(kms.generate_mac, KeyId=other, **request) == "InvalidKeyUsageException"
    kms.disable_key(KeyId=mac)
    assert fail(kms.generate_mac, KeyId=mac, **request) == "DisabledException"


def test_a_secret_that_is_marked_for_deletion_takes_no_value_and_keeps_its_name(client: Client) -> None:
    secrets = client("secretsmanager")
    secrets.create_secret(Name="a", SecretString="x")
    secrets.delete_secret(SecretId="a", RecoveryWindowInDays=7)
    assert fail(secrets.put_secret_value, SecretId="a", SecretString="y") == "InvalidRequestException"
    assert fail(secrets.create_secret, Name="a", SecretString="y") == "InvalidRequestException"
    tag = {"Key": "k", "Value": "v"}
    assert fail(secrets.tag_resource, SecretId="a", Tags=[tag]) == "InvalidRequestException"
    assert fail(secrets.untag_resource, SecretId="a", TagKeys=["k"]) == "InvalidRequestException"
    secrets.restore_secret(SecretId="a")
    secrets.tag_resource(SecretId="a", Tags=[tag])
    assert secrets.describe_secret(SecretId="a")["Tags"] == [tag]
    secrets.put_secret_value(SecretId="a", SecretString="y")
    assert secrets.get_secret_value(SecretId="a")["SecretString"] == "y"
