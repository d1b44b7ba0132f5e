"""The terms of authorisation: principals, the accesses one API call needs, and decisions.

Errors::

    IamError
      UnknownCredentials      the access key was not issued here
      PolicyError             a policy document that cannot be evaluated (bad shape)
        UnsupportedPolicy     an operator, key or variable the evaluator does not know: never silently true
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

ACCOUNT_ID = "123456789012"

ContextValue = str | tuple[str, ...]


class PrincipalKind(StrEnum):
    """Who calls: the operator, an assumed role, or an AWS service on someone's behalf."""

    ADMINISTRATOR = "administrator"
    ROLE = "role"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller. `arn` is what AWS prints in its denials; `role_arn` is set for roles only.

    `tags` are those of the session, by AssumeRole: names and values; `session_policy` is the document given with it.
    """

    kind: PrincipalKind
    arn: str
    role_arn: str | None = None
    service: str | None = None
    tags: tuple[tuple[str, str], ...] = ()
    session_policy: str | None = None

    @property
    def unrestricted(self) -> bool:
        """Tell whether the caller skips policy evaluation."""
        return self.kind is PrincipalKind.ADMINISTRATOR


ADMINISTRATOR = Principal(PrincipalKind.ADMINISTRATOR, f"arn:aws:iam::{ACCOUNT_ID}:user/administrator")


@dataclass(frozen=True, slots=True)
class Credentials:
    """Temporary credentials as the environment of a function carries them."""

    access_key_id: str
    secret_access_key: str
    session_token: str

    def to_environment(self) -> dict[str, str]:
        """Return the three environment variables that SDKs read."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_SESSION_TOKEN": self.session_token,
        }


@dataclass(frozen=True, slots=True)
class Access:
    """One thing an API call does: an IAM action on one resource, with its condition context.

    `any_resource` is for calls whose resource cannot be told from the request (a task token): then a grant of the
    action on any resource suffices.
    """

    action: str
    resource: str
    context: Mapping[str, ContextValue] = field(default_factory=dict)
    any_resource: bool = False


class Reason(StrEnum):
    """Why a decision fell, in the words of AWS's messages."""

    ALLOWED = "allowed"
    EXPLICIT_DENY_IDENTITY = "with an explicit deny in an identity-based policy"
    EXPLICIT_DENY_RESOURCE = "with an explicit deny in a resource-based policy"
    EXPLICIT_DENY_SESSION = "with an explicit deny in a session policy"
    NO_SESSION_ALLOW = "because no session policy allows the {action} action"
    NO_IDENTITY_ALLOW = "because no identity-based policy allows the {action} action"
    NO_RESOURCE_ALLOW = "because no resource-based policy allows the {action} action"


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome for one access. `message` is AWS's sentence when it is denied."""

    allowed: bool
    principal: Principal
    access: Access
    reason: Reason

    @property
    def message(self) -> str:
        """The sentence botocore shows, in AWS's wording."""
        because = self.reason.value.format(action=self.access.action)
        return (
            f"User: {self.principal.arn} is not authorized to perform: {self.access.action}"
            f" on resource: {self.access.resource} {because}"
        )


class IamError(Exception):
    """Anything this package refuses."""


class UnknownCredentials(IamError):
    """The access key was not issued by this twin."""


class PolicyError(IamError):
    """A policy document that cannot be evaluated."""


class UnsupportedPolicy(PolicyError):
    """An operator, key or variable the evaluator does not know."""
