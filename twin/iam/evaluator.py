"""The decision: identity policies, resource policies, session policies, explicit denies. It depends on the clock alone.

Source: IAM user guide, "Policy evaluation logic" for requests within one account. Permission boundaries and
organisations' policies do not exist in the twin.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from twin.iam.model import ACCOUNT_ID, Access, ContextValue, Decision, Principal, PrincipalKind, Reason
from twin.iam.policy import Policy, Statement, parse_policy


@dataclass(frozen=True, slots=True)
class Policies:
    """What applies to one access: the caller's own policies and the resource's policy, if it has one."""

    identity: Sequence[Policy] = ()
    resource: Policy | None = None


def evaluate(
    principal: Principal, access: Access, policies: Policies, region: str, *, now: datetime | None = None
) -> Decision:
    """Decide one access. The administrator may do anything that no resource policy denies by name.

    Raises:
        PolicyError: The session's policy cannot be evaluated.
    """
    context = build_context(principal, access, region, now=now)
    identity = [s for policy in policies.identity for s in policy.statements if s.match(access, context)]
    resource = [s for s in (policies.resource.statements if policies.resource else ()) if s.match(access, context)]
    reason = _evaluate_reason(principal, access, identity, resource, guarded=policies.resource is not None)
    if reason is Reason.ALLOWED and principal.session_policy is not None:
        session = [s for s in parse_policy(principal.session_policy).statements if s.match(access, context)]
        reason = _evaluate_session(principal, session, resource)
    return Decision(reason is Reason.ALLOWED, principal, access, reason)


def _evaluate_reason(
    principal: Principal, access: Access, identity: list[Statement], resource: list[Statement], *, guarded: bool
) -> Reason:
    named = [s for s in resource if _match_principal(s, principal)]
    if principal.unrestricted:
        return Reason.ALLOWED
    if any(not s.allow for s in identity):
        return Reason.EXPLICIT_DENY_IDENTITY
    if any(not s.allow for s in named) or any(not s.allow for s in resource if _match_account(s)):
        return Reason.EXPLICIT_DENY_RESOURCE
    if any(s.allow for s in named):
        return Reason.ALLOWED
    if principal.kind is PrincipalKind.SERVICE:
        return Reason.NO_RESOURCE_ALLOW
    if not any(s.allow for s in identity):
        return Reason.NO_IDENTITY_ALLOW
    if access.action.startswith("kms:") and guarded:
        # A key's policy must hand the account to IAM, or identity policies say nothing about the key.
        return Reason.ALLOWED if any(s.allow and _match_account(s) for s in resource) else Reason.NO_RESOURCE_ALLOW
    return Reason.ALLOWED


def _evaluate_session(principal: Principal, session: list[Statement], resource: list[Statement]) -> Reason:
    """Decide what a session's policy leaves: it narrows all but what a resource's policy gives the session by name."""
    if any(not s.allow for s in session):
        return Reason.EXPLICIT_DENY_SESSION
    by_name = any(s.allow and s.principal is not None and principal.arn in s.principal.aws for s in resource)
    return Reason.ALLOWED if by_name or any(s.allow for s in session) else Reason.NO_SESSION_ALLOW


def _match_principal(statement: Statement, principal: Principal) -> bool:
    if statement.not_principal is not None:
        return not statement.not_principal.match(principal, ACCOUNT_ID)
    return statement.principal is not None and statement.principal.match(principal, ACCOUNT_ID)


def _match_account(statement: Statement) -> bool:
    return statement.principal is not None and statement.principal.match_account(ACCOUNT_ID)


def build_context(
    principal: Principal, access: Access, region: str, *, now: datetime | None = None
) -> Mapping[str, ContextValue]:
    """Return the condition context of an access with the global keys, all names in lower case.

    The loopback interface counts as a secure transport: what enforces TLS on AWS is not under test here.
    """
    moment = now or datetime.now(UTC)
    context: dict[str, ContextValue] = {
        "aws:currenttime": moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:epochtime": str(int(moment.timestamp())),
        "aws:securetransport": "true",
        "s3:tlsversion": "1.3",
        "aws:requestedregion": region,
        "aws:principalaccount": ACCOUNT_ID,
        "aws:resourceaccount": ACCOUNT_ID,
        "s3:resourceaccount": ACCOUNT_ID,
        "kms:calleraccount": ACCOUNT_ID,
        "aws:sourceip": "127.0.0.1",
        "aws:principalisawsservice": "true" if principal.kind is PrincipalKind.SERVICE else "false",
        "aws:viaawsservice": "false",
        "aws:principalarn": principal.role_arn or principal.arn,
    }
    if principal.service is not None:
        context["aws:principalservicename"] = principal.service
    context |= {f"aws:principaltag/{name.lower()}": value for name, value in principal.tags}
    return context | {key.lower(): value for key, value in access.context.items()}
