"""What two people said, for the tests of this folder."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from pentad.domain.knowledge import Utterance
from pentad.memory.turns.adapters.segments_memory import MemorySegments
from pentad.memory.turns.ports import Owner
from pentad.memory.turns.said import Said
from pentad.memory.turns.segments import quantise
from tests.unit.memory.fakes import embed

AT = datetime(2026, 3, 8, 13, 56, tzinfo=UTC)
LATER = datetime(2100, 1, 1, tzinfo=UTC)
ADA = Owner("acme", "ada", "s1")
MODEL = "words/256"


def say(text: str, seq: int = 0, *, session: str = "s1", speaker: str = "ada", part: int = 0) -> Utterance:
    return Utterance(session_id=session, seq=seq, part=part, speaker=speaker, text=text, at=AT + timedelta(minutes=seq))


def keep(*said: Utterance, owner: Owner = ADA, vectors: bool = True) -> Said:
    """Return a memory that holds these, with vectors of words."""
    store = Said(MemorySegments())
    store.add(owner, said, expires_at=LATER)
    if vectors:
        add_vectors(store, said, owner)
    return store


def add_vectors(store: Said, said: Sequence[Utterance], owner: Owner = ADA) -> None:
    rows = {one.place: quantise(embed(one.line)) for one in said}
    store.add_vectors(owner, MODEL, rows, expires_at=LATER)
