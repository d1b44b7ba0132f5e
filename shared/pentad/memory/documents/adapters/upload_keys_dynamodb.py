"""Whether an upload's key was revoked: read where the API keeps its keys."""

from pentad.aws.table import Table
from pentad.domain import keys


class DynamoUploadKeys:
    """A `pentad.memory.documents.ports.UploadKeys`.

    Args:
        state: the state table.
    """

    def __init__(self, state: Table) -> None:
        self._state = state

    def is_revoked(self, tenant_id: str, key_id: str) -> bool:
        """See the port."""
        item = self._state.get(keys.collection_pk(tenant_id, "KEYS"), key_id)
        return item is not None and "disabled_at" in item
