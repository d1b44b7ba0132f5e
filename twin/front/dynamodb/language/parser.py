"""Expressions read into trees (developer guide, "Expressions": conditions, updates, projections)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, TypeVar

from twin.front.dynamodb.language.nodes import Action, Given, Node, Path, Term
from twin.front.dynamodb.language.tokens import END, SyntaxFault, Tokens

COMPARISONS: Final = ("=", "<>", "<", "<=", ">", ">=")
T = TypeVar("T")
SECTIONS: Final = ("SET", "REMOVE", "ADD", "DELETE")
_WORDS: Final = ("AND", "OR", "NOT", "BETWEEN", "IN")


class Parser:
    """Reads one expression.

    Args:
        text: the expression.
        names: of attributes, by placeholders.
        values: by placeholders.

    Attributes:
        has_redundant_parentheses: Parentheses stood directly inside others.
    """

    def __init__(self, text: str, names: Mapping[str, str], values: Mapping[str, Any]) -> None:
        self._tokens = Tokens(text)
        self._names, self._values = names, values
        self._groups: set[tuple[int, int]] = set()

    @property
    def has_redundant_parentheses(self) -> bool:
        """Whether parentheses stood directly inside others."""
        return any((start + 1, end - 1) in self._groups for start, end in self._groups)

    def read_condition(self) -> Node:
        """Read a condition, a filter or a condition on keys."""
        return self._read_whole(self._read_or)

    def read_paths(self) -> list[Path]:
        """Read a projection."""
        return self._read_whole(lambda: self._read_list(self._read_path))

    def read_actions(self) -> list[Action]:
        """Read an update."""
        return self._read_whole(self._read_sections)

    def _read_whole(self, read: Callable[[], T]) -> T:
        try:
            found = read()
        except RecursionError as error:
            raise SyntaxFault("The expression nests too deep") from error
        if self._tokens.current != END:
            self._tokens.refuse()
        return found

    def _read_or(self) -> Node:
        return self._read_chain("OR", lambda: self._read_chain("AND", self._read_not))

    def _read_chain(self, word: str, read: Callable[[], Node]) -> Node:
        found = [read()]
        while self._tokens.is_at(word):
            self._tokens.take()
            found.append(read())
        return found[0] if len(found) == 1 else Term(word, tuple(found))

    def _read_not(self) -> Node:
        if not self._tokens.is_at("NOT"):
            return self._read_term()
        self._tokens.take()
        return Term("NOT", (self._read_not(),))

    def _read_term(self) -> Node:
        """Read a comparison, a function, or a condition in parentheses."""
        start, groups = self._tokens.place, set(self._groups)
        try:
            return self._read_comparison()
        except SyntaxFault:
            if self._tokens.place == start:
                raise
            self._tokens.place, reached = start, self._tokens.place
            if not self._tokens.is_at("("):
                self._tokens.place = reached
                raise
        self._groups = groups
        return self._read_group(self._read_or)

    def _read_group(self, read: Callable[[], T]) -> T:
        start = self._tokens.place
        self._tokens.expect("(")
        found = read()
        self._tokens.expect(")")
        self._groups.add((start, self._tokens.place - 1))
        return found

    def _read_comparison(self) -> Node:
        first = self._read_operand()
        word = self._tokens.current.upper()
        if word in COMPARISONS:
            self._tokens.take()
            return Term(word, (first, self._read_operand()))
        if word == "BETWEEN":
            self._tokens.take()
            low = self._read_operand()
            self._tokens.expect("AND")
            return Term(word, (first, low, self._read_operand()))
        if word == "IN":
            self._tokens.take()
            self._tokens.expect("(")
            options = self._read_list(self._read_operand)
            self._tokens.expect(")")
            return Term(word, (first, *options))
        if not isinstance(first, Term) or self._tokens.current in (".", "["):
            self._tokens.refuse()
        return first

    def _read_operand(self) -> Node:
        if self._tokens.is_at("("):
            return self._read_group(self._read_operand)
        if self._tokens.is_at_name() and self._tokens.look_ahead() == "(" and not self._tokens.is_at(*_WORDS):
            name = self._tokens.take()
            self._tokens.expect("(")
            operands = self._read_list(self._read_operand)
            self._tokens.expect(")")
            return Term(name, tuple(operands))
        if self._tokens.current.startswith(":"):
            name = self._tokens.take()
            return Given(name, self._values[name])
        return self._read_path()

    def _read_path(self) -> Path:
        parts: list[str | int] = []
        written: list[str] = []
        self._read_name(parts, written)
        while self._tokens.current in (".", "["):
            if self._tokens.take() == ".":
                self._read_name(parts, written)
                continue
            if not self._tokens.current.isdecimal():
                self._tokens.refuse()
            parts.append(int(self._tokens.take()))
            self._tokens.expect("]")
        return Path(tuple(parts), tuple(written))

    def _read_name(self, parts: list[str | int], written: list[str]) -> None:
        if self._tokens.current.startswith("#"):
            parts.append(self._names[self._tokens.take()])
        elif self._tokens.is_at_name() and not self._tokens.is_at(*_WORDS):
            written.append(self._tokens.take())
            parts.append(written[-1])
        else:
            self._tokens.refuse()

    def _read_list(self, read: Callable[[], T]) -> list[T]:
        found = [read()]
        while self._tokens.is_at(","):
            self._tokens.take()
            found.append(read())
        return found

    def _read_sections(self) -> list[Action]:
        found: list[Action] = []
        while self._tokens.is_at(*SECTIONS):
            section = self._tokens.take().upper()
            if any(action.section == section for action in found):
                raise SyntaxFault(f'The "{section}" section can only be used once in an update expression;')
            found += self._read_list(partial(self._read_action, section))
        if not found:
            self._tokens.refuse()
        return found

    def _read_action(self, section: str) -> Action:
        path = self._read_path()
        if section == "REMOVE":
            return Action(section, path)
        if section == "SET":
            self._tokens.expect("=")
            return Action(section, path, self._read_sum())
        if not self._tokens.current.startswith(":"):
            self._tokens.refuse()
        return Action(section, path, self._read_operand())

    def _read_sum(self) -> Node:
        if self._tokens.is_at("("):
            start = self._tokens.place
            try:
                found = self._read_group(self._read_sum)
                if self._tokens.current not in "+-":
                    return found
            except SyntaxFault:
                pass
            self._tokens.place = start
        found = self._read_operand()
        while self._tokens.is_at("+", "-"):
            found = Term(self._tokens.take(), (found, self._read_operand()))
        return found
