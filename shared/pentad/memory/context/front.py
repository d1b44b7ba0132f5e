"""Put what is remembered in front of a session's epoch, once: as it was when the epoch began.

It is kept with the message at which the epoch begins, so every run of the epoch sends the same bytes, which a provider
reads from its cache; a fork and a recording bring it along.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from pentad.domain.declarations.agents import MemorySpec
from pentad.domain.errors import PentadError
from pentad.domain.memories.front import Remembered, RememberedFact, RememberedSummary
from pentad.domain.usage import estimate_tokens
from pentad.memory.facts.ports import FactStore
from pentad.memory.facts.profile import choose_profile
from pentad.memory.sessions.ports import Session, SessionStore, StoredMessage
from pentad.memory.summaries.ports import SummaryStore
from pentad.memory.summaries.summarise import choose_summary
from pentad.memory.tokens import Counter
from pentad.observability.ports import Telemetry


class EpochFront:
    """Chooses what stands in front of an epoch, and keeps it.

    Args:
        sessions: where the epoch's first message is.
        facts: what is remembered of users.
        summaries: of sessions.
        telemetry: logs where the context goes without.
        clock: tells the time, in UTC.
        count: estimates the tokens of a text.
    """

    def __init__(
        self,
        *,
        sessions: SessionStore,
        facts: FactStore,
        summaries: SummaryStore,
        telemetry: Telemetry,
        clock: Callable[[], datetime],
        count: Counter = estimate_tokens,
    ) -> None:
        self._sessions = sessions
        self._facts = facts
        self._summaries = summaries
        self._telemetry = telemetry
        self._clock = clock
        self._count = count

    def attach(
        self, head: Session, first_seq: int, newest: Sequence[StoredMessage], spec: MemorySpec
    ) -> tuple[Remembered | None, int]:
        """Return what stands in front of an epoch, and the tokens by which the head's are raised with it.

        It is what was kept when the epoch began, or what is remembered now.

        Args:
            head: the session.
            first_seq: where the epoch begins.
            newest: messages that were read already.
            spec: what the agent is given.

        Returns:
            None and 0 where the agent is given nothing, or what is remembered can't be read now.
        """
        if spec.profile_tokens == 0 and not spec.summary:
            return None, 0
        try:
            first = next((one for one in newest if one.seq == first_seq), None) or next(
                iter(self._sessions.read(head.tenant_id, head.session_id, first_seq, first_seq)), None
            )
            if first is None:
                return None, 0
            if first.remembered is not None:
                return first.remembered, 0
            chosen = self._choose(head, first_seq, spec)
            more = self._sessions.attach_remembered(head.tenant_id, head.session_id, first_seq, chosen)
        except PentadError as error:
            # The question can do without it; the next run of the epoch looks again.
            self._telemetry.log_event("recall.front_skipped", level="WARNING", error=type(error).__name__)
            return None, 0
        return chosen, more

    def _choose(self, head: Session, first_seq: int, spec: MemorySpec) -> Remembered:
        facts: tuple[RememberedFact, ...] = ()
        left_out = 0
        if head.user_id is not None and spec.profile_tokens:
            book = self._facts.read(head.tenant_id, head.user_id)
            facts, left_out = choose_profile(book.facts, spec.profile_tokens, self._clock(), self._count)
        summary = None
        if spec.summary and first_seq > 0:
            found = choose_summary(self._summaries.list_all(head.tenant_id, head.session_id), first_seq)
            if found is not None:
                summary = RememberedSummary(
                    text=found.text,
                    first_seq=found.first_seq,
                    last_seq=found.last_seq,
                    partly=found.partly,
                    partly_before=found.partly_before,
                    taint=found.taint,
                )
        return Remembered(facts=facts, summary=summary, left_out=left_out)
