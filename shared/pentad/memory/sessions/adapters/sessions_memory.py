"""Sessions in a dictionary."""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime

from pentad.aws.pages import decode_cursor, encode_cursor
from pentad.domain import keys
from pentad.domain.errors import NotFound, SessionBusy
from pentad.domain.knowledge import Passage, Utterance
from pentad.domain.memories.front import Remembered
from pentad.domain.messages import Message
from pentad.domain.usage import estimate_tokens
from pentad.domain.values import Page
from pentad.memory.clock import utc_now
from pentad.memory.retrieval.passages import estimate_given
from pentad.memory.retrieval.remembered import estimate_remembered
from pentad.memory.sessions.items import check_fence, compute_append
from pentad.memory.sessions.ports import Session, StoredMessage
from pentad.memory.tokens import Counter


class MemorySessions:
    """A session store for tests and for one process.

    Args:
        clock: tells the time, in UTC.
        count: estimates the tokens of a text.
    """

    def __init__(self, *, clock: Callable[[], datetime] = utc_now, count: Counter = estimate_tokens) -> None:
        self._clock = clock
        self._count = count
        self._lock = threading.Lock()
        self._heads: dict[tuple[str, str], Session] = {}
        self._messages: dict[tuple[str, str], list[StoredMessage]] = {}

    def create(self, session: Session) -> None:
        """Make a session without messages; one that is there is left as it is."""
        with self._lock:
            if (session.tenant_id, session.session_id) not in self._heads:
                self._heads[session.tenant_id, session.session_id] = session
                self._messages[session.tenant_id, session.session_id] = []

    def get(self, tenant_id: str, session_id: str) -> Session | None:
        """Return the session's head, or None."""
        with self._lock:
            return self._heads.get((tenant_id, session_id))

    def set_fence(self, tenant_id: str, session_id: str, fence: int) -> None:
        """Let only runs with this fencing token, or a newer one, write to the session."""
        with self._lock:
            head = self._get_head(tenant_id, session_id)
            self._heads[tenant_id, session_id] = head.model_copy(update={"fence": fence})

    def remove(self, tenant_id: str, session_id: str) -> None:
        """Remove a session with its messages; one that is not there is no error."""
        with self._lock:
            self._heads.pop((tenant_id, session_id), None)
            self._messages.pop((tenant_id, session_id), None)

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
        """Append messages in order and return the new head; see the port.

        Raises:
            NotFound: no such session.
            InvalidTransition: a newer run has taken the session over.
            SessionBusy: the version is not the expected one.
            InvalidInput: none, or more than 99 messages.
        """
        given = head
        with self._lock:
            head = self._get_head(tenant_id, session_id)
            log = self._messages[tenant_id, session_id]
            if head.version != expected_version:
                tail = [one.message.message_id for one in log[-len(messages) :]]
                if messages and tail == [message.message_id for message in messages]:
                    return head
                check_fence(head, fence)
                raise SessionBusy("another writer changed the session first")
            check_fence(head, fence)
            if given is not None:
                head = head.model_copy(update={"token_permille": given.token_permille})
            after, stored = compute_append(head, messages, self._clock(), self._count)
            log.extend(stored)
            self._heads[tenant_id, session_id] = after
            return after

    def read(self, tenant_id: str, session_id: str, first: int, last: int) -> list[StoredMessage]:
        """Return the messages with ``first <= seq <= last`` in order."""
        with self._lock:
            return list(self._messages.get((tenant_id, session_id), [])[max(0, first) : max(0, last + 1)])

    def attach_passages(self, tenant_id: str, session_id: str, seq: int, passages: Sequence[Passage]) -> int:
        """Keep the passages that were given with a user's message; see the port.

        Raises:
            NotFound: no such session or message.
        """
        return self._attach(tenant_id, session_id, seq, "passages", tuple(passages))

    def attach_recalled(self, tenant_id: str, session_id: str, seq: int, recalled: Sequence[Utterance]) -> int:
        """Keep what of earlier conversations was given with a user's message; see the port.

        Raises:
            NotFound: no such session or message.
        """
        return self._attach(tenant_id, session_id, seq, "recalled", tuple(recalled))

    def attach_remembered(self, tenant_id: str, session_id: str, seq: int, remembered: Remembered) -> int:
        """Keep what stands in front of the epoch that begins at a message; see the port.

        Raises:
            NotFound: no such session or message.
        """
        return self._attach(tenant_id, session_id, seq, "remembered", remembered)

    def _attach(self, tenant_id: str, session_id: str, seq: int, field: str, value: object) -> int:
        """Set what a message does not have yet, and return by how many tokens it is longer."""
        with self._lock:
            head = self._get_head(tenant_id, session_id)
            log = self._messages[tenant_id, session_id]
            if not 0 <= seq < len(log):
                raise NotFound("no such message")
            before = log[seq]
            if not value or getattr(before, field):
                return 0
            log[seq] = before.model_copy(update={field: value})
            more = self._estimate(log[seq]) - self._estimate(before)
            raised = {"estimated_tokens": head.estimated_tokens + more}
            self._heads[tenant_id, session_id] = head.model_copy(update=raised)
            return more

    def _estimate(self, one: StoredMessage) -> int:
        """Return the tokens of all that was given with a message."""
        remembered = 0 if one.remembered is None else estimate_remembered(one.remembered, self._count)
        return estimate_given(one, self._count) + remembered

    def begin_epoch(
        self, tenant_id: str, session_id: str, first_seq: int, estimated_tokens: int, *, bare_before_seq: int = 0
    ) -> Session:
        """Let the context begin at ``first_seq`` from now on; an epoch never goes back.

        Raises:
            NotFound: no such session.
        """
        with self._lock:
            head = self._get_head(tenant_id, session_id)
            if head.epoch_first_seq <= first_seq:
                head = head.model_copy(
                    update={
                        "epoch_first_seq": first_seq,
                        "estimated_tokens": estimated_tokens,
                        "bare_before_seq": max(head.bare_before_seq, bare_before_seq),
                    }
                )
                self._heads[tenant_id, session_id] = head
            return head

    def list_page(self, tenant_id: str, *, limit: int = 50, cursor: str | None = None) -> Page[Session]:
        """Return the tenant's sessions, the last used first.

        Raises:
            InvalidInput: the cursor is not valid.
        """
        pk = keys.collection_pk(tenant_id, "SESSIONS")
        start = decode_cursor(cursor, pk, attribute="gsi1pk")
        with self._lock:
            own = [head for head in self._heads.values() if head.tenant_id == tenant_id]
        ranked = sorted(own, key=_sort_key, reverse=True)
        after = [head for head in ranked if start is None or _sort_key(head) < start["gsi1sk"]]
        end = {"gsi1pk": pk, "gsi1sk": _sort_key(after[limit - 1])} if len(after) > limit else None
        return Page[Session](items=tuple(after[:limit]), cursor=encode_cursor(end))

    def _get_head(self, tenant_id: str, session_id: str) -> Session:
        head = self._heads.get((tenant_id, session_id))
        if head is None:
            raise NotFound("no such session")
        return head


def _sort_key(head: Session) -> str:
    return f"{head.updated_at.isoformat(timespec='microseconds')}#{head.session_id}"
