"""Find arithmetic in a question, and evaluate it where no tool does."""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

NUMBER = r"-?\d+(?:\.\d+)?"
_LONGEST_QUESTION = 2000  # characters
_REWRITES: tuple[tuple[str, str], ...] = (
    (r"(?<=\d),(?=\d{3}\b)", ""),
    (r"[\u00d7\u00b7\u2715]", "*"),
    (r"\u00f7", "/"),
    (r"[\u2212\u2013]", "-"),
    (r"\^", "**"),
    (rf"({NUMBER})\s*(?:%|percent|per cent)\s+of\s+({NUMBER})", r"\1 / 100 * \2"),
    (rf"({NUMBER})\s+(?:in|as)\s+(?:a\s+)?(?:percent|per cent|percentage|%)", r"\1 * 100"),
    (rf"(?:the\s+)?square root of\s+({NUMBER})", r"sqrt(\1)"),
    (rf"({NUMBER})\s+squared", r"\1 ** 2"),
    (rf"({NUMBER})\s+cubed", r"\1 ** 3"),
    (rf"\bdouble\s+({NUMBER})", r"2 * \1"),
    (rf"\btriple\s+({NUMBER})", r"3 * \1"),
    (rf"\b(?:half\s+of|half|halve)\s+({NUMBER})", r"\1 / 2"),
    (rf"\bsquare\s+({NUMBER})", r"\1 ** 2"),
    (rf"\badd\s+({NUMBER})\s+(?:to|and)\s+({NUMBER})", r"\2 + \1"),
    (rf"\bsubtract\s+({NUMBER})\s+from\s+({NUMBER})", r"\2 - \1"),
    (rf"\bmultiply\s+({NUMBER})\s+(?:by|with|and)\s+({NUMBER})", r"\1 * \2"),
    (rf"\bdivide\s+({NUMBER})\s+by\s+({NUMBER})", r"\1 / \2"),
    (rf"\bsum of\s+({NUMBER})\s+and\s+({NUMBER})", r"\1 + \2"),
    (rf"\bproduct of\s+({NUMBER})\s+and\s+({NUMBER})", r"\1 * \2"),
    (rf"\bdifference between\s+({NUMBER})\s+and\s+({NUMBER})", r"\1 - \2"),
    (r"(?<=[\d)])\s+(?:plus)\s+(?=[\d(-])", " + "),
    (r"(?<=[\d)])\s+(?:minus)\s+(?=[\d(-])", " - "),
    (r"(?<=[\d)])\s+(?:times|multiplied by|x)\s+(?=[\d(-])", " * "),
    (r"(?<=[\d)])\s+(?:divided by|over)\s+(?=[\d(-])", " / "),
    (r"(?<=[\d)])\s+(?:to the power of)\s+(?=[\d(-])", " ** "),
)
_CANDIDATE = re.compile(
    r"(?<![\w.])(?:(?:sqrt|abs|round|min|max|log|ln|log10|exp|sin|cos|tan|floor|ceil)\s*\(|[(\d.]|-(?=[\d(]))"
    r"(?:[\d.\s()+*/%,-]|(?:sqrt|abs|round|min|max|log|ln|log10|exp|sin|cos|tan|floor|ceil)(?=\s*\())*[\d)](?![\w])"
)
_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}(?:T[\d:.+Z-]+)?|\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b|\b\d+(?:\.\d+){2,}\b")
_CUE = re.compile(
    r"\b(?:what(?:'s| is| are| does)?|calculate|compute|evaluate|work out|how much|result|equals?|solve)\b|=", re.I
)
_OPERATORS: dict[type[ast.AST], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
    ast.FloorDiv: operator.floordiv,
}
_FUNCTIONS: dict[str, Callable[..., float]] = {
    "sqrt": math.sqrt,
    "abs": abs,
    "round": round,
    "min": min,
    "max": max,
    "exp": math.exp,
    "log": math.log,
    "ln": math.log,
    "log10": math.log10,
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "floor": math.floor,
    "ceil": math.ceil,
}
_MAX_EXPONENT = 512


@dataclass(frozen=True)
class Found:
    """Expressions of a text, and the text without them."""

    expressions: tuple[str, ...]
    rest: str


def find_expressions(text: str) -> Found:
    """Return the arithmetic expressions in a question, written with Python's operators.

    Of a long text the beginning and the end are looked at, where questions are: the patterns take cubic time on rows
    of brackets.
    """
    if len(text) > 2 * _LONGEST_QUESTION:
        first, last = _find(text[:_LONGEST_QUESTION]), _find(text[-_LONGEST_QUESTION:])
        expressions = tuple(dict.fromkeys((*first.expressions, *last.expressions)))
        return Found(expressions, first.rest + text[_LONGEST_QUESTION:-_LONGEST_QUESTION] + last.rest)
    return _find(text)


def _find(text: str) -> Found:
    plain = _DATE.sub(lambda match: "#" * len(match.group()), text)
    rewritten = plain
    for pattern, replacement in _REWRITES:
        rewritten = re.sub(pattern, replacement, rewritten, flags=re.I)
    spoken = rewritten != plain
    expressions: list[str] = []

    def take(match: re.Match[str]) -> str:
        expression = _strip_brackets(match.group().strip().rstrip(","))
        if not _is_expression(expression) or not (spoken or _CUE.search(text) or _is_deliberate(expression)):
            return match.group()
        if expression not in expressions:
            expressions.append(expression)
        return " "

    rest = _CANDIDATE.sub(take, rewritten)
    return Found(tuple(expressions), rest if expressions else text)


def evaluate(expression: str) -> float:
    """Return the value of an expression.

    Raises:
        ValueError: If it is not arithmetic or has no finite value.
    """
    try:
        value = _compute(ast.parse(expression, mode="eval").body)
    except (SyntaxError, ArithmeticError, TypeError, KeyError, RecursionError) as exc:
        raise ValueError(f"cannot evaluate {expression!r}") from exc
    if not math.isfinite(value):
        raise ValueError(f"{expression!r} is not finite")
    return value


def show(value: float) -> str:
    """Write a number without needless digits."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else f"{value:.12g}"


def _strip_brackets(text: str) -> str:
    """Drop closing brackets that nothing opened, such as the one of an aside around the expression."""
    while text.count(")") > text.count("(") and text.endswith(")"):
        text = text[:-1].rstrip()
    while text.count("(") > text.count(")") and text.startswith("("):
        text = text[1:].lstrip()
    return text


def _is_expression(text: str) -> bool:
    try:
        tree = ast.parse(text, mode="eval").body
        _compute(tree)
    except ZeroDivisionError:
        return True
    except (SyntaxError, ArithmeticError, ValueError, TypeError, KeyError, RecursionError):
        return False
    return isinstance(tree, ast.BinOp | ast.Call)


def _is_deliberate(text: str) -> bool:
    """Whether it looks written as arithmetic rather than as a range or a ratio such as 1-4 or 24/7."""
    return bool(re.search(r"\s[-+*/]\s|[()*]", text))


def _compute(node: ast.AST) -> float:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        return -_compute(node.operand) if isinstance(node.op, ast.USub) else _compute(node.operand)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        return _FUNCTIONS[node.func.id](*(_compute(argument) for argument in node.args))
    if isinstance(node, ast.BinOp):
        left, right = _compute(node.left), _compute(node.right)
        if isinstance(node.op, ast.Pow):
            if abs(right) > _MAX_EXPONENT:
                raise ValueError("the exponent is too large")
            return float(left**right)
        return _OPERATORS[type(node.op)](left, right)
    raise ValueError("not arithmetic")
