"""Mask secrets in text: what has a credential's form, what follows a name that promises one, and both when encoded.

What stands as data behind a name is masked whatever its form (`named.py`); here a name tells what looks random.
A text is searched as it is, percent-decoded and base64-decoded, since an address or a header carries keys so.
"""

import base64
import re
from functools import lru_cache
from typing import Final
from urllib.parse import quote, unquote

from pentad.domain.secrets.forms import ESCAPED, FORMS
from pentad.domain.secrets.known import KNOWN
from pentad.domain.secrets.named import mask_named
from pentad.domain.secrets.names import MASK
from pentad.domain.secrets.readings import mask_hex, mask_in_all_readings

_SHORTEST: Final = 10  # no credential is shorter

# Those that follow are compiled where a word of theirs stands in a text: most functions meet none of it, and the
# first alone takes 5 ms of a cold start.
# A digit is asked for, so that "bearer of bad news" and "password: required" stay readable; base64 of words has none.
_HEADER: Final = (
    rf"""(?ix)((?:(?<![a-z0-9])|{ESCAPED})"""
    r"""authorization\\?["']?\s{0,5}[:=]\s{0,5}\\?["']?(?:
      (?:basic|negotiate)\s{1,5}(?=[a-z0-9+/=_-]{8})
      |[a-z0-9-]{3,20}\s{1,5}(?=[a-z._~+/=:-]{0,400}\d)
      |(?![a-z_][a-z_0-9]{0,60}(?:[(\[]|\.[a-z_]))(?=[a-z._~+/=:-]{0,400}\d)
    ))(?!\[masked)[a-z0-9._~+/=:-]{8,}"""
)
_BEARER: Final = rf"(?i)((?:\b|{ESCAPED})bearer\s{{1,5}})(?=[A-Za-z._~+/=-]{{0,400}}\d)[A-Za-z0-9._~+/=-]{{12,}}"
_COOKIE: Final = (
    rf"""(?ix)((?:\b|{ESCAPED})"""
    r"""cookie\\?["']?\s?:\s{0,5}\\?["']?[^\s=;:"']{1,100}=)
    (?=[^\r\n"'\\(){}<>]{0,400}\d)[^\r\n"'\\(){}<>]{8,4000}"""
)
# Up to the last @ before a slash, since a password may hold one; or it holds a slash, which no port does.
_ADDRESS: Final = (
    r"(://[^\s/:@\"'<>]{0,100}:)(?!\[masked)"
    r"(?:[^\s/\"'<>]{1,200}|(?!\d{1,5}[/?#])[^\s\"'<>?#@]{1,200})(@)(?=[A-Za-z0-9.\[-])"
)
# On a command line: ``curl -u name:password``, ``mysql --password value``; and in XML.
_USER: Final = (
    r"(?i)(\bcurl\b[^\r\n]{0,400}?\s(?:-u|--user)[ =]?\\?[\"']?[^\s:\"'\\]{1,100}:)(?!\[masked)[^\s\"'\\]{4,200}"
)
_FLAG: Final = (
    r"(?i)((?:^|[\s\"'])--(?:[a-z]{1,20}-){0,3}"
    r"(?:password|passwd|passphrase|pwd|secret|token|(?:api|access|secret)-key)[ ]{1,4}\\?[\"']?)"
    r"(?!\[masked|-)(?=[^\s\"'\\]{0,200}\d)[^\s\"'\\/<>${(]{8,400}(?=[\s\"'\\]|\Z)"
)
_ELEMENT: Final = (
    r"(?i)(<(?:[a-z]\w{0,20}:)?[\w-]{0,30}(?:password|passwd|passphrase|secret|token|api[_-]?key)>\s{0,20})"
    r"(?!\[masked)(?=[^<]{0,400}\d)[^<\s]{4,4000}(?=\s{0,20}</)"
)
_MARKED: Final = (
    ("://", _ADDRESS, rf"\1{MASK}\2"),
    ("authorization", _HEADER, rf"\1{MASK}"),
    ("bearer", _BEARER, rf"\1{MASK}"),
    ("cookie", _COOKIE, rf"\1{MASK}"),
    ("curl", _USER, rf"\1{MASK}"),
    ("--", _FLAG, rf"\1{MASK}"),
    ("</", _ELEMENT, rf"\1{MASK}"),
)
"""A word that stands in each small, what is looked for then, and what is to stand in its place."""
# What a name that promises a secret ends with, and what has to stand before that: ``api_key``, ``clientSecret``.
_STEMS: Final = (
    (
        "key",
        r"(?:api|access|secret|account|private|encryption|master|auth|functions|subscription)[_-]?\Z",
    ),
    ("secret", r"(?:(?:client|webhook|signing|app|api|consumer|shared|key)[_-]?|(?:\A|[^a-z0-9:]))\Z"),
    (
        "token",
        (
            r"(?:(?:access|auth|refresh|session|security|task|bearer|bot|vault|api)[_-]?|(?:\A|[^a-z])id[_-]?"
            r"|(?:\A|[^a-z0-9_-]))\Z"
        ),
    ),
    ("password", ""),
    ("passwd", ""),
    ("passphrase", ""),
    ("pwd", r"(?:\A|[^a-z0-9])\Z"),
    ("string", r"connection[_-]?\Z"),
)
_LONGEST_LEAD: Final = 16
_LINE_END: Final = re.compile(r"\\[nrt]")
_QUOTED: Final = r"""(?x)\\?["']?\]?\s{0,5}(?::|=>|=)\s{0,5}\\?(["'])
    (?=[^"'\\\s]{0,200}\d)(?!\[masked|undo_|arn:|[/~])(?P<value>[^"'\\\s]{8,4000})(?=\\?\1)"""
