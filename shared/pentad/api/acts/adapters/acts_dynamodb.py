"""The log of what people did, in the ledger table: one chain for each run and other subject."""

from pentad.api.acts.ports import Act
from pentad.aws.readable import from_stored
from pentad.aws.sealed import HEAD, SealedLog
from pentad.aws.table import Table
from pentad.domain import keys


class DynamoActs:
    """A `pentad.api.acts.ports.ActLog` over the table ``ledger``.

    Args:
        ledger: the table.
        chain: writes into it; None for who only reads.
    """

    def __init__(self, ledger: Table, chain: SealedLog | None = None) -> None:
        self._ledger = ledger
        self._chain = chain or SealedLog(ledger, None)

    def append(self, act: Act) -> None:
        """See the port."""
        item = {
            "sk": f"ACT#{act.request_id}#{act.stage}",
            "type": "act",
            "name": act.name,
            "stage": act.stage,
            "body": act.model_dump_json(),
        }
        self._chain.append(keys.acts_pk(act.tenant_id, act.subject), [item])

    def list_for(self, tenant_id: str | None, subject: str) -> list[Act]:
        """See the port."""
        items = [item for item in self._ledger.iter_items(keys.acts_pk(tenant_id, subject)) if item["sk"] != HEAD]
        items.sort(key=lambda item: int(item.get("number", 0)))
        return [from_stored(Act, item["body"]) for item in items]
