"""TOML 1.0: read by the standard library; written with tables, arrays of tables, and dates as dates."""

import json
import re
import tomllib
from datetime import date, datetime, time
from decimal import Decimal

from pentad.tools.builtin.formats.tree import (
    MAX_DEPTH,
    Losses,
    Node,
    check_tree,
    make_content_error,
    make_depth_error,
    read_decimal,
    show_decimal,
    show_scalar,
)

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_LONG_KEY = re.compile(rf"""(?<![\w\-"'.])(?:[\w\-"']+[ \t]*\.[ \t]*){{{MAX_DEPTH},}}""")
_COMMENT = re.compile(r"(?m)^[ \t]*#|[ \t]#")
_LARGEST = 2**63


def read_toml(text: str, losses: Losses) -> Node:
    """Return the tree of a TOML text; dates and times stay such.

    Raises:
        InvalidInput: it is no TOML, or passes a bound.
    """
    if _LONG_KEY.search(text):
        raise make_depth_error()
    try:
        root = tomllib.loads(text, parse_float=read_decimal)
    except tomllib.TOMLDecodeError as error:
        raise make_content_error(f"it is not TOML: {error}", "correct it there") from error
    except RecursionError as error:
        raise make_depth_error() from error
    except ValueError as error:
        raise make_content_error(f"it holds a value that can't be read: {error}"[:200], "correct it") from error
    check_tree(root)
    if _COMMENT.search(text):
        losses.note("comments are not kept")
    return root


def write_toml(root: Node, losses: Losses) -> str:
    """Return a tree as TOML. What is no table becomes one with the key 'items' or 'value', and that is told."""
    if isinstance(root, list):
        losses.note("TOML begins with a table: the list is under the key 'items'")
        root = {"items": root}
    elif not isinstance(root, dict):
        losses.note("TOML begins with a table: the value is under the key 'value'")
        root = {"value": root}
    return "\n".join(_TomlWriter(losses).write_table(root, ())).strip("\n") + "\n"


class _TomlWriter:
    def __init__(self, losses: Losses) -> None:
        self._losses = losses

    def write_table(self, table: dict[str, Node], path: tuple[str, ...]) -> list[str]:
        """Return the lines of a table: its own values first, then the tables within it."""
        lines, inner = [], []
        for key, value in table.items():
            if value is None:
                self._losses.note("TOML has no null: keys without a value are left out")
            elif isinstance(value, dict):
                inner += ["", f"[{_join_path((*path, key))}]", *self.write_table(value, (*path, key))]
            elif isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
                for item in value:
                    inner += ["", f"[[{_join_path((*path, key))}]]", *self.write_table(item, (*path, key))]
            else:
                lines.append(f"{_write_key(key)} = {self._write_value(value)}")
        return lines + inner

    def _write_value(self, value: Node) -> str:
        if isinstance(value, dict):
            kept = {key: item for key, item in value.items() if item is not None}
            if len(kept) < len(value):
                self._losses.note("TOML has no null: keys without a value are left out")
            inner = ", ".join(f"{_write_key(key)} = {self._write_value(item)}" for key, item in kept.items())
            return f"{{ {inner} }}" if inner else "{}"
        if isinstance(value, list):
            if None in value:
                self._losses.note("TOML has no null: in lists it became an empty text")
            return f"[{', '.join(self._write_value('' if item is None else item) for item in value)}]"
        if isinstance(value, str):
            return _write_text(value)
        if isinstance(value, Decimal):
            return _write_decimal(value)
        if isinstance(value, int) and not isinstance(value, bool) and not -_LARGEST <= value < _LARGEST:
            self._losses.note("integers beyond 64 bits are written, but few readers of TOML take them")
        return self._write_moment(value) if isinstance(value, date | time) else show_scalar(value)

    def _write_moment(self, value: date | time | datetime) -> str:
        return value.isoformat()


def _write_decimal(value: Decimal) -> str:
    if value.is_nan():
        return "nan"
    if value.is_infinite():
        return "-inf" if value < 0 else "inf"
    mantissa, letter, exponent = show_decimal(value).partition("E")
    if not letter:
        return mantissa if "." in mantissa else f"{mantissa}.0"
    return f"{mantissa}e{exponent}"


def _write_text(text: str) -> str:
    # TOML's basic strings are JSON's, but for DEL and for halves of surrogate pairs.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")


def _write_key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _write_text(key)


def _join_path(path: tuple[str, ...]) -> str:
    return ".".join(_write_key(key) for key in path)
