"""What writes into the ledger tells each entry's hash in the function's log, to which its role only adds lines."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from pentad.aws.clients import get_client
from pentad.aws.sealed import Linked, SealedLog
from pentad.aws.table import Table
from pentad.models.remote.adapters.mac_kms import KmsMacKey
from pentad.observability.ports import Telemetry

if TYPE_CHECKING:
    from pentad.models.ledger.adapters.ledger_dynamodb import WrittenAttempt

AUDIT_WRITTEN = "audit.written"
"""The log line of an entry: `pentad audit verify --logs` looks for it."""
ATTEMPT_WRITTEN = "attempt.written"
"""The same of an attempt's items."""


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


def make_attempt_log(telemetry: Telemetry) -> Callable[["WrittenAttempt"], None]:
    """Return what tells of each attempt's items.

    Args:
        telemetry: see `make_sealed_log`.
    """

    def tell(written: "WrittenAttempt") -> None:
        telemetry.log_event(ATTEMPT_WRITTEN, place=written.pk, item=written.sk, hash=written.digest)

    return tell
