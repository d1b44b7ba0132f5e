"""What a statement says as text: what two parsers may read differently is refused before either reads it."""

import itertools
import re
from collections.abc import Collection, Iterable, Sequence

from pentad.domain.errors import InvalidInput
from pentad.tools.data.sql.functions import BEFORE_PARENTHESES

_MOST_LEVELS = 50
_MOST_NAME_BYTES = 63
"""PostgreSQL cuts longer names off, and then they are others."""
_WORDS = re.compile(
    r"""(?P<string>'(?:[^']|'')*+')|(?P<quoted>"(?:[^"]|"")*+")|(?P<word>[^\W\d][\w$]*)|(?P<parameter>\$[0-9]{1,3}(?![\w$]))"""
    r"""|(?P<number>[0-9][\w.]*)|(?P<space>[ \t\n\r\f\v]+)|(?P<comment>--|/\*|\*/)|(?P<sign>[^\w\s'"$])|(?P<other>.)""",
    re.DOTALL,
)
_PREFIXED_STRINGS = frozenset({"e", "b", "x", "n", "u&", "u"})
SYSTEM = re.compile(r"(?:pg_|lo_|dblink|information_schema)", re.IGNORECASE)
_SYSTEM_FIELD = re.compile(
    r"(?:pg_|dblink|lo_(?:close|create?|export|from_bytea|get|import|lseek|open|put|tell|truncate|unlink)(?:64)?$)"
)
"""Functions of the server itself; ``table.name`` calls one where the table has no such column."""
_VALUE_WORDS = frozenset(
    {"user", "current_user", "session_user", "system_user", "current_role", "current_catalog", "current_schema"}
)
"""Words without parentheses that call a function of the server."""

Word = tuple[str, str]
"""Its kind (a group of the pattern) and the text."""


def read_words(sql: str) -> list[Word]:
    """Return a statement's words, without the semicolons at its end.

    Raises:
        InvalidInput: it holds what two parsers may read differently, or a word that tells of the server.
    """
    if not sql.isascii() and any("\ud800" <= one <= "\udfff" for one in sql):
        raise refuse("it holds half of a character", "write whole characters")
    words = [(str(match.lastgroup), match[0]) for match in _WORDS.finditer(sql) if match.lastgroup != "space"]
    while words and words[-1][1] == ";":
        words.pop()
    _check_depth(word for kind, word in words if kind == "sign")
    for place, word in enumerate(words):
        after = words[place + 1] if place + 1 < len(words) else ("", "")
        _check_word(words[place - 1] if place else ("", ""), word, after)
    return words


def _check_word(before: Word, word: Word, after: Word) -> None:
    kind, text = word
    if kind == "comment":
        raise refuse("it holds a comment", "leave comments out")
    if kind == "other" or text in ("\\", "`", "\x00"):
        raise refuse(f"{text!r} is not allowed outside of a text in quotes", "write texts as 'text', or as $1")
    if text == ";":
        raise refuse("it is more than one statement", "send one statement per call")
    if kind in ("string", "quoted") and (before[1].lower() in _PREFIXED_STRINGS or before[1] == "&"):
        raise refuse("strings with a prefix (E'...', U&'...') are not allowed", "write 'text', or pass it as $1")
    if kind == "quoted" and after[1] == "(":
        raise refuse(f"{text[:60]} is a name in quotes before '('", "write functions' names without quotes")
    if kind in ("word", "quoted") and len(text.encode()) > _MOST_NAME_BYTES:
        raise refuse(f"the name {text[:20]}... is too long", f"use names of at most {_MOST_NAME_BYTES} bytes")
    if kind == "word" and text.lower() in _VALUE_WORDS and before[1] != "." and before[1].lower() != "as":
        raise refuse(
            f"{text.upper()} reveals the server's details", f'leave it out; write a column of that name as "{text}"'
        )


def _check_depth(signs: Iterable[str]) -> None:
    depth = 0
    for sign in signs:
        depth += (sign in "([") - (sign in ")]")
        if depth > _MOST_LEVELS:
            raise refuse(f"it is nested more than {_MOST_LEVELS} levels deep", "write a simpler statement")


def part_parameters(sql: str) -> str:
    """Return a statement with blanks around its parameters: sqlglot takes ``$1,$`` for the quote of a text."""
    return "".join(f" {one[0]} " if one.lastgroup == "parameter" else one[0] for one in _WORDS.finditer(sql))


def list_called(sql: str, heads: Collection[int]) -> set[str]:
    """Return the names that stand before a parenthesis, as functions do, in lower case.

    Args:
        sql: the statement, as it was parsed.
        heads: where in it, in characters, names stand that get columns, and call nothing.
    """
    words = [one for one in _WORDS.finditer(sql) if one.lastgroup != "space"]
    return {
        word[0].lower()
        for word, after in itertools.pairwise(words)
        if word.lastgroup == "word" and after[0] == "(" and word.start() not in heads
    } - BEFORE_PARENTHESES


def list_fields(words: Sequence[Word]) -> list[tuple[str, str]]:
    """Return the last two names of each ``a.b`` and ``a.b.c``, as PostgreSQL reads them.

    Raises:
        InvalidInput: a field is taken from something else than a name (``(row).field``, ``list[1].field``), or has the
            name of one of the server's own functions.
    """
    found = []
    for place, (_, text) in enumerate(words):
        after = words[place + 1] if place + 1 < len(words) else ("", "")
        if text != "." or after[0] == "number":
            continue
        before = words[place - 1] if place else ("", "")
        if before[0] not in ("word", "quoted") or (after[0] not in ("word", "quoted") and after[1] != "*"):
            raise refuse("fields of rows are not allowed", "name columns as table.column")
        if after[1] == "*" or (place + 2 < len(words) and words[place + 2][1] == "."):
            continue
        name = fold(after[1])
        if _SYSTEM_FIELD.match(name):
            raise refuse(f"'{name[:60]}' has the name of a function of the server", "name columns as table.column")
        found.append((fold(before[1]), name))
    return found


def fold(written: str, *, quoted: bool | None = None) -> str:
    """Return a name as PostgreSQL keeps it: in lower case (ASCII only) unless it stands in quotes.

    Args:
        written: as it stands in the statement.
        quoted: whether it stood in quotes, where ``written`` is without them; None: ``written`` has them.
    """
    if quoted is None and written.startswith('"'):
        return written[1:-1].replace('""', '"')
    return written if quoted else "".join(one.lower() if one.isascii() else one for one in written)


def refuse(message: str, fix: str) -> InvalidInput:
    """Return the error that says why a statement is not sent."""
    return InvalidInput(f"the statement is refused: {message}", field="statement", fix=fix)
