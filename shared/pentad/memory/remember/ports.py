"""What the pipeline after a run asks of its steps, and of the store of its progress.

A step makes one kind of memory of a conversation: keyword postings, vectors, a summary, facts. It gets the part of a
session that it has not covered, and says how far it got. What it makes has to be the same when it is made twice: the
function can be killed between a step and the note of its progress.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from pentad.memory.sessions.ports import Session, StoredMessage


@dataclass(frozen=True)
class Spoken:
    """What one side said in one message, in its own words.

    Attributes:
        seq: the message's place in its session.
        speaker: who said it.
        text: the text of the whole message, as `Message.text` has it.
        own: the parts of ``text`` that are the speaker's own words, as pairs of character offsets in order; what is
            repeated from a passage, a recalled turn or a tool's result is in none of them.
        at: when it was said, in UTC.
        run_id: the run that the message belongs to.
        taint: sources of untrusted text that led to it.
    """

    seq: int
    speaker: Literal["user", "assistant"]
    text: str
    own: tuple[tuple[int, int], ...]
    at: datetime
    run_id: str | None = None
    taint: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """The speaker's own words."""
        return "".join(self.text[start:end] for start, end in self.own).strip()


@dataclass(frozen=True)
class Work:
    """A part of a session for one step.

    Attributes:
        session: the session's head, as it was when the work began.
        first_seq: the first message that the step has not covered.
        next_seq: one after the last message of this part; more of the session may follow in another part.
        messages: the messages from ``first_seq`` to ``next_seq - 1`` that are still there, in order.
        spoken: what of them are users' and assistants' own words; messages without any are not among them.
        recipe: of the step.
        deadline: ``time.time()`` by which the step has to be done.
        feedback_id: of a correction that was given of an answer, and no part of the session.
    """

    session: Session
    first_seq: int
    next_seq: int
    messages: tuple[StoredMessage, ...]
    spoken: tuple[Spoken, ...]
    recipe: str
    deadline: float
    feedback_id: str | None = None

    @property
    def tenant_id(self) -> str:
        """The tenant."""
        return self.session.tenant_id

    @property
    def session_id(self) -> str:
        """The session."""
        return self.session.session_id

    @property
    def place_id(self) -> str:
        """Where it was said, for evidence: the session, or the feedback."""
        return self.feedback_id or self.session_id

    @property
    def user_id(self) -> str | None:
        """The session's user, or None where it has none: then what is made belongs to the session alone."""
        return self.session.user_id


@dataclass(frozen=True)
class DeletedSession:
    """A session that was deleted, and of which there may still be what was made of it.

    Attributes:
        tenant_id: the tenant.
        session_id: the session.
        user_id: its user, whose what was said in it is; None where it had none.
        expires_at: until when that is known.
    """

    tenant_id: str
    session_id: str
    user_id: str | None
    expires_at: datetime


@dataclass(frozen=True)
class Claimed:
    """What a worker finds at a session that it has claimed.

    Attributes:
        done: the first message that each step has not covered, by ``name@recipe``.
        deleted: a session of this id that was deleted before, and of which there may be something left.
    """

    done: Mapping[str, int]
    deleted: DeletedSession | None = None


class RememberStep(Protocol):
    """One kind of memory that is made after a run.

    Attributes:
        name: of the step, such as ``turns``: part of the key of its progress.
        recipe: of how it is made; another one makes it anew for the whole session, under the same name.
    """

    name: str
    recipe: str

    def run(self, work: Work) -> int:
        """Make this memory of a part of a session, and return the first message that is not covered by it.

        ``work.next_seq`` where all was covered; less where the step waits for more, such as a summary until there is
        enough to summarise: then it gets the same messages again after the next run. Repeatable: the same part may
        come again.

        Raises:
            TransientError: something did not answer; the same part comes again.
            BudgetExceeded: the tenant's budgets allow no model call now; the same part comes again after the next run.
        """
        ...


class Progress(Protocol):
    """How far each step has covered each session, and who is at work on it."""

    def read(self, tenant_id: str, session_id: str) -> Mapping[str, int]:
        """Return the first message that each step has not covered, by ``name@recipe``."""
        ...

    def find_deleted(self, tenant_id: str, session_id: str) -> DeletedSession | None:
        """Return what is known of a session that was deleted, until `remove` or `begin_anew`.

        It is noted in one piece with the removal of the session's head. So whoever deletes what was made of it, and is
        kept from it, finds at its next turn that there is something to delete, and whose it is.
        """
        ...

    def claim(self, session: Session | DeletedSession, *, owner: str, seconds: float) -> Claimed:
        """Keep other workers off a session until `release`, for ``seconds`` at most; return what is there of it.

        Raises:
            StoreUnavailable: another worker is at it; ``retry_after`` says for how long at most.
        """
        ...

    def advance(self, session: Session, key: str, next_seq: int, *, owner: str) -> None:
        """Note that a step has covered a session up to ``next_seq``, and the claim's new end stays as it is.

        Raises:
            StoreUnavailable: the claim is another's by now: this worker took too long.
        """
        ...

    def begin_anew(self, session: Session, *, owner: str, seconds: float) -> None:
        """Forget that a session of this id was deleted, and how far its steps were; the claim lasts for ``seconds``.

        Raises:
            StoreUnavailable: the claim is another's by now.
        """
        ...

    def remove(self, tenant_id: str, session_id: str, *, owner: str | None = None) -> None:
        """Remove what is kept here of a session of which nothing is left; nothing where another is at work on it.

        Args:
            tenant_id: the tenant.
            session_id: the session.
            owner: who holds the claim; None for who has none, and has deleted what was made of the session.
        """
        ...

    def release(self, tenant_id: str, session_id: str, *, owner: str) -> None:
        """Let other workers in; a claim that is not held (any more) is left alone."""
        ...
