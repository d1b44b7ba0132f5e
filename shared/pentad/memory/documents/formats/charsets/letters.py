"""Tell whether words look as those of a language do: read in a wrong charset they do not."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import cache
from itertools import pairwise

from pentad.memory.documents.language import list_common_words

_SAMPLE_CHARACTERS = 60_000
_WORD = re.compile(r"[^\W\d_]+")
_BEYOND = re.compile(r"[^\x00-\x7f]")
_LATIN = {
    "de": "äöüß",
    "fr": "àâæçéèêëîïôœùûüÿ",
    "es": "áéíñóúüªº",
    "pt": "áâãàçéêíóôõúüªº",
    "it": "àèéìíîòóùú",
    "nl": "éëïóèêáüöà",
    "sv": "åäöéáàü",
    "da": "æøåéèêóòâôäöü",
    "fi": "äöåšžé",
    "is": "áðéíóúýþæö",
    "pl": "ąćęłńóśźż",
    "cs": "áčďéěíňóřšťúůýž",
    "sk": "áäčďéíľňóôšťúýž",
    "hu": "áéíóöőúüű",
    "ro": "ăâîșțşţ",
    "tr": "çğıöşüâîû",
    "hr": "čćđšž",
    "lt": "ąčęėįšųūž",
    "lv": "āčēģīķļņšūž",
    "et": "äõöüšž",
    "ca": "àçèéíïòóúü",
    "sq": "çë",
    "cy": "âêîôûŵŷ",
    "mt": "ċġħżà",
    "eo": "ĉĝĥĵŝŭ",
    "az": "əğıöşüç",
    "vi": "ăâđêôơưàáãèéìíòóõùúýạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ\u0300\u0301\u0303\u0309\u0323",
}
_OF_ALL = frozenset("éèáóçñüöäµ")
"""Letters of names and words that go from language to language."""
_FREQUENT = {
    "cyrillic": frozenset("оеаинтсрвлкмі"),
    "greek": frozenset("αοιετσνηυρπκμςίόάή"),
    "hebrew": frozenset("יוהלארתבשמנ"),
    "arabic": frozenset("الينمتروبعدهة"),
}
_USUAL_SHARE = 0.5
_CYRILLIC = frozenset("абвгдежзийклмнопрстуфхцчшщъыьэюяёіїєґўђјљњћџѓѕќ")
_RANGES = (
    ("latin", "a", "\u024f"),
    ("latin", "\u1e00", "\u1eff"),
    ("greek", "\u0370", "\u03ff"),
    ("cyrillic", "\u0400", "\u052f"),
    ("hebrew", "\u0590", "\u05ff"),
    ("arabic", "\u0600", "\u06ff"),
    ("thai", "\u0e00", "\u0e7f"),
    ("han", "\u3040", "\u30ff"),
    ("han", "\u3400", "\u9fff"),
    ("han", "\uac00", "\ud7a3"),
    ("odd", "\uff61", "\uff9f"),
    ("odd", "\ue000", "\uf8ff"),
)
# Signs that stand at a letter in no language on the side that is named.
_WITHIN = re.compile(
    r"(?<=[^\W\d_])[\u00a1-\u00ac\u00ae-\u00b1\u00b4-\u00b6\u00b8\u00ba-\u00bf\u00d7\u00f7\u02b0-\u02ff\u2016\u2017\u201a-\u2bff](?=[^\W\d_])"
)
_AFTER = re.compile(
    r"(?<=[^\W\d_])[\u00a1\u00a4\u00a6\u00a8\u00ac\u00af\u00b1\u00b8\u00bf\u00d7\u00f7\u201a\u201e\u02c6\u02dc\u2039\u2500-\u259f]"
)
_BEFORE = re.compile(
    r"[\u00a8\u00ac\u00af\u00b4\u00b8\u2020\u2021\u2026\u2030\u203a\u20ac\u02c6\u02dc\u2122\u2500-\u259f](?=[a-zà-ž])"
)
_NO_LETTERS = re.compile("[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f-\x9f\ufffd\ue000-\uf8ff\uff61-\uff9f]")
_EASTERN = "\u0e01-\u0e5b\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uff61-\uff9f"
_LONE = re.compile(f"(?<=[a-z])[{_EASTERN}]{{1,2}}(?![{_EASTERN}])|(?<![{_EASTERN}])[{_EASTERN}]{{1,2}}(?=[a-z])")
"""One or two characters of the East within a word in Latin letters."""
_THAI_MARKS = "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e"
_MISPLACED = re.compile(f"(?<![\u0e01-\u0e2e{_THAI_MARKS}])[{_THAI_MARKS}]|\u03c2(?=[\u03b1-\u03ce])")
"""Marks of Thai without a consonant, and a final sigma within a word."""
_ACCENTS = frozenset("άέήίόύώΐΰ")
_LEAST_ACCENTS = 0.03
_HAN = re.compile(
    r"(?:(?<=[a-z])[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uff61-\uff9f]{1,2}(?![\u3040-\u9fff])|(?<![\u3040-\u9fff])[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uff61-\uff9f]{1,2}(?=[a-z]))"
)
_HAN = re.compile("[\u3400-\u9fff]")
_KANA = re.compile("[\u3040-\u30ff]")
_LEAST_HAN = 16
_COMMON_HAN = frozenset(
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事"
    "成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此"
    "已工使情明性知全三又关点正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代"
    "内信表化老给世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安"
    "少报才结反受目太量再感建务做接必场件计管期市直德资命山金指克干农"
    "這個們來為國說時會對後過發種經學當動還進樣開從實軍無與長機關點業將兩間問應戰頭體見產話門東聲員論處義認條氣題爾變總"
    "電數報結務場計資於並"
)
_LEAST_COMMON = 0.1
_LEAST_LETTERS = 10
_LEAST_WORDS = 3
_LEAST_SHARE = 0.2
_NEARLY = 0.4
_BORROWED = 0.7
_CAPITALS = 0.1
_LEAST_CAPITALS = 4
_MOST_CAPITALS = 0.6
_NOT_JAPANESE = 0.1


def measure_oddness(text: str) -> float:
    """Return how much of what is beyond ASCII looks as in no language: 0 to 1 and above; 0 of ASCII alone."""
    sample = unicodedata.normalize("NFC", _take_sample(text))
    beyond = len(_BEYOND.findall(sample))
    if not beyond:
        return 0.0
    words = [word for word in _WORD.findall(sample) if not word.isascii()]
    signs = sum(len(one.findall(sample)) for one in (_WITHIN, _AFTER, _BEFORE, _NO_LETTERS, _LONE, _MISPLACED))
    mixed = sum(_is_mixed(word) for word in words)
    return signs / beyond + (mixed / len(words) if words else 0.0) + _measure_letters(sample, words)


def _take_sample(text: str) -> str:
    """Return the lines that have something beyond ASCII, up to a bound."""
    if len(text) <= _SAMPLE_CHARACTERS:
        return text
    first = _BEYOND.search(text)
    if first is None:
        return ""
    begin = text.rfind("\n", 0, first.start()) + 1
    begin = begin if first.start() - begin < _SAMPLE_CHARACTERS else first.start()
    lines = text[begin : begin + 20 * _SAMPLE_CHARACTERS].split("\n")
    return "\n".join(line for line in lines if not line.isascii())[:_SAMPLE_CHARACTERS]


def _is_mixed(word: str) -> bool:
    """Tell whether a word has letters of two alphabets, or a capital behind a small letter that is beyond ASCII."""
    scripts = {_find_script(one) for one in word.lower()}
    if len(scripts - {"han", ""}) > 1:
        return True
    return any(one.islower() and two.isupper() and not (one + two).isascii() for one, two in pairwise(word))


def _find_script(letter: str) -> str:
    if letter == "\u00b5" or letter == "\u03bc":
        return ""
    return next((script for script, first, last in _RANGES if first <= letter <= last), "")


def _measure_letters(sample: str, words: Sequence[str]) -> float:
    """Return the share of letters beyond ASCII that are not those of the language, or are too seldom."""
    letters = Counter(one for word in words for one in word.lower() if one > "\x7f" and one.isalpha())
    groups: dict[str, Counter[str]] = {}
    for letter, count in letters.items():
        groups.setdefault(_find_script(letter), Counter())[letter] = count
    total = sum(letters.values()) or 1
    odd = 0.0
    for script, found in groups.items():
        count = sum(found.values())
        if script == "latin":
            odd += count * _measure_latin(sample, found)
        elif script in _FREQUENT and count >= _LEAST_LETTERS:
            share = sum(found[one] for one in _FREQUENT[script]) / count
            odd += count * max(0.0, _USUAL_SHARE - share) * 2
        if script == "greek" and count >= _LEAST_LETTERS * 2:
            odd += count * _CAPITALS * (sum(found[one] for one in _ACCENTS) < _LEAST_ACCENTS * count)
        if script in ("cyrillic", "greek"):
            odd += count * _CAPITALS * _has_capitals_only(words)
        if script == "cyrillic":
            odd += sum(number for one, number in found.items() if one not in _CYRILLIC)
    return odd / total + _measure_han(sample)


def _has_capitals_only(words: Sequence[str]) -> bool:
    """Tell whether most words are written in capitals, as small letters of other charsets seem to be."""
    long = [word for word in words if len(word) > 2]
    return len(long) >= _LEAST_CAPITALS and sum(map(str.isupper, long)) > _MOST_CAPITALS * len(long)


def _measure_latin(sample: str, letters: Counter[str]) -> float:
    """Return the share of letters that the language does not have which the words tell, or else any language."""
    total = sum(letters.values())
    shares = []
    for code in _tell_languages(sample) or _LATIN:
        alphabet = _LATIN[code]
        other = sum(count for letter, count in letters.items() if letter not in alphabet)
        borrowed = sum(count for letter, count in letters.items() if letter not in alphabet and letter in _OF_ALL)
        shares.append((other - borrowed * _BORROWED) / total)
    return min(shares)


def _tell_languages(sample: str) -> list[str]:
    """Return the languages whose commonest words, of those in ASCII, stand in a text most often."""
    counts: Counter[str] = Counter()
    words = _WORD.findall(sample.lower())
    for word, count in Counter(one for one in words if one.isascii()).items():
        for code in _find_languages().get(word, ()):
            counts[code] += count
    most = max(counts.values(), default=0)
    if most < max(_LEAST_WORDS, _LEAST_SHARE * len(words)):
        return []
    return [code for code, count in counts.items() if count >= most * _NEARLY and code in _LATIN]


@cache
def _find_languages() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for code, words in list_common_words().items():
        for word in words:
            if word.isascii():
                found[word] = (*found.get(word, ()), code)
    return found


def _measure_han(sample: str) -> float:
    """Return 0.5 where Chinese characters are none of the common ones, or none that Japanese has beside its kana."""
    han = _HAN.findall(sample)
    if len(_KANA.findall(sample)) * 5 > len(han):
        kinds = set(han)
        other = sum(not one.encode("euc_jp", "ignore") for one in kinds)
        return 0.5 * (other > _NOT_JAPANESE * len(kinds)) if kinds else 0.0
    if len(han) < _LEAST_HAN:
        return 0.0
    return 0.5 * (sum(one in _COMMON_HAN for one in han) < _LEAST_COMMON * len(han))
