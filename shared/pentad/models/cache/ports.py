"""What the response cache asks of its store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pentad.domain.models import ChatReply

if TYPE_CHECKING:
    pass


class ResponseCache(Protocol):
    """Replies kept for exact repeats of their requests. Bounded; a tenant never sees another's."""

    def get(self, tenant_id: str, key: str) -> ChatReply | None:
        """Return the reply kept under a key, without usage, cost and attempts, or None.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def put(self, tenant_id: str, key: str, reply: ChatReply, *, seconds: int) -> None:
        """Keep a reply for so long; one above 300 KB is not kept.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...
