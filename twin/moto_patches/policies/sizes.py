"""How large policies are.

What moto gets wrong: policies of roles and functions have any size, and a role any number of managed ones. A deployment
of AWS fails there. Sources: IAM user guide, "IAM and AWS STS quotas" (blanks don't count); Lambda developer guide,
"Lambda quotas".
"""

import json
from collections.abc import Callable
from typing import Any, Final

from moto.awslambda.exceptions import LambdaClientError
from moto.awslambda.models import LambdaBackend
from moto.iam.exceptions import LimitExceededException
from moto.iam.models import IAMBackend

from twin.moto_patches.patching import Patches

INLINE: Final = 10_240
"""Most characters of all inline policies of a role."""

MANAGED: Final = 6_144
"""Most characters of a managed policy."""

TRUST: Final = 4_096
"""Most characters of a role's trust policy: the quota is 2,048, and may be raised to this."""

ATTACHED: Final = 25
"""Most managed policies of a role: the quota is 10, and may be raised to this."""

FUNCTION_BYTES: Final = 20_480
"""Largest policy of a function, or of one of its versions or aliases."""


def _measure(document: str) -> int:
    try:
        return len(json.dumps(json.loads(document), separators=(",", ":"), ensure_ascii=False))
    except (ValueError, RecursionError):
        return 0  # moto tells of it


def _wrap_put_role_policy(original: Callable[..., Any]) -> Callable[..., Any]:
    def put_role_policy(self: Any, role_name: str, policy_name: str, policy_json: str) -> Any:
        others = [text for name, text in self.get_role(role_name).policies.items() if name != policy_name]
        if sum(map(_measure, [*others, policy_json])) > INLINE:
            raise LimitExceededException(f"Maximum policy size of {INLINE} bytes exceeded for role {role_name}")
        return original(self, role_name, policy_name, policy_json)

    return put_role_policy


def _wrap_create_policy(original: Callable[..., Any]) -> Callable[..., Any]:
    def create_policy(self: Any, description: str, path: str, policy_document: str, *args: Any, **named: Any) -> Any:
        if _measure(policy_document) > MANAGED:
            raise LimitExceededException(f"Cannot exceed quota for PolicySize: {MANAGED}")
        return original(self, description, path, policy_document, *args, **named)

    return create_policy


def _wrap_create_role(original: Callable[..., Any]) -> Callable[..., Any]:
    def create_role(self: Any, role_name: str, assume_role_policy_document: str, *args: Any, **named: Any) -> Any:
        if _measure(assume_role_policy_document) > TRUST:
            raise LimitExceededException(f"Cannot exceed quota for ACLSizePerRole: {TRUST}")
        return original(self, role_name, assume_role_policy_document, *args, **named)

    return create_role


def _wrap_create_policy_version(original: Callable[..., Any]) -> Callable[..., Any]:
    def create_policy_version(self: Any, policy_arn: str, policy_document: str, *args: Any, **named: Any) -> Any:
        if _measure(policy_document) > MANAGED:
            raise LimitExceededException(f"Cannot exceed quota for PolicySize: {MANAGED}")
        return original(self, policy_arn, policy_document, *args, **named)

    return create_policy_version


def _wrap_update_assume_role_policy(original: Callable[..., Any]) -> Callable[..., Any]:
    def update_assume_role_policy(self: Any, role_name: str, policy_document: str) -> Any:
        if _measure(policy_document) > TRUST:
            raise LimitExceededException(f"Cannot exceed quota for ACLSizePerRole: {TRUST}")
        return original(self, role_name, policy_document)

    return update_assume_role_policy


def _wrap_attach_role_policy(original: Callable[..., Any]) -> Callable[..., Any]:
    def attach_role_policy(self: Any, policy_arn: str, role_name: str) -> Any:
        if len({*self.get_role(role_name).managed_policies, policy_arn}) > ATTACHED:
            raise LimitExceededException(f"Cannot exceed quota for PoliciesPerRole: {ATTACHED}")
        return original(self, policy_arn, role_name)

    return attach_role_policy


def _wrap_add_permission(original: Callable[..., Any]) -> Callable[..., Any]:
    def add_permission(self: Any, function_name: str, qualifier: str, raw: str) -> Any:
        function = self.get_function(function_name, qualifier)
        statement = original(self, function_name, qualifier, raw)
        same = [one for one in function.policy.statements if one.get("Resource") == statement.get("Resource")]
        size = len(json.dumps({"Version": "2012-10-17", "Id": "default", "Statement": same}, separators=(",", ":")))
        if size > FUNCTION_BYTES:
            function.policy.statements.remove(statement)
            told = f"The final policy size ({size}) is bigger than the limit ({FUNCTION_BYTES})."
            raise LambdaClientError("PolicyLengthExceededException", told)
        return statement

    return add_permission


def apply(patches: Patches) -> None:
    """Install the patches of this module."""
    for name, wrap in (
        ("put_role_policy", _wrap_put_role_policy),
        ("create_policy", _wrap_create_policy),
        ("create_policy_version", _wrap_create_policy_version),
        ("create_role", _wrap_create_role),
        ("update_assume_role_policy", _wrap_update_assume_role_policy),
        ("attach_role_policy", _wrap_attach_role_policy),
    ):
        patches.set_attribute(IAMBackend, name, wrap(getattr(IAMBackend, name)))
    patches.set_attribute(LambdaBackend, "add_permission", _wrap_add_permission(LambdaBackend.add_permission))
