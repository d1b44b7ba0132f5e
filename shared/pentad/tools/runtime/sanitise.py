"""Make a tool's result fit for a model: JSON or text, bounded, without secrets or hidden characters."""

import json
import re
from typing import Any

from pydantic_core import PydanticSerializationError, to_jsonable_python

from pentad.domain.errors import ToolFailed
from pentad.domain.secrets import MASK, is_secret_name, mask_secrets

MAX_RESULT_BYTES = 65_536
MAX_UNDO_BYTES = 32_768
_MAX_DEPTH = 64

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]{0,2000}(?:\x07|\x1b\\)?|[@-Z\\-_])")
# Control characters but tab and newline; zero-width and invisible ones; bidirectional overrides; tag characters, which
# can carry a hidden prompt; lone surrogates, which no encoder takes.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)
_JOINERS = re.compile("[\u200c\u200d]+")
# Letters of scripts that are written with joiners, and emoji.
_JOINED = re.compile("[\u0600-\u1fff\u2190-\u2bff\ua800-\uabff\ufe0f\U0001e900-\U0001e95f\U0001f000-\U0001faff]{2}")


def clean_text(text: str) -> str:
    """Return text without ANSI sequences, control and invisible characters, and with secrets masked.

    Carriage returns become newlines. Joiners stay where scripts and emoji need them.
    """
    visible = _ANSI.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    # After the hidden characters are gone, since one inside a key would keep it from being recognised.
    return mask_secrets(_JOINERS.sub(_keep_joiner, _HIDDEN.sub("", visible)))


def _keep_joiner(match: re.Match[str]) -> str:
    """Return one joiner between two letters that need it; anywhere else joiners hide in words and keys."""
    around = match.string[max(0, match.start() - 1) : match.start()] + match.string[match.end() : match.end() + 1]
    return match[0] if len(match[0]) == 1 and _JOINED.fullmatch(around) else ""


def truncate_text(text: str, limit: int = MAX_RESULT_BYTES) -> str:
    """Return text of at most ``limit`` bytes of UTF-8; what was cut is said in its last line."""
    data = text.encode()
    if len(data) <= limit:
        return text
    note = f"\n[cut: the result has {len(data):,} bytes, of which at most {limit:,} are shown]"
    return data[: limit - len(note.encode())].decode(errors="ignore") + note


def to_json(value: Any) -> Any:
    """Return a tool's value in JSON's types.

    Raises:
        ToolFailed: it has no JSON form, holds NaN or an infinity, or is nested too deeply.
    """
    try:
        plain = to_jsonable_python(value)
        json.dumps(plain, allow_nan=False)
    except (PydanticSerializationError, ValueError, TypeError, RecursionError) as error:
        raise ToolFailed(
            f"the tool returned a value that is not JSON: {type(error).__name__}", fix="return JSON types or models"
        ) from error
    return plain


def render_result(value: Any) -> str:
    """Return a tool's result as the model reads it: text as it is, anything else as JSON.

    Raises:
        ToolFailed: it is not JSON.
    """
    plain = to_json(value)
    if isinstance(plain, str):
        return truncate_text(clean_text(plain))
    return truncate_text(json.dumps(_clean(plain, 0), ensure_ascii=False, allow_nan=False))


def _clean(value: Any, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        raise ToolFailed(f"the tool returned a value nested deeper than {_MAX_DEPTH}", fix="return a flatter value")
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, list):
        return [_clean(part, depth + 1) for part in value]
    if isinstance(value, dict):
        return {
            clean_text(key): MASK if isinstance(part, str) and is_secret_name(key) else _clean(part, depth + 1)
            for key, part in value.items()
        }
    return value


def undo_data(undo: Any) -> dict[str, Any] | None:
    """Return undo data if it can be kept: a JSON object of at most 32 KB; else None."""
    try:
        plain = to_json(undo)
    except ToolFailed:
        return None
    if not isinstance(plain, dict) or len(json.dumps(plain).encode()) > MAX_UNDO_BYTES:
        return None
    return plain
