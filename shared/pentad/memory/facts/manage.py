"""What people do with what is remembered of a user: read it, edit it, have it forgotten."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from pentad.domain.errors import InvalidInput, StoreUnavailable
from pentad.domain.memories.facts import Fact, LearnedRange
from pentad.domain.values import Page
from pentad.memory.facts.changes import clean_learned, edit_fact, find_fact, forget_fact, list_line
from pentad.memory.facts.gate.secrets import has_secret
from pentad.memory.facts.ports import MAX_FACTS, FactBook, FactChange, FactStore

_TRIES: Final = 8
_PAGES: Final = 1000


class ManageFacts:
    """Reads and changes one user's facts. Who may do that was checked before.

    Args:
        facts: where facts are kept.
        now: tells the time, in UTC.
    """

    def __init__(self, facts: FactStore, now: Callable[[], datetime]) -> None:
        self._facts = facts
        self._now = now

    def read(self, tenant_id: str, user_id: str) -> FactBook:
        """Return all that is remembered of a user."""
        return self._facts.read(tenant_id, user_id)

    def get(self, tenant_id: str, user_id: str, fact_id: str) -> Fact:
        """Return a fact.

        Raises:
            NotFound: there is no such fact of this user.
        """
        return find_fact(self._facts.read(tenant_id, user_id), fact_id)

    def list_learned(self, tenant_id: str, user_id: str, *, limit: int, cursor: str | None) -> Page[LearnedRange]:
        """Return what was read of the user's sessions, with the gate's verdicts.

        Raises:
            NotFound: the cursor is not one of this list.
        """
        return self._facts.list_learned(tenant_id, user_id, limit=limit, cursor=cursor)

    def edit(
        self, tenant_id: str, user_id: str, fact_id: str, *, text: str | None, expires_at: datetime | None
    ) -> Fact:
        """Put a fact as its user wants it, and return what holds now; what it said before stays as history.

        The same edit again changes nothing, and one that names nothing does not either.

        Raises:
            NotFound: there is no such fact.
            InvalidInput: the fact is history, the text is empty or holds a secret.
            StoreUnavailable: the store did not answer, or others wrote first each time.
        """
        now = self._now()
        for _ in range(_TRIES):
            book = self._facts.read(tenant_id, user_id)
            fact = find_fact(book, fact_id)
            if text is not None and has_secret(text):
                raise InvalidInput("the text holds what looks like a secret", field="text", fix="leave the secret out")
            if text is None and expires_at is None:
                return fact
            if fact.edited_at is not None and text in (None, fact.text) and expires_at in (None, fact.expires_at):
                return fact
            change = edit_fact(book, fact_id, text, expires_at, now)
            if self._facts.write(tenant_id, user_id, change, expected_version=book.version):
                held = [one for one in change.put if one.subject == fact.subject and one.edited_at is not None]
                return next((one for one in held if one.invalid_from is None), fact)
        raise _make_contended()

    def forget(self, tenant_id: str, user_id: str, fact_id: str) -> tuple[str, ...]:
        """Forget a fact with all that it took the place of; it is not learned again from the same words.

        Returns:
            The ids of the facts that are gone.

        Raises:
            NotFound: there is no such fact; a repeat finds none either.
            StoreUnavailable: the store did not answer, or others wrote first each time.
        """
        # What was noted of it goes first: a try that is cut off leaves the fact, and so can be made again.
        self._clean_notes(tenant_id, user_id, list_line(self._facts.read(tenant_id, user_id), fact_id))
        gone: list[str] = []
        for _ in range(_TRIES + MAX_FACTS // 10):
            book = self._facts.read(tenant_id, user_id)
            change = forget_fact(book, fact_id, self._now())
            if self._facts.write(tenant_id, user_id, change, expected_version=book.version):
                gone += [one.fact_id for one in change.forget]
                if fact_id in gone:
                    return tuple(gone)
        raise _make_contended()

    def _clean_notes(self, tenant_id: str, user_id: str, facts: Sequence[Fact]) -> None:
        """Take the words of facts out of the gate's noted verdicts."""
        cursor: str | None = None
        for _ in range(_PAGES):
            page = self._facts.list_learned(tenant_id, user_id, limit=100, cursor=cursor)
            for noted in page.items:
                cleaned = clean_learned(noted, facts)
                if cleaned != noted:
                    self._write(tenant_id, user_id, FactChange(learned=cleaned))
            cursor = page.cursor
            if cursor is None:
                return
        raise _make_contended()

    def _write(self, tenant_id: str, user_id: str, change: FactChange) -> None:
        for _ in range(_TRIES):
            version = self._facts.read(tenant_id, user_id).version
            if self._facts.write(tenant_id, user_id, change, expected_version=version):
                return
        raise _make_contended()


def _make_contended() -> StoreUnavailable:
    return StoreUnavailable("others changed what is remembered of the user each time", retry_after=1)
