"""Take personal data out of text: what has a form that can be told, and a checksum where the form has one.

A payment card's number passes Luhn's formula (ISO/IEC 7812-1) and begins and is as long as an issuer's; an IBAN is as
its country has it in SWIFT's registry and leaves 1 when divided by 97 (ISO 13616). So numbers of orders, times and ids
stay. Names and addresses have no form: those are for a service that reads language.
"""

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Final

CARD: Final = "[card]"
IBAN: Final = "[iban]"
EMAIL: Final = "[email]"
PHONE: Final = "[phone]"

_GAP: Final = "[ .\u00a0\u2007\u202f\u2009-]"
# Groups as they are printed on cards, with the same sign between all; or no groups. Digits of any script.
_CARD: Final = (
    rf"(?<![\w.+])(?<!\d[ -])(?:\d{{12,19}}|\d{{4}}({_GAP})\d{{4}}\1\d{{4}}\1\d{{4}}(?:\1\d{{1,3}})?"
    rf"|\d{{4}}({_GAP})\d{{6}}\2\d{{4,5}})(?![\w]|[.-]\d)"
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
# Of SWIFT's IBAN registry: what follows the country and the check digits (n: digits, a: letters, c: both).
_COUNTRIES: Final = (
    "AD:n8c12 AE:n19 AL:n8c16 AT:n16 AZ:a4c20 BA:n16 BE:n12 BG:a4n6c8 BH:a4c14 BI:n23 BR:n23a1c1 BY:c4n4c16 "
    "CH:n5c12 CR:n18 CY:n8c16 CZ:n20 DE:n18 DJ:n23 DK:n14 DO:c4n20 EE:n16 EG:n25 ES:n20 FI:n14 FK:a2n12 FO:n14 "
    "FR:n10c11n2 GB:a4n14 GE:a2n16 GI:a4c15 GL:n14 GR:n7c16 GT:c24 HN:a4n20 HR:n17 HU:n24 IE:a4n14 IL:n19 "
    "IQ:a4n15 IS:n22 IT:a1n10c12 JO:a4n4c18 KW:a4c22 KZ:n3c13 LB:n4c20 LC:a4c24 LI:n5c12 LT:n16 LU:n3c13 "
    "LV:a4c13 LY:n21 MC:n10c11n2 MD:c20 ME:n18 MK:n3c10n2 MN:n16 MR:n23 MT:a4n5c18 MU:a4n19a3 NI:a4n20 NL:a4n10 "
    "NO:n11 OM:n3c16 PK:a4c16 PL:n24 PS:a4c21 PT:n21 QA:a4c21 RO:a4c16 RS:n18 RU:n14c15 SA:n2c18 SC:a4n20a3 "
    "SD:n14 SE:n20 SI:n15 SK:n20 SM:a1n10c12 SO:n19 ST:n21 SV:a4n20 TL:n19 TN:n20 TR:n6c16 UA:n6c19 VA:n18 "
    "VG:a4n16 XK:n16 YE:a4n4c18"
)
_KINDS: Final = {"n": "[0-9]", "a": "[A-Z]", "c": "[A-Z0-9]"}


@cache
def _read_structures() -> dict[str, tuple[int, str]]:
    """Return how long an IBAN of each country is, and the form of what follows its first four characters."""
    found = {}
    for entry in _COUNTRIES.split():
        country, _, parts = entry.partition(":")
        kinds = re.findall(r"([nac])(\d+)", parts)
        form = "".join(f"{_KINDS[kind]}{{{count}}}" for kind, count in kinds)
        found[country] = (4 + sum(int(count) for _, count in kinds), form)
    return found


_IBAN_BEGIN: Final = re.compile(rf"(?<![A-Za-z0-9_])[A-Za-z]{{2}}[0-9]{{2}}(?={_GAP}?[A-Za-z0-9])")
_GAPS: Final = frozenset(" \u00a0\u2007\u202f\u2009-")
# The last part of a host is of letters, so that ``package@1.2.3`` stays.
_EMAIL: Final = (
    r"(?<![\w.%+-])[\w.%+-](?:[\w.%+'-]{0,62}[\w.%+-])?(?:@|%40)"
    r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}[^\W\d_]{2,24}(?![\w-])"
)
_BETWEEN: Final = r"[ .\u00a0\u2007\u202f\u2009/-]?"
_PHONE_WORDS: Final = ("tel", "fon", "phone", "mobil", "cell", "handy", "fax", "whatsapp")
_LABELS: Final = "tel|telefon|telephone|téléphone|phone|mobile|mobil|cell|handy|fax|whatsapp"
# With the sign for an international number: 9 to 15 digits (ITU-T E.164).
_ABROAD: Final = rf"(?<![\w+.])\+[ ]?[1-9](?:{_BETWEEN}\(?[0-9]\)?){{8,14}}(?![\w]|[.:]\d)"
# Behind a word that says so.
_LABELLED: Final = (
    rf"(?i)(\b(?:{_LABELS})\b\.?(?:[ _-]?(?:number|nummer|no|nr)\b\.?)?[\"']?\s{{0,2}}[:=]?\s{{0,2}}[\"']?)"
    rf"\(?0?[0-9](?:{_BETWEEN}\(?[0-9]\)?){{5,13}}(?![\w]|[.:]\d)"
)
# As North America writes it.
_AMERICAN: Final = r"(?<![\w.+-])(?:1[ .-])?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[-.])[2-9]\d{2}[-. ]\d{4}(?![\w]|[.-]\d)"
# With the prefix for abroad, in groups; and as much of Europe writes it at home: with a 0, in groups, where with a
# hyphen between them ids look alike.
_ZERO: Final = (
    rf"(?<![\w.+-])(?<!\d[ .])0(?:0[1-9][0-9]{{0,2}}[ \u00a0/-]\(?[0-9](?:{_BETWEEN}\(?[0-9]\)?){{5,12}}"
    r"|[1-9]\d{1,4}[ /]\d{3,4}[ -]?\d{3,4}|[1-9](?:[ .]\d{2}){4})(?![\w]|[ .:-]\d)"
)
_MANY_DIGITS: Final = re.compile(r"\d[\d \u00a0\u2007\u202f\u2009().A-Za-z/-]{5,}\d")


