"""Order what was said into facts with a history. Pure, and blind to the order in which it was learned.

What stands in the store is a function of the set of statements alone: they are sorted by when they were said, and each
subject's history is told anew. So a correction that is learned before what it corrects, or twice, ends in the same
state. A statement opens a fact, adds evidence to an open one with the same value, or ends those in whose place it
stands: all others of a subject that has one value at a time, or the one that a correction says is wrong.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pentad.domain.ids import derive_id
from pentad.domain.memories.facts import MAX_EVIDENCE, Fact, FactEvidence, FactKind, FactSource
from pentad.memory.facts.normal_forms import find_content

Place = tuple[datetime, str, int, int, str, str]
_EDITED_LAST = "~"  # of two statements of one time, an edit counts as the later one: no session's id sorts behind it


@dataclass(frozen=True)
class Statement:
    """One thing that was said once.

    Attributes:
        kind: what it is.
        text: one sentence.
        subject: what it is about, in normal form.
        value: what it says, in normal form.
        single: only one value of the subject holds at a time.
        said_at: when.
        learned_at: when it was read.
        source: who said it.
        confidence: how sure the extraction is.
        evidence: where it was said; none of an edit.
        expires_at: when it is no longer of use.
        recipe: of the extraction.
        replaced_value: of an edit: the value in whose place it stands.
    """

    kind: FactKind
    text: str
    subject: str
    value: str
    single: bool
    said_at: datetime
    learned_at: datetime
    source: FactSource
    confidence: float
    evidence: FactEvidence | None = None
    expires_at: datetime | None = None
    recipe: str = ""
    replaced_value: str = ""

    @property
    def place(self) -> Place:
        """Its place in the order of all statements: no two different ones share it."""
        if self.evidence is None:
            return (self.said_at, _EDITED_LAST, 0, 0, self.subject, self.value)
        return (*self.evidence.place, self.subject, self.value)

    @property
    def replaces(self) -> str:
        """What it says is wrong, in its own words; nothing where it corrects nothing."""
        return "" if self.evidence is None else self.evidence.replaces

    @property
    def doubt(self) -> str | None:
        """Why it is kept and not used."""
        return None if self.evidence is None else self.evidence.doubt


@dataclass(eq=False)
class _Period:
    """A stretch of time in which one value held."""

    statements: list[Statement]
    number: int
    ended: Statement | None = None
    before: "_Period | None" = None
    after: "_Period | None" = field(default=None, repr=False)

    @property
    def first(self) -> Statement:
        return self.statements[0]


def to_statements(facts: Iterable[Fact]) -> list[Statement]:
    """Return the statements that facts were made of."""
    made: list[Statement] = []
    for fact in facts:
        places: tuple[FactEvidence | None, ...] = fact.evidence
        if fact.edited_at is not None or not places:
            places = (*places, None)
        made.extend(
            Statement(
                kind=fact.kind,
                text=fact.text,
                subject=fact.subject,
                value=fact.value,
                single=fact.single,
                said_at=(fact.edited_at or fact.valid_from) if one is None else one.said_at,
                learned_at=(fact.edited_at or fact.learned_at) if one is None else one.learned_at,
                source="edit" if one is None and fact.edited_at is not None else fact.source,
                confidence=fact.confidence,
                evidence=one,
                expires_at=fact.expires_at,
                recipe=fact.recipe,
                replaced_value=fact.replaced_value if one is None else "",
            )
            for one in places
        )
    return made


def build_facts(tenant_id: str, user_id: str, statements: Iterable[Statement]) -> list[Fact]:
    """Return the facts that statements come to, with their histories, by id.

    Args:
        tenant_id: the tenant.
        user_id: the user of whom all is said.
        statements: in any order; the same one twice counts once.
    """
    subjects: defaultdict[str, dict[Place, Statement]] = defaultdict(dict)
    for one in statements:
        subjects[one.subject].setdefault(one.place, one)
    facts: list[Fact] = []
    for subject, said in subjects.items():
        ordered = [said[place] for place in sorted(said)]
        single = any(one.single for one in ordered)
        periods = _tell_history(ordered, single)
        ids = {id(period): _name_fact(user_id, subject, period) for period in periods}
        facts.extend(_make_fact(tenant_id, user_id, period, single, ids) for period in periods)
    return sorted(facts, key=lambda fact: fact.fact_id)


def _tell_history(ordered: Sequence[Statement], single: bool) -> list[_Period]:
    periods: list[_Period] = []
    counts: defaultdict[str, int] = defaultdict(int)
    for one in ordered:
        held = [period for period in periods if period.ended is None]
        same = next((period for period in held if period.first.value == one.value), None)
        wrong = [] if one.doubt else _find_ended(one, [period for period in held if period is not same], single)
        if same is not None:
            same.statements.append(one)
        else:
            same = _Period([one], counts[one.value])
            counts[one.value] += 1
            periods.append(same)
        for period in wrong:
            period.ended, period.after = one, same
            if same.before is None and same is not period:
                same.before = period
    return periods


def _find_ended(one: Statement, held: Sequence[_Period], single: bool) -> list[_Period]:
    """Return what a statement puts an end to, of what holds when it is said."""
    if single:
        ended = [period for period in held if not all(said.doubt for said in period.statements)]
    else:
        denied = _deny(one.value)
        ended = [period for period in held if period.first.value == denied]
    if one.replaced_value:
        ended += [period for period in held if period.first.value == one.replaced_value and period not in ended]
    elif not ended and one.replaces:
        wrong = set(find_content(one.replaces))
        ended = [period for period in held if wrong and wrong <= set(find_content(period.first.text))]
    return ended


def _deny(value: str) -> str:
    return value.removeprefix("not ") if value.startswith("not ") else f"not {value}"


def _name_fact(user_id: str, subject: str, period: _Period) -> str:
    return derive_id("fact", user_id, subject, period.first.value, str(period.number))


def _make_fact(tenant_id: str, user_id: str, period: _Period, single: bool, ids: dict[int, str]) -> Fact:
    statements = period.statements
    # What was said without a doubt speaks for the fact; an edit has the last word on how it is put.
    firm = [one for one in statements if one.doubt is None] or statements
    edit = next((one for one in reversed(firm) if one.source == "edit"), None)
    told = edit or firm[0]
    places = [one.evidence for one in statements if one.evidence is not None]
    return Fact(
        tenant_id=tenant_id,
        user_id=user_id,
        fact_id=ids[id(period)],
        kind=told.kind,
        text=told.text,
        subject=told.subject,
        value=told.value,
        single=single,
        evidence=tuple(places if len(places) <= MAX_EVIDENCE else [places[0], *places[1 - MAX_EVIDENCE :]]),
        valid_from=statements[0].said_at,
        invalid_from=None if period.ended is None else period.ended.said_at,
        learned_at=min(one.learned_at for one in statements),
        source=told.source,
        confidence=max(one.confidence for one in firm),
        expires_at=_find_expiry(firm),
        supersedes=None if period.before is None else ids[id(period.before)],
        superseded_by=None if period.after is None else ids[id(period.after)],
        doubt=told.doubt,
        recipe=told.recipe,
        edited_at=None if edit is None else edit.said_at,
        replaced_value=told.replaced_value,
    )


def _find_expiry(statements: Sequence[Statement]) -> datetime | None:
    """Return the latest end that was named; none where a statement names none."""
    ends = [one.expires_at for one in statements]
    known = [end for end in ends if end is not None]
    return max(known) if len(known) == len(ends) else None
