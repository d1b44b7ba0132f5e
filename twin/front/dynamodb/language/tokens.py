"""An expression in tokens, and where one stands in them."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_TOKEN: Final = re.compile(r"\s*(?:([#:]\w+|\w+|<=|>=|<>|[=<>()\[\],.+-])|(\S))", re.ASCII)
_NAME: Final = re.compile(r"[A-Za-z_]\w*", re.ASCII)
END: Final = "<EOF>"


class SyntaxFault(Exception):
    """The expression is none; the message is DynamoDB's."""


class Token(NamedTuple):
    """A piece of an expression and where it stands in its text."""

    text: str
    start: int
    end: int


class Tokens:
    """The tokens of an expression, and a place among them.

    Raises:
        SyntaxFault: a character belongs to no token.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[Token] = []
        self.place = 0
        wrong = None
        for found in _TOKEN.finditer(text):
            if found[2] and wrong is None:
                wrong = len(self._tokens)
            self._tokens.append(Token(found[1] or found[2], found.start(found.lastindex or 0), found.end()))
        if wrong is not None:
            self.place = wrong
            self.refuse()

    @property
    def current(self) -> str:
        """The token at the place."""
        return self._tokens[self.place].text if self.place < len(self._tokens) else END

    def is_at(self, *words: str) -> bool:
        """Tell whether one of the words, in any case, stands at the place."""
        return self.current.upper() in words

    def is_at_name(self) -> bool:
        """Tell whether a name of an attribute or a function stands at the place."""
        return _NAME.fullmatch(self.current) is not None

    def look_ahead(self) -> str:
        """Return the token after the one at the place."""
        return self._tokens[self.place + 1].text if self.place + 1 < len(self._tokens) else END

    def take(self) -> str:
        """Return the token at the place and go on."""
        taken = self.current
        self.place += 1
        return taken

    def expect(self, word: str) -> None:
        """Go on after a word.

        Raises:
            SyntaxFault: another one stands here.
        """
        if not self.is_at(word):
            self.refuse()
        self.place += 1

    def refuse(self) -> None:
        """Say that the token at the place is not expected here.

        Raises:
            SyntaxFault: always.
        """
        near = self._tokens[max(0, self.place - 1) : self.place + 2]
        shown = self._text[near[0].start : near[-1].end] if near else ""
        raise SyntaxFault(f'Syntax error; token: "{self.current}", near: "{shown}"')
