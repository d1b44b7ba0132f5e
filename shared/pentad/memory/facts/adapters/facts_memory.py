"""Facts in memory: the adapter of tests, held to the same suite as the deployed one."""

import threading
from collections import defaultdict

from pentad.aws.pages import decode_cursor, encode_cursor
from pentad.domain import keys
from pentad.domain.memories.facts import LearnedRange
from pentad.domain.values import Page
from pentad.memory.facts.ports import FactBook, FactChange
from pentad.memory.facts.writing import check_change


class MemoryFacts:
    """A `FactStore` of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._books: dict[tuple[str, str], FactBook] = {}
        self._learned: defaultdict[tuple[str, str], dict[str, LearnedRange]] = defaultdict(dict)

    def read(self, tenant_id: str, user_id: str) -> FactBook:
        """See `FactStore`."""
        with self._lock:
            return self._books.get((tenant_id, user_id), FactBook())

    def has_fact(self, tenant_id: str, user_id: str, fact_id: str) -> bool:
        """See `FactStore`."""
        return any(fact.fact_id == fact_id for fact in self.read(tenant_id, user_id).facts)

    def write(self, tenant_id: str, user_id: str, change: FactChange, *, expected_version: int) -> bool:
        """See `FactStore`."""
        check_change(tenant_id, user_id, change)
        owner = (tenant_id, user_id)
        with self._lock:
            book = self._books.get(owner, FactBook())
            if book.version != expected_version:
                return False
            gone = {*change.remove, *(one.fact_id for one in change.forget)}
            facts = {fact.fact_id: fact for fact in book.facts if fact.fact_id not in gone}
            facts |= {fact.fact_id: fact for fact in change.put}
            forgotten = {one.fact_id: one for one in (*book.forgotten, *change.forget)}
            self._books[owner] = FactBook(
                version=book.version + 1,
                facts=tuple(facts[fact_id] for fact_id in sorted(facts)),
                forgotten=tuple(
                    forgotten[fact_id] for fact_id in sorted(forgotten) if fact_id not in change.drop_forgotten
                ),
                left_out=book.left_out + change.left_out,
            )
            if change.learned is not None:
                self._learned[owner][_make_sk(change.learned)] = change.learned
            return True

    def find_learned(
        self, tenant_id: str, user_id: str, session_id: str, first_seq: int, last_seq: int, recipe: str
    ) -> LearnedRange | None:
        """See `FactStore`."""
        with self._lock:
            found = self._learned[tenant_id, user_id]
            return found.get(keys.learned_sk(session_id, first_seq, last_seq, recipe))

    def list_learned(
        self, tenant_id: str, user_id: str, *, limit: int = 50, cursor: str | None = None
    ) -> Page[LearnedRange]:
        """See `FactStore`."""
        pk = keys.user_pk(tenant_id, user_id)
        start = decode_cursor(cursor, pk)
        with self._lock:
            ranked = sorted(self._learned[tenant_id, user_id].items())
        after = [(sk, one) for sk, one in ranked if start is None or sk > start["sk"]]
        end = {"pk": pk, "sk": after[limit - 1][0]} if len(after) > limit else None
        return Page[LearnedRange](items=tuple(one for _, one in after[:limit]), cursor=encode_cursor(end))


def _make_sk(learned: LearnedRange) -> str:
    return keys.learned_sk(learned.session_id, learned.first_seq, learned.last_seq, learned.recipe)
