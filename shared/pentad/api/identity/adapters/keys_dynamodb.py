"""API keys in the state table."""

from datetime import datetime

from pentad.api.identity.api_key import ApiKey
from pentad.aws.readable import from_stored
from pentad.aws.table import ConditionFailed, Item, Table
from pentad.domain import keys
from pentad.domain.errors import InvalidTransition, NotFound


class DynamoKeys:
    """A `KeyStore`.

    Args:
        state: the table.
    """

    def __init__(self, state: Table) -> None:
        self._state = state

    def get(self, tenant_id: str, key_id: str) -> ApiKey | None:
        """See `KeyStore`."""
        item = self._state.get(keys.collection_pk(tenant_id, "KEYS"), key_id)
        return None if item is None else _parse_key(item)

    def put(self, key: ApiKey) -> None:
        """See `KeyStore`."""
        item: Item = {
            "pk": keys.collection_pk(key.tenant_id, "KEYS"),
            "sk": key.key_id,
            "type": "api_key",
            "body": key.model_dump_json(exclude={"disabled_at"}),
        }
        try:
            self._state.put(item, condition="attribute_not_exists(pk)")
        except ConditionFailed as failure:
            raise InvalidTransition("a key with this id exists already", field="key_id") from failure

    def disable(self, tenant_id: str, key_id: str, at: datetime) -> ApiKey:
        """See `KeyStore`."""
        try:
            item = self._state.update(
                keys.collection_pk(tenant_id, "KEYS"),
                key_id,
                "SET disabled_at = if_not_exists(disabled_at, :at)",
                condition="attribute_exists(pk)",
                values={":at": at.isoformat()},
            )
        except ConditionFailed as failure:
            raise NotFound("no such key", field="key_id") from failure
        return _parse_key(item)

    def list(self, tenant_id: str) -> list[ApiKey]:
        """See `KeyStore`."""
        return [_parse_key(item) for item in self._state.iter_items(keys.collection_pk(tenant_id, "KEYS"))]


def _parse_key(item: Item) -> ApiKey:
    key = from_stored(ApiKey, item["body"])
    if "disabled_at" not in item:
        return key
    return key.model_copy(update={"disabled_at": datetime.fromisoformat(item["disabled_at"])})
