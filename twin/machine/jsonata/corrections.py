"""Where the Python port of JSONata answers otherwise than jsonata 2.0.6, the version that Step Functions names.

Each was held against that version: `tests/unit/twin/machine/jsonata/test_corrections.py` has its answers. What differs
still is in `docs/twin-state-machines.md`.
"""

import base64
import binascii
import json
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, Final

from jsonata import JException, Jsonata
from jsonata.functions import Functions
from jsonata.parser import Parser
from jsonata.utils import Utils

_NUMBER: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[Ee][-+]?[0-9]+)?")
_BASED: Final = re.compile(r"0[xX][0-9A-Fa-f]+|0[oO][0-7]+|0[bB][01]+")
_DATE: Final = re.compile(
    r"([0-9]{4})(?:-([01][0-9]))?(?:-([0-3][0-9]))?"
    r"(?:T([0-2][0-9]):([0-5][0-9]):([0-5][0-9])(?:\.([0-9]+))?(?:([+-])([0-2][0-9]):?([0-5][0-9])|Z)?)?"
)
_QUOTED: Final = re.compile(
    r"""\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|`[^`]*`|/\*.*?\*/|/(?:\\.|[^/\\\n])+/""", re.DOTALL
)
_LATER: Final = re.compile(r"\?[?:]")
_SMALLEST_PLAIN: Final = 1e-6
_SMALLEST_POWER: Final = 1e21


def check_operators(expression: str) -> None:
    """Refuse `??` and `?:`, which came with later versions.

    Raises:
        JException: there is one.
    """
    if _LATER.search(_QUOTED.sub(" ", expression)):
        raise JException("S0211", -1, "?")


class CorrectedJsonata(Jsonata):  # type: ignore[misc]  # the library has no types
    """An expression whose operators calculate and write numbers as JavaScript does."""

    def evaluate_numeric_expression(self, lhs: Any, rhs: Any, op: Any) -> Any:
        """`%` keeps fractions; the port cuts them off."""
        if op == "%" and Utils.is_numeric(lhs) and Utils.is_numeric(rhs) and rhs != 0:
            return Utils.convert_number(math.fmod(lhs, rhs))
        return super().evaluate_numeric_expression(lhs, rhs, op)

    def evaluate_string_concat(self, lhs: Any, rhs: Any) -> str:
        """`&` writes what `$string` writes."""
        return "".join(string(side, None) or "" for side in (lhs, rhs))


def count(array: Any) -> int:
    """`$count(array)`: null is one value, and only nothing is none."""
    if array is None:
        return 0
    return len(array) if isinstance(array, list) else 1


def number(value: Any) -> Any:
    """`$number(value)`: texts that are numbers in JSON, and those of other bases; nothing that Python takes beside."""
    if not isinstance(value, str):
        return Functions.number(value)
    if _BASED.fullmatch(value):
        return int(value, 0)
    found = float(value) if _NUMBER.fullmatch(value) else math.nan
    if not math.isfinite(found):
        raise JException("D3030", -1, value)
    return Utils.convert_number(found)


def to_millis(timestamp: Any, picture: Any) -> Any:
    """`$toMillis(timestamp, picture)`: without a picture, a day up to 31 runs into the next month."""
    if timestamp is None or picture is not None:
        return Functions.datetime_to_millis(timestamp, picture)
    match = _DATE.fullmatch(timestamp)
    if match is None:
        raise JException("D3110", -1, timestamp)
    year, month, day, hour, minute, second = (
        int(one or least) for one, least in zip(match.groups()[:6], "111000", strict=True)
    )
    if not (1 <= month <= 12 and 1 <= day <= 31 and hour <= 23 and year):
        raise JException("D3110", -1, timestamp)
    sign, hours, minutes = match.groups()[7:]
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0)) * (-1 if sign == "-" else 1)
    moment = datetime(year, month, 1, hour, minute, second, tzinfo=UTC) + timedelta(days=day - 1) - offset
    return int(moment.timestamp()) * 1000 + int((match[7] or "")[:3].ljust(3, "0"))


def base64_encode(text: Any) -> Any:
    """`$base64encode(text)`: of each UTF-16 unit its lower byte, as JavaScript's binary strings have it."""
    if text is None:
        return None
    units = text.encode("utf-16-le", "surrogatepass")
    return base64.b64encode(units[::2]).decode()


def base64_decode(text: Any) -> Any:
    """`$base64decode(text)`: a character for each byte."""
    if text is None:
        return None
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4)).decode("latin-1")
    except (binascii.Error, ValueError) as error:
        raise JException("D3137", -1, str(error)) from error


def string(value: Any, prettify: Any) -> Any:
    """`$string(value, prettify)`: numbers of 15 digits as JavaScript writes them, characters as they are."""
    if isinstance(value, Utils.JList) and value.outer_wrapper:
        value = value[0]
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Jsonata.JFunction | Parser.Symbol):
        return ""
    return _write(value, "\n" if prettify else "")


def _write(value: Any, line: str) -> str:
    if isinstance(value, Jsonata.JFunction | Parser.Symbol):
        return '""'
    if value is None or value is Utils.NULL_VALUE:
        return "null"
    if isinstance(value, bool | str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int | float):
        return _write_number(float(value))
    inner = f"{line}  " if line else ""
    if isinstance(value, dict):
        colon = ": " if line else ":"
        parts = [f"{json.dumps(str(key), ensure_ascii=False)}{colon}{_write(one, inner)}" for key, one in value.items()]
        ends = "{}"
    else:
        parts, ends = [_write(one, inner) for one in value], "[]"
    return f"{ends[0]}{inner}{f',{inner}'.join(parts)}{line}{ends[1]}" if parts else ends


def _write_number(value: float) -> str:
    if not math.isfinite(value):
        raise JException("D3001", -1, value)
    value = float(f"{value:.15g}")
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    if value == 0:
        return "0"
    if _SMALLEST_PLAIN <= abs(value) < _SMALLEST_POWER:
        return f"{Decimal(repr(value)).normalize():f}"
    text = "".join(map(str, digits))
    power = int(exponent) + len(text) - 1
    return f"{'-' * sign}{text[0]}{'.' + text[1:] if len(text) > 1 else ''}e{'+' if power > 0 else ''}{power}"


_SIGNATURES: Final = {
    "count": "<x:n>",
    "number": "<(nsb)-:n>",
    "toMillis": "<s-s?:n>",
    "base64encode": "<s-:s>",
    "base64decode": "<s-:s>",
    "string": "<x-b?:s>",
}
_FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "count": count,
    "number": number,
    "toMillis": to_millis,
    "base64encode": base64_encode,
    "base64decode": base64_decode,
    "string": string,
}
CORRECTED: Final[dict[str, Any]] = {
    name: Jsonata.JNativeFunction(name, signature, SimpleNamespace(**_FUNCTIONS), name)
    for name, signature in _SIGNATURES.items()
}
"""Functions by the name that they have in an expression, without the dollar sign."""
