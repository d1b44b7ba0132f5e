"""Segments come back as they were made, small, and whatever was said in them."""

import math
import random
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pentad.memory.turns.segments import (
    KEPT_DIMENSIONS,
    VectorSegment,
    WordSegment,
    decode_vectors,
    decode_words,
    encode_vectors,
    encode_words,
    quantise,
)
from tests.unit.memory.turns.talk import say

WORDS = [f"word{number}" for number in range(3000)]


@given(st.lists(st.text(max_size=60), max_size=12))
@settings(max_examples=60, deadline=None)
def test_words_come_back_as_they_were_kept(texts: list[str]) -> None:
    segment = WordSegment()
    for seq, text in enumerate(texts):
        segment.add(say(text, seq, session=f"s{seq % 3}", speaker="ada" if seq % 2 else "assistant"))
    back = decode_words(encode_words(segment))
    assert back.lengths == segment.lengths
    assert back.postings == segment.postings
    encodable = [one.text.encode("utf-8", "replace").decode() for one in segment.said]
    assert [one.text for one in back.said] == encodable
    assert [(one.place, one.speaker, one.at) for one in back.said] == [
        (one.place, one.speaker, one.at) for one in segment.said
    ]


def test_a_thousand_turns_are_one_small_item() -> None:
    chance = random.Random(7)
    segment = WordSegment()
    for seq in range(1000):
        # Words are as frequent as in a language: the rank's inverse.
        words = [WORDS[int(3000 ** chance.random()) - 1] for _ in range(22)]
        segment.add(say(" ".join(words), seq))
    assert len(encode_words(segment)) < 120 * 1024


def test_vectors_come_back_within_a_hundredth_of_their_cosine() -> None:
    chance = random.Random(7)
    vectors = [[chance.gauss(0, 1) for _ in range(384)] for _ in range(20)]
    segment = VectorSegment("minilm/384")
    for seq, values in enumerate(vectors):
        segment.add(("s1", seq, 0), values)
    back = decode_vectors(encode_vectors(segment))
    assert (back.model, back.places, back.rows) == (segment.model, segment.places, segment.rows)
    for values, row, scale in zip(vectors, back.rows, back.scales, strict=True):
        norm = math.hypot(*values)
        found = [scale * number for number in memoryview(row).cast("b")]
        assert sum(a * b / norm for a, b in zip(values, found, strict=True)) == pytest.approx(1.0, abs=0.01)


def test_a_longer_vector_keeps_its_first_numbers_and_its_length_of_one() -> None:
    row, scale = quantise([1.0] * KEPT_DIMENSIONS + [5.0] * 1000)
    assert len(row) == KEPT_DIMENSIONS
    assert math.hypot(*(scale * number for number in memoryview(row).cast("b"))) == pytest.approx(1.0, abs=0.01)


def test_a_vector_of_nothing_is_kept_as_nothing() -> None:
    assert quantise([0.0, 0.0]) == (b"\0\0", 0.0)


@pytest.mark.parametrize("body", [b"", b"x", zlib.compress(b"{}"), zlib.compress(b"[1]"), b"\0\0\0\x05ab"])
def test_what_is_no_segment_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):
        decode_words(body)
    with pytest.raises(ValueError):
        decode_vectors(body)
