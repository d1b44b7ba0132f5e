"""Say what is wrong with arguments without repeating them: a value may be a secret, or another's text."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

HIDDEN: Final = "[...]"
"""Stands where a message or a place would repeat what was given."""
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_WORD: Final = re.compile(r"[^\W_]{8,}")
_SHORTEST: Final = 4
"""Characters: what is shorter stands in every message, and tells nothing."""
_MOST_VALUES: Final = 5_000
_TAG: Final = "union_tag_invalid"
_EXTRA: Final = "extra_forbidden"


class ArgumentFaults:
    """What a validation found, in words that repeat no argument.

    Args:
        error: of the validation; None where it took what the schema does not.
        arguments: what was validated.
        schema: whose names of fields may be told.
    """

    def __init__(self, error: ValidationError | None, arguments: Any, schema: Mapping[str, Any]) -> None:
        self.errors = [] if error is None else error.errors(include_url=False, include_input=False)
        self._known = set(_iter_names(schema))
        self._keys: set[str] = set()
        hidden: set[str] = set()
        for count, (kind, text) in enumerate(_iter_texts(arguments)):
            if count >= _MOST_VALUES:
                break
            if kind == "value" or not _NAME.fullmatch(text):
                hidden |= {text, *_WORD.findall(text)}
            if kind == "key":
                self._keys.add(text)
        self._hidden = sorted((one for one in hidden - self._known if len(one) >= _SHORTEST), key=len, reverse=True)

    def tell_place(self, fault: ErrorDetails) -> str:
        """Return where a fault is: names that the schema has, and numbers; a key of a map is not told."""
        if fault["type"] == _EXTRA:
            return self.tell_path(fault["loc"])
        return ".".join(self._tell_part(part) for part in fault["loc"]) or "arguments"

    def tell_path(self, path: Sequence[int | str]) -> str:
        """Return the place of a field that is not there: its name is what the model has to leave out."""
        parts = [self._tell_part(part) for part in path]
        if path:
            parts[-1] = str(path[-1]) if _NAME.fullmatch(str(path[-1])) else HIDDEN
        return ".".join(parts) or "arguments"

    def tell_what(self, fault: ErrorDetails) -> str:
        """Return what is wrong."""
        if fault["type"] == _TAG:
            context = fault.get("ctx", {})
            return f"{context.get('discriminator')} should be one of {context.get('expected_tags')}"
        said = fault["msg"].removeprefix("Value error, ")
        for one in self._hidden:
            said = said.replace(one, HIDDEN)
        return said

    def _tell_part(self, part: int | str) -> str:
        return HIDDEN if isinstance(part, str) and part in self._keys and part not in self._known else str(part)


def _iter_names(schema: Any) -> Iterator[str]:
    """Yield the names of fields of a schema, at every depth."""
    if isinstance(schema, Mapping):
        fields = schema.get("properties")
        yield from fields if isinstance(fields, Mapping) else ()
        for part in schema.values():
            yield from _iter_names(part)
    elif isinstance(schema, Sequence) and not isinstance(schema, str):
        for part in schema:
            yield from _iter_names(part)


def _iter_texts(value: Any) -> Iterator[tuple[str, str]]:
    """Yield the texts and numbers of JSON, and the keys of its objects, as messages would show them."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Mapping):
            yield from (("key", str(key)) for key in one)
            waiting += one.values()
        elif isinstance(one, list | tuple):
            waiting += one
        elif isinstance(one, str | int | float) and not isinstance(one, bool):
            yield "value", str(one)
