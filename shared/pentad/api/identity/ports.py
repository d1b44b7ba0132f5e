"""What identity asks of its store of keys and of the verifier of tokens."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from pentad.api.identity.api_key import ApiKey


class TokenVerifier(Protocol):
    """Checks a token's signature and standard claims."""

    def verify(self, token: str) -> Mapping[str, Any]:
        """Return the token's claims.

        Raises:
            NotAuthenticated: anything about it is wrong.
            StoreUnavailable: the issuer's keys could not be fetched.
        """
        ...


class KeyStore(Protocol):
    """Where keys are kept."""

    def get(self, tenant_id: str, key_id: str) -> ApiKey | None:
        """Return a key, or None."""
        ...

    def put(self, key: ApiKey) -> None:
        """Store a new key.

        Raises:
            InvalidTransition: there is one of that id.
        """
        ...

    def disable(self, tenant_id: str, key_id: str, at: datetime) -> ApiKey:
        """Disable a key; one that is disabled stays as it is.

        Raises:
            NotFound: there is no such key.
        """
        ...

    def list(self, tenant_id: str) -> list[ApiKey]:
        """Return a tenant's keys by id."""
        ...
