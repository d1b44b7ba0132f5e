"""JSON Web Tokens of an OIDC issuer: signature, issuer, audience, time, and the claims that name tenant and scopes."""

import re
from collections.abc import Mapping
from typing import Any

from pentad.api.identity.caller import SCOPES, Caller
from pentad.api.identity.ports import TokenVerifier
from pentad.domain.declarations.asking import GROUP_PATTERN
from pentad.domain.errors import NotAuthenticated
from pentad.domain.ids import TENANT_PATTERN, USER_PATTERN, derive_id

JWT_CALLER = "jwt"
"""The key's name of all callers with a token."""
_DERIVED = "usr_"


class JwtAuthenticator:
    """Reads the caller out of verified claims.

    Args:
        verifier: checks the token.
        issuer: the issuer, part of a user's id where the subject can't be one itself.
        tenant_claim: name of the claim that holds the tenant.
        scope_claim: name of the claim that holds the scopes: a string with spaces, or a list.
        groups_claim: name of the claim that holds the groups, in the same form. A token decides for those groups and
            no others: one without the claim, also where the provider names another place to fetch it from
            (``_claim_names``), for none.
    """

    def __init__(
        self,
        verifier: TokenVerifier,
        *,
        issuer: str,
        tenant_claim: str = "tenant",
        scope_claim: str = "scope",
        groups_claim: str = "groups",
    ) -> None:
        self._verifier = verifier
        self._issuer = issuer
        self._tenant_claim = tenant_claim
        self._scope_claim = scope_claim
        self._groups_claim = groups_claim

    def __call__(self, token: str) -> Caller:
        """Return whose token it is.

        Raises:
            NotAuthenticated: the token is not valid, or names no tenant or subject.
            StoreUnavailable: the issuer's keys could not be fetched.
        """
        claims = self._verifier.verify(token)
        tenant, subject = claims.get(self._tenant_claim), claims.get("sub")
        if not isinstance(tenant, str) or not re.fullmatch(TENANT_PATTERN, tenant):
            raise NotAuthenticated("the token has no claim for the tenant")
        if not isinstance(subject, str) or not subject:
            raise NotAuthenticated("the token has no subject")
        # Subjects are any text; a user's id becomes part of keys. One that looks derived might be another's.
        plain = re.fullmatch(USER_PATTERN, subject) and not subject.startswith(_DERIVED)
        user_id = subject if plain else derive_id("usr", self._issuer, subject)
        scopes = frozenset(scope for scope in _parse_claim(claims, self._scope_claim) if scope in SCOPES)
        return Caller(
            tenant_id=tenant, key_id=JWT_CALLER, user_id=user_id, scopes=scopes, groups=self._parse_groups(claims)
        )

    def _parse_groups(self, claims: Mapping[str, Any]) -> frozenset[str]:
        named = _parse_claim(claims, self._groups_claim)
        return frozenset(name for name in named if re.fullmatch(GROUP_PATTERN, name))


def _parse_claim(claims: Mapping[str, Any], name: str) -> list[str]:
    claim = claims.get(name)
    named = claim.split() if isinstance(claim, str) else claim if isinstance(claim, list) else []
    return [one for one in named if isinstance(one, str)]
