"""Work out what statements, edits and forgetting change in a user's facts. Pure: a book in, a change out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pentad.domain.errors import InvalidInput, NotFound
from pentad.domain.memories.facts import Fact, ForgottenFact, GateVerdict, LearnedRange
from pentad.memory.facts.normal_forms import normalize_value
from pentad.memory.facts.ports import MAX_CHANGES, MAX_FACTS, MAX_FORGOTTEN, FactBook, FactChange
from pentad.memory.facts.timeline import Statement, build_facts, to_statements

_ROOM = MAX_CHANGES - 1
"""Items of a change beside the note of the range."""
_AT_ONCE = 2 * _ROOM // 3
_TOO_MANY = f"a part of a conversation changes at most {_AT_ONCE} facts"
_NO_ROOM = f"there is no room: at most {MAX_FACTS} facts of a user hold at a time"
_PLACES = 100
TAKEN_BACK = "the user took it back in the next message"
Taken = frozenset[tuple[str, int]]
"""Sessions' ids and the numbers of messages in them."""
FORGOTTEN_REASON = "the user asked to forget it"
FORGOTTEN_DOUBT = "it may contradict a fact that was forgotten"


@dataclass(frozen=True)
class AppliedStatements:
    """A change, and what the gate decided last on each statement."""

    change: FactChange
    verdicts: tuple[GateVerdict, ...] = ()


def apply_statements(
    tenant_id: str,
    user_id: str,
    book: FactBook,
    statements: Sequence[Statement],
    now: datetime,
    taken_back: Taken = frozenset(),
) -> AppliedStatements:
    """Return what statements change, in any order and however often.

    Args:
        tenant_id: the tenant.
        user_id: the user.
        book: what is remembered.
        statements: what the gate let through, under the subjects of what is known.
        now: decides what has expired, where room is needed.
        taken_back: sessions and messages of which the user said since that it is not so: what they taught is doubted.
    """
    before = {fact.fact_id: fact for fact in book.facts}
    kept: list[Statement] = []
    known, verdicts = _doubt_taken_back(book.facts, taken_back)
    after, put = before, list[Fact]()
    if verdicts:
        after = {fact.fact_id: fact for fact in build_facts(tenant_id, user_id, known)}
        put = [fact for fact_id, fact in after.items() if before.get(fact_id) != fact]
    for one in statements:
        if _is_forgotten(one, book.forgotten):
            verdicts.append(_record_gate(one, "refused", FORGOTTEN_REASON, told=False))
            continue
        tried = {fact.fact_id: fact for fact in build_facts(tenant_id, user_id, [*known, *kept, one])}
        changed = [fact for fact_id, fact in tried.items() if before.get(fact_id) != fact]
        current = sum(1 for fact in tried.values() if fact.is_current(now))
        gone = sum(1 for fact_id in before if fact_id not in tried)
        if current > MAX_FACTS or len(changed) + gone > _AT_ONCE:
            verdicts.append(_record_gate(one, "refused", _NO_ROOM if current > MAX_FACTS else _TOO_MANY))
            continue
        verdicts.append(_describe(one, after, tried))
        kept.append(one)
        after, put = tried, changed
    pruned = _prune(after.values(), now)
    refused = sum(1 for one in verdicts if one.reason in (_NO_ROOM, _TOO_MANY))
    return AppliedStatements(
        FactChange(
            put=tuple(fact for fact in put if fact.fact_id not in pruned),
            remove=tuple(sorted({*(set(before) - set(after)), *(pruned & set(before))})),
            left_out=len(pruned) + refused,
        ),
        tuple(verdicts),
    )


