"""Tell from what is declared of an element whether its words can be seen: by size, place, clipping or colour."""

import re
from collections.abc import Iterator, Mapping

from pentad.memory.documents.formats.web.css_motion import MOTION_NAMES, expand_motion
from pentad.memory.documents.formats.web.css_text import split_declarations

Declared = dict[str, tuple[str, bool]]
"""The values of properties in lower case, and whether each is important."""

_NAMES = frozenset(
    "display visibility opacity filter font-size color -webkit-text-fill-color background-color background-clip"
    " background-image left right top bottom inset margin margin-left margin-right margin-top text-indent white-space"
    " transform translate scale zoom clip clip-path content-visibility mso-hide width max-width height max-height"
    " overflow-x overflow-y position padding padding-left padding-right padding-top padding-bottom min-height".split()
)
_NAMES |= MOTION_NAMES
_LENGTHS = frozenset(
    "font-size left right top bottom inset margin margin-left margin-right margin-top text-indent width max-width"
    " height max-height min-height padding-top padding-bottom".split()
)
_BARE_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)\Z")
_SUM = re.compile(r"(?P<sign>[-+]?)\s*(?P<number>\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})(?P<unit>[a-z]{1,4}|%|)\s*")
_CALC = re.compile(r"calc\(([^()]{1,100})\)")
_DISPLAYS = re.compile(
    r"(?:inline|block|flow|flex|grid|table|list-item|ruby|run-in|contents|none|initial|unset|inherit|revert|math"
    r"|-webkit-|-moz-|-ms-|var\()"
)
_NUMBER = r"[-+]?(?:\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})(?:e[-+]?\d{1,2})?"
_SIZE = re.compile(rf"(?<![\w.#])({_NUMBER})([a-z]{{1,4}}|%|)")
_SHARE = re.compile(rf"({_NUMBER})(%?)\Z")
_UNPLACED = frozenset({"static", "sticky", "-webkit-sticky", "initial", "unset", "revert"})
"""Values of `position` with which `left` and the like move nothing off a screen."""
_KEYWORDS = frozenset({"initial", "inherit", "unset", "revert", "normal"})
_PIXELS = {
    **{"": 1.0, "px": 1.0, "pt": 1.33, "pc": 16, "in": 96, "cm": 38, "mm": 3.8, "em": 16, "rem": 16, "ex": 8, "ch": 8},
    **dict.fromkeys(("%", "vw", "vh", "vmin", "vmax", "svh", "dvh", "lvh"), 10.0),
}
"""Of a unit, about; shares are those of a screen."""
_FUNCTION = re.compile(r"([a-z0-9-]+)\(([^()]*(?:\([^()]*\)[^()]*)*)\)")
_IMPORTANT = re.compile(r"\s*!\s*important\s*\Z")
_FAR, _FAR_MARGIN, _FAR_RIGHT = 500, 900, 5_000
"""Pixels beyond a screen's edge: of a position, of a margin (which also centres), and on the side that scrolls."""
_FAR_SHARE = 200
"""Percent of an element's own size."""
_LEAST_OPACITY = 0.05
"""Also the least zoom."""
_MATH = re.compile(r"(?P<name>calc|min|max|clamp)\((?P<inner>[^()]{1,100})\)")
_LEAST_ROOM = 8
"""Pixels of padding, or of a least height, in which words are seen of a box that has no height of its own."""
_SCREENS = re.compile(r"(\d{1,4}(?:\.\d{0,4})?)(?:%|vw|vh|dvh|svh)")
_LEAST_LETTERS = 2
"""Pixels."""


def read_declarations(style: str, *, quirks: bool = False) -> Declared:
    """Return what a style declares that can hide words, or show them; a value that no browser takes is left out.

    Args:
        style: declarations.
        quirks: its page has no document type, so lengths need no unit.
    """
    found: Declared = {}
    for one in split_declarations(style.lower()):
        name, _, value = one.partition(":")
        name, value = name.strip(), value.strip()
        important = _IMPORTANT.search(value)
        value = value[: important.start()] if important else value
        for key, part in _expand(name, value):
            if (
                part
                and _is_valid(key, part)
                and (quirks or not _lacks_unit(key, part))
                and (important or not found.get(key, ("", False))[1])
            ):
                found[key] = (part, important is not None)
    return found


def hides(declared: Mapping[str, str]) -> bool:
    """Tell whether nothing of an element can be seen, whatever is in it."""
    if declared.get("display") == "none" or "hidden" in declared.get("content-visibility", ""):
        return True
    return (
        "all" in declared.get("mso-hide", "")
        or _is_faint(declared)
        or _is_tiny(declared)
        or _is_outside(declared)
        or _is_moved(declared)
        or _is_clipped(declared)
    )


