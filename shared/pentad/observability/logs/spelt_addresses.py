"""E-mail addresses as people write them for people: ``ada (at) host dot com``, ``ada @ host . com``.

Prose has the same words, "look at the dot matrix". So the sign is in brackets, or the words are capitals, or the end is
one of the domains that most addresses have and that is no word of English.
"""

import re
from functools import cache
from typing import Final

_NAME: Final = r"(?<![\w.%+-])[\w%+](?:[\w.%+'-]{0,62}[\w%+])?"
_PART: Final = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_LAST: Final = r"[^\W\d_]{2,24}(?![\w-])"
_DOMAINS: Final = (
    r"(?:com|org|net|edu|gov|info|biz|app|dev|io|ai|co|cloud|online|ac|de|fr|uk|es|nl|ch|se|fi|dk|pl|cz|pt|ru|cn|jp|kr"
    r"|br|mx|ca|au|nz|za|eu|tr|ua|gr|hu|ro|bg|hr|sk|lt|lv|ee)(?![\w-])"
)
_AT: Final = r"\s?[(\[{<]\s?(?i:at|ät|arroba)\s?[)\]}>]\s?|[ ]?[(\[{<]@[)\]}>][ ]?"
_DOT: Final = r"\.|\s?[(\[{<]\s?(?i:dot|punkt|point|punto|\.)\s?[)\]}>]\s?|\s(?i:dot|punkt|punto)\s"
_BRACKETED: Final = rf"{_NAME}(?:{_AT})(?:{_PART}(?:{_DOT})){{1,8}}{_LAST}"
_CAPITALS: Final = rf"{_NAME}[ _-]AT[ _-](?:{_PART}(?:[ _-]DOT[ _-]|\.)){{0,7}}{_PART}[ _-]DOT[ _-]{_LAST}"
_WORDS: Final = rf"{_NAME} (?i:at) (?:{_PART}(?: (?i:dot) |\.)){{0,7}}{_PART} (?i:dot) (?i:{_DOMAINS})"
# A sign with blanks beside it, and perhaps beside the dots.
_APART: Final = (
    rf"{_NAME}(?:[ ]{{1,2}}[@\uff20][ ]{{0,2}}|[@\uff20][ ]{{1,2}})(?:{_PART}[ ]?\.[ ]?){{1,8}}(?i:{_DOMAINS})"
)
# A blank beside a dot: ``git@`` is no person, with blanks or without.
_INSIDE: Final = (
    rf"(?!git@){_NAME}@(?:{_PART}\.){{0,7}}{_PART}(?:[ ]\.[ ]?|\.[ ])(?:{_PART}[ ]?\.[ ]?){{0,7}}(?i:{_DOMAINS})"
)
_BRACKETS: Final = re.compile(r"[(\[{<]\s?(?:[aA\u00e4\u00c4][tT]|@|[aA][rR]{2}[oO][bB][aA])\s?[)\]}>]")


@cache
def _compile(pattern: str) -> re.Pattern[str]:
    # With its first use: most functions meet none of it, and compiling takes milliseconds of a cold start.
    return re.compile(pattern)


def mask_spelt_addresses(text: str, by: str) -> str:
    """Return the text with e-mail addresses replaced that are written so that no program takes them for one.

    Args:
        text: any text.
        by: stands in the place of an address.
    """
    if _BRACKETS.search(text):
        text = _compile(_BRACKETED).sub(by, text)
    if "DOT" in text and "AT" in text:
        text = _compile(_CAPITALS).sub(by, text)
    if " dot " in text or " Dot " in text:
        text = _compile(_WORDS).sub(by, text)
    if "@ " in text or " @" in text:
        text = _compile(_APART).sub(by, text)
    if "@" in text and (" ." in text or ". " in text):
        text = _compile(_INSIDE).sub(by, text)
    return text
