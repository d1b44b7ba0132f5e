"""Metric math: the expressions of CloudWatch's alarms and dashboards over series of values. Pure.

Source: "Using math expressions with CloudWatch metrics" of the CloudWatch user guide. What is not in `_FUNCTIONS` is
refused when an alarm is made, so that no alarm is silently not evaluated.
"""

import itertools
import math
import operator
import re
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from twin.alarms.metric_store import Series

_TOKEN = re.compile(
    r"\s*(?:(\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+)|([A-Za-z][A-Za-z0-9_]*)|(&&|\|\||[<>=!]=|[-+*/^<>(),\[\]]))"
)
_MOST_CHARACTERS = 2_048
_MOST_DEPTH = 40
_FEWEST_TO_LEARN = 12
"""How many periods a band is learned from at least; CloudWatch asks for more, and knows hours and weekdays."""

Value = float | Series | list[Series] | tuple[Series, Series]
_COMPARED: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_COMPUTED: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": operator.pow,
}


@dataclass(frozen=True)
class Times:
    """The periods over which an expression is evaluated.

    Attributes:
        starts: of each, in seconds since the epoch, the oldest first.
        period: in seconds.
    """

    starts: tuple[int, ...]
    period: int


def list_names(expression: str) -> set[str]:
    """Return the ids of metrics and expressions that an expression uses.

    Raises:
        ValueError: it is none, or uses a function that is not evaluated here.
    """
    parser = _MathParser(expression, {}, Times((), 60))
    parser.parse()
    return parser.used


def evaluate_expression(expression: str, values: Mapping[str, Series | tuple[Series, Series]], times: Times) -> Value:
    """Return what an expression comes to.

    Args:
        expression: such as ``100 * FILL(failed, 0) / ended``.
        values: by id.
        times: the periods.

    Raises:
        ValueError: it is none, or uses what is not evaluated here.
    """
    return _MathParser(expression, values, times).parse()


