"""Make a tool's result fit for a model: JSON or text, bounded, without secrets or hidden characters.

What is masked is counted, so that it can be told. What a tool declares as safe (`safe_output`) is not masked: a link
that it has signed, a token for the next page. Logs mask whatever is declared.
"""

import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError, to_jsonable_python

from pentad.domain.display.hidden import strip_hidden
from pentad.domain.display.unicode_text import replace_halves
from pentad.domain.errors import ToolFailed
from pentad.domain.secrets import (
    KNOWN,
    MASK,
    is_behind,
    is_known_number,
    is_secret_name,
    mask_forms,
    mask_named,
    mask_secrets,
)
from pentad.tools.results.shape import MAX_SHOWN_BYTES, Fit, shape_text

MAX_RESULT_BYTES = MAX_SHOWN_BYTES
MAX_UNDO_BYTES = 32_768
ALL_SAFE: Final = "*"
"""As the only name in ``safe_output``: nothing of the result is masked."""
_MAX_DEPTH = 64
_PIECE = 1_000_000
"""Characters that are cleaned at once: the patterns make copies of what they look at."""
_SHORT = 100
_MOST_SEEN = 10_000
"""Short texts of one result, of which it is remembered what they are when clean."""
_KEY_BLOCK = ("-----BEGIN", "-----END")
_MOST_UNREADABLE = 0.1
"""Of the characters of bytes that are still taken for text."""
_ANYTHING = TypeAdapter(Any)


def clean_text(text: str) -> str:
    """Return text without ANSI sequences, control and invisible characters, and with secrets masked.

    Carriage returns become newlines. Joiners, selectors and tags stay where scripts and emoji need them.
    """
    # After the hidden characters are gone, since one inside a key would keep it from being recognised.
    return mask_secrets(strip_hidden(text))


class Cleaner:
    """Cleans one result, and counts what it masks.

    Args:
        safe: names of fields, at any depth, whose values are not masked; `ALL_SAFE` for all of the result.
    """

    def __init__(self, safe: Collection[str] = ()) -> None:
        self._safe = frozenset(safe)
        self.masked = 0
        self._seen: dict[tuple[str, bool], tuple[str, int]] = {}

    def clean(self, text: str, *, safe: bool = False) -> str:
        """Return text without hidden characters, and with secrets masked; of safe text only those that are known."""
        if len(text) <= _SHORT:
            return self._clean_short(text, safe=safe)
        return self._clean_text(text, safe=safe)

    def _clean_short(self, text: str, *, safe: bool) -> str:
        """Clean a short text, once each: the same names and words stand in every row of a large result."""
        found = self._seen.get((text, safe))
        if found is None:
            before = self.masked
            found = self._clean_text(text, safe=safe), self.masked - before
            if len(self._seen) < _MOST_SEEN:
                self._seen[text, safe] = found
        else:
            self.masked += found[1]
        return found[0]

    def _clean_text(self, text: str, *, safe: bool) -> str:
        shown = "".join(strip_hidden(piece) for piece in _iter_pieces(text))
        if safe or ALL_SAFE in self._safe:
            return "".join(KNOWN.mask(piece, MASK) for piece in _iter_pieces(shown))
        # By names before by forms, and in the whole text: a piece may begin between a name and its value.
        named = mask_named(shown, self._safe)
        self._count(shown, named)
        return "".join(
            KNOWN.mask(piece, MASK) if lifted else self._mask_forms(piece)
            for part, lifted in self._split_safe(named)
            for piece in _iter_pieces(part)
        )

    def _mask_forms(self, text: str) -> str:
        masked = mask_forms(text)
        self._count(text, masked)
        return masked

    def _count(self, text: str, masked: str) -> None:
        if masked != text:
            self.masked += max(1, masked.count(MASK) - text.count(MASK))

    def _split_safe(self, text: str) -> Iterator[tuple[str, bool]]:
        """Yield the parts of a text that may be JSON, or its beginning, and whether each is a safe field's value."""
        names = "|".join(re.escape(json.dumps(name, ensure_ascii=False)) for name in sorted(self._safe))
        end = 0
        for match in re.finditer(rf'(?:{names})\s?:\s?(?P<value>"(?:[^"\\]|\\.)*")', text) if names else ():
            yield text[end : match.start("value")], False
            yield match["value"], True
            end = match.end()
        yield text[end:], False

    def clean_value(self, value: Any, *, depth: int = 0, safe: bool = False, behind: tuple[str, ...] = ()) -> Any:
        """Return JSON's types with clean words.

        Args:
            value: of any of these types.
            depth: how deep it stands in the result.
            safe: nothing of it is masked.
            behind: names of secrets above it: what stands there is masked, whatever its type.

        Raises:
            ToolFailed: it is nested too deeply.
        """
        if depth > _MAX_DEPTH:
            raise ToolFailed(
                f"the tool returned a value nested deeper than {_MAX_DEPTH}",
                fix="return a value that is nested less deeply",
            )
        if isinstance(value, list):
            return [self.clean_value(part, depth=depth + 1, safe=safe, behind=behind) for part in value]
        if isinstance(value, dict):
            return {
                self.clean(key): self._clean_field(key, part, depth, safe=safe, behind=behind)
                for key, part in value.items()
            }
        if (behind and is_behind(behind, value)) or (isinstance(value, int | float) and is_known_number(value)):
            self.masked += 1
            return MASK
        return self.clean(value, safe=safe) if isinstance(value, str) else value

    def _clean_field(self, name: str, part: Any, depth: int, *, safe: bool, behind: tuple[str, ...]) -> Any:
        if safe or name in self._safe or ALL_SAFE in self._safe:
            return self.clean_value(part, depth=depth + 1, safe=True)
        behind = (*behind, name) if is_secret_name(name) else behind
        return self.clean_value(part, depth=depth + 1, behind=behind)


