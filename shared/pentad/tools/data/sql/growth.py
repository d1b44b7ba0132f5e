"""Refuse what makes many rows or a long text out of nothing: PostgreSQL bounds the memory of neither.

What tables hold is not looked at: joins of large ones, or texts that are joined again and again, take what they take
until the statement's time ends (`docs/tools/sql.md`).
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from sqlglot import exp

from pentad.tools.data.sql.words import refuse

MOST_ROWS: Final = 10_000
"""That all ``generate_series`` of a statement make together; with a text as long as a statement that is 100 MB."""
MOST_GROWTH: Final = 1_000
"""How many times as long the calls of ``replace`` within each other may make a text."""
_REPLACING: Final = (exp.Replace, exp.RegexpReplace)
_STEP: Final = re.compile(r"\s*(-?[0-9]{1,9})\s*([a-z]+?)s?\s*", re.IGNORECASE)
_SECONDS: Final = {
    "second": 1,
    "minute": 60,
    "hour": 3_600,
    "day": 86_400,
    "week": 604_800,
    "month": 28 * 86_400,
    "year": 365 * 86_400,
}
_SERIES_FIX: Final = (
    "write first and last as numbers or dates, as in generate_series(1, 12) or "
    "generate_series('2026-01-01'::date, '2026-12-31'::date, '1 month')"
)


def check_growth(root: exp.Expr) -> None:
    """Check that a statement's own rows and texts are bounded.

    Raises:
        InvalidInput: they are not, or nobody can tell.
    """
    rows = 1
    series: Iterator[exp.Expr] = root.find_all(exp.GenerateSeries, exp.ExplodingGenerateSeries)
    for node in series:
        count = _count_rows(node)
        if count is None:
            raise refuse("how many rows generate_series makes does not stand in it", _SERIES_FIX)
        rows *= max(1, count)
    if rows > MOST_ROWS:
        raise refuse(f"generate_series makes more than {MOST_ROWS:,} rows", "make fewer, or join fewer series")
    for call in root.find_all(*_REPLACING):
        _check_replacing(call)


def _count_rows(node: exp.Expr) -> int | None:
    """Return how many rows a series makes, or a few more; None where its bounds are no literals."""
    first, last, step = (node.args.get(name) for name in ("start", "end", "step"))
    whole = [_read_whole(one) for one in (first, last)]
    by = 1 if step is None else _read_whole(step)
    if None not in whole and by:
        return abs(int(whole[1] or 0) - int(whole[0] or 0)) // abs(by) + 1
    times = [_read_time(one) for one in (first, last)]
    every = _read_step(step)
    if times[0] is None or times[1] is None or not every:
        return None
    return int(abs(times[1] - times[0]) / timedelta(seconds=every)) + 2


def _read_whole(node: Any) -> int | None:
    sign, node = (-1, node.this) if isinstance(node, exp.Neg) else (1, node)
    written = node.name if isinstance(node, exp.Literal) and not node.is_string else ""
    return sign * int(written) if written.isascii() and written.isdigit() and len(written) <= 18 else None


def _read_text(node: Any) -> str | None:
    """Return a text in quotes, whatever it is cast to."""
    while isinstance(node, exp.Cast):
        node = node.this
    return node.name if isinstance(node, exp.Literal) and node.is_string else None


def _read_time(node: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(_read_text(node) or "").replace(tzinfo=None)
    except ValueError:
        return None


def _read_step(node: Any) -> int | None:
    """Return a step of time in seconds, at least."""
    if isinstance(node, exp.Interval):
        unit = node.args.get("unit")
        written = f"{_read_text(node.this) or ''} {unit.name if unit is not None else ''}"
    else:
        written = _read_text(node) or ""
    found = _STEP.fullmatch(written)
    return None if found is None else abs(int(found[1])) * _SECONDS.get(found[2].lower(), 0)


def _check_replacing(node: exp.Expr) -> None:
    """Refuse calls within each other that make a text much longer, or where nobody can tell how long."""
    growth, calls = 1.0, 0
    around: exp.Expr | None = node
    while around is not None:
        if isinstance(around, _REPLACING):
            calls += 1
            by = find_replace_growth(around)
            if by is None and calls > 1:
                raise refuse(
                    "replace within replace takes a text that is not in quotes",
                    "write both texts as 'text', or nest none",
                )
            growth *= 1 if by is None else by
        around = around.parent
    if growth > MOST_GROWTH:
        raise refuse(f"replace makes a text more than {MOST_GROWTH:,} times as long", "use a shorter replacement")


def find_replace_growth(node: exp.Expr) -> float | None:
    """Return how many times as long a call of ``replace`` may make its text; None: its replacement is no literal."""
    to = node.args.get("replacement")
    if to is None:
        return 1.0
    written, searched = _read_text(to), _read_text(node.args.get("expression"))
    if written is None or (searched is None and isinstance(node, exp.Replace)):
        return None
    # What a pattern finds may be empty, and its replacement may hold the whole of it again.
    return max(1.0, len(written) / max(1, len(searched or ""))) if isinstance(node, exp.Replace) else len(written) + 1
