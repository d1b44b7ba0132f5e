"""Characters without a picture of their own where a script or an emoji needs them; nowhere else, since there they hide.

Zero-width joiners choose the form of a letter and glue emoji together, variation selectors choose a form of what they
follow, tags make the flag of a part of a country. All of them are shown as nothing anywhere else, and a model reads
them: a whole prompt can stand behind one emoji.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final

FLAGS: Final = tuple(
    "\U0001f3f4" + "".join(chr(0xE0000 + ord(letter)) for letter in region) + "\U000e007f"
    for region in ("gbeng", "gbsct", "gbwls")
)
"""England, Scotland, Wales: all sequences with tags there are (RGI_Emoji_Tag_Sequence, emoji-sequences.txt, 17.0)."""
_TAGS: Final = re.compile(f"({'|'.join(FLAGS)})|[\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]")
_SELECTORS: Final = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]+")
_JOINERS: Final = re.compile("[\u200c\u200d]+")

_KEYCAPS: Final = frozenset("0123456789#*")
_KEYCAP: Final = "\u20e3"
# The letter among the bases of `emoji-variation-sequences.txt`, and the categories of the others beyond ASCII.
_STYLED_LETTER: Final = "\u2139"
_STYLED_KINDS: Final = frozenset({"So", "Sm", "Po", "Pd"})
# Categories of the bases of `StandardizedVariants.txt` beyond ASCII. Its zero with a stroke is none of ours: a selector
# behind a digit would keep a key from being recognised.
_VARIED_KINDS: Final = frozenset({"Lo", "So", "Sm", "Po", "Pd", "Pi", "Pf", "Ps", "Pe"})
_IDEOGRAPH: Final = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd]")

_VIRAMA: Final = 9
"""The combining class of the sign that ends a consonant; a joiner after it chooses the form (Malayalam, Sinhala)."""
_JOINED: Final = re.compile(
    "[\u0590-\u1cff\u2190-\u2bff\ua800-\uabff\ufe0f\U00010a00-\U00010a5f\U00011000-\U00011fff\U0001f000-\U0001faff]"
)
"""Scripts of India and its neighbours, points of Hebrew and Arabic, and the symbols that emoji are made of."""
_LEFTWARDS: Final = frozenset({"R", "AL"})
_CURSIVE: Final = frozenset(
    {
        *("ADLAM", "ARABIC", "CHORASMIAN", "HANIFI", "MANDAIC", "MANICHAEAN", "MONGOLIAN", "NKO", "PHAGS-PA"),
        *("PSALTER", "SOGDIAN", "SYRIAC"),
    }
)
"""Scripts whose letters join (ArabicShaping.txt, 17.0), as the names of their characters begin."""
_CURSIVE_OLD_UYGHUR: Final = "OLD UYGHUR"


def strip_stray(text: str) -> str:
    """Return text without joiners, variation selectors and tags but for those that a script or an emoji needs."""
    if text.isascii():
        return text
    return _JOINERS.sub(_keep_joiner, _SELECTORS.sub(_keep_selector, strip_tags(text)))


def strip_tags(text: str) -> str:
    """Return text without tags but for those of flags."""
    return _TAGS.sub(lambda match: match[1] or "", text)


def _keep_selector(match: re.Match[str]) -> str:
    """Return one selector where what is before it has such a form; several in a row are a message."""
    before = match.string[max(0, match.start() - 1) : match.start()]
    if len(match[0]) > 1 or not before:
        return ""
    keycap = before in _KEYCAPS and match.string[match.end() : match.end() + 1] == _KEYCAP
    return match[0] if keycap or _has_form(before, match[0]) else ""


@lru_cache(maxsize=4096)
def _has_form(base: str, selector: str) -> bool:
    if base.isascii():
        return False
    if selector > "\ufe0f":
        return _IDEOGRAPH.match(base) is not None
    if selector in "\ufe0e\ufe0f":
        return base == _STYLED_LETTER or unicodedata.category(base) in _STYLED_KINDS
    return unicodedata.category(base) in _VARIED_KINDS


def _keep_joiner(match: re.Match[str]) -> str:
    """Return one joiner where letters need it.

    That is between two letters or signs of scripts that have joiners, or of emoji; beside a letter of a cursive script;
    and behind a virama.
    """
    before = match.string[max(0, match.start() - 1) : match.start()]
    after = match.string[match.end() : match.end() + 1]
    if len(match[0]) > 1:
        return ""
    behind_virama = before != "" and unicodedata.combining(before) == _VIRAMA
    inside = _is_joined(before) and _is_joined(after)
    return match[0] if behind_virama or inside or _is_cursive(before) or _is_cursive(after) else ""


@lru_cache(maxsize=4096)
def _is_joined(letter: str) -> bool:
    if not letter:
        return False
    return _JOINED.match(letter) is not None or unicodedata.bidirectional(letter) in _LEFTWARDS


@lru_cache(maxsize=4096)
def _is_cursive(letter: str) -> bool:
    if not letter or unicodedata.category(letter)[0] not in "LM":
        return False
    name = unicodedata.name(letter, "")
    return name.partition(" ")[0] in _CURSIVE or name.startswith(_CURSIVE_OLD_UYGHUR)
