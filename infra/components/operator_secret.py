"""A secret that the operator fills: a JSON object, empty at first, that AWS can't rotate."""

from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.components.build import Build
from infra.components.reasons import acknowledge


def create_operator_secret(
    scope: Construct, construct_id: str, *, build: Build, name: str, description: str, why_fixed: str
) -> secretsmanager.Secret:
    """Return the secret; it holds an object without anything of use until the operator fills it.

    Args:
        scope: the parent.
        construct_id: the construct's id.
        build: the surroundings.
        name: the secret's name without the stage's prefix.
        description: what is in it, and in which form.
        why_fixed: why AWS cannot rotate it, and which page says how to change it.
    """
    secret = secretsmanager.Secret(
        scope,
        construct_id,
        secret_name=f"{build.stage.prefix}/{name}",
        description=description,
        encryption_key=build.stores.data_key,
        generate_secret_string=secretsmanager.SecretStringGenerator(
            secret_string_template="{}",  # noqa: S106 - no secret, but the form of one
            generate_string_key="unused",
        ),
        removal_policy=build.stage.removal,
    )
    acknowledge(secret, "AwsSolutions-SMG4", why_fixed)
    return secret
