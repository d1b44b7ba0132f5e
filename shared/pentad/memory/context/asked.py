"""Find what is asked in a message, and whether it leans on the question before. Pure, and a rule of thumb.

Who asks about a log or a letter puts it into the message: what is searched for is the question, wherever it stands, not
the first characters. A message that is taken for a follow-up is searched with the question before; a false positive
only widens the search.
"""

import re
import unicodedata
from collections import Counter
from typing import Final

from pentad.memory.context.listed_languages import is_listed

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
_REPEATED: Final = 4
"""So many lines that differ in their numbers only are material, and no question of the user's."""
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
    "onu onun bu bunu bunun buna şu bunlar bunları bunlara onlar onlara orada bundan ondan "  # noqa: RUF001 - Turkish
    "itu ini tersebut begitu đó này nó ấy hiyo hii hizo huo hilo "  # Indonesian, Vietnamese, Swahili
    "det denna detta dessa dess denne dette disse dens dets deres "  # Swedish, Danish, Norwegian
    "αυτό αυτή αυτά αυτός αυτού αυτής αυτών αυτόν αυτήν εκείνο εκείνη εκεί "  # Greek
    "அது இது அந்த இந்த அவை இவை அதன் அதை "  # Tamil
    "ez ezt ezek erre ennek ebben arra annak abban azt azok ehhez ahhoz "  # Hungarian
    "sitä siitä siihen sen tämä tämän tätä niitä niiden näitä "  # Finnish
    "acesta aceasta acestea aceștia acest această acel acela aceea asta ăsta acolo "  # Romanian
    "това този тази тези него нея тях тогава "  # Bulgarian
    "toga tome ovo ova ovaj ovog ovoga njih njega njegov njihov тога томе ово овај ова њега њих "  # Croatian, Serbian
    "toho tomu tento táto tieto tohto tejto nich tega temu njih njega tisti ta "  # Slovak, Slovenian
    "això allò aquest aquesta aquests aquelles aquella wannan waɗannan ia "  # Catalan, Hausa, Malay
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
    """Return the part of a message that asks: all of a short one; of a long one its questions, and its edges.

    Questions at the edges of a long message count before those in its middle, which may be the material's own; lines
    that repeat are the material's in any case. A short paragraph at an edge is what is wanted of the rest, beside
    questions too. Where the edges say nothing, it is a question or a short paragraph of the middle. A question that
    says little by itself ("What should I do?") comes with the words before it.
    """
    text = text.strip()
    if len(text) <= ASKED_CHARACTERS:
        return text
    paragraphs = [part.strip() for part in re.split(r"\n[ \t]*\n", text) if part.strip()]
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
    if _count_letters(asked) < _THIN_LETTERS or (count_words(asked) <= _FEW_WORDS and _refers(asked)):
        asked = f"{_describe_rest(text, found)}\n{asked}".strip()
    return asked[:QUERY_CHARACTERS]


def is_follow_up(asked: str) -> bool:
    """Return whether a question may lean on the one before.

    It has at most six words, refers to something, or is in a language whose referring words are not listed here.
    """
    return count_words(asked) <= SHORT_WORDS or _refers(asked) or not is_listed(asked)


def count_words(text: str) -> float:
    """Return the number of words; in scripts without blanks two characters count as one."""
    unspaced = len(_UNSPACED.findall(text))
    return len(_WORD.findall(_UNSPACED.sub(" ", text))) + unspaced / 2


def _refers(asked: str) -> bool:
    words = {word.casefold() for word in _WORD.findall(unicodedata.normalize("NFC", asked))}
    return not _REFERRING.isdisjoint(words) or any(word in asked for word in _REFERRING_UNSPACED)


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


def _find_statements(paragraphs: list[str]) -> list[str]:
    """Return the first and the last paragraph where they are short and stand apart from the rest."""
    if len(paragraphs) < 2:
        return []
    return [part for part in (paragraphs[0], paragraphs[-1]) if len(part) <= _LINE_CHARACTERS and _WORD.search(part)]


def _find_apart(paragraphs: list[str]) -> list[str]:
    """Return the short paragraphs of words within a text whose others are long; none where there are many."""
    apart = [part for part in paragraphs if len(part) <= _LINE_CHARACTERS and _is_prose(part)]
    return apart if len(apart) <= _MOST_MIDDLE else []


def _merge(questions: list[str], statements: list[str]) -> list[str]:
    """Return statements that hold none of the questions, and the questions, as first and last in the message."""
    more = [part for part in statements if not any(line in part for line in questions)]
    return [*more[:1], *questions, *more[1:]] if len(more) > 1 else [*more, *questions]


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
