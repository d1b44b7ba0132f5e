"""Read the colours of CSS as far as it takes to tell letters from the ground below them."""

import re
from collections.abc import Mapping

Color = tuple[int, int, int]
"""Red, green and blue, each 0 to 255."""
WHITE: Color = (255, 255, 255)
BLACK: Color = (0, 0, 0)
_NAMED: Mapping[str, Color] = {
    "white": WHITE,
    "black": BLACK,
    "snow": (255, 250, 250),
    "ivory": (255, 255, 240),
    "ghostwhite": (248, 248, 255),
    "whitesmoke": (245, 245, 245),
    "red": (255, 0, 0),
    "blue": (0, 0, 255),
    "navy": (0, 0, 128),
    "green": (0, 128, 0),
    "gray": (128, 128, 128),
    "grey": (128, 128, 128),
    "silver": (192, 192, 192),
    "yellow": (255, 255, 0),
}
_HEX = re.compile(r"#([0-9a-f]{3,8})(?![\w-])")
_RGB = re.compile(r"rgba?\(\s*(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})")
_WORD = re.compile(r"[a-z]+")
_SAME = 24
"""How much two colours may differ in all and look the same."""


def read_color(value: str) -> Color | None:
    """Return the first colour of a value in lower case; None where it has none that is known."""
    if (found := _HEX.search(value)) is not None:
        digits = found[1]
        wide = digits if len(digits) >= 6 else "".join(one * 2 for one in digits)
        return int(wide[0:2], 16), int(wide[2:4], 16), int(wide[4:6], 16)
    if (found := _RGB.search(value)) is not None:
        return int(found[1]), int(found[2]), int(found[3])
    return next((_NAMED[word] for word in _WORD.findall(value) if word in _NAMED), None)


def looks_same(one: Color | None, other: Color | None) -> bool:
    """Tell whether letters in one colour do not show on the other; False where one is not known."""
    return one is not None and other is not None and sum(abs(a - b) for a, b in zip(one, other, strict=True)) <= _SAME
