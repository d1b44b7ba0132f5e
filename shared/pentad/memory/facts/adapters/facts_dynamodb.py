"""Facts in DynamoDB: one partition a user, a head with the version, and one item for each fact."""

from datetime import datetime, timedelta

from pentad.aws.pages import decode_cursor, encode_cursor
from pentad.aws.readable import check_readable, from_stored
from pentad.aws.table import ConditionFailed, Item, Table
from pentad.domain import keys
from pentad.domain.memories.facts import Fact, ForgottenFact, LearnedRange
from pentad.domain.values import Page
from pentad.memory.facts.ports import FactBook, FactChange
from pentad.memory.facts.writing import check_change

LEARNED_DAYS = 90
"""How long the gate's verdicts are kept; a range that is delivered again within that time is not read again."""
EXPIRED_DAYS = 90
"""How long a fact stays as history after it has expired."""


class DynamoFacts:
    """A `FactStore` over the state table.

    Args:
        state: the table.
        facts_days: how long a fact is kept after it was last learned, said again or edited; None for good.
        decisions_days: how long the gate's verdicts are kept.
    """

    def __init__(self, state: Table, *, facts_days: int | None = None, decisions_days: int = LEARNED_DAYS) -> None:
        self._state = state
        self._facts_days = facts_days
        self._decisions_days = decisions_days

    def read(self, tenant_id: str, user_id: str) -> FactBook:
        """See `FactStore`."""
        pk = keys.user_pk(tenant_id, user_id)
        # The head first: facts that are newer than it make a write fail, and it is read again.
        head = self._state.get(pk, keys.FACTS) or {}
        facts = [_parse_fact(item) for item in self._state.iter_items(pk, begins=keys.FACT)]
        forgotten = [_parse_forgotten(item) for item in self._state.iter_items(pk, begins=keys.FORGOTTEN)]
        return FactBook(
            version=int(head.get("version", 0)),
            facts=tuple(facts),
            forgotten=tuple(forgotten),
            left_out=int(head.get("left_out", 0)),
        )

    def has_fact(self, tenant_id: str, user_id: str, fact_id: str) -> bool:
        """See `FactStore`."""
        return self._state.get(keys.user_pk(tenant_id, user_id), keys.fact_sk(fact_id)) is not None

    def write(self, tenant_id: str, user_id: str, change: FactChange, *, expected_version: int) -> bool:
        """See `FactStore`."""
        check_change(tenant_id, user_id, change)
        pk = keys.user_pk(tenant_id, user_id)
        head = self._state.build_update(
            pk,
            keys.FACTS,
            "SET #type = :type, #version = :version, left_out = if_not_exists(left_out, :none) + :more",
            condition="#version = :expected" if expected_version else "attribute_not_exists(pk)",
            names={"#type": "type", "#version": "version"},
            values={":type": "facts", ":version": expected_version + 1, ":none": 0, ":more": change.left_out}
            | ({":expected": expected_version} if expected_version else {}),
        )
        gone = {*change.remove, *(one.fact_id for one in change.forget)} - {fact.fact_id for fact in change.put}
        entries = [
            head,
            *(self._state.build_put(_make_fact_item(pk, fact, self._facts_days)) for fact in change.put),
            *(self._state.build_delete(pk, keys.fact_sk(fact_id)) for fact_id in sorted(gone)),
            *(self._state.build_put(_make_forgotten_item(pk, one)) for one in change.forget),
            *(self._state.build_delete(pk, keys.forgotten_sk(fact_id)) for fact_id in change.drop_forgotten),
        ]
        if change.learned is not None:
            entries.append(self._state.build_put(_make_learned_item(pk, change.learned, self._decisions_days)))
        try:
            self._state.transact(entries)
        except ConditionFailed:
            return False
        return True

    def find_learned(
        self, tenant_id: str, user_id: str, session_id: str, first_seq: int, last_seq: int, recipe: str
    ) -> LearnedRange | None:
        """See `FactStore`."""
        pk = keys.user_pk(tenant_id, user_id)
        item = self._state.get(pk, keys.learned_sk(session_id, first_seq, last_seq, recipe))
        return None if item is None else _parse_learned(item)

    def list_learned(
        self, tenant_id: str, user_id: str, *, limit: int = 50, cursor: str | None = None
    ) -> Page[LearnedRange]:
        """See `FactStore`."""
        pk = keys.user_pk(tenant_id, user_id)
        start = decode_cursor(cursor, pk)
        items, end = self._state.query(pk, begins=keys.LEARNED, limit=limit, start=start)
        return Page[LearnedRange](items=tuple(map(_parse_learned, items)), cursor=encode_cursor(end))


def _make_fact_item(pk: str, fact: Fact, days: int | None) -> Item:
    ends = [] if fact.expires_at is None else [fact.expires_at + timedelta(days=EXPIRED_DAYS)]
    if days is not None:
        told = [fact.learned_at, *(one.learned_at for one in fact.evidence)]
        ends.append(max(told if fact.edited_at is None else [*told, fact.edited_at]) + timedelta(days=days))
    return {
        "pk": pk,
        "sk": keys.fact_sk(fact.fact_id),
        "type": "fact",
        "ttl": _to_epoch(min(ends)) if ends else None,
        "body": fact.model_dump_json(),
    }


def _make_forgotten_item(pk: str, forgotten: ForgottenFact) -> Item:
    return {
        "pk": pk,
        "sk": keys.forgotten_sk(forgotten.fact_id),
        "type": "forgotten_fact",
        "body": forgotten.model_dump_json(),
    }


def _make_learned_item(pk: str, learned: LearnedRange, days: int) -> Item:
    return {
        "pk": pk,
        "sk": keys.learned_sk(learned.session_id, learned.first_seq, learned.last_seq, learned.recipe),
        "type": "learned_range",
        "ttl": _to_epoch(learned.learned_at + timedelta(days=days)),
        "body": learned.model_dump_json(),
    }


def _parse_fact(item: Item) -> Fact:
    with check_readable("a fact of the user"):
        return from_stored(Fact, item["body"])


def _parse_forgotten(item: Item) -> ForgottenFact:
    with check_readable("a forgotten fact of the user"):
        return from_stored(ForgottenFact, item["body"])


def _parse_learned(item: Item) -> LearnedRange:
    with check_readable("what was learned from a range of a session"):
        return from_stored(LearnedRange, item["body"])


def _to_epoch(at: datetime) -> int:
    return int(at.timestamp())