@lru_cache(maxsize=32)
def _compile(pattern: str) -> re.Pattern[str]:
    # With its first use: most functions meet none of it, and compiling takes milliseconds of a cold start.
    return re.compile(pattern)


def mask_personal(text: str) -> str:
    """Return the text with numbers of payment cards, IBANs, e-mail addresses and phone numbers replaced by their kind.

    Args:
        text: any text.
    """
    if "@" in text or "%40" in text:
        text = _compile(_EMAIL).sub(EMAIL, text)
    if not _MANY_DIGITS.search(text):
        return text
    text = _compile(_CARD).sub(_mask_card, text)
    if _IBAN_BEGIN.search(text):
        text = "".join(_iter_without_ibans(text))
    return _mask_phones(text)


def is_card(number: int) -> bool:
    """Tell whether a number is that of a payment card."""
    return 10**11 <= number < 10**19 and _is_card(str(number))


def _mask_card(match: re.Match[str]) -> str:
    digits = "".join(str(int(one)) for one in match[0] if one.isdecimal())
    return CARD if _is_card(digits) else match[0]


def _is_card(digits: str) -> bool:
    known = any(len(digits) in lengths and _compile(issuer).match(digits) for issuer, lengths in _ISSUERS)
    return known and len(set(digits)) > 1 and _has_luhn_digit(digits)


def _has_luhn_digit(digits: str) -> bool:
    """Tell whether the last digit is the check digit of the others (ISO/IEC 7812-1, Annex B)."""
    doubled = [sum(divmod(2 * int(one), 10)) for one in digits[-2::-2]]
    return (sum(doubled) + sum(int(one) for one in digits[-1::-2])) % 10 == 0


def _iter_without_ibans(text: str) -> Iterator[str]:
    taken = 0
    for found in _IBAN_BEGIN.finditer(text):
        if found.start() < taken:
            continue
        end = _find_iban_end(text, found.start())
        if end is not None:
            yield text[taken : found.start()]
            yield IBAN
            taken = end
    yield text[taken:]


def _find_iban_end(text: str, start: int) -> int | None:
    """Return where the IBAN ends that begins here, its single blanks included; None where there is none."""
    country = text[start : start + 2].upper()
    if country not in _read_structures():
        return None
    length, form = _read_structures()[country]
    taken, at = "", start
    while len(taken) < length and at < len(text):
        if text[at] in _GAPS and taken and text[at - 1] not in _GAPS:
            at += 1
            continue
        if not (text[at].isascii() and text[at].isalnum()):
            return None
        taken += text[at].upper()
        at += 1
    ends = at == len(text) or not (text[at].isalnum() or text[at] == "_")
    fits = len(taken) == length and re.fullmatch(form, taken[4:]) is not None
    return at if ends and fits and _has_iban_digits(taken) else None


def _has_iban_digits(iban: str) -> bool:
    """Tell whether the check digits are right: letters count from 10 on, and the number leaves 1 of 97 (ISO 13616)."""
    return int("".join(str(int(one, 36)) for one in iban[4:] + iban[:4])) % 97 == 1


def _mask_phones(text: str) -> str:
    if "+" in text:
        text = _compile(_ABROAD).sub(PHONE, text)
    lower = text.lower()
    if any(word in lower for word in _PHONE_WORDS):
        text = _compile(_LABELLED).sub(rf"\1{PHONE}", text)
    if "-" in text or "." in text or ")" in text:
        text = _compile(_AMERICAN).sub(PHONE, text)
    return _compile(_ZERO).sub(PHONE, text) if "0" in text else text
