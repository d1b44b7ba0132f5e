"""What the response cache asks of its store."""

from __future__ import annotations

from typing import Protocol

from pentad.domain.models import ChatReply


class ResponseCache(Protocol):
    """Replies kept for exact repeats of their requests. Bounded; a tenant never sees another's.

    Beside a reply stands who is asking for it: the owner of a claim asks, and whoever wants the same meanwhile waits.
    """

    def get(self, tenant_id: str, key: str, *, consistent: bool = False) -> ChatReply | None:
        """Return the reply kept under a key, without usage, cost and attempts, or None.

        Args:
            tenant_id: whose.
            key: the key.
            consistent: see a reply of the last moment too.

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

    def note_user(self, tenant_id: str, key: str, user_id: str, *, seconds: int) -> None:
        """Note that a user's run asks for what is kept under a key, so that the user's erasure finds it.

        Args:
            tenant_id: whose.
            key: the key.
            user_id: whose run it is.
            seconds: how long the reply is kept at most.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def claim(self, tenant_id: str, key: str, owner: str, *, until: float, instead_of: str | None = None) -> bool:
        """Claim a key, if nobody else does; tell if that was done.

        Args:
            tenant_id: whose.
            key: the key.
            owner: names the claim; no two calls use one name.
            until: epoch seconds: when it ends if nobody releases it.
            instead_of: the claim that this one takes the place of, if it still stands.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def find_claim(self, tenant_id: str, key: str) -> str | None:
        """Return the claim of whoever asks for the key's reply just now; None where nobody does.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def release(self, tenant_id: str, key: str, owner: str, *, handed: ChatReply | None = None) -> None:
        """End a claim; one that is another's, or not there, is left alone.

        Args:
            tenant_id: whose.
            key: the key.
            owner: names the claim.
            handed: a reply that is not kept, for those who waited for this claim: `find_handed` returns it for a
                minute, or until the next claim. One above 300 KB is not handed over.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def find_handed(self, tenant_id: str, key: str, owner: str) -> ChatReply | None:
        """Return the reply that a claim has ended with, without usage, cost and attempts, or None.

        Args:
            tenant_id: whose.
            key: the key.
            owner: names the claim.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...
