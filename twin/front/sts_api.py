"""STS, served by the front itself: who a caller is and which roles may be assumed is known here and not in moto."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Final
from xml.sax.saxutils import escape

from twin.front.account import MotoAccount
from twin.front.errors import build_access_denied, build_error
from twin.front.model import ApiCall, ApiResponse
from twin.iam.classify.services import list_assume_accesses, list_session_tags
from twin.iam.evaluator import Policies, build_context, evaluate
from twin.iam.model import ACCOUNT_ID, Access, PolicyError, Principal
from twin.iam.policy import parse_policy
from twin.iam.principals import Principals

NAMESPACE: Final = "https://sts.amazonaws.com/doc/2011-06-15/"
DEFAULT_SECONDS: Final = 3600
_SHORTEST: Final = 900
_LONGEST: Final = 43_200
_MAX_POLICY: Final = 2_048
"""Characters of a session's policy (AssumeRole's API reference)."""


class StsApi:
    """Serves GetCallerIdentity and AssumeRole; the caller's own policies were checked before."""

    def __init__(self, principals: Principals, account: MotoAccount, region: str) -> None:
        self._principals = principals
        self._account = account
        self._region = region

    def __call__(self, call: ApiCall) -> ApiResponse | None:
        """Serve a call, or None to leave it to moto."""
        if call.operation == "GetCallerIdentity":
            arn = call.principal.arn
            user = call.principal.role_arn or arn
            identity = f"<Arn>{escape(arn)}</Arn><UserId>{escape(user)}</UserId><Account>{ACCOUNT_ID}</Account>"
            return _answer(call.operation, identity)
        if call.operation == "AssumeRole":
            return self._handle_assume_role(call)
        return None

    def _handle_assume_role(self, call: ApiCall) -> ApiResponse:
        role_arn, session = call.params["RoleArn"], call.params["RoleSessionName"]
        for access in list_assume_accesses(call.params):
            if not self._is_trusted(call.principal, access):
                refusal = f"is not authorized to perform: {access.action} on resource: {role_arn}"
                return build_access_denied("sts", f"User: {call.principal.arn} {refusal}")
        seconds, policy = int(call.params.get("DurationSeconds", DEFAULT_SECONDS)), call.params.get("Policy")
        refused = _find_fault(seconds, policy)
        if refused is not None:
            return build_error("sts", 400, *refused)
        tags = list_session_tags(call.params)
        keys = self._principals.issue(role_arn, session, tags, policy=policy, seconds=seconds)
        ends = datetime.now(UTC) + timedelta(seconds=seconds)
        principal = self._principals.authenticate(keys.access_key_id, keys.session_token)
        return _answer(
            call.operation,
            f"<Credentials><AccessKeyId>{keys.access_key_id}</AccessKeyId>"
            f"<SecretAccessKey>{keys.secret_access_key}</SecretAccessKey>"
            f"<SessionToken>{keys.session_token}</SessionToken>"
            f"<Expiration>{ends:%Y-%m-%dT%H:%M:%SZ}</Expiration></Credentials>"
            f"<AssumedRoleUser><Arn>{escape(principal.arn)}</Arn>"
            f"<AssumedRoleId>{keys.access_key_id}:{escape(session)}</AssumedRoleId></AssumedRoleUser>",
        )

    def _is_trusted(self, principal: Principal, access: Access) -> bool:
        """Tell whether the role's trust policy names the caller, or hands its account to IAM."""
        trust = self._account.find_trust_policy(access.resource)
        if trust is None:
            return False
        if principal.unrestricted:
            return True
        # A trust policy names no resource: the role that it stands on is meant.
        context = build_context(principal, access, self._region)
        named = any(
            statement.allow
            and statement.principal is not None
            and statement.principal.match_account(ACCOUNT_ID)
            and statement.match(access, context)
            for statement in trust.statements
        )
        return named or evaluate(principal, access, Policies(resource=trust), self._region).allowed


def _find_fault(seconds: int, policy: str | None) -> tuple[str, str] | None:
    """Return the code and message of what AssumeRole does not take, or None."""
    if not _SHORTEST <= seconds <= _LONGEST:
        return "ValidationError", f"durationSeconds must be {_SHORTEST} to {_LONGEST}"
    if policy is None:
        return None
    if len(policy) > _MAX_POLICY:
        return "ValidationError", f"policy must have a length of at most {_MAX_POLICY}"
    try:
        parse_policy(policy)
    except PolicyError as error:
        return "MalformedPolicyDocument", str(error)
    return None


def _answer(operation: str, result: str) -> ApiResponse:
    request_id = str(uuid.uuid4())
    body = (
        f'<{operation}Response xmlns="{NAMESPACE}"><{operation}Result>{result}</{operation}Result>'
        f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>"
    )
    return ApiResponse(200, (("Content-Type", "text/xml"), ("x-amzn-RequestId", request_id)), body.encode())
