"""Choose where a long section is cut, by its content alone.

A range of atoms that is too long for a chunk is cut at the atom with the smallest hash, and both parts again until they
fit. So the cuts are the nodes of a treap over the atoms: what is inserted or removed changes the cuts around it and no
others, wherever it stands. Counting from the beginning instead would move every cut behind it.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final

NEVER: Final = 3
"""The level of an atom before which is cut only where nothing else helps, such as the words below a heading."""


def hash_atom(words: str, level: int) -> int:
    """Return how gladly is cut before an atom, the smaller the sooner.

    Args:
        words: of the atom.
        level: 0 where a block begins, higher within one; a lower level is always preferred.
    """
    digest = hashlib.blake2b(words.strip().encode("utf-8", "surrogatepass"), digest_size=7).digest()
    return (level << 56) | int.from_bytes(digest)


def split_range(sizes: Sequence[int], hashes: Sequence[int], *, most: int, least: int) -> Iterator[tuple[int, int]]:
    """Yield the parts of a range of atoms, in order, as (first, end).

    Args:
        sizes: of the atoms.
        hashes: what `hash_atom` returned for each.
        most: size of a part, where its atoms are not larger.
        least: size of a part, where that is possible.
    """
    ends = list(accumulate(sizes))
    ranges = [(0, len(sizes))]
    while ranges:
        first, end = ranges.pop()
        before = ends[first - 1] if first else 0
        if end - first < 2 or ends[end - 1] - before <= most:
            if end > first:
                yield first, end
            continue
        cut = _choose_cut(ends, hashes, first, end, before, least)
        ranges += [(cut, end), (first, cut)]


def _choose_cut(ends: Sequence[int], hashes: Sequence[int], first: int, end: int, before: int, least: int) -> int:
    """Return the atom to cut before: the one with the smallest hash that leaves enough on both sides."""
    low = bisect_left(ends, before + least, first, end) + 1
    high = bisect_left(ends, ends[end - 1] - least + 1, first, end) + 1
    if high <= low:
        low, high = first + 1, end
    smallest = min(hashes[low:high])
    middle = (low + high) // 2
    # Of equal atoms the one in the middle: a table of equal rows would be peeled row by row otherwise.
    try:
        return hashes.index(smallest, middle, high)
    except ValueError:
        return hashes.index(smallest, low, middle)
