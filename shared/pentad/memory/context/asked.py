"""Find what is asked in a message, and whether it leans on the question before. Pure, and a rule of thumb.

Who asks about a log or a letter puts it into the message: what is searched for is the question, wherever it stands, not
the first characters. A message that is taken for a follow-up is searched with the question before; a false positive
only widens the search.
"""

import re
from collections import Counter
from collections.abc import Callable
from typing import Final

from pentad.memory.context.listed_languages import is_listed
from pentad.memory.context.wording.courtesies import is_greeting_or_close, may_open, may_sign
from pentad.memory.context.wording.referring import leans_on_before, refers

QUERY_CHARACTERS = 4000
ASKED_CHARACTERS = 1000
"""A message that is no longer is searched for as it is."""
PREVIOUS_CHARACTERS = 500
SHORT_WORDS = 6
_EDGE_CHARACTERS: Final = 600
_LINE_CHARACTERS: Final = 400
_FEW_WORDS: Final = 12  # in more words, what is referred to may be among them
_MOST_MIDDLE: Final = 3
_MOST_COURTESIES: Final = 5  # paragraphs of an edge: a name, a sign-off, a greeting
_MOST_MARKS: Final = 50
_REPEATED: Final = 4
"""So many lines that differ in their numbers only are material, and no question of the user's."""
_PROSE: Final = 0.8
"""Share of letters from which on a line is words, and no row of a log or a table."""
_THIN_LETTERS: Final = 14  # "What should I do?" says nothing of what it is about

# A question mark of any script that ends a sentence; none in an address (`?a=1`) or an expression (`x ? y`).
_MARK: Final = re.compile("(?<=[^\\s?])[?\uff1f\u061f](?=[\\s\"'\u201d\u00bb)\\]*_<]|\\Z|[^\x00-\x7f])")
_SENTENCE_END: Final = re.compile("[.!?](?=\\s)|[\u3002\uff01\uff1f\u061f]")
_LINE_END: Final = re.compile("\r\n?|[\v\f\u0085\u2028]")
_BETWEEN: Final = re.compile(r"\n[^\S\n]*\n|\n--[ \t]*(?=\n)")
"""What stands between paragraphs: an empty line, or the mark before a signature."""
_WORD: Final = re.compile("[^\\W_]+(?:['\u2019][^\\W_]+)*")
# Scripts that are written without blanks: about two characters are a word.
_UNSPACED: Final = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


def build_search_text(question: str, previous: str) -> str:
    """Return what to search for: what is asked, with the question before it where it is a follow-up.

    Args:
        question: the newest message's words.
        previous: those of the user's message before, or nothing.
    """
    asked = find_asked(question)
    if not asked or not previous or not is_follow_up(asked):
        return asked
    return f"{find_asked(previous)[:PREVIOUS_CHARACTERS]}\n{asked}"


def find_asked(text: str) -> str:
    """Return the part of a message that asks: all of a short one; of a long one its questions, and its edges.

    Questions at the edges of a long message count before those in its middle, which may be the material's own; lines
    that repeat are the material's in any case. A short paragraph at an edge is what is wanted of the rest, beside
    questions too. Where the edges say nothing, it is a question or a short paragraph of the middle. A question that
    says little by itself ("What should I do?") comes with the words before it.
    """
    text = _LINE_END.sub("\n", text.replace("\u2029", "\n\n")).strip()
    if len(text) <= ASKED_CHARACTERS:
        return text
    paragraphs = [part.strip() for part in _BETWEEN.split(text) if part.strip()]
    repeated = _find_repeated(text)
    asked_first, asked_last = map(_find_questions, _cut_edges(text))
    questions = [line for line in (*asked_first, *asked_last) if _shape(line) not in repeated]
    found = _merge(questions, _find_statements(paragraphs))
    if not found:
        middle = _find_questions(text[: QUERY_CHARACTERS * 10])
        middle = [line for line in middle if _shape(line) not in repeated]
        found = middle[-_MOST_MIDDLE:] or _find_apart(paragraphs)
    if not found:
        return f"{text[:ASKED_CHARACTERS]}\n{text[-ASKED_CHARACTERS:]}"
    asked = "\n".join(dict.fromkeys(found))
    if _count_letters(asked) < _THIN_LETTERS or (count_words(asked) <= _FEW_WORDS and refers(asked)):
        asked = f"{_describe_rest(text, found)}\n{asked}".strip()
    return asked[:QUERY_CHARACTERS]


