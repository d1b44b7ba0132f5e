"""Where policies come from: a port, and a registry in memory that needs no AWS."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from twin.iam.policy import Policy, parse_policy


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


class PolicyRegistry:
    """Policies set by hand. Setting one reads it fully, so what cannot be evaluated fails there."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._roles: dict[str, tuple[Policy, ...]] = {}
        self._resources: dict[str, Policy] = {}

    def set_role_policies(self, role_arn: str, documents: Sequence[str | Mapping[str, Any]]) -> None:
        """Set all identity policies of a role.

        Raises:
            PolicyError: One of them cannot be evaluated.
        """
        policies = tuple(parse_policy(document) for document in documents)
        with self._lock:
            self._roles[role_arn] = policies

    def set_resource_policy(self, resource_arn: str, document: str | Mapping[str, Any]) -> None:
        """Set the policy on a resource.

        Raises:
            PolicyError: It cannot be evaluated.
        """
        policy = parse_policy(document)
        with self._lock:
            self._resources[policy_holder(resource_arn)] = policy

    def list_role_policies(self, role_arn: str) -> Sequence[Policy]:
        """Return the policies of a role; none means that nothing is allowed."""
        with self._lock:
            return self._roles.get(role_arn, ())

    def find_resource_policy(self, resource_arn: str) -> Policy | None:
        """Return the policy on a resource."""
        with self._lock:
            return self._resources.get(policy_holder(resource_arn))


class LayeredSource:
    """Several sources as one: identity policies add up, the first resource policy found counts."""

    def __init__(self, *sources: PolicySource) -> None:
        self._sources = sources

    def list_role_policies(self, role_arn: str) -> Sequence[Policy]:
        """Return the policies of a role from every source."""
        return [policy for source in self._sources for policy in source.list_role_policies(role_arn)]

    def find_resource_policy(self, resource_arn: str) -> Policy | None:
        """Return the first policy found."""
        return next(
            (p for source in self._sources if (p := source.find_resource_policy(resource_arn)) is not None), None
        )
