"""Keep what was said, and read it back: segments that fill up, written one by one under their version."""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from pentad.domain.errors import StoreUnavailable, Unreadable
from pentad.domain.knowledge import Utterance
from pentad.memory.turns.ports import Kind, Owner, Place, SegmentItems, StoredSegment
from pentad.memory.turns.segments import (
    MAX_SEGMENT_BYTES,
    MAX_UTTERANCES,
    VectorSegment,
    WordSegment,
    decode_vectors,
    decode_words,
    encode_vectors,
    encode_words,
    rebuild_vectors,
    rebuild_words,
)

MAX_WORD_SEGMENTS: Final = 5
"""Read for a recall, the newest: up to 10,000 utterances, 0.3 s in Python. What is older stays and is not looked at."""
MAX_VECTOR_SEGMENTS: Final = 24
BATCH_CHARACTERS: Final = 48_000
"""Of one write: with a segment that is not full yet it stays below DynamoDB's limit, however little it compresses."""
_YOUNG_WRITES: Final = 8
"""A segment that was written to so often at most may be newer than a write that is repeated."""
_TRIES: Final = 12
_WAIT_SECONDS: Final = 0.05
_RANDOM: Final = random.SystemRandom()


@dataclass(frozen=True)
class Memory:
    """What is kept for an owner.

    Attributes:
        words: segments of words, oldest first.
        vectors: segments of vectors, oldest first.
        is_cut: there are older segments that were not read.
    """

    words: tuple[WordSegment, ...]
    vectors: tuple[VectorSegment, ...]
    is_cut: bool = False


