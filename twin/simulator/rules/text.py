"""Words and sentences for the rules."""

from __future__ import annotations

import re
from unicodedata import normalize

from twin.simulator.rules.tables import name_cells

_ASKING = frozenset(
    """
    wie lange viel viele ist sind wo wann warum wieso welche welcher welches welchen gibt es kann ich mein meine
    как какой какая какие каков какова сколько когда где что кто
    ما ماذا هي هو كم متى أين كيف
""".split()
)
"""What asks in German, Russian and Arabic."""
_ARTICLES = frozenset("der die das den dem des ein eine einen einem einer".split())
"""Of German: words of English too, so they say nothing only beside what asks in German."""
STOP_WORDS = frozenset(
    """a about after again all also am an and any are as at be because been before being between both but by can could
    did do does doing done each else few for from further give had has have having he her here hers him his how i if in
    into is it its itself just let me more most my no nor not now of off on once one only or other our out over own
    please same she should show so some such tell than that the their them then there these they this those through to
    too under until up use used uses using very was we were what when where which while who whom whose why will with
    within without would you your yours thing things many much happen happens explain describe say says mean means
    work works know find get need want long far often""".split()
)

# Chinese, and Japanese but for its endings: pairs of characters are their words.
_UNSPACED = "\u30a0-\u30ff\u3400-\u9fff"
_CHARACTER = re.compile(f"[{_UNSPACED}]")
_LETTERS = rf"[^\W_{_UNSPACED}]+"
_WORD = re.compile(rf"[{_UNSPACED}]+|{_LETTERS}(?:['_.-]{_LETTERS})*")
# Endings of Japanese, and characters of Chinese and Japanese that ask or join.
_JOINTS = re.compile("[\u3041-\u309f\u662f\u7684\u591a\u4e45\u5c11\u4ec0\u4e48\u51e0\u5417\u4e3a\u4f55]+")
_SHORT = 15
_BULLET = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+")
_CITATION = re.compile(r"\[(?:cite:[^\]\n]{1,200}|\d+)\]")
_ROW = re.compile(r"[^:;]{1,60}: [^;]*(?:; [^:;]{1,60}: [^;]*)+")
"""A row of a table as text: ``column: value; column: value``."""
_NO_END = re.compile(
    r"(?:(?<![\w.])(?:\d{1,2}|[A-Z]|Dr|Mr|Mrs|Ms|Prof|No|Nr|St|ca|approx|vs|etc|e\.g|i\.e|z\.B|"
    r"Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec))\.$"
)
ENDS = ".!?\u3002\uff01\uff1f\u061f"
"""What ends a sentence, also in Chinese, Japanese and Arabic."""
_SENTENCE_END = re.compile(
    r"(?<=[.!?\u061f])[\"')\]]*\s+(?=[^\Wa-z_\u00df-\u00ff\u0430-\u045f]|[\"'(`*\[])|(?<=[\u3002\uff01\uff1f])\s*"
)


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
    """Return the words of a text, dotted and hyphenated names also in their parts, and pairs of Chinese characters."""
    found: list[str] = []
    for match in _WORD.finditer(_JOINTS.sub(" ", normalize("NFC", text))):
        word = match.group()
        if _CHARACTER.match(word):
            found += [word[at : at + 2] for at in range(max(1, len(word) - 1))]
            continue
        found.append(word)
        parts = re.split(r"['_.-]", word)
        if len(parts) > 1:
            found.extend(part for part in parts if part)
    return found


def extract_terms(text: str) -> list[str]:
    """Return the stems of the words that carry meaning, in order."""
    words = split_words(text)
    asking = _ASKING & {word.lower() for word in words}
    empty = STOP_WORDS | asking | (_ARTICLES if asking else frozenset())
    return [stem(word) for word in words if word.lower() not in empty and len(word) > 1]


def split_sentences(text: str) -> list[str]:
    """Split prose and Markdown into sentences; a list item or a row is one, headings and code fences are none."""
    found: list[str] = []
    block: list[str] = []
    fenced = False

    def flush() -> None:
        joined = " ".join(block).strip()
        block.clear()
        if joined:
            found.extend(_split_joined(joined))

    for line in name_cells(text.splitlines()):
        stripped = line.strip()
        if stripped.startswith("```"):
            fenced = not fenced
            flush()
        elif fenced or not stripped or stripped.startswith("#") or set(stripped) <= set("|-: ="):
            flush()
        elif _BULLET.match(line) or stripped.startswith("|"):
            flush()
            block.append(_format_row(stripped) if stripped.startswith("|") else _BULLET.sub("", stripped))
        elif _ROW.fullmatch(stripped):
            flush()
            found.append(stripped)
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


def is_long(sentence: str) -> bool:
    """Whether a sentence is long enough to say something; a character of Chinese says what some letters do."""
    return len(sentence) + 2 * len(_CHARACTER.findall(sentence)) > _SHORT


def strip_citations(text: str) -> str:
    """Return a text without the markers of citations, such as ``[cite:k7f2qa]`` and ``[2]``."""
    return _CITATION.sub("", text)


def _format_row(line: str) -> str:
    return "; ".join(cell.strip() for cell in line.strip("|").split("|") if cell.strip())


def shorten(text: str, characters: int) -> str:
    """Cut a text at a word's end."""
    text = " ".join(text.split())
    return text if len(text) <= characters else text[: characters - 1].rsplit(" ", 1)[0] + "…"
