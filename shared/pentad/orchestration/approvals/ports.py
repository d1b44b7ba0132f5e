"""What approvals ask of their store, of the cipher of their task tokens, and of the channels to humans."""

from datetime import datetime
from typing import Annotated, Protocol

from pydantic import AfterValidator, Field

from pentad.domain.display.characters import mark_text
from pentad.domain.runs import Approval, ApprovalStatus
from pentad.domain.values import FrozenValue, Page


class ApprovalStore(Protocol):
    """Approvals with their task tokens. The token is a credential: encrypted at rest, in no view."""

    def create(self, approval: Approval, task_token: str) -> Approval:
        """Store a pending approval; a repeat replaces the token only (the state was retried) while it is pending.

        Raises:
            InvalidTransition: its run has ended.
        """
        ...

    def get(self, tenant_id: str, approval_id: str) -> Approval:
        """Return an approval.

        Raises:
            NotFound: no such approval for this tenant.
        """
        ...

    def get_token(self, tenant_id: str, approval_id: str) -> str:
        """Return the task token, decrypted.

        Raises:
            NotFound: no such approval.
        """
        ...

    def replace(self, approval: Approval) -> bool:
        """Store a changed approval in one conditional write, and return whether it was stored.

        It is not where the stored one is not of the version before: then somebody was faster.

        Raises:
            NotFound: no such approval.
        """
        ...

    def decide(
        self, tenant_id: str, approval_id: str, status: ApprovalStatus, *, by: str, reason: str | None, at: datetime
    ) -> Approval:
        """Move a pending approval to its decision. The same decision again returns what is stored.

        Raises:
            InvalidTransition: it was already decided otherwise, or has expired.
            NotFound: no such approval.
        """
        ...

    def list_pending(self, tenant_id: str, *, limit: int = 50, cursor: str | None = None) -> Page[Approval]:
        """Return pending approvals, the oldest first."""
        ...

    def list_for_run(self, tenant_id: str, run_id: str, *, limit: int = 1000) -> list[Approval]:
        """Return a run's approvals, pending or not, that of the highest step first."""
        ...


class TokenCipher(Protocol):
    """Encrypts task tokens, bound to their tenant and approval."""

    def encrypt(self, token: str, *, tenant_id: str, approval_id: str) -> str:
        """Return the token encrypted, as text.

        Raises:
            StoreUnavailable: the key service did not answer.
        """
        ...

    def decrypt(self, sealed: str, *, tenant_id: str, approval_id: str) -> str:
        """Return the token of this tenant's approval.

        Raises:
            PolicyDenied: it was encrypted for another tenant or approval.
            StoreUnavailable: the key service did not answer.
        """
        ...


class Notice(FrozenValue):
    """What a human is told."""

    reference: str
    group: str
    subject: str = Field(
        max_length=100, pattern=r"^[ -~]+$", description="ASCII, one line: SNS and a mail's header take no other"
    )
    text: Annotated[str, AfterValidator(mark_text)]
    link: str


class Notifier(Protocol):
    """One channel to humans."""

    def send(self, notice: Notice) -> bool:
        """Send a notice, and return whether it was: not where the channel is not set up for the group.

        Raises:
            TransientError: the channel did not take it and may do so later; ``retry_after`` says when.
            PermanentError: it never will, such as where it is set up wrong.
        """
        ...


class NoticeLog(Protocol):
    """What was sent, so that a redelivered event is sent once."""

    def acquire(self, tenant_id: str, approval_id: str, notice: str) -> bool:
        """Take one notice to one channel for sending, and return whether it is still to be sent.

        Raises:
            StoreUnavailable: another instance is sending it right now, or the store did not answer.
            EffectUncertain: two functions died while they sent it; it is not sent a third time.
        """
        ...

    def mark_sent(self, tenant_id: str, approval_id: str, notice: str) -> None:
        """Keep that it was sent."""
        ...

    def release(self, tenant_id: str, approval_id: str, notice: str) -> None:
        """Give the claim back: it was not sent."""
        ...
