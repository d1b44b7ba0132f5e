"""Charsets that write all letters in bytes of ASCII, so that they look like text that needs no charset."""

import re
from collections.abc import Callable
from functools import partial

from pentad.memory.documents.formats.charsets.letters import measure_oddness

_JAPANESE = re.compile(rb"\x1b(?:\$[@B]|\([JI]|\$\(D)")
_KOREAN = re.compile(rb"\x1b\$\)C")
_OTHER = re.compile(rb"\x1b\$(?:\)[AEG]|A|\*H)")
_HZ = re.compile(rb"~\{(?:[\x21-\x77][\x21-\x7e]){1,500}~\}")
_SHIFTED = re.compile(rb"\+([A-Za-z0-9+/]{3,2000}+)(-?)")
_SAMPLE_BYTES = 200_000
_MOST_ODD = 0.05
_LEAST_HAN = 2
UNREADABLE = "iso-2022-cn"
"""Of which there is no reader: its words stay as they are, and that is a doubt."""


def find_seven_bits(data: bytes) -> str | None:
    """Return the codec of text in ASCII bytes that are more than ASCII: ISO-2022, HZ or UTF-7; None of any other."""
    sample = data[:_SAMPLE_BYTES]
    if b"\x1b" in sample:
        for mark, codec in ((_JAPANESE, "iso2022_jp_ext"), (_KOREAN, "iso2022_kr"), (_OTHER, UNREADABLE)):
            if mark.search(sample):
                return codec
    if b"~{" in sample and _HZ.search(sample) and _reads(partial(_decode, sample, "hz"), _LEAST_HAN):
        return "hz"
    if b"+" in sample and _SHIFTED.search(sample) and _reads(partial(_decode_shifted, sample), 1):
        return "utf-7"
    return None


def _reads(decode: Callable[[], str], least: int) -> bool:
    """Tell whether what comes out are letters that a language has."""
    try:
        text = decode()
    except (UnicodeDecodeError, ValueError):
        return False
    beyond = [one for one in text if one > "\x7f"]
    letters = sum(one.isalpha() for one in beyond)
    return letters >= least and letters * 2 >= len(beyond) and measure_oddness(text) <= _MOST_ODD


def _decode(data: bytes, codec: str) -> str:
    return data.decode(codec, "strict" if len(data) < _SAMPLE_BYTES else "ignore")


def _decode_shifted(data: bytes) -> str:
    """Return text of UTF-7; a plus in it that begins nothing makes it another text.

    Raises:
        ValueError: it is none.
    """
    if len(data) < _SAMPLE_BYTES:
        return data.decode("utf-7")
    return data[: data.rfind(b"\n") + 1].decode("utf-7")
