"""Tell which value without quotes around its name stands there as data: in an address, a form, a header, a setting.

Prose and code look alike, ``password: required`` and ``password = read()``. So the value has to be all of what is left
of its line, or to stand among pairs; it is one word; and it is no call, no attribute, no placeholder and no kind.
"""

import re
from typing import Final, NamedTuple

from pentad.domain.secrets.names import is_placeholder, is_secret_field, spell_plainly

_HEADERS: Final = frozenset("xapikey xauthtoken xgoogapikey xvaulttoken xamzsecuritytoken".split())
"""Names that no code gives to a field of its own: in the form of a header any word is a value."""
_COOKIES: Final = frozenset({"cookie", "setcookie"})
_WITH_WORDS: Final = _COOKIES | {"authorization", "proxyauthorization"}
"""Headers whose value is told from words by its form."""
_WORDS: Final = frozenset(
    "required optional hidden redacted masked empty unset unchanged expired invalid missing incorrect wrong yes no on "
    "off default secretstr password passwd pwd secret token key cookie changed rejected valid".split()
)
_CODE: Final = re.compile(r"[A-Za-z_]\w{0,60}(?:[(\[]|\.[A-Za-z_])|[a-z]+(?:_[a-z]+)+\d{0,2}\Z")
_LINE_START: Final = re.compile(
    r"(?:\A|[\n\r])(?P<indent>[ \t]{0,40})(?:(?:[-*+<>]|export|set|env|ENV)[ \t]{1,4}){0,2}\Z"
)
_PAIR_BEFORE: Final = re.compile(r"(?:[?;]|(?<!&)&|&amp;|; |\w=[^\s=,;()\"']{1,40} )\Z")
_PAIR_VALUE: Final = re.compile(r"=([^\s&#`\"'<>\\;,(){}]{1,4000})(?P<more>(?:&(?:amp;)?|; ?| )[\w.\[\]%-]{1,100}=)?")
_LINE_VALUE: Final = re.compile(
    r"""(?x)(?P<sign>=|[ \t]{0,10}[:=][ \t]{1,10}|:)
    (?:(?P<quote>["'])(?P<quoted>[^"'\\\n\r]{1,4000})(?P=quote)|(?P<plain>[^\s"'\\]{1,4000}))
    (?=[ \t]{0,10}(?:\r?\n|\\[rn]|\Z))"""
)
_HEADER_VALUE: Final = re.compile(
    r"""(?ix):[ \t]{0,10}(?P<value>(?:(?:bearer|basic|negotiate|token|apikey)[ ]{1,4})?[^\s"'\\<>{}$,]{1,4000}
    |[^\s=;:"'\\]{1,100}=[^\r\n"'\\<>{}]{1,4000})(?=["']|[ \t]{0,10}(?:\r?\n|\\[rn]|\Z))"""
)
_SCHEME: Final = re.compile(r"(?i)(?:bearer|basic|negotiate|token|apikey) {1,4}")
_FIRST: Final = re.compile(rf"{_SCHEME.pattern}|[^\s=;]{{1,100}}=(?=[^=])")
"""What of a header's value is none: its scheme, or the name of a cookie."""
_PAIR_LINE: Final = re.compile(
    r"\s{0,40}(?:(?:- )?[\w.-]{1,60}[ \t]{0,10}[:=](?:[ \t].{0,4000}|\Z)"
    r"|[\w.-]{1,60}=.{0,4000}|[#;\[].{0,4000}|-{1,3})\s{0,40}"
)


class ValuePlace(NamedTuple):
    """Where a value stands in a text."""

    start: int
    end: int


class Lines:
    """The values of one text that stand behind names without quotes."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._block: bool | None = None

    def find(self, start: int, end: int) -> ValuePlace | None:
        """Return the value of a secret's name, if it stands there as data.

        Args:
            start: of the name.
            end: of the name.
        """
        text = self._text
        before = text[max(0, start - 60) : start]
        name = text[start:end]
        line = _LINE_START.search(before)
        if start > 60 and line is not None and line.start() == 0 and before[0] not in "\r\n":
            line = None  # no line begins there: the piece does
        return self._find_pair(before, end, line is not None) or self._find_line(name, before, end, line)

    def _find_pair(self, before: str, end: int, begins: bool) -> ValuePlace | None:
        """Return a value of a query string or a form."""
        found = _PAIR_VALUE.match(self._text, end)
        if found is None or not _is_data(found[1]):
            return None
        among = _PAIR_BEFORE.search(before) is not None
        return ValuePlace(*found.span(1)) if among or (found["more"] and begins) else None

    def _find_line(self, name: str, before: str, end: int, line: re.Match[str] | None) -> ValuePlace | None:
        """Return a value of a header, or of a setting."""
        plain = spell_plainly(name)
        if plain in _HEADERS or plain in _WITH_WORDS:
            found = self._find_header(name, before, end, line)
            if found or plain in _WITH_WORDS:
                return found
        return None if line is None else self._find_setting(name, end, line)

    def _find_header(self, name: str, before: str, end: int, line: re.Match[str] | None) -> ValuePlace | None:
        plain = spell_plainly(name)
        if plain in _COOKIES:
            begins = line is not None and not line["indent"]
        else:
            begins = line is not None or (plain in _HEADERS and before.endswith(('"', "'")))
        header = _HEADER_VALUE.match(self._text, end) if begins else None
        if header is None or not _is_header(plain, name, header["value"]):
            return None
        first = _FIRST.match(header["value"])
        return ValuePlace(header.start("value") + (first.end() if first else 0), header.end("value"))

    def _find_setting(self, name: str, end: int, line: re.Match[str]) -> ValuePlace | None:
        found = _LINE_VALUE.match(self._text, end)
        if found is None:
            return None
        kind = "quoted" if found["quoted"] else "plain"
        value = found[kind]
        if not is_secret_field(name, value) or not _is_data(value):
            return None
        if kind == "plain" and value[-1] in ",;)]}" and not self._is_block():
            return None
        # With blanks around it, code gives a variable its value; behind a colon it has a type.
        sure = not line["indent"] if found["sign"] == "=" else "=" not in found["sign"] and not value.isalpha()
        return ValuePlace(*found.span(kind)) if sure or self._is_block() else None

    def _is_block(self) -> bool:
        """Return whether all of the text is pairs, one a line: YAML without lists, properties, a file of settings."""
        if self._block is None:
            lines = [line for line in self._text.splitlines() if line.strip()]
            self._block = len(lines) > 1 and all(_PAIR_LINE.fullmatch(line) for line in lines)
        return self._block


def _is_data(value: str) -> bool:
    """Return whether a value is no placeholder, no call or attribute of code, and no word that says what it is."""
    word = value.strip("\"'.,;").lower()
    if value[0] in "/~":  # a path
        return False
    return not (word in _WORDS or is_placeholder(word) or is_placeholder(value) or _CODE.match(value))


def _is_header(plain: str, name: str, value: str) -> bool:
    """Return whether a header of this name holds this value: a scheme and a word, pairs, or one word."""
    scheme = _SCHEME.match(value)
    words = value[scheme.end() :] if scheme else value
    if not _is_data(words):
        return False
    if plain in _HEADERS:
        return "-" in name
    if plain in ("authorization", "proxyauthorization"):
        return scheme is not None
    return plain in _COOKIES and "=" in value
