"""Words and sentences for the rules."""

from __future__ import annotations

import re

STOP_WORDS = frozenset(
    """a about after again all also am an and any are as at be because been before being between both but by can could
    did do does doing done each else few for from further give had has have having he her here hers him his how i if in
    into is it its itself just let me more most my no nor not now of off on once one only or other our out over own
    please same she should show so some such tell than that the their them then there these they this those through to
    too under until up use used uses using very was we were what when where which while who whom whose why will with
    within without would you your yours thing things many much happen happens explain describe say says mean means
    work works know find get need want long far often""".split()
)

_WORD = re.compile(r"[A-Za-z0-9]+(?:['_.-][A-Za-z0-9]+)*")
_BULLET = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+")
_CITATION = re.compile(r"\[(?:cite:[^\]\n]{1,200}|\d+)\]")
_ROW = re.compile(r"[^:;]{1,60}: [^;]*(?:; [^:;]{1,60}: [^;]*)+")
"""A row of a table as text: ``column: value; column: value``."""
_NO_END = re.compile(
    r"(?:(?<![\w.])(?:\d{1,2}|[A-Z]|Dr|Mr|Mrs|Ms|Prof|No|Nr|St|ca|approx|vs|etc|e\.g|i\.e|z\.B|"
    r"Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec))\.$"
)
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[A-Z0-9\"'(`*\[])")


def stem(word: str) -> str:
    """Cut common endings, so that stored, stores and storing meet."""
    word = word.lower()
    for ending in ("ations", "ation", "ingly", "ings", "ing", "edly", "ies", "ied", "ers", "er", "es", "ed", "ly", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)] + ("y" if ending in ("ies", "ied") else "")
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeiouls":
        word = word[:-1]
    return word.removesuffix("e") if len(word) > 3 else word


def split_words(text: str) -> list[str]:
    """Return the words of a text, dotted and hyphenated names also in their parts."""
    found: list[str] = []
    for match in _WORD.finditer(text):
        word = match.group()
        found.append(word)
        parts = re.split(r"['_.-]", word)
        if len(parts) > 1:
            found.extend(part for part in parts if part)
    return found


def extract_terms(text: str) -> list[str]:
    """Return the stems of the words that carry meaning, in order."""
    return [stem(word) for word in split_words(text) if word.lower() not in STOP_WORDS and len(word) > 1]


def split_sentences(text: str) -> list[str]:
    """Split prose and Markdown into sentences; a list item or a table row is one, headings and code fences are none."""
    found: list[str] = []
    block: list[str] = []
    fenced = False

    def flush() -> None:
        joined = " ".join(block).strip()
        block.clear()
        if joined:
            found.extend(_split_joined(joined))

    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("```"):
            fenced = not fenced
            flush()
        elif fenced or not stripped or stripped.startswith("#") or set(stripped) <= set("|-: ="):
            flush()
        elif _ROW.fullmatch(stripped):
            flush()
            found.append(stripped)
        elif _BULLET.match(line) or stripped.startswith("|"):
            flush()
            block.append(_format_row(stripped) if stripped.startswith("|") else _BULLET.sub("", stripped))
        else:
            block.append(stripped)
    flush()
    return found


def _split_joined(text: str) -> list[str]:
    """Split prose where a sentence ends, and not behind the day of a date, an initial or an abbreviation."""
    pieces: list[str] = []
    begin = 0
    for match in _SENTENCE_END.finditer(text):
        if not _NO_END.search(text, begin, match.start()):
            pieces.append(text[begin : match.end()].strip())
            begin = match.end()
    pieces.append(text[begin:].strip())
    return [piece for piece in pieces if piece]


def strip_citations(text: str) -> str:
    """Return a text without the markers of citations, such as ``[cite:k7f2qa]`` and ``[2]``."""
    return _CITATION.sub("", text)


def _format_row(line: str) -> str:
    return "; ".join(cell.strip() for cell in line.strip("|").split("|") if cell.strip())


def shorten(text: str, characters: int) -> str:
    """Cut a text at a word's end."""
    text = " ".join(text.split())
    return text if len(text) <= characters else text[: characters - 1].rsplit(" ", 1)[0] + "…"
