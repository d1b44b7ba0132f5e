"""Mask what was said: JSON by its texts, names and numbers, since its escapes would hide what stands behind them."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from pentad.domain.reading.json_text import read_json
from pentad.domain.secrets import MASK, is_secret_value
from pentad.observability.logs.cards import CARD, is_card
from pentad.orchestration.contents.ports import NameFinder

Mask = Callable[[str], str]
_MOST_DEPTH: Final = 60
"""Of JSON, that in its texts included; what is below it is masked as the text that it is written as."""
_LONGEST_JSON: Final = 2_000_000
"""Characters."""


def mask_said(text: str, mask: Mask, names: NameFinder | None) -> str:
    """Return a text without secrets and personal data; who finds names sees what is left of it.

    Args:
        text: any text, or JSON; where nothing in it is masked, it stays as it is written.
        mask: takes secrets and personal data out of a text that is not escaped.
        names: finds what has no form; None for nobody.

    Raises:
        StoreUnavailable, ConfigurationError: see `NameFinder`.
    """
    masked = _mask_text(text, mask, 0)
    return names.mask(masked) if names is not None and masked.strip() else masked


def dump_said(value: Any) -> str:
    """Return a value as JSON with its letters as they are; what JSON has no word for as text."""
    return json.dumps(value, ensure_ascii=False, default=str)


def _mask_text(text: str, mask: Mask, depth: int) -> str:
    # As text too: of a name that stands twice, JSON's reader tells the last value only.
    return mask(_mask_json(text, mask, depth))


def _mask_json(text: str, mask: Mask, depth: int) -> str:
    parsed = _read_json(text) if depth < _MOST_DEPTH else None
    if parsed is not None:
        masked = _mask_value(parsed, mask, depth + 1)
        return text if masked == parsed else dump_said(masked)
    if "\n" not in text.strip() or depth >= _MOST_DEPTH:
        return text
    return "".join(_iter_masked_lines(text, mask, depth))


def _iter_masked_lines(text: str, mask: Mask, depth: int) -> Iterator[str]:
    """Yield the lines of a text, those masked that are JSON each for itself, as in JSON Lines."""
    for line in text.splitlines(keepends=True):
        said = line.rstrip("\r\n")
        parsed = _read_json(said)
        masked = None if parsed is None else _mask_value(parsed, mask, depth + 1)
        yield line if masked == parsed else dump_said(masked) + line[len(said) :]


def _read_json(text: str) -> Any:
    """Return what a text is that is an object, a list or a text of JSON; None of another."""
    begin = text.lstrip()[:1]
    if begin not in ("{", "[", '"') or len(text) > _LONGEST_JSON:
        return None
    try:
        return read_json(text)
    except ValueError:
        return None


def _mask_value(value: Any, mask: Mask, depth: int) -> Any:
    if isinstance(value, str):
        return _mask_text(value, mask, depth)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        return CARD if is_card(value) else value
    if depth >= _MOST_DEPTH:
        return mask(dump_said(value))
    if isinstance(value, Mapping):
        return {
            mask(name): MASK if is_secret_value(name, part) else _mask_value(part, mask, depth + 1)
            for name, part in value.items()
        }
    return [_mask_value(part, mask, depth + 1) for part in value]
