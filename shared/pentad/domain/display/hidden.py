"""Take out what stands in a text and is not shown: terminal sequences, control characters, invisible ones. Pure."""

import re
from typing import Final

from pentad.domain.display.sequences import strip_stray

_ANSI: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]{0,2000}(?:\x07|\x1b\\)?|[@-Z\\-_])")
# Control characters but tab and newline; zero-width and invisible ones; bidirectional overrides; lone surrogates, which
# no encoder takes. What some scripts and emoji need is left to `strip_stray`.
_ALWAYS: Final = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u200b\u200e\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff"
)
_MONGOLIAN: Final = "\u180b-\u180f"
"""These choose the form of a Mongolian letter."""
_STRAY: Final = "\u200c\u200d\ufe00-\ufe0f\U000e0000-\U000e01ef"
_HIDDEN: Final = re.compile(f"[{_ALWAYS}]|(?<![\u1807\u180a\u1820-\u18aa])[{_MONGOLIAN}]")
_UNSHOWN: Final = re.compile(f"[{_ALWAYS}{_MONGOLIAN}{_STRAY}]")
_ESCAPE: Final = re.compile(r"\\{1,8}(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|U(000[0-9A-Fa-f]{5}))")


def strip_hidden(text: str) -> str:
    """Return text without ANSI sequences, control and invisible characters; carriage returns become newlines."""
    visible = _ANSI.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return strip_stray(_HIDDEN.sub("", visible))


def may_hide(text: str) -> bool:
    """Tell if a text may hold what is not shown, as it is or as JSON and Python write it; most hold nothing of it."""
    return _UNSHOWN.search(text) is not None or ("\\" in text and _ESCAPE.search(text) is not None)


def strip_hidden_escapes(text: str) -> str:
    r"""Return text without what is not shown, nor its names in JSON and Python (``\u200b``, ``\x1b[31m``)."""
    return strip_hidden(_ESCAPE.sub(_read_escape, text) if "\\" in text else text)


def _read_escape(match: re.Match[str]) -> str:
    character = chr(int(match[1] or match[2] or match[3], 16))
    return character if _UNSHOWN.fullmatch(character) else match[0]
