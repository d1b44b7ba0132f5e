"""Find what was said where: a quotation in a message, the sentence around it, what of a message was pasted. Pure."""

import re
from collections.abc import Sequence
from typing import Final

from pentad.memory.remember.ports import Spoken

_LINE_ENDS: Final = "\n\r\v\f\x85\u2028\u2029"
_END: Final = re.compile(rf"(?<=[.!?\u2026])[\"')\]\u201d\u2019]*\s+|[{_LINE_ENDS}]+|(?<=[\u3002\uff01\uff1f])")
_NO_END: Final = re.compile(
    r"(?:\b(?:Dr|Mr|Mrs|Ms|Prof|St|No|Nr|ca|vs|etc|e\.g|i\.e|z\.B|approx|Jan|Feb|Aug|Sept?|Oct|Nov|Dec|[A-Z]))\.$"
)
_DAY: Final = re.compile(r"\b\d{1,2}\.$")
_MONTH: Final = re.compile(
    r"[a-z]|(?:Jan|Feb|M[\u00e4a]r|Apr|Mai|May|Jun|Jul|Aug|Sep|Okt|Oct|Nov|De[cz])\w*", re.UNICODE
)
_WORD: Final = re.compile(r"\w+")
_LONGEST_ABBREVIATION: Final = 12
_MOST_WORDS: Final = 80
"""Of a quotation: a longer one is looked for by its first words."""
_QUOTED_LINE: Final = re.compile(r"^[ \t]*(?:>|\|).*$", re.MULTILINE)
_FENCE: Final = re.compile(r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)", re.DOTALL)
_TAGGED: Final = re.compile(r"<([A-Za-z][\w.-]{0,60})\b[^<>]{0,400}>.*?(?:</\1>|\Z)", re.DOTALL)
_SPEECH: Final = re.compile(
    '\u201c[^\u201d]{12,2000}(?:\u201d|\\Z)|"[^"\n]{12,2000}"|\u00ab[^\u00bb]{12,2000}\u00bb'
    "|\u201e[^\u201c\u201d]{12,2000}[\u201c\u201d]"
)
_MAIL: Final = re.compile(
    r"^[ \t]*(?:-{2,}[ \t]*(?:Original Message|Forwarded message)|(?:From|Von|De):[ \t].{0,200}\n|"
    r"On .{6,120} wrote:[ \t]*$|Am .{6,120} schrieb .{1,80}:[ \t]*$)",
    re.MULTILINE | re.IGNORECASE,
)
_WORK_ON: Final = re.compile(
    r"\b(?:translate|summari[sz]e|rewrite|rephrase|paraphrase|proofread|correct|fix|review|analy[sz]e|explain|"
    r"improve|polish|shorten|edit|check|classify|extract|convert|compare|critique|answer|reply to|respond to|"
    r"comment on|[\u00fcu]bersetze?|fasse?|korrigiere?|verbessere?|pr[\u00fcu]fe?|erkl[\u00e4a]re?|traduis|"
    r"traduisez|r[\u00e9e]sume[rz]?|corrige[rz]?|traduce|resume|corrige)\b[^\n]{0,160}?(?::[ \t]*(?=\S)|:[ \t]*\n|"
    r"\n\s*\n)",
    re.IGNORECASE,
)
_HERE: Final = re.compile(
    r"\b(?:here(?:'s| is| are)|this is|below is|following is|see|hier ist|voici|"
    r"aqu[\u00edi] est[\u00e1a])\b[^.!?\n]{0,80}\b(?:e-?mail|letter|text|message|article|post|story|essay|draft|"
    r"transcript|log|code|review|poem|report|document|cv|resume|bio|quote|lyrics|chat|notes?|paragraph|brief|"
    r"nachricht|lettre|texte|carta|texto|mensaje)\b[^.!?\n]{0,40}(?::|\n)",
    re.IGNORECASE,
)
_PLAYED: Final = re.compile(
    r"\b(?:pretend|imagine|role-?play|act as|play the (?:role|part)|write (?:me )?(?:a|an|the|"
    r"in) [^.!?\n]{0,60}\b(?:story|poem|song|letter|e-?mail|dialogue|scene|monologue|speech|cover letter|bio|"
    r"diary|persona)|in (?:my|the) (?:novel|story|book|game|play)\b|as a character|stell dir vor|tu so|"
    r"imagine que|finge)\b",
    re.IGNORECASE,
)


def find_quote(text: str, quote: str) -> tuple[int, int] | None:
    """Return where a quotation stands in a text; blanks, marks and capitals may differ.

    Args:
        text: a message's.
        quote: what a model says stands there.
    """
    stripped = quote.strip()
    at = text.find(stripped) if stripped else -1
    if at >= 0:
        return at, at + len(stripped)
    words = _WORD.findall(quote)[:_MOST_WORDS]
    if not words:
        return None
    found = re.search(r"\W{1,8}".join(map(re.escape, words)), text, re.IGNORECASE)
    return None if found is None else (found.start(), found.end())


def split_spans(text: str) -> list[tuple[int, int]]:
    """Return where the sentences of a text stand, without the blanks around them."""
    spans: list[tuple[int, int]] = []
    start = 0
    for match in [*_END.finditer(text), None]:
        end = len(text) if match is None else match.start()
        in_a_line = match is not None and not set(_LINE_ENDS).intersection(match[0])
        if match is not None and in_a_line and _goes_on(text, start, end, match.end()):
            continue
        stripped = text[start:end].strip()
        if stripped:
            first = text.index(stripped, start)
            closing = 0 if match is None else len(match[0].rstrip())
            spans.append((first, first + len(stripped) + closing))
        start = len(text) if match is None else match.end()
    return spans


def _goes_on(text: str, start: int, end: int, following: int) -> bool:
    """Tell whether a sentence goes on behind a mark: that of an abbreviation, or of a day as German writes it."""
    last = max(start, end - _LONGEST_ABBREVIATION)
    if _NO_END.search(text, last, end):
        return True
    return _DAY.search(text, last, end) is not None and _MONTH.match(text, following) is not None


def find_sentence(text: str, start: int, end: int) -> tuple[int, int]:
    """Return where the sentences stand that hold a part of a text."""
    holding = [span for span in split_spans(text) if span[0] < end and start < span[1]]
    return (min(start, holding[0][0]), max(end, holding[-1][1])) if holding else (start, end)


def find_pasted(text: str) -> list[tuple[int, int]]:
    """Return the parts of a message that are quoted, pasted to be worked on, or played."""
    pasted = [match.span() for pattern in (_FENCE, _QUOTED_LINE, _TAGGED, _SPEECH) for match in pattern.finditer(text)]
    for pattern in (_MAIL, _PLAYED):
        found = pattern.search(text)
        if found is not None:
            pasted.append((found.start(), len(text)))
    for pattern in (_WORK_ON, _HERE):
        found = pattern.search(text)
        if found is not None:
            pasted.append((found.end(), len(text)))
    return pasted


def is_own(spoken: Spoken, start: int, end: int) -> bool:
    """Tell whether a part of a message is its speaker's own words, as the pipeline has cut them out."""
    return any(first <= start and end <= last for first, last in spoken.own)


def overlaps_any(spans: Sequence[tuple[int, int]], start: int, end: int) -> bool:
    """Tell whether a part of a text shares a character with any of these."""
    return any(first < end and start < last for first, last in spans)