def edit_fact(book: FactBook, fact_id: str, text: str | None, expires_at: datetime | None, now: datetime) -> FactChange:
    """Return the change that puts a fact as its user wants it; what it said before stays as history.

    Args:
        book: what is remembered.
        fact_id: the fact.
        text: what it is to say; None leaves that.
        expires_at: when it ends; None leaves that.
        now: when it is edited.

    Raises:
        NotFound: there is no such fact.
        InvalidInput: the fact is history, or the text is empty.
    """
    fact = find_fact(book, fact_id)
    if fact.invalid_from is not None:
        raise InvalidInput(
            "the fact is history: a newer fact replaced it",
            field="fact",
            fix=f"edit '{fact.superseded_by}'",
        )
    told = fact.text if text is None else " ".join(text.split())
    value = fact.value if text is None else normalize_value(told)
    if not value:
        raise InvalidInput("the text is empty", field="text", fix="write one sentence, or forget the fact")
    edit = Statement(
        kind=fact.kind,
        text=told,
        subject=fact.subject,
        value=value,
        single=fact.single,
        said_at=max(now, fact.valid_from + timedelta(microseconds=1)),
        learned_at=now,
        source="edit",
        confidence=1.0,
        expires_at=expires_at or fact.expires_at,
        replaced_value=fact.value if value != fact.value else "",
    )
    # What was said of the same fact before expires with it: the edit has the last word.
    said = [
        replace(one, expires_at=edit.expires_at) if one.value == value else one for one in to_statements(book.facts)
    ]
    after = {one.fact_id: one for one in build_facts(fact.tenant_id, fact.user_id, [*said, edit])}
    before = {one.fact_id: one for one in book.facts}
    return FactChange(
        put=tuple(one for one in after.values() if before.get(one.fact_id) != one),
        remove=tuple(sorted(set(before) - set(after))),
    )


