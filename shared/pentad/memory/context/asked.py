"""Find what is asked in a message, and whether it leans on the question before. Pure, and a rule of thumb.

Who asks about a log or a letter puts it into the message: what is searched for is the question, wherever it stands, not
the first characters. A message that is taken for a follow-up is searched with the question before; a false positive
only widens the search.
"""

import re
import unicodedata
from typing import Final

QUERY_CHARACTERS = 4000
ASKED_CHARACTERS = 1000
"""A message that is no longer is searched for as it is."""
PREVIOUS_CHARACTERS = 500
SHORT_WORDS = 6
_EDGE_CHARACTERS: Final = 600
_LINE_CHARACTERS: Final = 400
_FEW_WORDS: Final = 12  # in more words, what is referred to may be among them
_MOST_MIDDLE: Final = 3
_MOST_MARKS: Final = 50
_PROSE: Final = 0.8
"""Share of letters from which on a line is words, and no row of a log or a table."""
_THIN_LETTERS: Final = 14  # "What should I do?" says nothing of what it is about

# A question mark of any script that ends a sentence; none in an address (`?a=1`) or an expression (`x ? y`).
_MARK: Final = re.compile("(?<=[^\\s?])[?\uff1f\u061f](?=[\\s\"'\u201d\u00bb)\\]*_]|\\Z|[^\x00-\x7f])")
_SENTENCE_END: Final = re.compile("[.!?](?=\\s)|[\u3002\uff01\uff1f\u061f]")
_WORD: Final = re.compile("[^\\W_]+(?:['\u2019][^\\W_]+)*")
# Scripts that are written without blanks: about two characters are a word.
_UNSPACED: Final = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
# Words that stand for something said before, of languages with many speakers; none that is an article or a word of
# every question in one of the others. What is missing costs little: most follow-ups are short.
_REFERRING: Final = frozenset(
    "it its they their them this that these those he him his she her there then one ones same former latter "
    "ihn ihm ihnen dies diese dieser dieses diesen diesem dessen deren dort "  # German
    "dafür davon damit dazu darüber daran dabei hierzu jener jenes "
    "elle ils elles celui celle ceux celles cela ceci ça leur leurs lui cette ces cet "  # French
    "él ella ellos ellas eso esto esa ese esos esas esta estos estas aquello allí ahí "  # Spanish
    "ele ela eles elas isso isto aquilo esse essa esses essas aquele aquela lá dele dela deles delas "  # Portuguese
    "esso essi questo questa questi queste quello quella quelli quelle lì ciò loro "  # Italian
    "hij zij deze hun daar ervan daarvan ermee "  # Dutch
    "jego jej tego tej tym tych tam toho tomu "  # Polish, Czech
    "он она оно они его её ее их этот эта эти тот том там туда этого этой этом этих неё них "  # noqa: RUF001 - Russian
    "він вона воно вони його її цей ця ці цього "
    "onu onun bu bunu bunun şu bunlar onlar orada bundan ondan "  # Turkish
    "هذا هذه ذلك تلك هؤلاء هناك منه منها عنه عنها فيه فيها له لها "  # Arabic
    "او آن این آنها اینها آنجا همان "  # Persian
    "הוא היא הם הן זאת זו אלה שם אותו אותה "  # Hebrew
    "यह वह ये वे इस उस इसका उसका इसके उसके इसे उसे इनका उनका वहाँ "  # Hindi
    "그것 그거 이것 이거 저것 그 이 저 거기 그건 이건 그게 이게".split()  # Korean
)
_REFERRING_UNSPACED: Final = (
    *("它", "她", "他们", "这", "這", "那", "该", "上述"),
    *("それ", "これ", "あれ", "その", "この", "あの", "そこ", "มัน", "นี้", "นั้น"),
)


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
    """Return the part of a message that asks: all of a short one; of a long one its questions, or its edges.

    Questions at the edges of a long message count before those in its middle, which may be the material's own. Where
    there is none, a short paragraph at an edge is what is wanted of the rest. A question that says little by itself
    ("What should I do?") comes with the words before it.
    """
    text = text.strip()
    if len(text) <= ASKED_CHARACTERS:
        return text
    head, tail = text[:_EDGE_CHARACTERS], text[-_EDGE_CHARACTERS:]
    found = _find_questions(head) + _find_questions(tail)
    found = found or _find_statements(text) or _find_questions(text[: QUERY_CHARACTERS * 10])[-_MOST_MIDDLE:]
    if not found:
        return f"{text[:ASKED_CHARACTERS]}\n{text[-ASKED_CHARACTERS:]}"
    asked = "\n".join(dict.fromkeys(found))
    if _count_letters(asked) < _THIN_LETTERS or (count_words(asked) <= _FEW_WORDS and _refers(asked)):
        asked = f"{_describe_rest(text, found)}\n{asked}".strip()
    return asked[:QUERY_CHARACTERS]


def is_follow_up(asked: str) -> bool:
    """Return whether a question leans on the one before: it has at most six words, or refers to something."""
    return count_words(asked) <= SHORT_WORDS or _refers(asked)


def count_words(text: str) -> float:
    """Return the number of words; in scripts without blanks two characters count as one."""
    unspaced = len(_UNSPACED.findall(text))
    return len(_WORD.findall(_UNSPACED.sub(" ", text))) + unspaced / 2


def _refers(asked: str) -> bool:
    words = {word.casefold() for word in _WORD.findall(unicodedata.normalize("NFC", asked))}
    return not _REFERRING.isdisjoint(words) or any(word in asked for word in _REFERRING_UNSPACED)


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


def _find_statements(text: str) -> list[str]:
    """Return the first and the last paragraph where they are short and stand apart from the rest."""
    paragraphs = [part.strip() for part in re.split(r"\n[ \t]*\n", text) if part.strip()]
    if len(paragraphs) < 2:
        return []
    edges = (paragraphs[0], paragraphs[-1])
    return [part for part in edges if len(part) <= _LINE_CHARACTERS and _WORD.search(part)]


def _describe_rest(text: str, asked: list[str]) -> str:
    """Return what a question that says little may be about: the distinct lines of words beside it, the nearest last."""
    shapes: dict[str, str] = {}
    for line in text.splitlines():
        words = line.strip()
        if words and words not in asked and sum(map(str.isalpha, words)) >= _PROSE * len(words.replace(" ", "")):
            shapes[re.sub(r"\d+", "0", words)] = words
    return "\n".join(shapes.values())[-PREVIOUS_CHARACTERS:]


def _count_letters(text: str) -> int:
    """Return the letters of a text; a character of a script without blanks says as much as three."""
    return sum(character.isalpha() for character in text) + 2 * len(_UNSPACED.findall(text))