def _iter_pieces(text: str) -> Iterator[str]:
    """Yield a long text in pieces that end with a line, or a word, and never within a key of several lines."""
    start = len(text) if len(text) <= 2 * _PIECE else 0
    if start and text:
        yield text
    while start < len(text):
        end = start + _PIECE
        if end < len(text):
            piece = text[start:end]
            end = start + _find_end(piece)
        yield text[start:end]
        start = end


def _find_end(piece: str) -> int:
    half = len(piece) // 2
    block = piece.rfind(_KEY_BLOCK[0])
    if block > half and piece.find(_KEY_BLOCK[1], block) < 0:
        return block
    ends = (piece.rfind(mark, half) + 1 for mark in ("\n", " ", ","))
    return next((end for end in ends if end), len(piece))


def describe_masked(count: int) -> str:
    """Return the line that tells a model what was masked of a result; nothing where nothing was."""
    if not count:
        return ""
    words = (
        "1 value was masked, because it looks like a secret"
        if count == 1
        else (f"{count} values were masked, because they look like secrets")
    )
    return f"\n[{words}; if it is needed, the tool's author can declare its field in safe_output]"


def truncate_text(text: str, limit: int = MAX_RESULT_BYTES) -> str:
    """Return text of at most ``limit`` bytes of UTF-8: its head and tail, and between them what was left out."""
    return shape_text(text, limit)


def fit_words(text: str) -> str:
    """Return words that stand for a tool's result, of a human, a fork or a graph's own tool: cleaned, and bounded."""
    return truncate_text(clean_text(text))


def to_json(value: Any) -> Any:
    """Return a tool's value in JSON's types; half a surrogate pair, which UTF-8 can't hold, is U+FFFD.

    Raises:
        ToolFailed: it has no JSON form, holds NaN or an infinity, or is nested too deeply.
    """
    try:
        plain = _make_plain(value)
        text = json.dumps(plain, allow_nan=False, ensure_ascii=False)
    except (PydanticSerializationError, ValueError, TypeError, RecursionError) as error:
        raise ToolFailed(
            f"the tool returned a value that is not JSON: {type(error).__name__}", fix="return JSON types or models"
        ) from error
    whole = replace_halves(text)
    return plain if whole == text else json.loads(whole)


def _make_plain(value: Any) -> Any:
    """Return a value in JSON's types; pydantic takes halves in texts, but not in a mapping's keys, and no odd bytes."""
    try:
        return to_jsonable_python(value)
    except (UnicodeError, PydanticSerializationError):
        return to_jsonable_python(_mend_keys(_ANYTHING.dump_python(value)))


def describe_bytes(data: bytes) -> str:
    """Return bytes as text, with U+FFFD for what is none; or what they are, where most of them is no text."""
    text = data.decode(errors="replace")
    if text.count("\ufffd") <= len(text) * _MOST_UNREADABLE:
        return text
    return f"[binary data: {len(data):,} bytes, SHA-256 {hashlib.sha256(data).hexdigest()}]"


def _mend_keys(value: Any) -> Any:
    if isinstance(value, bytes | bytearray):
        return describe_bytes(bytes(value))
    if isinstance(value, Mapping):
        mended = {replace_halves(key) if isinstance(key, str) else key: _mend_keys(one) for key, one in value.items()}
        if len(mended) < len(value):
            raise ValueError("two keys differ only in half a character")
        return mended
    return [_mend_keys(one) for one in value] if isinstance(value, list | tuple) else value


def render_result(
    value: Any, cleaner: Cleaner | None = None, fit: Fit = shape_text, limit: int = MAX_RESULT_BYTES
) -> str:
    """Return a tool's result as the model reads it: text as it is, anything else as JSON.

    Args:
        value: the result.
        cleaner: counts what is masked, and knows what is safe; nothing is where none is given.
        fit: makes it fit; the plain one keeps nothing of what it leaves out.
        limit: bytes of UTF-8 at most.

    Raises:
        ToolFailed: it is not JSON.
    """
    cleaner = cleaner or Cleaner()
    clean = cleaner.clean_value(to_json(value))
    return fit(render_value(clean), limit, clean)


def render_value(value: Any) -> str:
    """Return a clean value as the model reads it: text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, allow_nan=False)


def undo_data(undo: Any) -> dict[str, Any] | None:
    """Return undo data if it can be kept: a JSON object of at most 32 KB; else None."""
    try:
        plain = to_json(undo)
    except ToolFailed:
        return None
    if not isinstance(plain, dict) or len(json.dumps(plain).encode()) > MAX_UNDO_BYTES:
        return None
    return plain