def is_invisible(declared: Mapping[str, str]) -> bool | None:
    """Tell whether an element is made invisible, which what is in it can undo; None where nothing is said."""
    found = declared.get("visibility")
    if found == "initial":
        return False
    return None if found is None or found in _KEYWORDS else found in ("hidden", "collapse")


def is_small(declared: Mapping[str, str]) -> bool | None:
    """Tell whether letters are too small to be seen, which what is in it can undo; None where nothing is said.

    Sizes that are shares of the one around (``em``, ``%``) undo nothing.
    """
    size = declared.get("font-size", "").strip()
    if not size or size in _KEYWORDS:
        return None
    if (pixels := _read_math(size)) is not None:
        return True if pixels < _LEAST_LETTERS else None
    if not (size[0].isdigit() or size[0] == "."):
        return None if size in ("smaller", "larger") or "(" in size else False
    pixels = next(_iter_pixels(size), 16.0) * (0.016 if size.endswith("%") else 1)
    if pixels < _LEAST_LETTERS:
        return True
    return None if re.search(r"(?:em|ex|ch|%)\Z", size) and not size.endswith("rem") else False


def _expand(name: str, value: str) -> Iterator[tuple[str, str]]:
    if name == "font":
        size = next((one for one in _SIZE.finditer(value) if one[2] or float(one[1]) == 0), None)
        yield "font-size", size[0] if size else ""
    elif name == "overflow":
        parts = value.split() or [""]
        yield from (("overflow-x", parts[0]), ("overflow-y", parts[-1]))
    elif name == "background":
        image = "gradient(" in value or "url(" in value
        yield "background-image", "some" if image else "none"
        yield "background-color", re.sub(r"url\([^)]*\)", " ", value) if value else ""
        yield "background-clip", "text" if re.search(r"\btext\b", value) else "border-box"
    elif name in ("animation", "-webkit-animation"):
        yield from expand_motion(value)
    elif name == "-webkit-background-clip":
        yield "background-clip", value
    elif name in _NAMES or name.startswith("--"):
        yield name, value


def _is_valid(name: str, value: str) -> bool:
    if name == "display":
        return _DISPLAYS.match(value) is not None
    if value in _KEYWORDS or "var(" in value:
        return True
    if name == "visibility":
        return value in ("visible", "hidden", "collapse")
    if name in ("opacity", "zoom"):
        return _SHARE.match(value) is not None or "(" in value
    return True


def _lacks_unit(name: str, value: str) -> bool:
    numbers = [one for one in value.split() if _BARE_NUMBER.match(one)] if name in _LENGTHS else []
    return any(float(one) != 0 for one in numbers)


def _read_share(value: str) -> float:
    if "(" in value:
        return _read_math(value) or 0.0  # what is not known of it is not read
    found = _SHARE.match(value)
    return 1.0 if found is None else float(found[1]) / (100 if found[2] else 1)


def _iter_pixels(value: str) -> Iterator[float]:
    return (float(one[1]) * _PIXELS.get(one[2], 1.0) for one in _SIZE.finditer(value))


def _is_faint(declared: Mapping[str, str]) -> bool:
    shares = (declared.get("opacity", ""), declared.get("zoom", ""))
    calls = (value.strip() for name, value in _find_calls(declared) if name == "opacity")
    if any(_read_share(one) <= _LEAST_OPACITY for one in (*shares, *calls)):
        return True
    # A colour of what is within it undoes no fill.
    return is_transparent(declared.get("-webkit-text-fill-color", "").strip()) and not _is_cut_out(declared)


def is_clear(declared: Mapping[str, str]) -> bool | None:
    """Tell whether letters are transparent, which what is in it can undo; None where nothing is said."""
    color = declared.get("color", "").strip()
    if not color or color in _KEYWORDS or color == "currentcolor":
        return None
    filled = declared.get("-webkit-text-fill-color", "") not in _KEYWORDS | {"", "currentcolor"}
    return not filled and is_transparent(color) and not _is_cut_out(declared)


def _is_cut_out(declared: Mapping[str, str]) -> bool:
    """Tell whether letters are cut out of a ground: they are transparent, and seen."""
    ground = declared.get("background-color", "transparent").strip()
    some = declared.get("background-image", "none") != "none" or not is_transparent(ground)
    return some and "text" in declared.get("background-clip", "")


