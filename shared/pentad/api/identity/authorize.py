"""The Lambda authorizer's answer: whose credential a request carries."""

from collections.abc import Callable, Mapping
from typing import Any

from pentad.api.identity.caller import ALL_GROUPS, Caller
from pentad.api.identity.keys import has_key_prefix
from pentad.domain.errors import NotAuthenticated

Authenticator = Callable[[str], Caller]
_LONGEST = 8192


class Authorize:
    """Answers in the simple format of an HTTP API's authorizer (payload 2.0).

    Args:
        keys: checks API keys.
        tokens: checks JSON Web Tokens; none where no issuer is configured.
    """

    def __init__(self, keys: Authenticator, tokens: Authenticator | None = None) -> None:
        self._keys = keys
        self._tokens = tokens

    def __call__(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return that the request is authorised, and for whom.

        Raises:
            NotAuthenticated: no credential, or one that is not valid.
            StoreUnavailable: it could not be checked.
        """
        token = parse_bearer_token(event)
        caller = self._choose_authenticator(token)(token)
        context = {
            "tenant": caller.tenant_id,
            "key_id": caller.key_id,
            "user": caller.user_id or "",
            "owner": caller.owner or "",
            "scopes": " ".join(sorted(caller.scopes)),
            "groups": ALL_GROUPS if caller.groups is None else " ".join(sorted(caller.groups)),
        }
        return {"isAuthorized": True, "context": context}

    def _choose_authenticator(self, token: str) -> Authenticator:
        if has_key_prefix(token):
            return self._keys
        if self._tokens is None:
            raise NotAuthenticated("the credential is not valid")
        return self._tokens


def parse_bearer_token(event: Mapping[str, Any]) -> str:
    """Return the bearer token of an event's Authorization header.

    Raises:
        NotAuthenticated: there is none.
    """
    headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
    scheme, _, token = headers.get("authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token or len(token) > _LONGEST:
        raise NotAuthenticated("the request has no credential", fix="send Authorization: Bearer <API key>")
    return token
