"""Tell which texts of a call's arguments nobody gave: an address that a model composed may carry something out. Pure.

A tool that may ask any public address changes nothing there, but whoever owns the address reads what is in it. So once
text from outside is in the context, an address has to be one that the user wrote or that stands in the text from
outside as it is; there it was written by somebody who did not know this conversation. What the model said first is
composed, also where a tool has echoed it since. The host may be known from one place and the path from another: pages
name their own links that way.

What it can't see: which of the addresses that were given the model chooses. Of a hundred, the choice tells something.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

MAX_COMPOSED: Final = 20
_MAX_VALUES: Final = 500
_MAX_DEPTH: Final = 16
_LEAST: Final = 2
_MAX_PLACES: Final = 1_000
"""In one text; where none of so many fits, nobody gave it."""
_SCHEME: Final = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://")
_HOST: Final = re.compile(r"[^/?#]+")
_HOST_BEFORE: Final = re.compile(r"[\w.-]$")
_HOST_AFTER: Final = re.compile(r"[\w:@-]|\.\w")
_ADDRESS_AFTER: Final = re.compile(r"[\w~%&=+?#-]|/[\w~%&=+?#-]")
"""What an address goes on with: a part of a longer one is another address."""


_Said = Sequence[tuple[str, bool]]
"""The context: each text, and whether an address in it is given."""
Speaker = Literal["user", "outside", "model"]


@dataclass(frozen=True)
class SaidText:
    """One text of the context, oldest first.

    Attributes:
        text: the text.
        by: who said it: the user, somebody outside (a page, a document, a queue), or the model.
    """

    text: str
    by: Speaker


def find_composed(
    arguments: Mapping[str, Any], said: Sequence[SaidText], schema: Mapping[str, Any], *, only_user: bool = False
) -> tuple[str, ...]:
    """Return the places of texts that nobody gave, at most `MAX_COMPOSED`.

    Args:
        arguments: of a call.
        said: the context.
        schema: of the arguments; the words that it lists itself are known.
        only_user: what somebody outside said counts as not given.
    """
    givers: tuple[Speaker, ...] = ("user",) if only_user else ("user", "outside")
    texts = [(one.text, one.by in givers) for one in said]
    known = list_known(schema)
    found: list[str] = []
    for number, (path, value) in enumerate(_iter_texts(arguments, ())):
        if number >= _MAX_VALUES or (value not in known and not _is_given(value, texts)):
            found.append(".".join(path)[:200])
        if len(found) >= MAX_COMPOSED or number >= _MAX_VALUES:
            break
    return tuple(dict.fromkeys(found))


def list_known(schema: Mapping[str, Any]) -> frozenset[str]:
    """Return the words that a schema lists itself, which count as given."""
    return frozenset(_iter_listed(schema, 0))


def iter_strings(arguments: Mapping[str, Any]) -> Iterator[str]:
    """Yield the texts of arguments, names of fields below the first level as well."""
    return (value for _, value in _iter_texts(arguments, ()))


def _is_given(value: str, said: _Said) -> bool:
    address = _SCHEME.sub("", value.strip()).rstrip("/")
    if len(address) < _LEAST:
        # Too short to be looked for in other words, but somebody may have said just this.
        return not address or next((given for text, given in said if text == value), False)
    host = _HOST.match(address)
    rest = address[host.end() :] if host else address
    if host and not rest:
        return _was_given(host.group().casefold(), said, _holds_host)
    if _was_given(address, said, _holds_address):
        return True
    return (
        host is not None
        and _was_given(host.group().casefold(), said, _holds_host)
        and _was_given(rest, said, _holds_address)
    )


def _was_given(part: str, said: _Said, holds: Callable[[str, str], bool]) -> bool:
    """Tell if the first who said it may give an address."""
    return next((given for text, given in said if holds(text, part)), False)


def _holds_host(text: str, host: str) -> bool:
    return any(
        not _HOST_BEFORE.search(before) and not _HOST_AFTER.match(after)
        for before, after in _iter_places(text.casefold(), host)
    )


def _holds_address(text: str, part: str) -> bool:
    # What stands before a path is its host, and before a host its scheme.
    is_path = part.startswith(("/", "?", "#"))
    return any(
        (is_path or not before[-1:].isalnum()) and not _ADDRESS_AFTER.match(after)
        for before, after in _iter_places(text, part)
    )


def _iter_places(text: str, part: str) -> Iterator[tuple[str, str]]:
    """Yield the two characters before and after each place where a part stands."""
    at = text.find(part)
    for _ in range(_MAX_PLACES):
        if at < 0:
            return
        end = at + len(part)
        yield text[max(0, at - 2) : at], text[end : end + 2]
        at = text.find(part, at + 1)


def _iter_listed(schema: Any, depth: int) -> Iterator[str]:
    if depth > _MAX_DEPTH:
        return
    if isinstance(schema, Mapping):
        for name, part in schema.items():
            if name in ("enum", "const", "default"):
                yield from (one for one in (part if isinstance(part, list) else [part]) if isinstance(one, str))
            else:
                if name == "properties" and isinstance(part, Mapping):
                    yield from (str(one) for one in part)
                yield from _iter_listed(part, depth + 1)
    elif isinstance(schema, list):
        for part in schema:
            yield from _iter_listed(part, depth + 1)


def _iter_texts(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, Mapping) and len(path) <= _MAX_DEPTH:
        for name, part in value.items():
            if path:  # a name that the model may choose
                yield (*path, str(name)), str(name)
            yield from _iter_texts(part, (*path, str(name)))
    elif isinstance(value, list | tuple) and len(path) <= _MAX_DEPTH:
        for place, part in enumerate(value):
            yield from _iter_texts(part, (*path, str(place)))
    elif isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping | list | tuple):
        yield path, repr(value)[:100]  # deeper than anybody looks: nobody gave it
