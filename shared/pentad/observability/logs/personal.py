"""Take personal data out of text: what has a form that can be told, and a checksum where the form has one.

A payment card's number passes Luhn's formula (ISO/IEC 7812-1) and begins and is as long as an issuer's; an IBAN is as
its country has it in SWIFT's registry and leaves 1 when divided by 97 (ISO 13616). So numbers of orders, times and ids
stay. Names and addresses have no form: those are for a service that reads language.

A text is searched as it is, with the escapes of letters in JSON and Python undone, percent-decoded, in base64 and hex,
and as it reads: full-width digits as plain ones, without what is not shown, with HTML's names of signs as signs.
"""

import json
import re
from functools import lru_cache
from typing import Final
from urllib.parse import quote, unquote, unquote_plus

from pentad.domain.secrets.forms import ESCAPED
from pentad.domain.secrets.readings import mask_base64, mask_hex, mask_in_all_readings
from pentad.observability.logs.cards import CARD, mask_cards
from pentad.observability.logs.ibans import IBAN, mask_ibans
from pentad.observability.logs.spelt_addresses import mask_spelt_addresses

EMAIL: Final = "[email]"
PHONE: Final = "[phone]"
_KINDS: Final = (CARD, IBAN, EMAIL, PHONE)

_AT: Final = "(?:@|%40|\uff20|\ufe6b)"
_HOST: Final = (
    # The last part of a host is of letters, so that ``package@1.2.3`` stays.
    r"(?:(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}(?:xn--[a-z0-9-]{2,59}|[^\W\d_]{2,24})(?![\w-])"
    r"|\[(?:IPv6:)?[0-9A-Fa-f.:]{7,45}\])"
)
_EMAIL: Final = (
    # ``git@`` is no person: it stands in the addresses of repositories.
    rf"(?:(?:(?<![\w.%+-])(?!(?<=\\)[nrt])|{ESCAPED})(?!git{_AT})[\w.%+-](?:[\w.%+'-]{{0,62}}[\w.%+-])?"
    rf"|(?<!\w)\\?\"\w[^\"\\\r\n@]{{0,63}}\\?\"){_AT}{_HOST}"
)
_EDGE: Final = rf"(?:(?<![\w.+-])|{ESCAPED})"
_BETWEEN: Final = r"[ .\u00a0\u2007\u2009\u2010-\u2015\u202f/-]?"
_PHONE_WORDS: Final = ("tel", "fon", "phone", "mobil", "cell", "handy", "fax", "whatsapp")
_LABELS: Final = "tel|telefon|telephone|téléphone|phone|mobile|mobil|cell|handy|fax|whatsapp"
# With the sign for an international number: 9 to 15 digits (ITU-T E.164).
_ABROAD: Final = rf"(?:(?<![\w+.])|{ESCAPED})\+[ ]?[1-9](?:{_BETWEEN}\(?[0-9]\)?){{8,14}}(?![\w]|[.:]\d)"
# Behind a word that says so.
_LABELLED: Final = (
    rf"(?i)((?:\b|{ESCAPED})(?:{_LABELS})\b\.?(?:[ _-]?(?:number|nummer|no|nr)\b\.?)?"
    rf"\\?[\"']?\s{{0,2}}[:=]?\s{{0,2}}\\?[\"']?)"
    rf"(?!\d{{4}}-\d\d-\d\d(?!\d))\(?0?[0-9](?:{_BETWEEN}\(?[0-9]\)?){{5,13}}(?![\w]|[.:]\d)"
)
# In a link that writes to or calls it: the number stands as digits alone there.
_LINK_WORDS: Final = ("wa.me/", "sms", "callto:", "facetime:")
_LINKED: Final = (
    rf"(?i)((?:(?<![\w.-])|{ESCAPED})(?:wa\.me/|(?:sms|smsto|callto|facetime):(?://)?))\+?[0-9]{{7,15}}(?![\w]|[.:]\d)"
)
# As North America writes it.
_AMERICAN: Final = rf"{_EDGE}(?:1[ .-])?(?:\([2-9]\d{{2}}\) ?|[2-9]\d{{2}}[-.])[2-9]\d{{2}}[-. ]\d{{4}}(?![\w]|[.-]\d)"
# With the prefix for abroad, in groups; and as much of Europe writes it at home: with a 0, in groups, where with a
# hyphen between them ids look alike.
_ZERO: Final = (
    rf"{_EDGE}(?<!\d[ .,])0(?:0[1-9][0-9]{{0,2}}[ \u00a0/-]\(?[0-9]\)?(?:{_BETWEEN}\(?[0-9]\)?){{5,12}}"
    r"|[1-9]\d{1,4}[ \u00a0/]\d{3,4}[ \u00a0-]?\d{3,4}|[1-9](?:[ .\u00a0]\d{2}){4})(?![\w]|[ .:-]\d)"
)
_PAIRS: Final = 5  # of a French number
_MANY_DIGITS: Final = re.compile(
    r"\d[\d\s().A-Za-z/_+\\|,;:*~#=\u00b7\u2007\u2009\u200b-\u200d\u2010-\u2015\u2022\u2027\u202f\u2060\u22c5"
    r"\u3000\u30fb\ufeff-]{5,}\d"
)
# From the first backslash of a run only: else a run of n would be looked at n times.
_ESCAPES: Final = re.compile(r"(?<!\\)\\+(?:u[0-9A-Fa-f]{4}(?:\\+u[0-9A-Fa-f]{4})*|x[0-9A-Fa-f]{2})")
_UNIT: Final = re.compile(r"[ux]([0-9A-Fa-f]{2,4})")
_LINE_ENDS: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_PERCENT: Final = re.compile(r"%[0-9A-Fa-f]{2}")
_WORD: Final = re.compile(r"[^\s\"'<>]+")


