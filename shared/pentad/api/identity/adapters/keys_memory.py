"""API keys in a dictionary."""

from datetime import datetime

from pentad.api.identity.api_key import ApiKey
from pentad.domain.errors import InvalidTransition, NotFound


class MemoryKeys:
    """A `KeyStore` for tests."""

    def __init__(self) -> None:
        self._keys: dict[tuple[str, str], ApiKey] = {}

    def get(self, tenant_id: str, key_id: str) -> ApiKey | None:
        """See `KeyStore`."""
        return self._keys.get((tenant_id, key_id))

    def put(self, key: ApiKey) -> None:
        """See `KeyStore`."""
        if (key.tenant_id, key.key_id) in self._keys:
            raise InvalidTransition("a key with this id exists already", field="key_id")
        self._keys[key.tenant_id, key.key_id] = key

    def disable(self, tenant_id: str, key_id: str, at: datetime) -> ApiKey:
        """See `KeyStore`."""
        key = self._keys.get((tenant_id, key_id))
        if key is None:
            raise NotFound("no such key", field="key_id")
        if key.disabled_at is None:
            key = key.model_copy(update={"disabled_at": at})
        self._keys[tenant_id, key_id] = key
        return key

    def list(self, tenant_id: str) -> list[ApiKey]:
        """See `KeyStore`."""
        return [key for place, key in sorted(self._keys.items()) if place[0] == tenant_id]
