"""Order what was said into facts with a history. Pure, and blind to the order in which it was learned.

What stands in the store is a function of the set of statements alone: they are sorted by when they were said, and the
history is told anew. So a correction that is learned before what it corrects, or twice, ends in the same state. A
statement opens a fact, adds evidence to an open one with the same value, or ends those in whose place it stands: others
of its subject, where that has one value at a time, or the one that a correction says is wrong. What says the same as
what is known, or corrects it, stands under its subject, whatever subject the model gave it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from pentad.domain.ids import derive_id
from pentad.domain.memories.facts import MAX_EVIDENCE, Fact, FactEvidence, FactKind, FactSource
from pentad.memory.facts.normal_forms import find_content, normalize_value
from pentad.memory.facts.targets import find_all_ended, find_targets
from pentad.memory.facts.word_groups import find_groups

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
        stored_subject: the subject under which it was kept until now; none of a new one.
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
    stored_subject: str = ""

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
    """A stretch of time in which one value held: a candidate for what a correction is about."""

    statements: list[Statement]
    number: int
    subject: str
    ended: Statement | None = None
    before: "_Period | None" = None
    after: "_Period | None" = field(default=None, repr=False)

    @property
    def first(self) -> Statement:
        return self.statements[0]

    @property
    def text(self) -> str:
        return self.first.text

    @property
    def since(self) -> datetime:
        return self.first.said_at

    @property
    def is_open(self) -> bool:
        return self.ended is None

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(find_content(self.first.text))


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
                subject=fact.subject if one is None else one.subject or fact.subject,
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
                stored_subject=fact.subject,
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
    said: dict[Place, Statement] = {}
    for one in statements:
        said.setdefault(one.place, one)
    ordered = [said[place] for place in sorted(said)]
    singles = frozenset(one.value for one in ordered if one.single)
    periods = _tell_history(ordered, singles)
    ids = {id(period): _name_fact(user_id, period) for period in periods}
    facts = [_make_fact(tenant_id, user_id, period, period.first.value in singles, ids) for period in periods]
    return sorted(facts, key=lambda fact: fact.fact_id)


def _tell_history(ordered: Sequence[Statement], singles: frozenset[str]) -> list[_Period]:
    periods: list[_Period] = []
    by_subject: defaultdict[str, list[_Period]] = defaultdict(list)
    by_value: defaultdict[str, list[_Period]] = defaultdict(list)
    for one in ordered:
        subject = _find_subject(one, periods, by_value[one.value])
        held = [period for period in by_subject[subject] if period.is_open]
        same = next((period for period in held if period.first.value == one.value), None)
        others = [period for period in held if period is not same]
        wrong = [] if one.doubt else _find_ended(one, others, by_value[one.value], singles)
        if same is not None:
            same.statements.append(one)
        else:
            earlier = sum(1 for period in by_value[one.value] if period.subject == subject)
            same = _Period([one], earlier, subject)
            for known in (periods, by_subject[subject], by_value[one.value]):
                known.append(same)
        for period in wrong:
            period.ended, period.after = one, same
            if same.before is None and same is not period:
                same.before = period
    return periods


def _find_subject(one: Statement, periods: Sequence[_Period], equal: Sequence[_Period]) -> str:
    """Return the subject under which a statement stands: that of what it repeats or corrects, else its own."""
    if one.evidence is None:
        return one.subject
    if equal:
        return one.subject if any(period.subject == one.subject for period in equal) else equal[0].subject
    if one.replaces and not one.doubt:
        targets = find_targets(one, periods)
        # What it corrected may have been forgotten since: then it stays where it was.
        return periods[targets[0]].subject if targets else one.stored_subject or one.subject
    return one.subject


def _find_ended(
    one: Statement, held: Sequence[_Period], earlier: Sequence[_Period], singles: frozenset[str]
) -> list[_Period]:
    """Return what a statement puts an end to, of what its subject holds when it is said.

    Args:
        one: the statement.
        held: the other values that hold.
        earlier: the stretches in which its own value held before: said again, it ends what had corrected it.
        singles: the values of which only one of a subject holds at a time.
    """
    denied = _deny(one.value)
    wrong = {held[place].first.value for place in find_all_ended(one, held)} if one.replaces else set[str]()
    wrong |= {denied, one.replaced_value} - {""}
    corrected = {id(period.after) for period in earlier if period.ended is not None and period.ended.replaces}
    return [
        period
        for period in held
        if period.first.value in wrong or id(period) in corrected or _excludes(one, period, singles)
    ]


def _excludes(one: Statement, period: _Period, singles: frozenset[str]) -> bool:
    """Tell whether only one of two statements on a subject can hold.

    Models call a subject by one name that has several: "speaks German" and "wants answers in English" are of language.
    So what can hold beside others ends only where the two share a word, or words of one meaning.
    """
    if all(said.doubt for said in period.statements):
        return False
    mine, its = one.value in singles, period.first.value in singles
    if mine and its:
        return True
    shared = period.words.intersection(find_content(one.text)) or find_groups(period.text) & find_groups(one.text)
    return (mine or its) and bool(shared)


def _deny(value: str) -> str:
    return value.removeprefix("not ") if value.startswith("not ") else f"not {value}"


def _name_fact(user_id: str, period: _Period) -> str:
    return derive_id("fact", user_id, period.subject, period.first.value, str(period.number))


def _make_fact(tenant_id: str, user_id: str, period: _Period, single: bool, ids: dict[int, str]) -> Fact:
    statements = period.statements
    # What was said without a doubt speaks for the fact; an edit has the last word on how it is put.
    firm = [one for one in statements if one.doubt is None] or statements
    edit = next((one for one in reversed(firm) if one.source == "edit"), None)
    told = edit or firm[0]
    return Fact(
        tenant_id=tenant_id,
        user_id=user_id,
        fact_id=ids[id(period)],
        kind=told.kind,
        text=told.text,
        subject=period.subject,
        value=told.value,
        single=single,
        evidence=_choose_places(period),
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


def _choose_places(period: _Period) -> tuple[FactEvidence, ...]:
    """Return the places that are kept: those on which the history rests, then the newest.

    The first says since when it holds, the first without a doubt that it may be used, and of what was said to be wrong
    the first and the last place say when that ended: without them a corrected fact would hold again.
    """
    told = [one for one in period.statements if one.evidence is not None]
    places = [one.evidence.model_copy(update={"subject": _note_subject(one, period)}) for one in told if one.evidence]
    if len(places) <= MAX_EVIDENCE:
        return tuple(places)
    firm = next((number for number, one in enumerate(places) if one.doubt is None), 0)
    denials: dict[str, list[int]] = {}
    for number, one in enumerate(places):
        if one.replaces:
            denials.setdefault(normalize_value(one.replaces), []).append(number)
    last = [numbers[-1] for numbers in denials.values()]
    first = [numbers[0] for numbers in denials.values()]
    newest = range(len(places) - 1, -1, -1)
    kept = list(dict.fromkeys([0, firm, *reversed(last), *reversed(first), *newest]))[:MAX_EVIDENCE]
    return tuple(places[number] for number in sorted(kept))


def _note_subject(one: Statement, period: _Period) -> str:
    """Return the subject that a statement had of its own, where that is not the one it stands under."""
    return "" if one.subject == period.subject else one.subject


def _find_expiry(statements: Sequence[Statement]) -> datetime | None:
    """Return the latest end that was named; none where a statement names none."""
    ends = [one.expires_at for one in statements]
    known = [end for end in ends if end is not None]
    return max(known) if len(known) == len(ends) else None
