"""What writes into the audit, and tells each entry's hash in the function's log."""

from pentad.aws.clients import get_client
from pentad.aws.sealed import Linked, SealedLog
from pentad.aws.table import Table
from pentad.models.remote.adapters.mac_kms import KmsMacKey
from pentad.observability.ports import Telemetry

AUDIT_WRITTEN = "audit.written"
"""The log line of an entry: `pentad audit verify --logs` looks for it."""


def make_sealed_log(ledger: Table, key: str, telemetry: Telemetry) -> SealedLog:
    """Return what writes chained entries.

    Args:
        ledger: the table.
        key: ARN of the key that signs.
        telemetry: its log takes more lines, and nobody with the function's role can change one.
    """

    def tell(linked: Linked) -> None:
        telemetry.log_event(AUDIT_WRITTEN, chain=linked.pk, number=linked.number, hash=linked.digest)

    return SealedLog(ledger, KmsMacKey(get_client("kms"), key), tell=tell)
