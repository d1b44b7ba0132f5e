"""What is asked of the store of sessions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from pydantic import Field

from pentad.domain.knowledge import Passage, Utterance
from pentad.domain.memories.front import Remembered
from pentad.domain.messages import Message
from pentad.domain.values import FrozenValue, Page


class Session(FrozenValue):
    """The head of a session. ``version`` goes up by one with every append."""

    tenant_id: str
    session_id: str
    agent: str
    user_id: str | None = None
    version: int = Field(ge=0)
    length: int = Field(ge=0, description="messages; sequence numbers run from 0 to length - 1")
    epoch_first_seq: int = Field(default=0, ge=0, description="where the current epoch's context begins")
    bare_before_seq: int = Field(
        default=0, ge=0, description="messages before it are sent without what was given with them, since the epoch"
    )
    estimated_tokens: int = Field(default=0, ge=0, description="of the messages since the epoch began")
    token_permille: int = Field(
        default=0, ge=0, description="tokens that the session's model makes of 1,000 estimated ones; 0: not measured"
    )
    fence: int = Field(default=0, ge=0, description="fencing token of the run that holds the session, or held it last")
    created_at: datetime
    updated_at: datetime
    expires_at: datetime


class StoredMessage(FrozenValue):
    """A message at its place in a session."""

    seq: int = Field(ge=0)
    message: Message
    passages: tuple[Passage, ...] = Field(default=(), description="given with a user's message, as it was sent")
    recalled: tuple[Utterance, ...] = Field(default=(), description="given with a user's message, as it was sent")
    remembered: Remembered | None = Field(
        default=None, description="stands in front of the epoch that begins here, as it was then; unset: not looked for"
    )
    estimated_tokens: int = Field(default=0, ge=0)
    is_bare: bool = Field(default=False, description="it is sent without what was given with it; never stored")


class SessionStore(Protocol):
    """Sessions: one item per message, optimistic version, spill past the item limit."""

    def get(self, tenant_id: str, session_id: str) -> Session | None:
        """Return the session's head, or None."""
        ...

    def create(self, session: Session) -> None:
        """Make a session without messages, for a copy of another; the start of a run makes its own.

        One that is there is left as it is.

        Args:
            session: its head, with version 0 and length 0.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def append(
        self,
        tenant_id: str,
        session_id: str,
        messages: Sequence[Message],
        *,
        expected_version: int,
        fence: int | None = None,
        head: Session | None = None,
    ) -> Session:
        """Append messages in order and return the new head.

        A repeat (the message ids already stand at the end, written by an earlier try) changes nothing and
        returns the current head.

        Args:
            tenant_id: the tenant.
            session_id: the session.
            messages: in order.
            expected_version: of the head that the writer has read.
            fence: the run's fencing token (`Run.fence`); None writes whoever holds the session.
            head: the head that the writer has read; saves reading it again, and is checked all the same. Of what it
                holds the writer may have changed ``token_permille``, which is stored with the messages.

        Raises:
            NotFound: no such session.
            InvalidTransition: a newer run has taken the session over.
            SessionBusy: the version is not the expected one: another writer changed the session first.
            StoreUnavailable: the store did not answer.
        """
        ...

    def read(self, tenant_id: str, session_id: str, first: int, last: int) -> list[StoredMessage]:
        """Return the messages with ``first <= seq <= last`` in order; spilled ones are fetched."""
        ...

    def attach_passages(self, tenant_id: str, session_id: str, seq: int, passages: Sequence[Passage]) -> int:
        """Keep the passages that were given with a user's message; return the tokens by which the head's are raised.

        A repeat keeps the first, and raises nothing.

        Raises:
            NotFound: no such session or message.
            StoreUnavailable: the store did not answer.
        """
        ...

    def attach_recalled(self, tenant_id: str, session_id: str, seq: int, recalled: Sequence[Utterance]) -> int:
        """Keep what of earlier conversations was given with a user's message; return the tokens, as `attach_passages`.

        A repeat keeps the first, and raises nothing.

        Raises:
            NotFound: no such session or message.
            StoreUnavailable: the store did not answer.
        """
        ...

    def attach_remembered(self, tenant_id: str, session_id: str, seq: int, remembered: Remembered) -> int:
        """Keep what stands in front of the epoch that begins at a message; return the tokens, as `attach_passages`.

        A repeat keeps the first, and raises nothing.

        Raises:
            NotFound: no such session or message.
            StoreUnavailable: the store did not answer.
        """
        ...

    def begin_epoch(
        self, tenant_id: str, session_id: str, first_seq: int, estimated_tokens: int, *, bare_before_seq: int = 0
    ) -> Session:
        """Let the context begin at ``first_seq`` from now on.

        Args:
            tenant_id: the tenant.
            session_id: the session.
            first_seq: where it begins; an epoch never goes back.
            estimated_tokens: of the messages from there on.
            bare_before_seq: messages before it are sent without what was given with them; it never goes back.
        """
        ...

    def list_page(self, tenant_id: str, *, limit: int = 50, cursor: str | None = None) -> Page[Session]:
        """Return the tenant's sessions, the last used first.

        Raises:
            InvalidInput: the cursor is not valid.
        """
        ...