# Without quotes code looks alike: ``token = read_token(8)``, ``secret: config.v2``, ``password=old_password2``.
_UNQUOTED: Final = r"""(?xi)(?:=|\s{0,5}[:=]\s{1,5}|:)
    (?!\[masked|undo_|arn:|[/~{$<(\[%=]|[a-z_][a-z_0-9]{0,60}(?:[(\[]|\.[a-z_])|[a-z]+(?:_[a-z]+)+\d{0,2}(?![a-z0-9]))
    (?=[^\s"',;&<>`]{0,200}\d)(?P<value>[^\s"',;&<>`\\]{8,})"""
_EMAIL: Final = r"\b[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}\b"
_WORD: Final = re.compile(r"[^\s\"'<>]+")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}")
_LONGEST_BASE64: Final = 262_144  # characters; what is longer is a file, and no credential
_READABLE: Final = re.compile(rb"[ -~]{12,}")
_URL_SAFE: Final = str.maketrans("-_", "+/")


def mask_secrets(text: str, *, emails: bool = False) -> str:
    """Return the text with every secret replaced by ``[masked]`` that is known or can be told by its form or name.

    One that only stands there without the characters that nobody is shown, with full-width letters as plain ones or
    HTML's names read as signs is masked too, and then the whole text comes back read so.

    Args:
        text: any text.
        emails: mask e-mail addresses too.
    """
    text = mask_in_all_readings(text, _mask_all)
    return _compile(_EMAIL).sub(MASK, text) if emails else text


def _mask_all(text: str) -> str:
    return mask_forms(mask_named(text))


def mask_forms(text: str) -> str:
    """Return the text with every secret masked that is known, or can be told by its form."""
    text = KNOWN.mask(text, MASK)
    if len(text) >= _SHORTEST:
        if "%" in text:
            text = _WORD.sub(_mask_percent_encoded, text)
        text = mask_hex(_BASE64.sub(_mask_base64, _mask_plain(text)), _look)
    return text


def _look(said: str) -> str | None:
    return None if _mask_plain(said) == said else MASK


def _mask_plain(text: str) -> str:
    for literals, pattern in _ROWS if len(text) > _SHORT or _ANY_LITERAL.search(text) else ():
        if any(literal in text for literal in literals):
            text = _compile(pattern).sub(MASK, text)
    lower = text.lower()
    for word, marked, shown in _MARKED:
        if word in lower:
            text = _compile(marked).sub(shown, text)
    for stem, lead in _STEMS:
        if stem in lower:
            text = _mask_named(text, stem, lead)
    return text


def _mask_named(text: str, stem: str, lead: str) -> str:
    """Return the text with the values masked that stand behind a name with this end."""
    lower = text.lower()
    if len(lower) != len(text):  # a capital of Turkish has two characters when small: positions would differ
        lower = text
    parts, taken, at = [], 0, lower.find(stem)
    while at >= 0:
        end = at + len(stem)
        found = _compile(_QUOTED).match(text, end) or _compile(_UNQUOTED).match(text, end)
        if found and at >= taken and _compile(lead).search(_LINE_END.sub(" ", lower[max(0, at - _LONGEST_LEAD) : at])):
            parts += [text[taken : found.start("value")], MASK]
            taken = end = found.end("value")
        at = lower.find(stem, end)
    return "".join((*parts, text[taken:]))


_ROWS: Final = tuple((form.literals, form.pattern) for form in FORMS)
_ANY_LITERAL: Final = re.compile("|".join(re.escape(literal) for literals, _ in _ROWS for literal in literals))
"""Looked for in a short text once, in the place of some hundred searches; a long one is faster searched for each."""
_SHORT: Final = 400
"""Characters."""


@lru_cache(maxsize=len(FORMS) + 16)
def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _mask_percent_encoded(match: re.Match[str]) -> str:
    """Return an address or form field as it was, or encoded anew where what it says holds a secret."""
    plain = unquote(match[0]) if "%" in match[0] else match[0]
    if plain == match[0]:
        return plain
    plain = unquote(plain)  # encoded twice: an address within an address
    masked = _mask_plain(plain)
    return match[0] if masked == plain else quote(masked, safe="/:?#[]@!$&'()*+,;=~")


def _mask_base64(match: re.Match[str]) -> str:
    """Return what may be base64 as it was, or the mask where a secret stands in it, wherever in it that begins."""
    run = match[0].rstrip("=").translate(_URL_SAFE)
    if len(run) > _LONGEST_BASE64:
        return match[0]
    for start in range(4):
        part = run[start:]
        part = part[: len(part) - (len(part) % 4 == 1)]
        plain = base64.b64decode(part + "=" * (-len(part) % 4))
        if _READABLE.search(plain):
            said = plain.decode("latin-1")
            if _mask_plain(said) != said:
                return MASK
    return match[0]