def forget_fact(book: FactBook, fact_id: str, now: datetime) -> FactChange:
    """Return the change that forgets a fact with all that it took the place of; places are kept, words are not.

    Of a long history it forgets the oldest part: it is to be made until the fact itself is gone.

    Args:
        book: what is remembered.
        fact_id: the fact.
        now: when it is forgotten.

    Raises:
        NotFound: there is no such fact.
    """
    known = {fact.fact_id: fact for fact in book.facts}
    # The oldest go first: a fact that is left over would hold again, were what took its place gone before it.
    line = _find_line(known, find_fact(book, fact_id))[: _ROOM // 3]
    gone = {fact.fact_id for fact in line}
    texts = [fact.text for fact in line]
    cleaned = [_clean_fact(fact, gone, texts) for fact in book.facts if fact.fact_id not in gone]
    relinked = [fact for fact in cleaned if fact != known[fact.fact_id]]
    earlier = {one.fact_id: one.places for one in book.forgotten}
    forgotten = tuple(
        ForgottenFact(
            fact_id=fact.fact_id,
            places=(
                *earlier.get(fact.fact_id, ()),
                *((one.session_id, one.seq, one.start, one.end) for one in fact.evidence),
            )[-_PLACES:],
            forgotten_at=now,
        )
        for fact in line
    )
    room = MAX_FORGOTTEN - len(forgotten)
    oldest = sorted(book.forgotten, key=lambda one: one.forgotten_at, reverse=True)[room:]
    return FactChange(
        put=tuple(relinked),
        forget=forgotten,
        drop_forgotten=tuple(one.fact_id for one in oldest if one.fact_id not in gone),
    )


def clean_learned(learned: LearnedRange, facts: Sequence[Fact]) -> LearnedRange:
    """Return what is noted of a range without the words of facts that are to be forgotten; itself where it has none.

    Args:
        learned: the note.
        facts: those that are to be forgotten.
    """
    ids, texts = {fact.fact_id for fact in facts}, [fact.text for fact in facts]
    values = {fact.value for fact in facts}

    def tells(one: GateVerdict) -> bool:
        named = any(text in one.text or text in one.reason for text in texts)
        return one.fact_id in ids or named or (bool(one.text) and normalize_value(one.text) in values)

    if not any(tells(one) for one in learned.verdicts if one.reason != FORGOTTEN_REASON):
        return learned
    cleaned = tuple(
        one.model_copy(update={"text": "", "reason": FORGOTTEN_REASON}) if tells(one) else one
        for one in learned.verdicts
    )
    return learned.model_copy(update={"verdicts": cleaned})


def list_line(book: FactBook, fact_id: str) -> list[Fact]:
    """Return a fact with those that it took the place of: what goes when it is forgotten.

    Raises:
        NotFound: there is no such fact.
    """
    return _find_line({fact.fact_id: fact for fact in book.facts}, find_fact(book, fact_id))


def _clean_fact(fact: Fact, gone: set[str], texts: Sequence[str]) -> Fact:
    """Return a fact without links to what is forgotten, and without its words in a doubt."""

    def clean(doubt: str | None) -> str | None:
        return FORGOTTEN_DOUBT if doubt is not None and any(text[:150] in doubt for text in texts) else doubt

    return fact.model_copy(
        update={
            "supersedes": None if fact.supersedes in gone else fact.supersedes,
            "superseded_by": None if fact.superseded_by in gone else fact.superseded_by,
            "doubt": clean(fact.doubt),
            "evidence": tuple(one.model_copy(update={"doubt": clean(one.doubt)}) for one in fact.evidence),
        }
    )


def find_fact(book: FactBook, fact_id: str) -> Fact:
    """Return a fact by its id.

    Raises:
        NotFound: there is no such fact.
    """
    found = next((fact for fact in book.facts if fact.fact_id == fact_id), None)
    if found is None:
        raise NotFound("no such fact", field="fact", fix="list what is remembered")
    return found


def _find_line(known: dict[str, Fact], fact: Fact) -> list[Fact]:
    """Return a fact and those that it took the place of, directly or not, the oldest first and the fact last."""
    line, ids = [fact], {fact.fact_id}
    while older := [one for one in known.values() if one.superseded_by in ids and one.fact_id not in ids]:
        line += older
        ids |= {one.fact_id for one in older}
    return sorted(line, key=lambda one: (one is fact, one.valid_from, one.fact_id))


def _doubt_taken_back(facts: Sequence[Fact], taken_back: Taken) -> tuple[list[Statement], list[GateVerdict]]:
    """Return the statements of facts, those of messages that were taken back with a doubt, and what is noted of it."""
    said, verdicts = list[Statement](), list[GateVerdict]()
    for one in to_statements(facts):
        place = one.evidence
        if place is not None and place.doubt is None and (place.session_id, place.seq) in taken_back:
            verdicts.append(_record_gate(one, "doubted", TAKEN_BACK))
            said.append(replace(one, evidence=place.model_copy(update={"doubt": TAKEN_BACK})))
        else:
            said.append(one)
    return said, verdicts


def _is_forgotten(statement: Statement, forgotten: Iterable[ForgottenFact]) -> bool:
    one = statement.evidence
    return one is not None and any(each.covers(one.session_id, one.seq, one.start, one.end) for each in forgotten)


def _describe(statement: Statement, before: dict[str, Fact], after: dict[str, Fact]) -> GateVerdict:
    """Say what a statement did."""
    said = statement.evidence
    equal = [fact for fact in after.values() if fact.value == statement.value]
    mine = next(
        (fact for fact in equal if said is not None and said.place in {one.place for one in fact.evidence}), None
    ) or next((fact for fact in equal if fact.invalid_from is None), None)
    if mine is None:
        return _record_gate(statement, "merged", "it was known")
    if mine.fact_id in before:
        return _record_gate(statement, "merged", "it was known; its evidence was added", mine)
    if statement.doubt is not None:
        return _record_gate(statement, "doubted", statement.doubt, mine)
    ended = [fact for fact in after.values() if fact.superseded_by == mine.fact_id]
    if ended:
        return _record_gate(statement, "superseded", f"in the place of: {ended[0].text}"[:200], mine)
    return _record_gate(statement, "kept", "new", mine)


def _record_gate(
    statement: Statement, outcome: str, reason: str, fact: Fact | None = None, *, told: bool = True
) -> GateVerdict:
    return GateVerdict.model_validate(
        {
            "outcome": outcome,
            "reason": reason,
            "text": statement.text if told else "",
            "seq": None if statement.evidence is None else statement.evidence.seq,
            "fact_id": None if fact is None else fact.fact_id,
        }
    )


def _prune(facts: Iterable[Fact], now: datetime) -> set[str]:
    """Return the ids of the oldest history that is over the bound; what holds stays."""
    all_facts = list(facts)
    past = sorted((fact for fact in all_facts if not fact.is_current(now)), key=lambda fact: fact.valid_from)
    return {fact.fact_id for fact in past[: max(0, len(all_facts) - MAX_FACTS)][: _ROOM // 3]}