def is_transparent(color: str) -> bool:
    """Tell whether nothing can be seen in a colour."""
    if color == "transparent" or re.fullmatch(r"#(?:[0-9a-f]{3}0|[0-9a-f]{6}0[0-9a-f])", color):
        return True
    found = re.fullmatch(r"(?:rgba?|hsla?|hwb|lab|lch|oklab|oklch|color)\((.*)\)", color)
    if found is None:
        return False
    _, slash, share = found[1].partition("/")
    parts = found[1].split(",")
    share = share if slash else parts[3] if len(parts) == 4 else "1"
    return _read_share(share.strip()) <= _LEAST_OPACITY


def _is_tiny(declared: Mapping[str, str]) -> bool:
    overflows = [declared.get(f"overflow-{axis}", "") for axis in "xy"]
    if not any(one in ("hidden", "clip", "auto", "scroll", "overlay") for one in overflows):
        return False
    if any(_has_no_room(declared.get(name, "")) for name in ("width", "max-width")):
        return True
    if any(_has_no_room(declared.get(name, "")) for name in ("height", "max-height")) and not _gives_height(declared):
        return True
    if not any(one in ("hidden", "clip") for one in overflows):
        return False
    indent = next(_iter_pixels(declared.get("text-indent", "")), 0.0)
    return declared.get("white-space", "") == "nowrap" and indent >= 1_000


def _has_no_room(box: str) -> bool:
    pixels = _read_math(box)
    if pixels is None and (box[:1] not in (*"0123456789.",) or "%" in box[1:]):
        return False
    return (next(_iter_pixels(box), 9.0) if pixels is None else pixels) <= 1


def _gives_height(declared: Mapping[str, str]) -> bool:
    """Tell whether words are seen of a box without a height, as where its padding keeps a picture's shape."""
    least = declared.get("min-height", "")
    rooms = [_read_side(declared, "padding", side) for side in ("top", "bottom")]
    rooms += [least] if "%" not in least else []
    return any(next(_iter_pixels(one), 0.0) >= _LEAST_ROOM for one in rooms)


def is_placed(declared: Mapping[str, str]) -> bool:
    """Tell whether `left` and the like move an element."""
    return declared.get("position", "static") not in _UNPLACED


def _is_off_screen(declared: Mapping[str, str]) -> bool:
    """Tell whether what stays on the screen begins where that ends."""
    if declared.get("position") != "fixed" or "-" in declared.get("transform", "") + declared.get("translate", ""):
        return False
    if any("-" in _read_side(declared, "margin", side) for side in ("top", "right", "left", "bottom")):
        return False
    edges = (_SCREENS.fullmatch(declared.get(name, "")) for name in ("left", "right", "top", "bottom"))
    return any(float(edge[1]) >= 100 for edge in edges if edge is not None)


def _is_outside(declared: Mapping[str, str]) -> bool:
    for name in ("left", "right", "top", "bottom", "inset", "text-indent"):
        value = declared.get(name, "") if name == "text-indent" or is_placed(declared) else ""
        if value and _is_far(value, _FAR, _FAR_RIGHT if name in ("left", "right", "inset") else None):
            return True
    if _is_off_screen(declared):
        return True
    if "%" in declared.get("left", "") + declared.get("top", ""):
        return False  # a margin of half the width centres it
    for side in ("top", "right", "left"):
        margin, padding = _read_side(declared, "margin", side), _read_side(declared, "padding", side)
        # Of a bar as wide as the screen the padding gives back what the margin takes away.
        if margin and f"-{padding}" != margin and _is_far(margin.replace("%", "q"), _FAR_MARGIN):
            return True
    return False


def _read_side(declared: Mapping[str, str], name: str, side: str) -> str:
    """Return the margin or padding of a side."""
    every = declared.get(name, "")
    values = [every] if "(" in every else every.split()
    if len(values) > 1:
        place = {"top": 0, "right": 1, "bottom": 2 if len(values) > 2 else 0, "left": 3 if len(values) > 3 else 1}[side]
        every = values[place]
    return declared.get(f"{name}-{side}", "") or every


def _read_sum(value: str) -> float | None:
    """Return what a sum of lengths comes to on a screen of 1280 pixels; None for one that is no plain sum."""
    found = _CALC.fullmatch(value.strip())
    if found is None:
        return None
    words, total, place = found[1].strip(), 0.0, 0
    while (part := _SUM.match(words, place)) is not None:
        if place and not part["sign"]:
            return None
        pixels = 12.8 if part["unit"] in ("%", "vw") else _PIXELS.get(part["unit"], 1.0)
        total += float(part["number"]) * pixels * (-1 if part["sign"] == "-" else 1)
        place = part.end()
    return total if place == len(words) else None


