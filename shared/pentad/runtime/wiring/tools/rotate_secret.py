"""The wiring of functions.orchestration.rotate_secret."""

import time
from functools import cache
from typing import Final

from pentad.aws.clients import get_client
from pentad.runtime.clock import now
from pentad.runtime.settings import RotateSecretSettings, read_settings
from pentad.tools.credentials.adapters.odoo_key import OdooKey
from pentad.tools.credentials.adapters.postgres_role import PostgresRole
from pentad.tools.credentials.adapters.store_secretsmanager import SecretsManagerStore
from pentad.tools.credentials.generated import GeneratedSecret
from pentad.tools.credentials.ports import Rotator
from pentad.tools.credentials.rotate import RotationKind, SecretRotation

_SECONDS: Final = 30.0
"""For one step's conversation with a vendor."""


@cache
def make_rotation() -> SecretRotation:
    """Return what does the steps of rotations; Secrets Manager tries a step again."""
    store = SecretsManagerStore(get_client("secretsmanager", attempts=1))
    return SecretRotation(store, read_settings(RotateSecretSettings).secret_rotations, _make_rotator)


def _make_rotator(kind: RotationKind) -> Rotator:
    if kind == "odoo":
        # httpcore is read where a secret of Odoo is rotated, and nowhere else.
        from pentad.runtime.wiring.ground.egress import make_http_client

        return OdooKey(lambda url: make_http_client((url,), time.time() + _SECONDS, None), now)
    return PostgresRole() if kind == "postgres" else GeneratedSecret(key=kind == "key")
