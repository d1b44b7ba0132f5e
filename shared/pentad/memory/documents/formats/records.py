"""Render JSON as text: one block a record, whole."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from pentad.domain.errors import InvalidInput
from pentad.domain.reading.json_text import read_json
from pentad.memory.documents.formats.builder import TextBuilder
from pentad.memory.documents.structure import ParsedText

_PATH_CHARACTERS = 200
_RECORD_CHARACTERS = 1600
"""Of a part that is kept whole though there are records within it: a chunk."""
_LONGEST_CHARACTERS = 6_000
"""Of a list of values that is kept in one record with what stands beside it; one record's text is cut beyond that."""
_DEPTH = 6
_LINES_TRIED = 3
_KEYS_TOLD = 5
_KEY_CHARACTERS = 30


def parse_json(text: str) -> ParsedText:
    """Return each record as lines of ``path: value``: an entry of the top-level array or object, or of one within.

    Raises:
        InvalidInput: it is no JSON.
    """
    doubled = dict[str, None]()
    try:
        value = load_json(text, doubled, exact=True)
    except InvalidInput:
        # JSON lines under the name of JSON: what comes after the first line is no part of a value.
        if not _is_json_lines(text):
            raise
        return parse_json_lines(text)
    out = TextBuilder()
    if isinstance(value, list):
        for item in value:
            _add_record(out, item, "", _DEPTH, listed=True)
    elif isinstance(value, dict):
        for key, item in value.items():
            _add_record(out, item, key, _DEPTH)
    else:
        _add_record(out, value, "", 0)
    _note_doubled(out, doubled)
    return out.finish()


def parse_json_lines(text: str) -> ParsedText:
    """Return each line's value as lines of ``path: value``.

    Raises:
        InvalidInput: a line is no JSON.
    """
    out, doubled = TextBuilder(), dict[str, None]()
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            _add_record(out, load_json(line, doubled, number, exact=True), "", 0)
    _note_doubled(out, doubled)
    return out.finish()


def _is_json_lines(text: str) -> bool:
    parts = text.split("\n", _LINES_TRIED)
    # The last part is what is left of the document.
    lines = [line for line in (parts[:-1] if len(parts) > _LINES_TRIED else parts) if line.strip()]
    try:
        return len(lines) > 1 and all(isinstance(read_json(line), dict | list) for line in lines)
    except (ValueError, RecursionError):
        return False


def load_json(text: str, doubled: dict[str, None], line: int | None = None, *, exact: bool = False) -> Any:
    """Return a value; of a key that stands in an object again, each value, under names of their own.

    Args:
        text: the JSON.
        doubled: gets the names of such keys.
        line: where in the document it stands, if it is a line of it.
        exact: numbers are the texts that they were written as, with all their digits.

    Raises:
        InvalidInput: it is no JSON.
    """
    numbers: dict[str, Any] = {"parse_float": str, "parse_int": str} if exact else {}
    try:
        return json.loads(text, object_pairs_hook=partial(_keep_all, doubled), **numbers)
    except (ValueError, RecursionError) as error:
        number = line if line is not None else error.lineno if isinstance(error, json.JSONDecodeError) else None
        where = f" at line {number}" if number is not None else ""
        raise InvalidInput(f"the JSON can't be read{where}", field="document", fix="repair the document") from error


def _keep_all(doubled: dict[str, None], pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object. Python's reader leaves all values of a key but the last one out, and says nothing of it."""
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    found, numbers = {}, Counter[str]()
    for key, value in pairs:
        name = key
        while name in found:
            doubled[key] = None
            numbers[key] += 1
            name = f"{key} ({numbers[key] + 1})"
        found[name] = value
    return found


def _note_doubled(out: TextBuilder, doubled: Mapping[str, None]) -> None:
    if doubled:
        out.notes.append(f"keys that stand more than once in an object, with all their values: {list_keys(doubled)}")


def list_keys(keys: Mapping[str, None]) -> str:
    """Return the first keys of some, and how many more there are."""
    more = f" and {len(keys) - _KEYS_TOLD:,} more" if len(keys) > _KEYS_TOLD else ""
    return ", ".join(repr(key[:_KEY_CHARACTERS]) for key in list(keys)[:_KEYS_TOLD]) + more


def _add_record(out: TextBuilder, value: Any, path: str, depth: int, *, listed: bool = False) -> None:
    """Add a value as one record; one that is too long and holds records is taken apart into these.

    Args:
        out: what it is added to.
        value: it.
        path: where it stands.
        depth: how often it may be taken apart.
        listed: it stands in a list, so a list of values in it is a part of it, however long.
    """
    records = _find_records(value, listed=listed) if depth else None
    if records is None or _is_short(value):
        out.add("\n".join(_iter_lines(value, path)), "row")
        return
    rest, parts = records
    if rest:
        out.add("\n".join(_iter_lines(rest, path)), "row")
    for key, part in parts:
        # A record's number is left out: it would change with each record that is put before it.
        inside = f"{path}.{key}" if path and key else path or key
        _add_record(out, part, inside, depth - 1, listed=listed or not key)


def _find_records(value: Any, *, listed: bool) -> tuple[dict[str, Any], list[tuple[str, Any]]] | None:
    """Return what of a value is no record, and the records in it; None where it is a record itself."""
    if isinstance(value, list):
        return {}, [("", item) for item in value]
    if not isinstance(value, dict):
        return None
    parts = [(key, item) for key, item in value.items() if isinstance(item, dict | list) and item]
    if not any(_holds_records(item, listed=listed) for _, item in parts):
        return None
    kept = {id(item) for _, item in parts}
    return {key: item for key, item in value.items() if id(item) not in kept}, parts


def _holds_records(value: dict[str, Any] | list[Any], *, listed: bool) -> bool:
    """Tell if a part of an object holds records: an object, a list with some in it, a list too long for one record."""
    if isinstance(value, dict) or any(isinstance(one, dict | list) for one in value):
        return True
    return not listed and not _is_short(value, _LONGEST_CHARACTERS)


def _is_short(value: Any, most: int = _RECORD_CHARACTERS) -> bool:
    """Tell if a value fits into a chunk, or so many characters, having looked at no more of it than that."""
    characters = 0
    for line in _iter_lines(value, ""):
        characters += len(line)
        if characters > most:
            return False
    return True


def _iter_lines(value: Any, path: str) -> Iterator[str]:
    """Yield the leaves of a value, depth first, without recursion."""
    stack = [iter([(path, value)])]
    while stack:
        where, item = next(stack[-1], (None, None))
        if where is None:
            stack.pop()
        elif item and isinstance(item, dict | list):
            stack.append(_iter_children(where, item))
        else:
            words = item if isinstance(item, str) else json.dumps(item, ensure_ascii=False)
            yield f"{where}: {words}" if where else words


def _iter_children(where: str, item: dict[str, Any] | list[Any]) -> Iterator[tuple[str, Any]]:
    where = where[-_PATH_CHARACTERS:]
    if isinstance(item, dict):
        return ((f"{where}.{key}" if where else key, value) for key, value in item.items())
    return ((f"{where}[{index}]", value) for index, value in enumerate(item))
