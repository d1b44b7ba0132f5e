"""The function that rotates secrets of tools, and their schedules; there where ``tools.yaml`` asks for a rotation."""

import json
from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.components import grants
from infra.components.build import Build, FunctionConstruct
from infra.components.function import FunctionOptions
from infra.components.vectors import create_postgres_layer
from infra.tools.secrets import find_secret_key
from infra.tools.tools_file import DeclaredSecret, ToolsFile
from layers import build as builds

_SECONDS = 60


class Rotations(FunctionConstruct):
    """The function functions.orchestration.rotate_secret, which may write just the secrets that it rotates.

    A tool's role never rotates: it reads, and at most stores a refresh token.
    """

    def __init__(self, scope: Construct, name: str, *, build: Build, configured: ToolsFile) -> None:
        """Make the function and a schedule for each secret.

        Args:
            scope: the parent.
            name: the construct's id.
            build: the surroundings.
            configured: what ``tools.yaml`` says of secrets.
        """
        rotated = list_rotated(configured)
        plans = {
            name: secret.rotation.model_dump(mode="json", include={"kind", "field"})
            for secret in rotated
            if secret.rotation is not None
            for name in secret.rotated
        }
        postgres = any(secret.rotation is not None and secret.rotation.kind == "postgres" for secret in rotated)
        super().__init__(
            scope,
            name,
            build=build,
            options=FunctionOptions(
                name="rotate-secret",
                module="functions.orchestration.rotate_secret",
                environment={"SECRET_ROTATIONS": json.dumps(plans, separators=(",", ":"))},
                timeout_seconds=_SECONDS,
                layers=[create_postgres_layer(scope, build)] if postgres else [],
                layer_folders=[builds.build_postgres_layer(build.root)] if postgres else [],
                description="Rotates secrets of tools, step by step, for Secrets Manager",
            ),
        )
        stack = Stack.of(self)
        self.function.add_permission(
            "rotates",
            principal=iam.ServicePrincipal("secretsmanager.amazonaws.com"),
            source_account=stack.account,
        )
        for secret in rotated:
            self._rotate(secret, build)

    def _rotate(self, secret: DeclaredSecret, build: Build) -> None:
        place, rotation = secret.place.secret, secret.rotation
        assert rotation is not None  # noqa: S101  (the caller asks for those that are rotated)
        key = find_secret_key(self, secret, build)
        for name in secret.rotated:
            grants.grant_rotation(self.role, name, key)
        # Tenants' own secrets are not the stack's, and may not be there yet: an operator schedules them.
        schedule = secretsmanager.CfnRotationSchedule(
            self,
            f"schedule-{place.replace('/', '-')}",
            secret_id=place,
            rotation_lambda_arn=self.function.function_arn,
            rotation_rules=secretsmanager.CfnRotationSchedule.RotationRulesProperty(
                automatically_after_days=rotation.days
            ),
            # Not with each deployment: a first value that nobody has stored yet would be rotated.
            rotate_immediately_on_update=False,
        )
        # Setting up a schedule tries the function.
        schedule.node.add_dependency(self.function)


def list_rotated(configured: ToolsFile) -> Sequence[DeclaredSecret]:
    """Return the secrets that are rotated, in the order of their names."""
    return [secret for _, secret in sorted(configured.secrets.items()) if secret.rotation is not None]


def count_rotation_resources(configured: ToolsFile) -> int:
    """Return how many resources rotations take: function, log, role, policy, permission, layer, schedules."""
    return 6 + len(list_rotated(configured)) if list_rotated(configured) else 0
