"""Secrets in AWS Secrets Manager. The client must ask once only: who tries again is the state machine."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from pentad.aws.errors import code_of, translate_errors
from pentad.domain.errors import ConfigurationError
from pentad.tools.credentials.ports import StoredSecret

_CURRENT = "AWSCURRENT"
_NONE = "ResourceNotFoundException"
_TAKEN = "ResourceExistsException"
_MOVED = frozenset({"InvalidParameterException", "InvalidRequestException"})


class SecretsManagerStore:
    """`SecretStore` over Secrets Manager.

    Args:
        client: boto3's client of secretsmanager, with one attempt.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def read(self, secret_id: str, *, stage: str = _CURRENT, version_id: str | None = None) -> StoredSecret | None:
        """See the port."""
        asked = {"VersionStage": stage} if version_id is None else {"VersionId": version_id}
        try:
            with _asking():
                found = self._client.get_secret_value(SecretId=secret_id, **asked)
        except ClientError as error:
            if code_of(error) == _NONE:
                return None
            raise _make_refusal(secret_id, error) from None
        text = found.get("SecretString")
        return None if text is None else StoredSecret(text=text, version_id=found["VersionId"])

    def list_stages(self, secret_id: str) -> Mapping[str, Sequence[str]]:
        """See the port."""
        try:
            with _asking():
                found = self._client.describe_secret(SecretId=secret_id)
        except ClientError as error:
            raise _make_refusal(secret_id, error) from None
        return {version: tuple(stages) for version, stages in found.get("VersionIdsToStages", {}).items() if stages}

    def add(self, secret_id: str, text: str, *, version_id: str, stage: str) -> bool:
        """See the port."""
        try:
            with _asking():
                self._client.put_secret_value(
                    SecretId=secret_id, SecretString=text, ClientRequestToken=version_id, VersionStages=[stage]
                )
        except ClientError as error:
            if code_of(error) == _TAKEN:
                return False
            raise _make_refusal(secret_id, error) from None
        return True

    def make_current(self, secret_id: str, version_id: str, *, instead_of: str) -> bool:
        """See the port."""
        try:
            with _asking():
                self._client.update_secret_version_stage(
                    SecretId=secret_id,
                    VersionStage=_CURRENT,
                    MoveToVersionId=version_id,
                    RemoveFromVersionId=instead_of,
                )
        except ClientError as error:
            if code_of(error) in _MOVED:
                return False
            raise _make_refusal(secret_id, error) from None
        return True


@contextmanager
def _asking() -> Iterator[None]:
    try:
        with translate_errors("the store of secrets"):
            yield
    except ConfigurationError as error:
        # That there is no such thing is an answer here; the table has it among what is not set up.
        cause = error.__cause__
        if isinstance(cause, ClientError) and code_of(cause) == _NONE:
            raise cause from None
        raise


def _make_refusal(secret_id: str, error: ClientError) -> ConfigurationError:
    return ConfigurationError(
        f"the secret '{secret_id}' can't be used: {code_of(error)}", field="secrets", fix="see that it is stored"
    )