class _MathParser:
    """Reads and evaluates at once: by descent, with what binds least first."""

    def __init__(self, expression: str, values: Mapping[str, Series | tuple[Series, Series]], times: Times) -> None:
        if len(expression) > _MOST_CHARACTERS:
            raise ValueError(f"an expression has {_MOST_CHARACTERS} characters at most")
        self._text, self._values, self._times = expression, values, times
        self._tokens = _split(expression)
        self._place = self._depth = 0
        self.used: set[str] = set()

    def parse(self) -> Value:
        value = self._read_or()
        if self._place < len(self._tokens):
            raise self._fail(f"{self._tokens[self._place]!r} stands where the expression should end")
        return value

    def _fail(self, why: str) -> ValueError:
        return ValueError(f"the expression {self._text!r}: {why}")

    def _peek(self) -> str:
        return self._tokens[self._place] if self._place < len(self._tokens) else ""

    def _take(self, *wanted: str) -> str | None:
        if self._peek() in wanted and self._peek():
            self._place += 1
            return self._tokens[self._place - 1]
        return None

    def _expect(self, token: str) -> None:
        if self._take(token) is None:
            raise self._fail(f"{token!r} is missing before {self._peek() or 'the end'!r}")

    def _read_or(self) -> Value:
        self._depth += 1
        if self._depth > _MOST_DEPTH:
            raise self._fail("it is nested too deeply")
        value = self._read_and()
        while self._take("||", "OR"):
            value = _combine(value, self._read_and(), lambda a, b: float(bool(a) or bool(b)))
        self._depth -= 1
        return value

    def _read_and(self) -> Value:
        value = self._read_comparison()
        while self._take("&&", "AND"):
            value = _combine(value, self._read_comparison(), lambda a, b: float(bool(a) and bool(b)))
        return value

    def _read_comparison(self) -> Value:
        value = self._read_sum()
        while sign := self._take(*_COMPARED):
            compare = _COMPARED[sign]
            value = _combine(value, self._read_sum(), lambda a, b, compare=compare: float(compare(a, b)))  # type: ignore[misc]
        return value

    def _read_sum(self) -> Value:
        value = self._read_product()
        while sign := self._take("+", "-"):
            value = _combine(value, self._read_product(), _COMPUTED[sign])
        return value

    def _read_product(self) -> Value:
        value = self._read_power()
        while sign := self._take("*", "/"):
            value = _combine(value, self._read_power(), _COMPUTED[sign])
        return value

    def _read_power(self) -> Value:
        if self._take("-"):
            return _combine(0.0, self._read_power(), operator.sub)
        value = self._read_term()
        return _combine(value, self._read_power(), operator.pow) if self._take("^") else value

    def _read_term(self) -> Value:
        token = self._peek()
        self._place += 1
        if token == "(":  # noqa: S105 - a parenthesis
            value = self._read_or()
            self._expect(")")
            return value
        if token == "[":  # noqa: S105 - a bracket
            members = self._read_list("]")
            return [_read_series(member, self._times) for member in members]
        if re.fullmatch(r"\d.*|\.\d.*", token):
            return float(token)
        if self._take("("):
            return self._call(token)
        if re.fullmatch(r"[a-z][A-Za-z0-9_]*", token):
            self.used.add(token)
            return self._values.get(token, {})
        raise self._fail(f"{token or 'the end'!r} is where a value is expected")

    def _read_list(self, end: str) -> list[Value]:
        members: list[Value] = []
        if self._take(end):
            return members
        members.append(self._read_or())
        while self._take(","):
            members.append(self._read_or())
        self._expect(end)
        return members

    def _call(self, name: str) -> Value:
        if name == "FILL":
            return self._fill()
        given = self._read_list(")")
        if name == "METRICS":
            return [series for series in self._values.values() if isinstance(series, dict)]
        function = _FUNCTIONS.get(name)
        if function is None:
            raise self._fail(f"the function {name} is not supported; use one of {', '.join(sorted(_FUNCTIONS))}")
        least, most, apply = function
        if not least <= len(given) <= most:
            raise self._fail(f"{name} takes {least} to {most} arguments and has {len(given)}")
        return apply(given, self._times)

    def _fill(self) -> Value:
        series = self._read_or()
        self._expect(",")
        how = self._take("REPEAT", "LINEAR")
        filler = 0.0 if how else self._read_or()
        self._expect(")")
        if isinstance(series, list):
            return [_fill_series(one, filler, how, self._times) for one in series]
        return _fill_series(_read_series(series, self._times), filler, how, self._times)


def _split(expression: str) -> list[str]:
    tokens, place = [], 0
    text = expression.rstrip()
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise ValueError(f"the expression {expression!r}: {text[place]!r} has no meaning in it")
        tokens.append(found[0].strip())
        place = found.end()
    return tokens


def _read_series(value: Value, times: Times) -> Series:
    if isinstance(value, dict):
        return value
    if isinstance(value, float | int):
        return dict.fromkeys(times.starts, float(value))
    raise ValueError("a list or a band stands where one series is needed")


def _combine(left: Value, right: Value, apply: Callable[[float, float], float]) -> Value:
    """Return an operation by period; a period that one of them lacks, or that has no result, has no value."""
    if isinstance(left, list):
        return [_read_dict(_combine(member, right, apply)) for member in left]
    if isinstance(right, list):
        return [_read_dict(_combine(left, member, apply)) for member in right]
    if isinstance(left, tuple) or isinstance(right, tuple):
        raise ValueError("a band can't be combined")
    if not isinstance(left, dict) and not isinstance(right, dict):
        result = _attempt(apply, left, right)
        return math.nan if result is None else result
    starts = left if isinstance(left, dict) else right
    found: Series = {}
    for at in starts if isinstance(starts, dict) else ():
        first = left.get(at) if isinstance(left, dict) else left
        second = right.get(at) if isinstance(right, dict) else right
        result = None if first is None or second is None else _attempt(apply, first, second)
        if result is not None:
            found[at] = result
    return found


