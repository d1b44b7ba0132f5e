"""The secrets that tools declare: the key that each is encrypted with."""

from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.components.build import Build
from infra.tools.tools_file import DeclaredSecret
from pentad.domain.canonical import sha256_of


def find_secret_key(scope: Construct, secret: DeclaredSecret, build: Build) -> kms.IKey | None:
    """Return the key of a secret: the stack's for one that it makes; None for one that AWS's own key encrypts.

    Args:
        scope: of whom it is granted to.
        secret: the secret.
        build: the surroundings.
    """
    if secret.made:
        return build.stores.data_key
    if secret.key is None:
        return None
    return kms.Key.from_key_arn(scope, f"key-{sha256_of(secret.place.secret)[:12]}", secret.key)