class Said:
    """What was said by and to each owner.

    Args:
        items: where the segments are.
        sleep: waits some seconds.
    """

    def __init__(self, items: SegmentItems, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._items = items
        self._sleep = sleep

    def load(self, owner: Owner, *, consistent: bool = False) -> Memory:
        """Return what is kept for an owner: at most 5 segments of words and 24 of vectors, the newest.

        Raises:
            StoreUnavailable: the store did not answer.
            Unreadable: a segment is not as it was stored.
        """
        words = self._items.list_newest(owner, "words", MAX_WORD_SEGMENTS, consistent=consistent)
        vectors = self._items.list_newest(owner, "vectors", MAX_VECTOR_SEGMENTS, consistent=consistent) if words else []
        return Memory(
            tuple(reversed(_keep_newest_words([_read_words(one) for one in words]))),
            tuple(reversed(_keep_newest_vectors([_read_vectors(one) for one in vectors]))),
            is_cut=bool(words) and words[-1].number > 0,
        )

    def add(self, owner: Owner, said: Sequence[Utterance], *, expires_at: datetime) -> None:
        """Keep utterances; those that are kept already, by their place, are replaced.

        Args:
            owner: whose they are.
            said: in order.
            expires_at: when the segment that they stand in may go; each write moves it.

        Raises:
            StoreUnavailable: the store did not answer, or others were in the way each time.
        """
        for batch in _iter_batches(said):
            self._append(owner, "words", partial(_merge_words, batch), expires_at)

    def add_vectors(
        self, owner: Owner, model: str, vectors: Mapping[Place, tuple[bytes, float]], *, expires_at: datetime
    ) -> None:
        """Keep vectors, as `segments.quantise` returns them; those that are kept already are replaced.

        Args:
            owner: whose they are.
            model: what made them; vectors of another one in the same segment are of no use any more, and go.
            vectors: by the place of what they are of.
            expires_at: when the segment that they stand in may go; each write moves it.

        Raises:
            StoreUnavailable: the store did not answer, or others were in the way each time.
        """

        def merge(stored: StoredSegment | None, before: StoredSegment | None) -> tuple[bytes, bool] | None:
            held = {} if stored is None else _list_rows(_read_vectors(stored), model)
            kept = {} if before is None else _list_rows(_read_vectors(before), model)
            new = {place: row for place, row in vectors.items() if place not in kept or kept[place][0] != row[0]}
            if not new:
                return None
            body = encode_vectors(rebuild_vectors(model, {**held, **new}))
            return body, len(body) >= MAX_SEGMENT_BYTES

        if vectors:
            self._append(owner, "vectors", merge, expires_at)

    def forget_session(self, owner: Owner, session_id: str) -> int:
        """Remove what was said in one session of an owner; return how many utterances that were. Repeatable.

        Raises:
            StoreUnavailable: the store did not answer, or others were in the way each time.
        """
        removed = 0
        for stored in self._items.list_newest(owner, "words", 10_000):
            segment = _read_words(stored)
            kept = [one for one in segment.said if one.session_id != session_id]
            if len(kept) < len(segment.said):
                removed += len(segment.said) - len(kept)
                self._replace(owner, "words", stored, encode_words(rebuild_words(kept)))
        for stored in self._items.list_newest(owner, "vectors", 10_000):
            vectors = _read_vectors(stored)
            rows = zip(vectors.places, zip(vectors.rows, vectors.scales, strict=True), strict=True)
            left = {place: row for place, row in rows if place[0] != session_id}
            if len(left) < len(vectors.places):
                self._replace(owner, "vectors", stored, encode_vectors(rebuild_vectors(vectors.model, left)))
        return removed

    def _append(
        self,
        owner: Owner,
        kind: Kind,
        merge: Callable[[StoredSegment | None, StoredSegment | None], tuple[bytes, bool] | None],
        expires_at: datetime,
    ) -> None:
        """Put into the newest segment what ``merge`` makes of it; a full one is followed by an empty one.

        Where that was begun a moment ago, what is written may be a repeat of what has filled the one before it:
        ``merge`` gets that one too, and makes nothing of what stands there already.
        """
        for number in range(_TRIES):
            newest = self._items.list_newest(owner, kind, 1)
            last = newest[0] if newest else None
            is_young = last is not None and last.number > 0 and last.version <= _YOUNG_WRITES
            before = self._items.list_newest(owner, kind, 2)[1:] if is_young else []
            merged = merge(last, before[0] if before else None)
            if merged is None:
                return
            body, full = merged
            place, version = (0, 0) if last is None else (last.number, last.version)
            if self._items.put(owner, kind, StoredSegment(place, version + 1, body, expires_at)):
                if full:
                    empty = encode_words(WordSegment()) if kind == "words" else encode_vectors(VectorSegment())
                    self._items.put(owner, kind, StoredSegment(place + 1, 1, empty, expires_at))
                return
            self._sleep(_RANDOM.uniform(0, min(1.0, _WAIT_SECONDS * 2**number)))
        raise StoreUnavailable("other sessions of the user were written at the same time", retry_after=2)

    def _replace(self, owner: Owner, kind: Kind, stored: StoredSegment, body: bytes) -> None:
        segment = StoredSegment(stored.number, stored.version + 1, body, stored.expires_at)
        if not self._items.put(owner, kind, segment):
            raise StoreUnavailable("what was said was written to at the same time", retry_after=1)


def _keep_newest_words(segments: Sequence[WordSegment]) -> list[WordSegment]:
    """Return segments, the newest first, with each utterance once: the newest of it.

    One stands in two where its write filled a segment and was then repeated, or where another recipe has read its
    session anew.
    """
    seen: set[Place] = set()
    found = []
    for segment in segments:
        places = [one.place for one in segment.said]
        if not seen.isdisjoint(places):
            segment = rebuild_words(one for one in segment.said if one.place not in seen)
        seen.update(places)
        found.append(segment)
    return found


def _keep_newest_vectors(segments: Sequence[VectorSegment]) -> list[VectorSegment]:
    """Return segments, the newest first, with each vector once, as `_keep_newest_words` does."""
    seen: set[Place] = set()
    found = []
    for segment in segments:
        places = list(segment.places)
        if not seen.isdisjoint(places):
            rows = zip(segment.places, zip(segment.rows, segment.scales, strict=True), strict=True)
            segment = rebuild_vectors(segment.model, {place: row for place, row in rows if place not in seen})
        seen.update(places)
        found.append(segment)
    return found


def _iter_batches(said: Sequence[Utterance]) -> Iterator[list[Utterance]]:
    """Yield utterances in parts that are written one by one."""
    batch: list[Utterance] = []
    room = BATCH_CHARACTERS
    for one in said:
        if batch and len(one.text) > room:
            yield batch
            batch, room = [], BATCH_CHARACTERS
        batch.append(one)
        room -= len(one.text)
    if batch:
        yield batch


def _merge_words(
    said: Sequence[Utterance], stored: StoredSegment | None, before: StoredSegment | None
) -> tuple[bytes, bool] | None:
    """Return a segment with these utterances in it as bytes, and whether it is full; None where all stand before it."""
    kept = {} if before is None else {one.place: one for one in _read_words(before).said}
    if not any(_differ(one, kept[one.place]) for one in said if one.place in kept):
        said = [one for one in said if one.place not in kept]
    if before is not None and not said:
        return None
    segment = WordSegment() if stored is None else _read_words(stored)
    places = {one.place for one in said}
    if any(one.place in places for one in segment.said):
        segment = rebuild_words(one for one in segment.said if one.place not in places)
    for one in said:
        segment.add(one)
    body = encode_words(segment)
    return body, len(body) >= MAX_SEGMENT_BYTES or len(segment.said) >= MAX_UTTERANCES


def _differ(one: Utterance, other: Utterance) -> bool:
    """Tell if two utterances of one place are not the same: another recipe may cut a message in another way."""
    return (one.speaker, one.text, one.taint) != (other.speaker, other.text, other.taint)


def _list_rows(segment: VectorSegment, model: str) -> dict[Place, tuple[bytes, float]]:
    """Return the vectors of a segment that a model has made, by place."""
    rows = zip(segment.places, zip(segment.rows, segment.scales, strict=True), strict=True)
    return dict(rows) if segment.model == model else {}


def _read_words(stored: StoredSegment) -> WordSegment:
    try:
        return decode_words(stored.body)
    except ValueError as error:
        raise Unreadable(f"segment {stored.number} of what was said can't be read") from error


def _read_vectors(stored: StoredSegment) -> VectorSegment:
    try:
        return decode_vectors(stored.body)
    except ValueError as error:
        raise Unreadable(f"segment {stored.number} of the vectors of what was said can't be read") from error
