"""JWT authorizers: issuer, audience, expiry, signature and scopes as API Gateway checks them."""

import json
import threading
import urllib.request
from typing import Any, Protocol

from twin.deploy.deployment import HttpAuthorizer
from twin.http_api.responses import FORBIDDEN, UNAUTHORIZED, GatewayError

JsonObject = dict[str, Any]

_TIMEOUT = 3.0
#: API Gateway accepts RSA algorithms only.
_ALGORITHMS = ["RS256", "RS384", "RS512"]


class _KeyClient(Protocol):
    def get_signing_key_from_jwt(self, token: str) -> Any:
        """Return the key that signed `token`."""


class TokenVerifier:
    """Verifies bearer tokens against the issuers' published keys; keys are cached per issuer."""

    def __init__(self) -> None:
        self._clients: dict[str, _KeyClient] = {}
        self._lock = threading.Lock()

    def verify(self, authorizer: HttpAuthorizer, token: str, scopes: tuple[str, ...]) -> JsonObject:
        """Return the `jwt` part of the request's context.

        Raises:
            GatewayError: 401 for a token that is not valid, 403 where it lacks a scope.
        """
        import jwt

        issuer = authorizer.issuer or ""
        try:
            key = self._get_client(issuer).get_signing_key_from_jwt(token).key
            options: Any = {"verify_aud": False, "require": ["exp"]}
            claims = jwt.decode(token, key, algorithms=_ALGORITHMS, issuer=issuer, options=options)
        except (jwt.PyJWTError, OSError, ValueError) as error:
            raise GatewayError(UNAUTHORIZED, f"token refused: {error}") from error
        _check_audience(authorizer, claims)
        granted = str(claims.get("scope", claims.get("scp", ""))).split()
        if scopes and not set(scopes) & set(granted):
            raise GatewayError(FORBIDDEN, "the token carries none of the route's scopes")
        return {"claims": {name: _format_claim(value) for name, value in claims.items()}, "scopes": granted or None}

    def _get_client(self, issuer: str) -> _KeyClient:
        import jwt

        with self._lock:
            if issuer not in self._clients:
                self._clients[issuer] = jwt.PyJWKClient(_fetch_keys_url(issuer), timeout=int(_TIMEOUT))
            return self._clients[issuer]


def _fetch_keys_url(issuer: str) -> str:
    if not issuer.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        raise ValueError(f"the issuer {issuer!r} is neither HTTPS nor local")
    url = issuer.rstrip("/") + "/.well-known/openid-configuration"
    with urllib.request.urlopen(url, timeout=_TIMEOUT) as answer:  # noqa: S310 - the scheme was checked above
        return str(json.load(answer)["jwks_uri"])


def _check_audience(authorizer: HttpAuthorizer, claims: JsonObject) -> None:
    audience: Any = claims.get("aud") or claims.get("client_id") or []
    given: set[str] = {audience} if isinstance(audience, str) else set(audience)
    if not given & set(authorizer.audience):
        raise GatewayError(UNAUTHORIZED, "the token is for another audience")


def _format_claim(value: object) -> str:
    """API Gateway passes claims as text; lists in square brackets."""
    if isinstance(value, list):
        return "[" + " ".join(str(item) for item in value) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)
