"""Where policies come from: a port, which moto's account implements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from twin.iam.policy import Policy


def policy_holder(resource_arn: str) -> str:
    """Return the ARN that carries the policy of a resource: an object's bucket, a function without its qualifier."""
    parts = resource_arn.split(":", 5)
    if len(parts) == 6 and parts[2] == "s3":
        return ":".join([*parts[:5], parts[5].split("/", 1)[0]])
    if len(parts) == 6 and parts[2] == "lambda" and parts[5].startswith("function:"):
        return ":".join([*parts[:5], *parts[5].split(":")[:2]])
    return resource_arn


class PolicySource(Protocol):
    """Looks up the policies in force now."""

    def list_role_policies(self, role_arn: str) -> Sequence[Policy]:
        """Return all identity policies of a role: inline and managed."""

    def find_resource_policy(self, resource_arn: str) -> Policy | None:
        """Return the policy on a resource (queue, bucket, function, key, secret, topic), if any."""
