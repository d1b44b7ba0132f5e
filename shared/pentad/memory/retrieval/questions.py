"""Take a long question apart. Pure, and a rule of thumb.

The vector of eight sentences is near to none of the passages that one of them asks for; each sentence's own is.
"""

import re
from typing import Final

QUESTION_CHARACTERS: Final = 8000
LONG_WORDS: Final = 24
"""A question of fewer words is searched for as it is."""
PART_WORDS: Final = 4
"""A sentence of fewer words ("Thanks a lot!") asks for nothing by itself."""
MOST_PARTS: Final = 13
_UNSPACED: Final = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_WORD: Final = re.compile(r"[^\W_]+")
_END: Final = re.compile(r"(?<=[.!?\u2026])[\"'\u201d\u2019)\]]*\s+|(?<=[\u3002\uff01\uff1f\u061f\u0964])\s*|\s*\n\s*")


def split_question(text: str) -> tuple[str, ...]:
    """Return what to search for: the question, and where it is long, each of its sentences, at most twelve.

    Args:
        text: what is asked.
    """
    text = text.strip()[:QUESTION_CHARACTERS]
    if _count_words(text) < LONG_WORDS:
        return (text,) if text else ()
    sentences = dict.fromkeys(part.strip() for part in _END.split(text) if _count_words(part) >= PART_WORDS)
    if len(sentences) < 2:
        return (text,)
    # Of very many, those at the end are kept: that is where most people ask.
    return (text, *list(sentences)[-(MOST_PARTS - 1) :])


def _count_words(text: str) -> float:
    unspaced = len(_UNSPACED.findall(text))
    return len(_WORD.findall(_UNSPACED.sub(" ", text))) + unspaced / 2
