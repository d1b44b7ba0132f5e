"""IBANs in text: the form of a country in SWIFT's registry, and 1 as the rest of a division by 97 (ISO 13616)."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from pentad.domain.secrets.forms import ESCAPED
from pentad.observability.logs.cards import GAP

IBAN: Final = "[iban]"
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


# Between any two of its characters: a sign, blanks beside it, or a line's end as JSON and Python write it.
_BETWEEN: Final = re.compile(rf"(?:{GAP}|[\t\n\r/_+|,;:*~#=\u00b7\u2022\u2027\u22c5\u30fb]|\\[nrt]){{1,3}}")
_BEGIN: Final = re.compile(
    rf"(?:(?<![A-Za-z0-9])|{ESCAPED}|(?<=IBAN)|(?<=iban)|(?<=Iban))(?!(?<=\\)[nrt])[A-Za-z]{{2}}(?:{GAP}|_)?[0-9]{{2}}"
)
_CURRENCY: Final = re.compile(r"[A-Z]{3}(?![A-Za-z0-9])")


def mask_ibans(text: str) -> str:
    """Return the text with IBANs replaced by ``[iban]``.

    Args:
        text: any text.
    """
    return "".join(_iter_without_ibans(text)) if _BEGIN.search(text) else text


def _iter_without_ibans(text: str) -> Iterator[str]:
    taken = 0
    for found in _BEGIN.finditer(text):
        if found.start() < taken:
            continue
        end = _find_end(text, found.start())
        if end is not None:
            yield text[taken : found.start()]
            yield IBAN
            taken = end
    yield text[taken:]


def _find_end(text: str, start: int) -> int | None:
    """Return where the IBAN ends that begins here, what is between its groups included; None where there is none."""
    country = text[start : start + 2].upper()
    if country not in _read_structures():
        return None
    length, form = _read_structures()[country]
    taken, at = "", start
    while len(taken) < length and at < len(text):
        if taken and (gap := _BETWEEN.match(text, at)):
            at = gap.end()
        if not (at < len(text) and text[at].isascii() and text[at].isalnum()):
            return None
        taken += text[at].upper()
        at += 1
    ends = at == len(text) or not text[at].isalnum() or _CURRENCY.match(text, at) is not None
    fits = len(taken) == length and re.fullmatch(form, taken[4:]) is not None
    return at if ends and fits and _has_iban_digits(taken) else None


def _has_iban_digits(iban: str) -> bool:
    """Tell whether the check digits are right: letters count from 10 on, and the number leaves 1 of 97 (ISO 13616)."""
    return int("".join(str(int(one, 36)) for one in iban[4:] + iban[:4])) % 97 == 1
