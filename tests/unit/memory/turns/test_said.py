"""What was said is kept once, whoever writes at the same time, and goes when its session or its user does."""

import random
import string
from concurrent.futures import ThreadPoolExecutor

import pytest

from pentad.domain.errors import StoreUnavailable, Unreadable
from pentad.domain.knowledge import Utterance
from pentad.memory.turns import said as module
from pentad.memory.turns.adapters.segments_memory import MemorySegments
from pentad.memory.turns.ports import Kind, Owner, StoredSegment
from pentad.memory.turns.said import Memory, Said
from pentad.memory.turns.segments import decode_words, quantise
from tests.unit.memory.turns.talk import ADA, LATER, MODEL, add_vectors, keep, say


def texts(memory: Memory) -> list[str]:
    return [one.text for segment in memory.words for one in segment.said]


def places(memory: Memory) -> list[tuple[str, int, int]]:
    return [place for segment in memory.vectors for place in segment.places]


def test_what_is_added_comes_back_in_order() -> None:
    store = keep(say("one", 0), say("two", 1))
    store.add(ADA, [say("three", 2)], expires_at=LATER)
    assert texts(store.load(ADA)) == ["one", "two", "three"]
    assert places(store.load(ADA)) == [("s1", 0, 0), ("s1", 1, 0)]


def test_a_repeat_replaces_what_it_repeats() -> None:
    store = keep(say("one", 0), say("two", 1))
    store.add(ADA, [say("two, corrected", 1)], expires_at=LATER)
    add_vectors(store, [say("one", 0)])
    memory = store.load(ADA)
    assert texts(memory) == ["one", "two, corrected"]
    assert memory.words[0].postings["one"] == [(0, 1)]
    assert sorted(places(memory)) == [("s1", 0, 0), ("s1", 1, 0)]


def test_a_write_that_filled_its_segment_and_is_repeated_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_UTTERANCES", 3)
    monkeypatch.setattr(module, "MAX_SEGMENT_BYTES", 60)
    turns = [say(f"turn {seq}", seq) for seq in range(3)]
    store = keep(*turns)
    store.add(ADA, [say("turn one, by another recipe", 1), turns[2]], expires_at=LATER)
    add_vectors(store, turns[1:])
    memory = store.load(ADA)
    assert len(memory.words) > 1 and len(memory.vectors) > 1
    assert texts(memory) == ["turn 0", "turn one, by another recipe", "turn 2"]
    assert [one for segment in memory.words for one in segment.postings.get("recip", ())] == [(0, 1)]
    assert sorted(places(memory)) == [("s1", seq, 0) for seq in range(3)]
    assert store.forget_session(ADA, "s1") == 5  # both are removed
    assert texts(store.load(ADA)) == []


def test_a_full_segment_is_followed_by_another_and_the_newest_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_UTTERANCES", 3)
    monkeypatch.setattr(module, "MAX_WORD_SEGMENTS", 3)
    store = Said(MemorySegments())
    for seq in range(12):
        store.add(ADA, [say(f"turn {seq}", seq)], expires_at=LATER)
    memory = store.load(ADA)
    assert texts(memory) == [f"turn {seq}" for seq in range(6, 12)]
    assert memory.is_cut


def test_owners_know_nothing_of_each_other() -> None:
    store = keep(say("mine"))
    others = (
        Owner("acme", "bob", "s1"),
        Owner("other", "ada", "s1"),
        Owner("acme", None, "s1"),
        Owner("acme", "s1", "ada"),
    )
    assert [texts(store.load(owner)) for owner in others] == [[], [], [], []]
    assert texts(store.load(Owner("acme", "ada", "another-session"))) == ["mine"]


def test_sessions_of_a_user_that_are_written_at_once_are_all_kept() -> None:
    store = Said(MemorySegments(), sleep=lambda seconds: None)

    def write(session: int) -> None:
        for seq in range(5):
            for _ in range(50):  # as the queue would deliver it again
                try:
                    store.add(ADA, [say(f"{session} {seq}", seq, session=f"s{session}")], expires_at=LATER)
                    break
                except StoreUnavailable:
                    continue

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(write, range(10)))
    assert len(set(texts(store.load(ADA)))) == 50


def test_a_writer_that_never_gets_through_says_so() -> None:
    class Busy(MemorySegments):
        def put(self, owner: Owner, kind: Kind, segment: StoredSegment) -> bool:
            return False

    with pytest.raises(StoreUnavailable, match="at the same time"):
        Said(Busy(), sleep=lambda seconds: None).add(ADA, [say("x")], expires_at=LATER)


def test_a_session_is_forgotten_with_its_words_and_vectors_and_the_others_stay() -> None:
    store = keep(say("keep me", 0), say("a secret canary", 1, session="s2"), say("and me", 2))
    assert store.forget_session(ADA, "s2") == 1
    memory = store.load(ADA)
    assert texts(memory) == ["keep me", "and me"]
    assert not any(word.startswith("canar") for segment in memory.words for word in segment.postings)
    assert places(memory) == [("s1", 0, 0), ("s1", 2, 0)]
    assert store.forget_session(ADA, "s2") == 0


def test_another_models_vectors_take_the_place_of_what_can_not_be_compared() -> None:
    store = keep(say("one"))
    store.add_vectors(ADA, "other/8", {("s1", 1, 0): quantise([1.0] * 8)}, expires_at=LATER)
    [segment] = store.load(ADA).vectors
    assert (segment.model, segment.places) == ("other/8", [("s1", 1, 0)])
    assert MODEL != segment.model


def test_a_segment_that_is_broken_says_so() -> None:
    items = MemorySegments()
    items.put(ADA, "words", StoredSegment(0, 1, b"broken", LATER))
    with pytest.raises(Unreadable):
        Said(items).load(ADA)


def test_nothing_is_written_for_nothing() -> None:
    items = MemorySegments()
    store = Said(items)
    nothing: list[Utterance] = []
    store.add(ADA, nothing, expires_at=LATER)
    store.add_vectors(ADA, MODEL, {}, expires_at=LATER)
    kinds: tuple[Kind, ...] = ("words", "vectors")
    assert [items.list_newest(ADA, kind, 10) for kind in kinds] == [[], []]


def test_what_does_not_compress_stays_below_the_limit_of_an_item() -> None:
    chance = random.Random(7)

    def make_text() -> str:
        return "".join(chance.choices(string.ascii_letters + string.digits + " ", k=800))

    items = MemorySegments()
    store = Said(items)
    # A hundred messages of a session at once, each as long as is kept of one.
    store.add(ADA, [say(make_text(), seq, part=part) for seq in range(20) for part in range(64)], expires_at=LATER)
    kept = items.list_newest(ADA, "words", 1000)
    assert len(kept) > 2
    assert max(len(one.body) for one in kept) < 390 * 1024
    assert sum(len(decode_words(one.body).said) for one in kept) == 20 * 64
