"""Segments: what was said and its words, or its vectors, as bytes of bounded size. Pure.

A user's conversations are small: a thousand turns with their words are some 100 KB compressed, and a query looks at
them in a millisecond. So there is no index server: a few items of DynamoDB hold them.
"""

import json
import struct
import zlib
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from pentad.domain.knowledge import Utterance
from pentad.memory.retrieval.words import split_words
from pentad.memory.turns.ports import Place

MAX_SEGMENT_BYTES: Final = 240 * 1024
"""DynamoDB's limit is 400 KB an item; the next message must fit in as well, 64 parts of 800 characters."""
MAX_UTTERANCES: Final = 2000
"""Of one segment: a write encodes it anew."""
KEPT_DIMENSIONS: Final = 512
"""Of a longer vector the first numbers are kept: models that shorten are made for it, and a turn is short."""
_HEAD: Final = struct.Struct(">I")
_LARGEST: Final = 127


@dataclass
class WordSegment:
    """What was said, in the order in which it was kept, with its words.

    Attributes:
        said: the utterances.
        lengths: how many words each has.
        postings: by word, pairs of a place in ``said`` and how often the word stands there.
    """

    said: list[Utterance] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    postings: dict[str, list[tuple[int, int]]] = field(default_factory=dict)

    def add(self, utterance: Utterance) -> None:
        """Put an utterance at the end."""
        # The day too: a question may name the month in which something was said.
        words = Counter(split_words(f"{utterance.text} {utterance.day}"))
        place = len(self.said)
        self.said.append(utterance)
        self.lengths.append(words.total())
        for word, count in words.items():
            self.postings.setdefault(word, []).append((place, count))


@dataclass
class VectorSegment:
    """Vectors of what was said, as small whole numbers.

    Attributes:
        model: the embedding model that made them: its name, and how many numbers are kept.
        places: where each was said.
        rows: a vector each, its largest number as 127 or -127.
        scales: what each row is multiplied with.
    """

    model: str = ""
    places: list[Place] = field(default_factory=list)
    rows: list[bytes] = field(default_factory=list)
    scales: list[float] = field(default_factory=list)

    def add(self, place: Place, values: Sequence[float]) -> None:
        """Put a vector at the end."""
        row, scale = quantise(values)
        self.places.append(place)
        self.rows.append(row)
        self.scales.append(scale)


def shorten(values: Sequence[float]) -> list[float]:
    """Return the numbers of a vector that are kept, as a vector of length 1."""
    kept = list(values[:KEPT_DIMENSIONS])
    norm = sum(value * value for value in kept) ** 0.5
    return [value / norm for value in kept] if norm else kept


def name_model(model: str, dimensions: int) -> str:
    """Return the name of what made a vector: only vectors of the same one can be compared."""
    return f"{model}/{dimensions}"


def quantise(values: Sequence[float]) -> tuple[bytes, float]:
    """Return a vector's kept numbers as whole numbers of one byte, and what they are to be multiplied with."""
    kept = shorten(values)
    largest = max(map(abs, kept), default=0.0)
    if not largest:
        return bytes(len(kept)), 0.0
    return array("b", (round(value / largest * _LARGEST) for value in kept)).tobytes(), largest / _LARGEST


def encode_words(segment: WordSegment) -> bytes:
    """Return a segment of words as bytes."""
    sessions = list(dict.fromkeys(one.session_id for one in segment.said))
    speakers = list(dict.fromkeys(one.speaker for one in segment.said))
    session_number = {name: number for number, name in enumerate(sessions)}
    speaker_number = {name: number for number, name in enumerate(speakers)}
    said = [
        [session_number[one.session_id], one.seq, one.part, speaker_number[one.speaker], int(one.at.timestamp())]
        for one in segment.said
    ]
    postings = {word: _encode_pairs(pairs) for word, pairs in sorted(segment.postings.items())}
    body = {
        "sessions": sessions,
        "speakers": speakers,
        "said": said,
        "texts": [one.text for one in segment.said],
        "lengths": segment.lengths,
        "words": postings,
    }
    taint = {number: one.taint for number, one in enumerate(segment.said) if one.taint}
    if taint:
        body["taint"] = taint
    return zlib.compress(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"), 6)


def decode_words(body: bytes) -> WordSegment:
    """Return a segment of words from its bytes.

    Raises:
        ValueError: they are none.
    """
    try:
        held = json.loads(zlib.decompress(body))
        taint = held["taint"] if "taint" in held else {}
        said = [
            Utterance(
                session_id=held["sessions"][session],
                seq=seq,
                part=part,
                speaker=held["speakers"][speaker],
                text=text,
                at=datetime.fromtimestamp(at, UTC),
                taint=taint.get(str(number), ()),
            )
            for number, ((session, seq, part, speaker, at), text) in enumerate(
                zip(held["said"], held["texts"], strict=True)
            )
        ]
        postings = {word: _decode_pairs(numbers) for word, numbers in held["words"].items()}
        return WordSegment(said, list(held["lengths"]), postings)
    except (zlib.error, KeyError, IndexError, TypeError) as error:
        raise ValueError("the segment is not in the expected form") from error


def encode_vectors(segment: VectorSegment) -> bytes:
    """Return a segment of vectors as bytes."""
    head = zlib.compress(
        json.dumps([segment.model, segment.places, [round(scale, 8) for scale in segment.scales]]).encode()
    )
    return b"".join((_HEAD.pack(len(head)), head, *segment.rows))


def decode_vectors(body: bytes) -> VectorSegment:
    """Return a segment of vectors from its bytes.

    Raises:
        ValueError: they are none.
    """
    try:
        [length] = _HEAD.unpack_from(body)
        start = _HEAD.size + length
        model, places, scales = json.loads(zlib.decompress(body[_HEAD.size : start]))
        width = (len(body) - start) // len(places) if places else 0
        rows = [body[start + number * width : start + (number + 1) * width] for number in range(len(places))]
        return VectorSegment(model, [(place[0], place[1], place[2]) for place in places], rows, scales)
    except (zlib.error, struct.error, IndexError, TypeError) as error:
        raise ValueError("the segment is not in the expected form") from error


def rebuild_words(said: Iterable[Utterance]) -> WordSegment:
    """Return a segment of utterances, indexed anew."""
    segment = WordSegment()
    for one in said:
        segment.add(one)
    return segment


def rebuild_vectors(model: str, vectors: Mapping[Place, tuple[bytes, float]]) -> VectorSegment:
    """Return a segment of vectors that are small whole numbers already."""
    rows = list(vectors.values())
    return VectorSegment(model, list(vectors), [row for row, _ in rows], [scale for _, scale in rows])


def _encode_pairs(pairs: Sequence[tuple[int, int]]) -> list[int]:
    """Return pairs as steps from place to place, each with how often; most words stand somewhere once."""
    numbers: list[int] = []
    last = 0
    for place, count in pairs:
        # A word that stands there once is one number, else two: the step is negative then.
        step = place - last + 1
        numbers += [step] if count == 1 else [-step, count]
        last = place
    return numbers


def _decode_pairs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    pairs: list[tuple[int, int]] = []
    last, position = 0, 0
    while position < len(numbers):
        step = numbers[position]
        count = 1
        if step < 0:
            position += 1
            step, count = -step, numbers[position]
        last += step - 1
        pairs.append((last, count))
        position += 1
    return pairs
