"""Learn facts from a part of a conversation: ask a model for candidates, let the gate judge them, keep what passes.

Off the user's path and repeatable: what is kept has its id from what was said, and each range of a session is noted
with the gate's verdicts. Writes are conditional; where another session of the same user was first, the facts are read
again and the same statements are applied anew.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from pentad.domain.errors import (
    BudgetExceeded,
    ContextOverflow,
    MalformedReply,
    ModelThrottled,
    ModelUnavailable,
    Refused,
    StoreUnavailable,
)
from pentad.domain.memories.facts import GateVerdict, LearnedRange
from pentad.domain.models import CallContext
from pentad.memory.facts import meaning
from pentad.memory.facts.changes import Taken, apply_statements
from pentad.memory.facts.extract import (
    MAX_CANDIDATES,
    MESSAGE_TOKENS,
    RECIPE,
    FoundFact,
    FoundFacts,
    build_extract_request,
    cut_parts,
    is_read_in_part,
    narrow_work,
)
from pentad.memory.facts.gate.write_gate import WriteGate, find_retracting, may_teach
from pentad.memory.facts.ports import FactBook, FactStore
from pentad.memory.facts.timeline import Statement, build_facts, to_statements
from pentad.memory.remember.ports import Spoken, Work
from pentad.models.ports import ChatModel, Embedder
from pentad.models.structured.structured import complete_as
from pentad.observability.metrics import names
from pentad.observability.ports import Telemetry

WRITE_TRIES: Final = 16
"""More than instances of the function run at once (`infra/config.py`)."""
MAX_COMPARED: Final = 12
"""Known facts that one statement is compared with by meaning."""
_NOTED: Final = 100
_NO_EMBEDDING: Final = "The embedder did not answer: repeats in other words were not recognised."


@dataclass
class _Reading:
    """What came of one part, as it is noted."""

    statements: list[Statement] = field(default_factory=list)
    verdicts: list[GateVerdict] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    vectors: dict[str, tuple[float, ...]] = field(default_factory=dict)
    taken_back: Taken = frozenset()


class LearnFacts:
    """A step of the pipeline after a run (`pentad.memory.remember.ports.RememberStep`).

    Args:
        facts: where facts are kept.
        model: the gateway.
        embedder: compares by meaning; not touched where nothing is known that could mean the same.
        telemetry: counts the gate's verdicts.
        clock: tells the time, in UTC.
        learns: tells by an agent's name whether facts are learned from its sessions.
    """

    name = "facts"
    recipe = RECIPE

    def __init__(
        self,
        *,
        facts: FactStore,
        model: ChatModel,
        embedder: Embedder,
        telemetry: Telemetry,
        clock: Callable[[], datetime],
        learns: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self._facts = facts
        self._model = model
        self._embedder = embedder
        self._telemetry = telemetry
        self._clock = clock
        self._learns = learns

    def run(self, work: Work) -> int:
        """Learn from a part of a session, or from as much of it as some requests read; see the port.

        A session of no user teaches nothing: there is nobody of whom it would be remembered.

        Raises:
            StoreUnavailable: the store did not answer, or others wrote first each time.
            ModelUnavailable: the model did not answer.
            ModelThrottled: the provider said 429.
            BudgetExceeded: the tenant's budgets allow no call now; the pipeline comes back with the same part.
        """
        user_id = work.user_id
        if user_id is None or not self._learns(work.session.agent):
            return work.next_seq
        work = narrow_work(work)
        taken_back = _find_taken_back(work)
        if not taken_back and not may_teach(work.spoken):
            return work.next_seq
        last = work.next_seq - 1
        if self._facts.find_learned(work.tenant_id, user_id, work.place_id, work.first_seq, last, RECIPE):
            return work.next_seq
        reading = self._read(work, user_id) if may_teach(work.spoken) else _Reading()
        reading.taken_back = taken_back
        self._keep(work, user_id, reading)
        return work.next_seq

    def _read(self, work: Work, user_id: str) -> _Reading:
        """Ask for candidates and judge them."""
        reading = _Reading()
        book = self._facts.read(work.tenant_id, user_id)
        gate = WriteGate(work.place_id, work.spoken, self._clock())
        for part in cut_parts(work.spoken):
            for number, one in enumerate(self._ask(work, user_id, part, book, reading)):
                judged = gate.judge(one)
                if number >= MAX_CANDIDATES:
                    reason = f"more than {MAX_CANDIDATES} were named"
                    reading.verdicts.append(GateVerdict(outcome="refused", reason=reason, seq=max(0, one.seq)))
                elif judged.statement is None:
                    reading.verdicts.append(judged.verdict)
                else:
                    reading.statements.append(judged.statement)
        for long in filter(is_read_in_part, work.spoken):
            reading.notes.append(
                f"Of message {long.seq} its beginning and its end were read: it has over {MESSAGE_TOKENS:,} tokens."
            )
        return reading

    def _ask(
        self, work: Work, user_id: str, part: Sequence[Spoken], book: FactBook, reading: _Reading
    ) -> list[FoundFact]:
        now = self._clock()
        known = [fact for fact in book.facts if fact.is_current(now)]
        known.sort(key=lambda fact: fact.valid_from, reverse=True)
        request = build_extract_request(part, known, make_context(work, user_id), now)
        try:
            return complete_as(self._model, request, FoundFacts, deadline=work.deadline).value.facts
        except (MalformedReply, Refused, ContextOverflow) as error:
            # Asked again it would be no better; what was said is still recalled as it was said.
            self._telemetry.log_event("facts.unreadable", level="WARNING", error=type(error).__name__)
            reading.notes.append(f"The model gave no usable answer ({type(error).__name__}).")
            return []

    def _keep(self, work: Work, user_id: str, reading: _Reading) -> None:
        for _ in range(WRITE_TRIES):
            book = self._facts.read(work.tenant_id, user_id)
            aligned = self._align(work, user_id, reading, book)
            applied = apply_statements(work.tenant_id, user_id, book, aligned, self._clock(), reading.taken_back)
            verdicts = (*reading.verdicts, *applied.verdicts)[:_NOTED]
            learned = LearnedRange(
                session_id=work.place_id,
                first_seq=work.first_seq,
                last_seq=work.next_seq - 1,
                recipe=RECIPE,
                learned_at=self._clock(),
                verdicts=verdicts,
                notes=tuple(dict.fromkeys(reading.notes))[:10],
            )
            change = applied.change.model_copy(update={"learned": learned})
            if self._facts.write(work.tenant_id, user_id, change, expected_version=book.version):
                self._count(verdicts)
                return
        raise StoreUnavailable("others changed what is remembered of the user each time", retry_after=1)

    def _align(self, work: Work, user_id: str, reading: _Reading, book: FactBook) -> list[Statement]:
        """Return the statements under the subjects and values of what is known."""
        compared: dict[str, None] = {}
        for one in reading.statements:
            comparable = meaning.find_comparable(one, book.facts, MAX_COMPARED)
            if comparable and all(fact.value != one.value for fact in comparable):
                compared |= dict.fromkeys([one.text, *(fact.text for fact in comparable)])
        if len(reading.statements) > 1:
            compared |= dict.fromkeys(one.text for one in reading.statements)
        # Of another try, where others were first: what was embedded is not paid for again.
        texts = [text for text in compared if text not in reading.vectors]
        if texts:
            reading.vectors |= self._embed(texts, make_context(work, user_id), work.deadline, reading)
        similarity = meaning.make_similarity(reading.vectors)
        known, aligned = list(book.facts), list[Statement]()
        for one in reading.statements:
            aligned.append(meaning.align(one, known, similarity))
            # What one part says twice is one fact, too.
            known = build_facts(work.tenant_id, user_id, [*to_statements(book.facts), *aligned])
        return aligned

    def _embed(
        self, texts: list[str], context: CallContext, deadline: float, reading: _Reading
    ) -> dict[str, tuple[float, ...]]:
        try:
            purpose = context.model_copy(update={"purpose": "embed_facts"})
            vectors = self._embedder.embed(texts, purpose, deadline=deadline).vectors
        except (ModelUnavailable, ModelThrottled, BudgetExceeded):
            reading.notes.append(_NO_EMBEDDING)
            return {}
        return dict(zip(texts, vectors, strict=True))

    def _count(self, verdicts: Sequence[GateVerdict]) -> None:
        for one in verdicts:
            self._telemetry.count(names.FACTS_JUDGED, outcome=one.outcome)


def _find_taken_back(work: Work) -> Taken:
    """Return the message before a part that the part's first one takes back.

    That is the user's last one where a plain answer lies between; what was said before a run of several steps is not
    known here, and stays.
    """
    retracting = find_retracting(work.spoken)
    if retracting is None or retracting.seq != work.spoken[0].seq:
        return frozenset()
    return frozenset((work.place_id, work.first_seq - back) for back in (1, 2) if work.first_seq >= back)


def make_context(work: Work, user_id: str | None) -> CallContext:
    """Return on whose behalf a call for a part of a session is made."""
    return CallContext(
        tenant_id=work.tenant_id,
        agent=work.session.agent,
        user_id=user_id,
        session_id=work.session_id,
        purpose="remember",
    )