def _read_math(value: str) -> float | None:
    """Return what a function of CSS comes to on a screen of 1280 pixels; None for what is none, or not known."""
    found = _MATH.fullmatch(value.strip())
    if found is None:
        return None
    if found["name"] == "calc":
        return _read_sum(value)
    parts = [_read_sum(f"calc({one})") for one in found["inner"].split(",")]
    known = [one for one in parts if one is not None]
    if found["name"] == "min":
        return min(known, default=None)
    if len(known) < len(parts):
        return None
    return max(known) if found["name"] == "max" else max(known[0], min(known[-1], known[len(known) // 2]))


def _is_far(value: str, least: float, right: float | None = None) -> bool:
    if (total := _read_sum(value)) is not None:
        return total <= -least or (right is not None and total >= right)
    if "calc(" in value:
        return any(abs(pixels) >= least and ("-" in value) for pixels in _iter_pixels(value))
    return any(one <= -least or (right is not None and one >= right) for one in _iter_pixels(value))


def _find_calls(declared: Mapping[str, str]) -> list[tuple[str, str]]:
    words = f"{declared.get('filter', '')} {declared.get('transform', '')}"
    return [(found[1], found[2]) for found in _FUNCTION.finditer(words[:500])] if "(" in words else []


def _is_moved_far(value: str) -> bool:
    """Tell whether something is moved far away; a share is one of its own size, and half of it centres."""
    shares = [float(one[1]) for one in _SIZE.finditer(value) if one[2] == "%"]
    lengths = _SIZE.sub(lambda one: "0px" if one[2] == "%" else one[0], value)
    return any(one <= -_FAR_SHARE for one in shares) or _is_far(lengths, _FAR)


def _is_beside(declared: Mapping[str, str]) -> bool:
    """Tell whether something at a screen's edge is moved over it by its own size, as menus are that slide in."""
    if declared.get("position") not in ("fixed", "absolute"):
        return False
    moves = [(name[9:], value) for name, value in _find_calls(declared) if name.startswith("translate")]
    for axis, edge in (("x", "left"), ("y", "top")):
        at_edge = declared.get(edge, "").strip() in ("0", "0px", "0%") or declared.get("inset", "").strip() in (
            "0",
            "0px",
        )
        for kind, value in moves:
            parts = value.split(",")
            place = 0 if kind == axis or axis == "x" else 1
            if kind in (axis, "", "3d") and place < len(parts) and at_edge:
                share = _SIZE.fullmatch(parts[place].strip())
                if share is not None and share[2] == "%" and float(share[1]) <= -100:
                    return True
    return False


def _is_moved(declared: Mapping[str, str]) -> bool:
    if any(number == 0 for number in _iter_pixels(declared.get("scale", ""))):
        return True
    if _is_moved_far(declared.get("translate", "")) or _is_beside(declared):
        return True
    for name, value in _find_calls(declared):
        numbers = list(_iter_pixels(value))
        if name.startswith("translate") and _is_moved_far(value):
            return True
        if name.startswith("scale") and 0 in numbers[:2]:
            return True
        if name == "matrix" and len(numbers) == 6 and numbers[0] * numbers[3] == numbers[1] * numbers[2]:
            return True
        if name in ("rotatex", "rotatey") and value.strip() in ("90deg", "-90deg", "270deg", ".25turn", "0.25turn"):
            return True
    return False


def _is_clipped(declared: Mapping[str, str]) -> bool:
    rect = re.match(r"rect\(([^()]*)\)", declared.get("clip", ""))
    placed = declared.get("position", "static") not in (_UNPLACED | {"relative"})
    if rect is not None and "auto" not in rect[1] and placed:
        edges = list(_iter_pixels(rect[1]))
        if len(edges) == 4 and (edges[2] - edges[0] <= 1 or edges[1] - edges[3] <= 1):
            return True
    found = _FUNCTION.match(declared.get("clip-path", ""))
    if found is None:
        return False
    name, numbers = found[1], [float(one[1]) for one in _SIZE.finditer(found[2])]
    if name == "inset":
        shares = [float(one[1]) if one[2] == "%" else 0.0 for one in _SIZE.finditer(found[2].partition("round")[0])][:4]
        if not shares:
            return False
        top, right = shares[0], shares[1] if len(shares) > 1 else shares[0]
        bottom, left = shares[2] if len(shares) > 2 else top, shares[3] if len(shares) > 3 else right
        return top + bottom >= 100 or left + right >= 100
    if name in ("circle", "ellipse"):
        return numbers[:1] == [0]
    return name == "polygon" and len(numbers) > 2 and len(set(numbers)) == 1
