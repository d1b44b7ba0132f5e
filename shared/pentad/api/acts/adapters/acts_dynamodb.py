"""The log of what people did, in the ledger table: one chain for each run and other subject."""

from pentad.api.acts.ports import Act
from pentad.aws.sealed import SealedLog
from pentad.domain import keys


class DynamoActs:
    """A `pentad.api.acts.ports.ActLog` over the table ``ledger``.

    Args:
        chain: writes into the table.
    """

    def __init__(self, chain: SealedLog) -> None:
        self._chain = chain

    def append(self, act: Act) -> None:
        """See the port."""
        item = {
            "sk": f"{keys.ACT}{act.request_id}#{act.stage}",
            "type": "act",
            "name": act.name,
            "stage": act.stage,
            "body": act.model_dump_json(),
        }
        self._chain.append(keys.acts_pk(act.tenant_id, act.subject), [item])