def is_follow_up(asked: str) -> bool:
    """Return whether a question may lean on the one before.

    It has at most six words, begins as one that goes on, refers to something, or is in a language whose referring words
    are not listed here.
    """
    return count_words(asked) <= SHORT_WORDS or leans_on_before(asked) or not is_listed(asked)


def count_words(text: str) -> float:
    """Return the number of words; in scripts without blanks two characters count as one."""
    unspaced = len(_UNSPACED.findall(text))
    return len(_WORD.findall(_UNSPACED.sub(" ", text))) + unspaced / 2


def _cut_edges(text: str) -> tuple[str, str]:
    """Return what a long text begins and ends with, in whole lines where they are short."""
    end = text.find("\n", _EDGE_CHARACTERS, _EDGE_CHARACTERS + _LINE_CHARACTERS)
    begin = len(text) - _EDGE_CHARACTERS
    line = text.rfind("\n", begin - _LINE_CHARACTERS, begin)
    return text[: end if end >= 0 else _EDGE_CHARACTERS], text[line + 1 if line >= 0 else begin :]


def _find_questions(text: str) -> list[str]:
    """Return the lines that ask; of a line that is long, its sentence."""
    found: dict[str, None] = {}
    for match in list(_MARK.finditer(text))[-_MOST_MARKS:]:
        begin = text.rfind("\n", 0, match.start()) + 1
        end = text.find("\n", match.end())
        line = text[begin : len(text) if end < 0 else end]
        if len(line) > _LINE_CHARACTERS:
            before = text[max(begin, match.start() - _LINE_CHARACTERS) : match.start()]
            sentence = max((end.end() for end in _SENTENCE_END.finditer(before)), default=0)
            line = before[sentence:] + match[0]
        if _WORD.search(line):
            found.setdefault(line.strip())
    return list(found)


def _find_statements(paragraphs: list[str]) -> tuple[list[str], list[str]]:
    """Return what stands at the beginning and at the end in short paragraphs, apart from the rest."""
    if len(paragraphs) < 2:
        return [], []
    return _find_at_edge(paragraphs, may_open), _find_at_edge(paragraphs[::-1], may_sign)[::-1]


def _find_at_edge(paragraphs: list[str], may_be_courtesy: Callable[[str], bool]) -> list[str]:
    """Return the first paragraph that states something, if short; greetings and sign-offs before it are passed over.

    What may be one, or a request of few words, is kept, and the next one taken as well.
    """
    found: list[str] = []
    for part in paragraphs[:_MOST_COURTESIES]:
        if len(part) > _LINE_CHARACTERS:
            break
        if not _WORD.search(part) or is_greeting_or_close(part):
            continue
        found.append(part)
        if not may_be_courtesy(part):
            break
    return found


def _find_apart(paragraphs: list[str]) -> list[str]:
    """Return the short paragraphs of words within a text whose others are long; none where there are many."""
    apart = [part for part in paragraphs if len(part) <= _LINE_CHARACTERS and _is_prose(part)]
    apart = [part for part in apart if not is_greeting_or_close(part)]
    return apart if len(apart) <= _MOST_MIDDLE else []


def _merge(questions: list[str], statements: tuple[list[str], list[str]]) -> list[str]:
    """Return statements that hold none of the questions, and the questions, as first and last in the message."""
    first, last = ([part for part in parts if not any(line in part for line in questions)] for parts in statements)
    return [*first, *questions, *last]


def _find_repeated(text: str) -> frozenset[str]:
    """Return the shapes of lines of which there are many: rows of a log, a form or a list."""
    counts = Counter(_shape(line) for line in text.splitlines())
    return frozenset(shape for shape, count in counts.items() if count >= _REPEATED)


def _shape(line: str) -> str:
    return re.sub(r"\d+", "0", line.strip())


def _is_prose(line: str) -> bool:
    return sum(map(str.isalpha, line)) >= _PROSE * len(re.sub(r"\s", "", line))


def _describe_rest(text: str, asked: list[str]) -> str:
    """Return what a question that says little may be about: the distinct lines of words beside it, the nearest last."""
    shapes: dict[str, str] = {}
    for line in text.splitlines():
        words = line.strip()
        if words and words not in asked and _is_prose(words):
            shapes[_shape(words)] = words
    return "\n".join(shapes.values())[-PREVIOUS_CHARACTERS:]


def _count_letters(text: str) -> int:
    """Return the letters of a text; a character of a script without blanks says as much as three."""
    return sum(character.isalpha() for character in text) + 2 * len(_UNSPACED.findall(text))