@lru_cache(maxsize=32)
def _compile(pattern: str) -> re.Pattern[str]:
    # With its first use: most functions meet none of it, and compiling takes milliseconds of a cold start.
    return re.compile(pattern)


def mask_personal(text: str) -> str:
    """Return the text with numbers of payment cards, IBANs, e-mail addresses and phone numbers replaced by their kind.

    Args:
        text: any text.
    """
    return mask_in_all_readings(text, _mask_all)


def _mask_all(text: str) -> str:
    if "\\" in text and (plain := _ESCAPES.sub(_undo_escapes, text)) != text:
        masked = _mask_plain(plain)
        text = masked if masked != plain else text
    if "%" in text and _PERCENT.search(text):
        text = _WORD.sub(_mask_percent_encoded, text)
    return mask_base64(mask_hex(_mask_plain(text), _look), _look)


def _look(said: str) -> str | None:
    """Return the kind of what stands first in a text that was encoded, also twice; None where nothing does."""
    masked = mask_base64(_mask_plain(said), _look_inside)
    return None if masked == said else _find_kind(masked)


def _look_inside(said: str) -> str | None:
    masked = _mask_plain(said)
    return None if masked == said else _find_kind(masked)


def _find_kind(masked: str) -> str:
    return min(_KINDS, key=lambda kind: masked.find(kind) % (len(masked) + 1))


def _mask_plain(text: str) -> str:
    if "@" in text or "%40" in text or "\uff20" in text or "\ufe6b" in text:
        text = _compile(_EMAIL).sub(EMAIL, text)
    text = mask_spelt_addresses(text, EMAIL)
    if not _MANY_DIGITS.search(text):
        return text
    return _mask_phones(mask_ibans(mask_cards(text)))


def _undo_escapes(match: re.Match[str]) -> str:
    """Return the letters, signs and blanks that escapes stand for; those of quotes and controls stay what they are."""
    units = "".join(f"\\u{int(one, 16):04x}" for one in _UNIT.findall(match[0]))
    plain = "".join(_LINE_ENDS.get(one, one) for one in str(json.loads(f'"{units}"')))
    hidden = any(
        one in "\"'\u2028\u2029" or one < " " or "\x7f" <= one < "\xa0" or "\ud800" <= one < "\ue000" for one in plain
    )
    return match[0] if hidden or "\\" in plain.replace("\\n", "").replace("\\r", "").replace("\\t", "") else plain


def _mask_percent_encoded(match: re.Match[str]) -> str:
    """Return an address or form field as it was, or encoded anew where what it says holds personal data."""
    if not _PERCENT.search(match[0]):
        return match[0]
    for decode in (unquote, unquote_plus):  # an address has a "+" as it is, a form a blank as "+"
        plain = unquote(decode(match[0]))  # encoded twice: an address within an address
        masked = _mask_plain(plain)
        if masked != plain:
            return quote(masked, safe="/:?#[]@!$&'()*+,;=~")
    return match[0]


def _mask_phones(text: str) -> str:
    if "+" in text:
        text = _compile(_ABROAD).sub(PHONE, text)
    lower = text.lower()
    if any(word in lower for word in _LINK_WORDS):
        text = _compile(_LINKED).sub(rf"\1{PHONE}", text)
    if any(word in lower for word in _PHONE_WORDS):
        text = _compile(_LABELLED).sub(rf"\1{PHONE}", text)
    if any(sign in text for sign in "-.)"):
        text = _compile(_AMERICAN).sub(PHONE, text)
    return _compile(_ZERO).sub(_mask_unless_counted, text) if "0" in text else text


def _mask_unless_counted(match: re.Match[str]) -> str:
    """Return the kind; of pairs of digits that count up by one, such as a list's numbers or a dump's, the pairs."""
    pairs = match[0].replace(".", " ").split()
    first = int(pairs[0]) if len(pairs) == _PAIRS else 0
    return match[0] if pairs == [f"{first + place:02d}" for place in range(_PAIRS)] else PHONE
