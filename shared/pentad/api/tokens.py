"""JSON Web Tokens of an OIDC issuer: signature, issuer, audience, time, and the claims that name tenant and scopes."""

import re
from collections.abc import Mapping
from typing import Any, Protocol

from pentad.api.caller import SCOPES, Caller
from pentad.domain.errors import NotAuthenticated
from pentad.domain.ids import TENANT_PATTERN, USER_PATTERN, derived_id


class TokenVerifier(Protocol):
    """Checks a token's signature and standard claims."""

    def verify(self, token: str) -> Mapping[str, Any]:
        """Return the token's claims.

        Raises:
            NotAuthenticated: anything about it is wrong.
            StoreUnavailable: the issuer's keys could not be fetched.
        """
        ...


class JwtAuthenticator:
    """Reads the caller out of verified claims.

    Args:
        verifier: checks the token.
        issuer: the issuer, part of a user's id where the subject can't be one itself.
        tenant_claim: name of the claim that holds the tenant.
        scope_claim: name of the claim that holds the scopes: a string with spaces, or a list.
    """

    def __init__(
        self, verifier: TokenVerifier, *, issuer: str, tenant_claim: str = "tenant", scope_claim: str = "scope"
    ) -> None:
        self._verifier = verifier
        self._issuer = issuer
        self._tenant_claim = tenant_claim
        self._scope_claim = scope_claim

    def __call__(self, token: str) -> Caller:
        """Return whose token it is.

        Raises:
            NotAuthenticated: the token is not valid, or names no tenant or subject.
            StoreUnavailable: the issuer's keys could not be fetched.
        """
        claims = self._verifier.verify(token)
        tenant, subject = claims.get(self._tenant_claim), claims.get("sub")
        if not isinstance(tenant, str) or not re.fullmatch(TENANT_PATTERN, tenant):
            raise NotAuthenticated("the token names no tenant")
        if not isinstance(subject, str) or not subject:
            raise NotAuthenticated("the token names no subject")
        # Subjects are any text; a user's id becomes part of keys.
        user = subject if re.fullmatch(USER_PATTERN, subject) else derived_id("usr", self._issuer, subject)
        return Caller(tenant=tenant, key_id="jwt", user=user, scopes=self._scopes(claims))

    def _scopes(self, claims: Mapping[str, Any]) -> frozenset[str]:
        claim = claims.get(self._scope_claim)
        named = claim.split() if isinstance(claim, str) else claim if isinstance(claim, list) else []
        return frozenset(scope for scope in named if scope in SCOPES)
