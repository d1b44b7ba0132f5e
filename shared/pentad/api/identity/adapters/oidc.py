"""Verify JSON Web Tokens by the keys that an OIDC issuer publishes (OpenID Connect Discovery 1.0)."""

import json
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

from pentad.domain.errors import ConfigurationError, NotAuthenticated, StoreUnavailable

ALGORITHMS = ("RS256", "ES256")
"""Asymmetric ones only: with HS256 in the list, an issuer's public key would be a valid secret."""
_TIMEOUT_SECONDS = 3.0
_LEEWAY_SECONDS = 30
_DISCOVERY_BYTES = 100_000
_KEYS_LIFESPAN_SECONDS = 600


def _fetch_json(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as reply:  # noqa: S310 - the scheme is checked
        document: dict[str, Any] = json.loads(reply.read(_DISCOVERY_BYTES))
    return document


class OidcVerifier:
    """A `TokenVerifier`; keys are fetched once and kept for ten minutes.

    Args:
        issuer: the issuer's URL, https.
        audience: who the token has to be for.
        fetch: gets the discovery document; a test passes its own.
        keys: makes the client that finds a token's key; a test passes its own.
    """

    def __init__(
        self,
        issuer: str,
        audience: str,
        *,
        fetch: Callable[[str], dict[str, Any]] = _fetch_json,
        keys: Callable[[str], Any] | None = None,
    ) -> None:
        if not issuer.startswith("https://"):
            raise ConfigurationError("the issuer must be an https URL", field="oidc_issuer")
        self._issuer = issuer
        self._audience = audience
        self._fetch = fetch
        self._make_keys = keys or _make_key_client
        self._keys: Any = None

    def verify(self, token: str) -> Mapping[str, Any]:
        """See `TokenVerifier`."""
        import jwt  # With its first token: most deployments have no issuer.

        try:
            key = self._get_key_client().get_signing_key_from_jwt(token)
            claims: dict[str, Any] = jwt.decode(
                token,
                key.key,
                algorithms=list(ALGORITHMS),
                audience=self._audience,
                issuer=self._issuer,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except jwt.PyJWKClientConnectionError as error:
            raise StoreUnavailable("the issuer's keys could not be fetched") from error
        except (jwt.PyJWTError, ValueError) as error:
            raise NotAuthenticated("the token is not valid") from error
        return claims

    def _get_key_client(self) -> Any:
        if self._keys is None:
            try:
                document = self._fetch(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
            except (OSError, ValueError) as error:
                raise StoreUnavailable("the issuer's discovery document could not be fetched") from error
            address = str(document.get("jwks_uri", ""))
            # A document that names another issuer, or keys over plain http, is not this issuer's.
            if document.get("issuer") != self._issuer or not address.startswith("https://"):
                raise ConfigurationError(
                    "the issuer's discovery document names another issuer, or keys that are not served over https",
                    field="oidc_issuer",
                )
            self._keys = self._make_keys(address)
        return self._keys


def _make_key_client(address: str) -> Any:
    import jwt

    return jwt.PyJWKClient(
        address, cache_keys=True, max_cached_keys=16, lifespan=_KEYS_LIFESPAN_SECONDS, timeout=_TIMEOUT_SECONDS
    )
