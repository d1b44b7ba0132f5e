"""The JSONata functions that Step Functions adds to the language, and the one that it takes away.

Source: AWS documentation, "JSONata functions provided by Step Functions": `$partition`, `$range`, `$hash`, `$random`,
`$uuid` and `$parse` exist, `$eval` does not.
"""

import hashlib
import json
import math
import random
import uuid
from collections.abc import Callable
from typing import Any, Final

from jsonata import JException
from jsonata.utils import Utils

_ALGORITHMS: Final = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
_MAX_ITEMS: Final = 100_000
"""Longest array that `$range` makes here. AWS bounds it by the 256 KiB payload, which is reached long before."""


def to_jsonata(value: Any) -> Any:
    """Copy JSON data into what the evaluator works on: its null is an object, because its None means undefined."""
    if value is None:
        return Utils.NULL_VALUE
    if isinstance(value, dict):
        return {str(key): to_jsonata(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_jsonata(item) for item in value]
    return value


def _argument_error(position: int, function: str) -> JException:
    return JException("T0410", -1, position, function)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _to_integer(value: Any, position: int, function: str) -> int:
    if not _is_number(value) or int(value) != value:
        raise _argument_error(position, function)
    return int(value)


def partition(array: Any = None, size: Any = None) -> Any:
    """`$partition(array, size)`: the array in chunks of `size`; the last may be shorter."""
    if array is None:
        return None
    chunk = _to_integer(size, 2, "partition")
    if chunk <= 0:
        raise _argument_error(2, "partition")
    items = list(array) if isinstance(array, list) else [array]
    return [items[start : start + chunk] for start in range(0, len(items), chunk)]


def range_(first: Any = None, last: Any = None, step: Any = None) -> Any:
    """`$range(first, last, step)`: numbers from `first` to `last`, both included where the step meets them."""
    for position, value in enumerate((first, last, step), start=1):
        if not _is_number(value):
            raise _argument_error(position, "range")
    if step == 0:
        raise _argument_error(3, "range")
    count = int((last - first) / step) + 1 if (last - first) / step >= 0 else 0
    if count > _MAX_ITEMS:
        raise JException("D2014", -1, count)
    return [first + index * step for index in range(count)]


def hash_(data: Any = None, algorithm: Any = None) -> Any:
    """`$hash(data, algorithm)`: hexadecimal digest of a string by MD5, SHA-1, SHA-256, SHA-384 or SHA-512."""
    if data is None:
        return None
    if not isinstance(data, str):
        raise _argument_error(1, "hash")
    name = _ALGORITHMS.get(algorithm) if isinstance(algorithm, str) else None
    if name is None:
        raise _argument_error(2, "hash")
    return hashlib.new(name, data.encode(), usedforsecurity=False).hexdigest()


def random_(seed: Any = None) -> float:
    """`$random([seed])`: a number from 0 (included) to 1 (excluded); the same seed gives the same number."""
    if seed is None:
        return random.random()  # noqa: S311 (the language's own function, not a secret)
    return random.Random(_to_integer(seed, 1, "random")).random()  # noqa: S311


def uuid_() -> str:
    """`$uuid()`: a version 4 UUID."""
    return str(uuid.uuid4())


def _refuse(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


def _read_float(text: str) -> float:
    """JSON.parse makes infinity of what is too large, which no later step can take."""
    found = float(text)
    return found if math.isfinite(found) else _refuse(text)


def parse(text: Any = None) -> Any:
    """`$parse(text)`: the value of a JSON text."""
    if text is None:
        return None
    if not isinstance(text, str):
        raise _argument_error(1, "parse")
    try:
        return to_jsonata(json.loads(text, parse_constant=_refuse, parse_float=_read_float))
    except (ValueError, RecursionError) as exc:
        raise JException("D3120", -1, str(exc)) from exc


PROVIDED: Final[dict[str, Callable[..., Any]]] = {
    "partition": partition,
    "range": range_,
    "hash": hash_,
    "random": random_,
    "uuid": uuid_,
    "parse": parse,
}
"""Functions by the name they have in an expression, without the dollar sign."""
REMOVED: Final = ("eval",)
