"""The wiring of functions.orchestration.rotate_secret."""

from functools import cache

from pentad.aws.clients import get_client
from pentad.runtime.settings import RotateSecretSettings, read_settings
from pentad.tools.credentials.adapters.postgres_role import PostgresRole
from pentad.tools.credentials.adapters.store_secretsmanager import SecretsManagerStore
from pentad.tools.credentials.generated import GeneratedSecret
from pentad.tools.credentials.ports import Rotator
from pentad.tools.credentials.rotate import RotationKind, SecretRotation


@cache
def make_rotation() -> SecretRotation:
    """Return what does the steps of rotations; Secrets Manager tries a step again."""
    store = SecretsManagerStore(get_client("secretsmanager", attempts=1))
    return SecretRotation(store, read_settings(RotateSecretSettings).secret_rotations, _make_rotator)


def _make_rotator(kind: RotationKind) -> Rotator:
    return PostgresRole() if kind == "postgres" else GeneratedSecret(key=kind == "key")
