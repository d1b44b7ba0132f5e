"""Numbers of payment cards in text: an issuer's first digits and length, and Luhn's check digit (ISO/IEC 7812-1)."""

import re
from functools import cache
from typing import Final

from pentad.domain.secrets.forms import ESCAPED

CARD: Final = "[card]"
GAP: Final = r"[ .\u00a0\u2007\u2009\u200b-\u200d\u2010-\u2015\u202f\u2060\u3000\ufeff-]"
"""What stands between the groups of a number that is printed: kinds of blanks, dots and hyphens."""
# What tables and addresses have between numbers too: a card stands alone there, in no longer row.
_ROW_GAP: Final = r"[ ]?[\t\n\r/_+|,;:*~#=\u00b7\u2022\u2027\u22c5\u30fb\u2010-\u2015-][ ]?|  |\r\n|\\[nrt]"
# A word that says so may stand right before it: of others, an id may begin with them.
_LABEL: Final = "".join(
    f"|(?<={label})"
    for word in ("card", "karte", "visa", "amex", "pan", "number", "nummer", "no", "nr")
    for label in (word, word.upper(), word.title())
)
# Groups with the same sign between all; or no groups. Digits of any script.
_PATTERN: Final = (
    rf"(?:(?<![\w.+])|{ESCAPED}{_LABEL})(?:\d{{12,19}}"
    rf"|(?P<fours>\d{{4}}(?P<gap>{GAP}|{_ROW_GAP})\d{{4}}(?P=gap)\d{{4}}(?P=gap)\d{{4}})(?P<tail>(?P=gap)\d{{1,3}})?"
    rf"|\d{{4}}(?P<other>{GAP}|{_ROW_GAP})\d{{6}}(?P=other)\d{{4,5}}"
    rf"|\d{{8}}(?P<half>{GAP}|{_ROW_GAP})\d{{8}}"
    # Each digit, or each two, by itself.
    r"|\d(?P<one>[ .\u00b7-])\d(?:(?P=one)\d){10,17}|\d\d(?P<two>[ .\u00b7-])\d\d(?:(?P=two)\d\d){5,7}(?:(?P=two)\d)?"
    r")(?!\w|[.-]\d)"
)
_ISSUERS: Final = (
    ("4", (13, 16, 19)),  # Visa
    ("5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720", (16,)),  # Mastercard
    ("3[47]", (15,)),  # American Express
    ("3(?:0[0-5]|09|[689])", (14, 16, 17, 18, 19)),  # Diners Club
    ("35(?:2[89]|[3-8])", (16, 17, 18, 19)),  # JCB
    ("6011|64[4-9]|65", (16, 17, 18, 19)),  # Discover
    ("62|81", (16, 17, 18, 19)),  # UnionPay
    ("5018|5020|5038|5893|6304|6759|676[123]", (12, 13, 14, 15, 16, 17, 18, 19)),  # Maestro
    ("220[0-4]", (16, 17, 18, 19)),  # Mir
)


@cache
def _compile(pattern: str) -> re.Pattern[str]:
    # With its first use: most functions meet none of it, and compiling takes milliseconds of a cold start.
    return re.compile(pattern)


def mask_cards(text: str) -> str:
    """Return the text with the numbers of payment cards replaced by ``[card]``.

    Args:
        text: any text.
    """
    return _compile(_PATTERN).sub(_mask, text)


def is_card(number: float) -> bool:
    """Tell whether a number is that of a payment card, whatever its sign."""
    return 10**11 <= abs(number) < 10**19 and number == int(number) and _is_card(str(abs(int(number))))


def _mask(match: re.Match[str]) -> str:
    gap = match["gap"] or match["other"] or match["half"] or match["one"] or match["two"] or ""
    if _is_in_row(match, gap):
        return match[0]
    if _is_card(_read_digits(match[0])):
        return CARD
    # Of four groups and some digits more these may be the card's code or month.
    alone = match["fours"] if match["tail"] else None
    return CARD + match["tail"] if alone and _is_card(_read_digits(alone)) else match[0]


def _is_in_row(match: re.Match[str], gap: str) -> bool:
    """Tell whether more groups stand before, or behind where that is no blank: a row of numbers, and no card's."""
    if not gap:
        return False
    text, start, end = match.string, match.start(), match.end()
    before = text[max(0, start - len(gap) - 1) : start]
    behind = text[end : end + len(gap) + 1]
    row = _compile(_ROW_GAP).fullmatch(gap) is not None or bool(match["one"] or match["two"])
    return (before.endswith(gap) and _is_of_row(before[: -len(gap)], gap) and (row or gap in " -")) or (
        row and behind.startswith(gap) and _is_of_row(behind[len(gap) :], gap)
    )


def _is_of_row(sign: str, gap: str) -> bool:
    """Tell if a row goes on with this sign beyond a gap: a digit, or the gap again, as in an IPv6 address.

    Args:
        sign: one character, or none where the text ends.
        gap: what stands between groups.
    """
    return sign.isdecimal() or (sign == gap and gap in ":*=#~")


def _read_digits(text: str) -> str:
    return "".join(str(int(one)) for one in text if one.isdecimal())


def _is_card(digits: str) -> bool:
    known = any(len(digits) in lengths and _compile(issuer).match(digits) for issuer, lengths in _ISSUERS)
    return known and len(set(digits)) > 1 and _has_luhn_digit(digits)


def _has_luhn_digit(digits: str) -> bool:
    """Tell whether the last digit is the check digit of the others (ISO/IEC 7812-1, Annex B)."""
    doubled = [sum(divmod(2 * int(one), 10)) for one in digits[-2::-2]]
    return (sum(doubled) + sum(int(one) for one in digits[-1::-2])) % 10 == 0
