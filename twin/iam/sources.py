"""Where policies come from: a port, which moto's account implements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from twin.iam.policy import Policy


def policy_holder(resource_arn: str) -> str:
    """Return the ARN that carries the policy of a resource.

    Of an object that is its bucket's, of a function's version or alias the function's, of an index its table's.
    """
    *front, name = resource_arn.split(":", 5)
    service = front[2] if len(front) == 5 else ""
    if service == "s3":
        name = name.split("/", 1)[0]
    elif service == "lambda" and name.startswith("function:"):
        name = ":".join(name.split(":")[:2])
    elif service == "dynamodb" and name.startswith("table/"):
        name = "/".join(name.split("/")[:2])
    return ":".join([*front, name])


class PolicySource(Protocol):
    """Looks up the policies in force now."""

    def list_role_policies(self, role_arn: str) -> Sequence[Policy]:
        """Return all identity policies of a role: inline and managed."""

    def find_resource_policy(self, resource_arn: str) -> Policy | None:
        """Return the policy on a resource (queue, bucket, function, key, secret, topic, bus, table), if any."""
