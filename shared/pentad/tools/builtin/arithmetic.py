"""Evaluate an arithmetic expression: a Pratt parser over a closed grammar, with no eval and every size bounded.

    expression  = operand (operator operand)*
    operator    = + - (10)   * / // % of (20)   ^ ** (40, from the right)
    operand     = number | pi | e | name(expression, ...) | (expression) | -operand (30) | operand%

``%`` is a remainder where an operand follows (``10 % 3``), else a hundredth (``15% of 240``). What could be read in two
ways, with two values, is refused, and both ways are named: ``200 + 10%``, ``10 % -3``, ``1,234``. There is one reading
where the percentage is part of a product (``200 + 2 * 10%``), of one whole (``1 + 10%``), or set apart (``50% - 3``).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from pentad.tools.builtin.forms import make_error
from pentad.tools.builtin.functions import FUNCTIONS
from pentad.tools.builtin.quantities import Quantity, apply, find_constant, make_number
from pentad.tools.builtin.work import limited_work

MAX_LENGTH = 1_000
MAX_NESTING = 50
_MAX_EXPONENT_DIGITS = 3

# Times, middle dot, division, minus, en dash, pi, and the space that does not break.
_SPELLINGS = str.maketrans(
    {"\u00d7": "*", "\u00b7": "*", "\u00f7": "/", "\u2212": "-", "\u2013": "-", "\u03c0": "pi", "\u00a0": " "}
)
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+(?![\w.]))?)|(?P<name>[a-z_]\w*)"
    r"|(?P<symbol>\*\*|//|[-+*/%^(),]))",
    re.ASCII,
)
_CHANGES = {"+": "more", "-": "less"}
_ONE = make_number(Fraction(1))
_HUNDREDTH = make_number(Fraction(1, 100))
_Operation = Callable[[Quantity, Quantity], Quantity]
_INFIX: dict[str, tuple[int, _Operation]] = {
    "+": (10, Quantity.__add__),
    "-": (10, Quantity.__sub__),
    "*": (20, Quantity.__mul__),
    "of": (20, Quantity.__mul__),
    "/": (20, Quantity.__truediv__),
    "//": (20, Quantity.__floordiv__),
    "%": (20, Quantity.__mod__),
    "^": (40, Quantity.__pow__),
    "**": (40, Quantity.__pow__),
}
_UNARY = 30


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    position: int

    @property
    def end(self) -> int:
        """The position after it."""
        return self.position + len(self.text)


_END = "end"


def evaluate(expression: str) -> Quantity:
    """Return the value of an expression; it can be shown.

    Raises:
        InvalidInput: it can't be read, has no value, or passes a bound; ``fix`` says what to write.
    """
    if len(expression) > MAX_LENGTH:
        raise make_error(f"the expression has {len(expression):,} characters", f"use at most {MAX_LENGTH:,}")
    with limited_work():
        value = _ExpressionParser(_split_tokens(expression.lower().translate(_SPELLINGS).rstrip())).parse()
        value.show()
    return value


def _split_tokens(text: str) -> list[_Token]:
    tokens, position = [], 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            found = text[position:].lstrip()[:1]
            raise make_error(
                f"{found!r} at position {len(text) - len(text[position:].lstrip()) + 1} is not arithmetic", _GRAMMAR
            )
        tokens.append(_Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup) + 1))
        position = match.end()
    return [*tokens, _Token(_END, "the end", len(text) + 1)]


_GRAMMAR = f"use numbers, + - * / // % ^, parentheses, pi, e and {', '.join(FUNCTIONS)}"


class _ExpressionParser:
    """One pass over the tokens, computing as it reads."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._place = 0
        self._depth = 0
        # Where an operand ended in a bare percent sign: "200 + 10%" means two things to two people.
        self._percent_ends_at = -1
        self._operations = 0

    def parse(self) -> Quantity:
        """Return the value of all tokens."""
        value = self._parse_expression(0)
        token = self._next
        if token.text == ",":
            raise make_error("a comma stands outside a function", "write 1234.5, without separators of thousands")
        if token.kind != _END:
            raise make_error(
                f"{token.text[:40]!r} at position {token.position} is not expected", "put an operator between operands"
            )
        return value

    @property
    def _next(self) -> _Token:
        return self._tokens[self._place]

    def _take(self) -> _Token:
        token = self._next
        self._place += 1
        return token

    def _expect(self, text: str) -> None:
        token = self._take()
        if token.text != text:
            raise make_error(
                f"{text!r} is missing before {token.text!r} at position {token.position}", "close parentheses"
            )

    def _parse_expression(self, binding: int) -> Quantity:
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise make_error(f"the expression is nested deeper than {MAX_NESTING}", "use fewer parentheses")
        value = self._parse_operand()
        while (operator := self._get_infix()) is not None and operator[0] > binding:
            symbol = self._take().text
            operations = self._operations
            power = operator[0] - 1 if symbol in ("^", "**") else operator[0]
            right = self._parse_expression(power)
            alone = self._percent_ends_at == self._place and self._operations == operations
            result = operator[1](value, right)
            if symbol in "+-" and alone:
                self._check_percentage(symbol, result, operator[1](_ONE, right) * value)
            value = result
            self._operations += 1
        self._depth -= 1
        return value

    def _check_percentage(self, symbol: str, added: Quantity, grown: Quantity) -> None:
        """Refuse ``200 + 10%``, which is 200.1 to some and 220 to others; ``1 + 10%`` is the same to both."""
        if added != grown:
            raise make_error(
                f"{symbol} before a percentage can be read in two ways",
                f"write x * (1 {symbol} 10%) for ten per cent of x {_CHANGES[symbol]}, or x {symbol} (10%) for a tenth",
            )

    def _get_infix(self) -> tuple[int, _Operation] | None:
        return _INFIX.get(self._next.text)

    def _parse_operand(self) -> Quantity:
        token = self._take()
        if token.kind == "number":
            value = _parse_number(token.text)
        elif token.kind == "name":
            value = self._parse_named(token)
        elif token.text == "(":
            value = self._parse_expression(0)
            self._expect(")")
        elif token.text in ("-", "+"):
            inner = self._parse_expression(_UNARY)
            return -inner if token.text == "-" else inner
        else:
            raise make_error(f"a number is missing before {token.text!r} at position {token.position}", _GRAMMAR)
        return self._parse_percent(value)

    def _parse_named(self, token: _Token) -> Quantity:
        name = token.text
        if self._next.text == "(":
            self._take()
            arguments = [self._parse_expression(0)]
            while self._next.text == ",":
                self._take()
                arguments.append(self._parse_expression(0))
            self._expect(")")
            return apply(name, arguments)
        value = find_constant(name)
        if value is None:
            raise make_error(f"{token.text[:40]!r} at position {token.position} is not known", _GRAMMAR)
        return value

    def _is_set_apart(self) -> bool:
        """Return whether blanks say that % belongs to what is before it, and the sign to neither: ``50% - 3``."""
        before, percent, sign, after = self._tokens[self._place - 1 : self._place + 3]
        return before.end == percent.position and percent.end < sign.position and sign.end < after.position

    def _parse_percent(self, value: Quantity) -> Quantity:
        if self._next.text != "%":
            return value
        after = self._tokens[self._place + 1]
        if after.text in ("-", "+") and not self._is_set_apart():
            raise make_error(
                f"% before {after.text} can be read in two ways",
                "write mod(10, -3) for a remainder, or (50%) - 3 for a percentage",
            )
        if after.text in ("-", "+"):
            pass
        elif after.kind == "number" or after.text == "(" or (after.kind == "name" and after.text != "of"):
            return value
        self._take()
        self._percent_ends_at = self._place
        return value * _HUNDREDTH


def _parse_number(text: str) -> Quantity:
    digits = text.partition("e")[2].lstrip("+-")
    if len(digits) > _MAX_EXPONENT_DIGITS:
        raise make_error(
            f"the number {text[:20]} has too large an exponent", f"use {_MAX_EXPONENT_DIGITS} digits at most"
        )
    return make_number(Fraction(text))
