"""A text's words as a sparse vector, for indexes that find by words in no other way. Pure.

The product of a question's and a text's vector is about BM25. What is missing: how rare a word is among all texts,
which no single text knows. Short words, which are mostly common ones, count less instead.
"""

import zlib
from collections import Counter

from pentad.memory.retrieval.words import K1, B, guess_rarity, pick_query_words, split_words

MAX_WORDS = 1000
"""Non-zero numbers of a sparse vector (docs.pinecone.io, database limits); the most frequent words are kept."""
MEAN_WORDS = 200
"""Words of a passage, about: the mean length that BM25 asks for."""

SparseNumbers = tuple[list[int], list[float]]


def encode_text(text: str) -> SparseNumbers:
    """Return the indices and values of a text's words."""
    words = split_words(text)
    norm = K1 * (1 - B + B * len(words) / MEAN_WORDS)
    values: dict[int, float] = {}
    for word, count in Counter(words).most_common(MAX_WORDS):
        values[_hash_word(word)] = count * (K1 + 1) / (count + norm)
    return list(values), list(values.values())


def encode_query(text: str) -> SparseNumbers:
    """Return the indices and values of a question's words."""
    values = {_hash_word(word): guess_rarity(word) for word in pick_query_words(text)}
    return list(values), list(values.values())


def _hash_word(word: str) -> int:
    return zlib.crc32(word.encode())