def _read_dict(value: Value) -> Series:
    if not isinstance(value, dict):
        raise ValueError("a list holds series only")
    return value


def _attempt(apply: Callable[[float, float], float], first: float, second: float) -> float | None:
    try:
        result = apply(first, second)
    except (ZeroDivisionError, OverflowError):
        return None
    return float(result) if isinstance(result, int | float) and math.isfinite(result) else None


def _fill_series(series: Series, filler: Value, how: str | None, times: Times) -> Series:
    if how is None:
        by = _read_series(filler, times)
        return {at: series[at] if at in series else by[at] for at in times.starts if at in series or at in by}
    found, known = {}, sorted(series)
    for at in times.starts:
        before = [one for one in known if one <= at]
        after = [one for one in known if one > at]
        if at in series:
            found[at] = series[at]
        elif how == "REPEAT" and before:
            found[at] = series[before[-1]]
        elif how == "LINEAR" and before and after:
            share = (at - before[-1]) / (after[0] - before[-1])
            found[at] = series[before[-1]] + (series[after[0]] - series[before[-1]]) * share
    return found


def _choose(given: Sequence[Value], times: Times) -> Value:
    condition = _read_series(given[0], times)
    yes = _read_series(given[1], times)
    no = _read_series(given[2], times) if len(given) > 2 else {}
    chosen = {at: (yes if value else no).get(at) for at, value in condition.items()}
    return {at: value for at, value in chosen.items() if value is not None}


def _aggregate(apply: Callable[[Sequence[float]], float]) -> Callable[[Sequence[Value], Times], Value]:
    def run(given: Sequence[Value], times: Times) -> Value:
        one = given[0]
        if isinstance(one, list):
            starts = sorted({at for series in one for at in series})
            return {at: apply([series[at] for series in one if at in series]) for at in starts}
        series = _read_series(one, times)
        return apply(list(series.values())) if series else {}

    return run


def _each(apply: Callable[[float], float]) -> Callable[[Sequence[Value], Times], Value]:
    return lambda given, times: {at: apply(value) for at, value in _read_series(given[0], times).items()}


def _differ(given: Sequence[Value], times: Times, *, a_second: bool = False) -> Value:
    series = _read_series(given[0], times)
    known = sorted(series)
    pairs = itertools.pairwise(known)
    return {later: (series[later] - series[sooner]) / ((later - sooner) if a_second else 1) for sooner, later in pairs}


def _band(given: Sequence[Value], times: Times) -> Value:
    """Return the mean of all periods but the last, plus and minus so many standard deviations."""
    series = _read_series(given[0], times)
    width = given[1] if len(given) > 1 else 2.0
    if not isinstance(width, float | int):
        raise ValueError("the width of a band is a number")
    learned = [series[at] for at in sorted(series)[:-1]]
    if len(learned) < _FEWEST_TO_LEARN:
        return ({}, {})
    middle, spread = statistics.fmean(learned), statistics.pstdev(learned)
    return (
        dict.fromkeys(times.starts, middle - width * spread),
        dict.fromkeys(times.starts, middle + width * spread),
    )


_FUNCTIONS: dict[str, tuple[int, int, Callable[[Sequence[Value], Times], Value]]] = {
    "ABS": (1, 1, _each(abs)),
    "ANOMALY_DETECTION_BAND": (1, 2, _band),
    "AVG": (1, 1, _aggregate(lambda values: sum(values) / len(values))),
    "CEIL": (1, 1, _each(math.ceil)),
    "DIFF": (1, 1, _differ),
    "FLOOR": (1, 1, _each(math.floor)),
    "IF": (2, 3, _choose),
    "MAX": (1, 1, _aggregate(max)),
    "MIN": (1, 1, _aggregate(min)),
    "PERIOD": (1, 1, lambda given, times: float(times.period)),
    "RATE": (1, 1, lambda given, times: _differ(given, times, a_second=True)),
    "SUM": (1, 1, _aggregate(sum)),
}
