"""Read a text as a person or a program would who is shown it: a second reading, in which secrets are looked for too.

Full-width letters, characters that nobody is shown, HTML's names of signs, base64 and hex: each hides a number or a key
from a pattern, and none of them from whoever reads the text.
"""

import base64
import binascii
import html
import re
import unicodedata
from collections.abc import Callable
from typing import Final

from pentad.domain.display.hidden import may_hide, strip_hidden_escapes

_LONGEST_GROWN: Final = 4
"""Times as long as it was: a text that grows more in its plain form is read as it is."""
_ENTITY: Final = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_MARKS: Final = re.compile("[\u0300-\u036f\u20d0-\u20f0\ufe0e\ufe0f]")
# Wide quotes and backslashes stay: as plain ones they would end a string of JSON. Noncharacters stand for them.
_KEPT: Final = {0xFF02: 0xFDD0, 0xFF3C: 0xFDD1, 0xFE68: 0xFDD2}
_GIVEN_BACK: Final = {other: one for one, other in _KEPT.items()}
_MARKUP: Final = frozenset("<>\"'&\\")
"""Signs that mean something where the text stands: their names stay."""
LONGEST_ENCODED: Final = 262_144
"""Characters of base64 or hex; what is longer is a file."""
# Twelve digits, the shortest number that is looked for, are 16 characters of base64 and 24 of hex.
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_HEX: Final = re.compile(r"(?<![0-9A-Za-z])(?:0x)?((?:[0-9A-Fa-f]{2}){12,})(?![0-9A-Za-z])")
_URL_SAFE: Final = str.maketrans("-_", "+/")
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def mask_in_all_readings(text: str, mask: Callable[[str], str]) -> str:
    """Return a text with what ``mask`` finds in it replaced, also where only its plain reading shows it.

    What is found in the plain reading alone comes back in that reading.

    Args:
        text: any text.
        mask: replaces what it finds, and returns a text without any as it is.
    """
    text = mask(text)
    plain = read_plainly(text)
    if plain == text:
        return text
    again = mask(plain)
    return text if again == plain else again


def read_plainly(text: str) -> str:
    """Return a text without what is not shown, full-width and styled letters as plain ones, HTML's names as signs."""
    plain = strip_hidden_escapes(text) if may_hide(text) else text
    if "&" in plain:
        plain = _ENTITY.sub(_read_entity, plain)
    if not plain.isascii():
        # Composed letters keep their accents; what is left over strikes through, or frames.
        folded = _MARKS.sub("", unicodedata.normalize("NFKC", plain.translate(_KEPT)).translate(_GIVEN_BACK))
        plain = folded if len(folded) <= _LONGEST_GROWN * len(plain) else plain
    return plain


def mask_hex(text: str, look: Callable[[str], str | None]) -> str:
    """Return a text in which hex is replaced that holds what is looked for.

    Args:
        text: any text.
        look: gets what an encoded part says, and returns what is to stand in its place; None for as it is.
    """
    return _HEX.sub(lambda found: _read_encoded(found[1], bytes.fromhex, look) or found[0], text)


def mask_base64(text: str, look: Callable[[str], str | None]) -> str:
    """Return a text in which base64 is replaced that holds what is looked for; as for hex."""
    return _BASE64.sub(lambda found: _read_encoded(found[0], _decode_base64, look) or found[0], text)


def _read_entity(match: re.Match[str]) -> str:
    sign = html.unescape(match[0])
    return match[0] if sign in _MARKUP or sign < " " or _CONTROL.search(sign) else sign


def _decode_base64(text: str) -> bytes:
    plain = text.rstrip("=").translate(_URL_SAFE)
    return base64.b64decode(plain[: len(plain) - (len(plain) % 4 == 1)] + "=" * (-len(plain) % 4))


def _read_encoded(text: str, decode: Callable[[str], bytes], look: Callable[[str], str | None]) -> str | None:
    """Return what is to stand in the place of an encoded part; None where it holds nothing that is looked for."""
    if len(text) > LONGEST_ENCODED:
        return None
    try:
        said = decode(text).decode()
    except (UnicodeDecodeError, binascii.Error):
        return None
    return None if _CONTROL.search(said) else look(said)
