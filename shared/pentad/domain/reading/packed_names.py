"""Many names in one variable of a function's environment, whose variables have 4 KB together."""

import base64
import zlib
from collections.abc import Sequence
from typing import Final

_PACKED: Final = "zlib:"
_LONG: Final = 500
_MOST: Final = 1_000_000


def pack_names(names: Sequence[str]) -> str:
    """Return names with blanks between, compressed where they are long.

    Args:
        names: without blanks in them.
    """
    text = " ".join(names)
    if len(text) <= _LONG:
        return text
    return _PACKED + base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def unpack_names(packed: str) -> list[str]:
    """Return the names that `pack_names` put together.

    Raises:
        ValueError: it is not what `pack_names` returns.
    """
    if not packed.startswith(_PACKED):
        return packed.split()
    reader = zlib.decompressobj()
    try:
        text = reader.decompress(base64.b64decode(packed.removeprefix(_PACKED), validate=True), _MOST)
    except zlib.error as error:
        raise ValueError("the packed names can't be read") from error
    if not reader.eof:
        raise ValueError("the packed names are cut off, or too many")
    return text.decode().split()
