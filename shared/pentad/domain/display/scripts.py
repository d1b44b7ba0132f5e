"""Find letters that pass for those of another script: the "a" of Cyrillic in "paypal", a whole name in such letters.

Two rules, of the ideas of Unicode's UTS 39. A word that mixes Latin, Cyrillic, Greek and scripts like them is no word
of a language, so its letters that are not Latin are named. A word of nothing but letters with a Latin twin is named
too, also among other words of its script, but for those of one or two letters there ("a" is a word of Russian). Letters
in another style (mathematical, full width, in circles) are named wherever they stand.

Not found: letters of one script that look alike (l and I, and the dotless i), and scripts that are not listed here.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

_WORD: Final = re.compile(r"\w+")
_ESCAPED: Final = re.compile(r"\\(?:u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ALIKE: Final = frozenset({"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "LISU", "DESERET"})
"""Scripts with letters that look like those of another of them, as the names of their characters begin."""
_SHORT: Final = 2
"""Letters of a word that a language may have, though all of them have twins."""
_STYLES: Final = ("<font>", "<wide>", "<circle>")
_TWINS: Final = frozenset(
    # Cyrillic, and then Greek, small letters before capital ones.
    "\u0430\u0441\u0435\u043e\u0440\u0445\u0443\u0456\u0458\u0455\u04bb\u0501\u051b\u051d\u0475\u04cf"
    "\u0410\u0412\u0421\u0415\u041d\u0406\u0408\u041a\u041c\u041e\u0420\u0405\u0422\u0425\u0423\u04c0\u050c\u051a\u051c"
    "\u03bf\u03bd\u03b1\u03b9\u03c1\u03c5"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
)


def find_alike(text: str) -> frozenset[int]:
    """Return the places of letters that pass for those of another script, or of the plain style."""
    if text.isascii():
        return frozenset()
    found = {place for place, letter in enumerate(text) if not letter.isascii() and _is_styled(letter)}
    twins: dict[str, set[int]] = {}
    clear: set[str] = set()
    for match in _WORD.finditer(text):
        word = match[0]
        if word.isascii():
            continue
        scripts = [_find_script(letter) for letter in word]
        known = [script for script in scripts if script in _ALIKE]
        if len(set(known)) > 1:
            kept = "LATIN" if "LATIN" in known else known[0]
            found |= {match.start() + place for place, one in enumerate(scripts) if one in _ALIKE and one != kept}
        elif known and known[0] != "LATIN":
            letters = [place for place, one in enumerate(scripts) if one is not None]
            places = {match.start() + place for place in letters}
            if not all(word[place] in _TWINS for place in letters):
                clear.add(known[0])
            elif len(letters) > _SHORT:
                found |= places
            else:
                twins.setdefault(known[0], set()).update(places)
    for script, places in twins.items():
        if script not in clear:
            found |= places
    return frozenset(found)


def list_alike_words(text: str, most: int = 10) -> list[tuple[str, str]]:
    r"""Return words with letters that pass for others, and how each is written: such letters as ``\u`` and a number.

    Args:
        text: words of people, which are shown as they are.
        most: so many words, the first ones.
    """
    places, found = find_alike(text), dict[str, str]()
    for match in _WORD.finditer(text) if places else ():
        within = [place in places for place in range(match.start(), match.end())]
        if len(found) < most and any(within):
            written = (_escape(one) if odd else one for one, odd in zip(match[0], within, strict=True))
            found.setdefault(match[0], "".join(written))
    return list(found.items())


def _escape(letter: str) -> str:
    number = ord(letter)
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"


def blank_escapes(json_text: str) -> str:
    r"""Return JSON with a blank for each character of its escapes, so that the n of ``\n`` is no letter of a word."""
    return _ESCAPED.sub(lambda match: " " * len(match[0]), json_text)


def count_alike(texts: Iterable[str]) -> int:
    """Return how many letters of some texts, taken as one, pass for others."""
    return len(find_alike("\n".join(texts)))


@lru_cache(maxsize=4096)
def _find_script(letter: str) -> str | None:
    """Return the script of a letter, as its name says; None for digits, marks and the like."""
    if not unicodedata.category(letter).startswith("L"):
        return None
    return unicodedata.name(letter, "").partition(" ")[0] or None


@lru_cache(maxsize=4096)
def _is_styled(letter: str) -> bool:
    # Letters, digits, and what Unicode calls symbols of letters, such as those in circles.
    if not unicodedata.category(letter).startswith(("L", "N", "S")):
        return False
    return unicodedata.decomposition(letter).startswith(_STYLES)
