"""What anchoring asks of its stores."""

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from pentad.observability.anchors.anchor import AuditAnchor, ChainHead


class HeadSource(Protocol):
    """Tells the ends of the audit's chains."""

    def iter_heads(self, since: datetime, until: datetime) -> Iterator[ChainHead]:
        """Yield the ends of all tenants' chains that grew in a time, as they stand now; one may come twice.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...


class AnchorStore(Protocol):
    """Keeps anchors where nobody can change or delete them before their time is over."""

    def get_newest(self, tenant_id: str) -> AuditAnchor | None:
        """Return a tenant's newest anchor, or None.

        Raises:
            StoreUnavailable: the store did not answer.
            Unreadable: it is no anchor.
        """
        ...

    def put(self, anchor: AuditAnchor) -> bool:
        """Store an anchor, or return False where there is one of its number.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...
