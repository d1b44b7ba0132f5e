"""Find words of untrusted text in a call's arguments, for whoever decides about the call. Pure, of bounded cost.

A value is found whole (an address, a link, a number of five characters and more), or by runs of four words and more
that stand in untrusted text in the same order. Case, width, accents, invisible characters and blanks do not count.

What it can't see: text that was translated, summarised, spelled in another way, encoded, cut into pieces of fewer than
four words; an action that untrusted text asked for with words of the model's own. So it is shown as a hint, and decides
nothing: what decides is that untrusted text is in the context at all.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pentad.domain.taint.sources import FromOutside

RUN_WORDS: Final = 4
LEAST_CHARACTERS: Final = 5
MAX_UNTRUSTED: Final = 200_000
"""Characters of untrusted text that are looked at, the newest."""
MAX_ARGUMENTS: Final = 50_000
MAX_FOUND: Final = 20
_MAX_VALUES: Final = 500
_MAX_DEPTH: Final = 16
_EXCERPT: Final = 200
_WORD: Final = re.compile(r"\w[\w'@.+:/%=&?#-]*")
_ENDS: Final = ".:/?-'"


@dataclass(frozen=True)
class UntrustedText:
    """One piece of untrusted text in the context."""

    source: str
    text: str


def find_outside_words(
    arguments: Mapping[str, Any], untrusted: Sequence[UntrustedText], *, own_words: Sequence[str] = ()
) -> tuple[FromOutside, ...]:
    """Return the parts of arguments that stand in untrusted text too, at most `MAX_FOUND`, one for each value.

    Args:
        arguments: of a call.
        untrusted: in the order of the context; of more than `MAX_UNTRUSTED` characters the newest count.
        own_words: what the user wrote; what stands there too is not from outside.
    """
    if not untrusted:
        return ()
    own = _OutsideWords("", own_words)
    texts = [_OutsideWords(source, [text]) for source, text in _take_newest(untrusted)]
    found: list[FromOutside] = []
    left = MAX_ARGUMENTS
    for path, value in _iter_texts(arguments, ()):
        value = value[:left]
        left -= len(value)
        hit = next((hit for text in texts if (hit := text.find(value, own)) is not None), None)
        if hit is not None:
            found.append(FromOutside(path=".".join(path)[:200], text=hit[0][:_EXCERPT], source=hit[1]))
        if len(found) >= MAX_FOUND or left <= 0:
            break
    return tuple(found)


def _take_newest(untrusted: Sequence[UntrustedText]) -> list[tuple[str, str]]:
    left, kept = MAX_UNTRUSTED, []
    for one in reversed(untrusted):
        if left <= 0:
            break
        kept.append((one.source, one.text[-left:]))
        left -= len(one.text)
    return kept


class _OutsideWords:
    """Text that arguments are held against: its words in order, and the hashes of all runs of four of them."""

    def __init__(self, source: str, texts: Sequence[str]) -> None:
        self._source = source
        words = [_split(text[-MAX_UNTRUSTED:]) for text in texts]
        self._joined = "\n".join(f" {' '.join(one)} " for one in words)
        self._runs = {tuple(one[at : at + RUN_WORDS]) for one in words for at in range(len(one) - RUN_WORDS + 1)}

    def holds(self, words: Sequence[str]) -> bool:
        """Tell whether the words stand here in this order."""
        return f" {' '.join(words)} " in self._joined

    def find(self, value: str, own: "_OutsideWords") -> tuple[str, str] | None:
        """Return the words of a value that stand here, and where this is from; None where there are none."""
        words = _split(value)
        if not words:
            return None
        if len(words) <= RUN_WORDS or len(" ".join(words)) < LEAST_CHARACTERS:
            whole = sum(map(len, words)) >= LEAST_CHARACTERS and self.holds(words) and not own.holds(words)
            return (value.strip(), self._source) if whole else self._find_pieces(words, own)
        best: tuple[int, int] = (0, 0)
        start: int | None = None
        for at in range(len(words) - RUN_WORDS + 2):
            run = tuple(words[at : at + RUN_WORDS])
            if len(run) == RUN_WORDS and run in self._runs and run not in own._runs:
                start = at if start is None else start
            elif start is not None:
                best = max(best, (at - start + RUN_WORDS - 1, -start))
                start = None
        if best[0]:
            begin = -best[1]
            return " ".join(words[begin : begin + best[0]]), self._source
        return self._find_pieces(words, own)

    def _find_pieces(self, words: Sequence[str], own: "_OutsideWords") -> tuple[str, str] | None:
        """Return an address, a link or a long number of a value that stands here by itself."""
        for word in words[:_MAX_VALUES]:
            telling = "@" in word or "/" in word or sum(map(str.isdigit, word)) >= LEAST_CHARACTERS
            if telling and len(word) >= LEAST_CHARACTERS and self.holds([word]) and not own.holds([word]):
                return word, self._source
        return None


def _split(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(one for one in plain if unicodedata.category(one) not in ("Mn", "Cf"))
    return [word.strip(_ENDS) for word in _WORD.findall(plain) if word.strip(_ENDS)]


def _iter_texts(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the texts of arguments with their place, numbers as they are written; names of fields are looked at too."""
    if len(path) > _MAX_DEPTH:
        return
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from _iter_texts(part, (*path, str(name)))
    elif isinstance(value, list | tuple):
        for place, part in enumerate(value[:_MAX_VALUES]):
            yield from _iter_texts(part, (*path, str(place)))
    elif isinstance(value, str):
        yield path, value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path, f"{value}"
