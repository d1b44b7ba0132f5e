"""Tell whether the conditions of a style sheet hold: for a desktop's screen, and by what browsers support."""

import re
from collections.abc import Callable

_SCREEN = {"width": 1280.0, "height": 800.0, "device-width": 1280.0, "device-height": 800.0}
"""Pixels of the screen for which a page is read."""
_NUMBERS = _SCREEN | {"aspect-ratio": 1.6, "device-aspect-ratio": 1.6, "resolution": 1.0, "device-pixel-ratio": 1.0}
_DESKTOP = {
    **dict.fromkeys(("hover", "any-hover"), "hover"),
    **dict.fromkeys(("pointer", "any-pointer"), "fine"),
    **dict.fromkeys(("forced-colors", "inverted-colors"), "none"),
    **dict.fromkeys(("grid", "monochrome"), "0"),
    **dict.fromkeys(
        ("prefers-contrast", "prefers-reduced-motion", "prefers-reduced-transparency", "prefers-reduced-data"),
        "no-preference",
    ),
    **{"prefers-color-scheme": "light", "scripting": "enabled", "display-mode": "browser", "orientation": "landscape"},
}
"""What a desktop's browser says of itself."""
_UNSET = frozenset({"none", "no-preference", "0"})
"""Values of which ``(feature)`` alone does not hold."""
_UNITS = {"": 1.0, "px": 1.0, "em": 16.0, "rem": 16.0, "dppx": 1.0, "x": 1.0, "dpi": 1 / 96, "pt": 4 / 3, "cm": 37.8}
_VALUE = re.compile(r"(\d{1,6}(?:\.\d{0,6})?|\.\d{1,6})\s*([a-z]{0,4})(?:\s*/\s*(\d{1,6}(?:\.\d{0,6})?))?")
_COMPARED = re.compile(r"\s*(<=|>=|<|>|=)\s*")
_TURNED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "="}
_TYPED = re.compile(r"(?:(?P<word>not|only)\s+)?(?!not\b)(?P<kind>[a-z-]+)(?:\s+and\s+(?P<more>.*))?", re.DOTALL)
_GROUP = re.compile(r"(?P<function>[a-z-]*)\((?P<inner>[^()]*)\)")
_LOGIC = re.compile(r"(?:yes|no|and|or|not|\s)*")
_MOST_GROUPS = 60
_SUPPORTED = re.compile(
    r"display:(?:grid|inline-grid|flex|inline-flex|flow-root|contents|block|inline-block)|position:(?:-webkit-)?sticky"
    r"|--[\w-]+:.*|object-fit:(?:cover|contain)|(?:gap|aspect-ratio|inset):\d.*|(?:-webkit-)?backdrop-filter:blur.*"
    r"|mask-image:.*|container-type:inline-size|transform:.*|animation:.*|transition:.*"
)
"""Declarations of which every browser of today takes all that pages ask for."""

_Judge = Callable[[str], bool | None]


def holds_for_screen(query: str) -> bool:
    """Tell whether a media query holds for a screen of 1280 by 800 pixels; what is not known of it holds."""
    return not query.strip() or any(_holds(one.strip()) for one in query.lower().split(","))


def is_supported(condition: str) -> bool:
    """Tell whether browsers support what a sheet asks for (CSS Conditional 3); what is not known holds."""
    return _evaluate(condition.lower(), _supports)


def _holds(query: str) -> bool:
    typed = _TYPED.fullmatch(query)
    if typed is None:
        return _evaluate(query, _has_feature)
    on_screen = typed["kind"] in ("all", "screen")
    if typed["word"] == "not":
        # Not so of a screen's page, unless more was asked for.
        return not on_screen or (typed["more"] is not None and not _evaluate_surely(typed["more"], _has_feature))
    return on_screen and (typed["more"] is None or _evaluate(typed["more"], _has_feature))


def _evaluate(condition: str, judge: _Judge) -> bool:
    """Tell whether a condition holds, or would where what is not known of it were otherwise."""
    return any(_reduce(condition, judge, unknown=unknown) for unknown in (True, False))


def _evaluate_surely(condition: str, judge: _Judge) -> bool:
    return all(_reduce(condition, judge, unknown=unknown) for unknown in (True, False))


def _reduce(condition: str, judge: _Judge, *, unknown: bool) -> bool:
    def answer(found: re.Match[str]) -> str:
        inner, function = found["inner"].strip(), found["function"]
        if function in ("", "not", "and", "or"):
            said = _read_logic(inner) if _LOGIC.fullmatch(inner) else judge(inner)
            return f"{function} {'yes' if (unknown if said is None else said) else 'no'} "
        # Of a value (`calc()`) it is no condition, and of a condition of its own (`selector()`) unknown.
        return (
            "?"
            if found.start() and condition_so_far[: found.start()].rstrip()[-1:] in ":<>=+-*/("
            else (" yes " if unknown else " no ")
        )

    condition_so_far = condition
    for _ in range(_MOST_GROUPS):
        found = _GROUP.search(condition_so_far)
        if found is None:
            break
        condition_so_far = condition_so_far[: found.start()] + answer(found) + condition_so_far[found.end() :]
    return _read_logic(condition_so_far)


def _read_logic(words: str) -> bool:
    """Read ``yes``, ``no``, ``and``, ``or`` and ``not``; what is none of them holds."""
    return any(
        all((part.split()[-1:] != ["no"]) != (part.split()[:1] == ["not"]) for part in re.split(r"\band\b", one))
        for one in re.split(r"\bor\b", words)
    )


def _supports(declaration: str) -> bool | None:
    name, _, value = declaration.partition(":")
    return True if _SUPPORTED.fullmatch(f"{name.strip()}:{value.strip()}") else None


def _has_feature(words: str) -> bool | None:
    parts = _COMPARED.split(words)
    if len(parts) > 1:
        return _compare(parts)
    name, colon, value = (part.strip() for part in words.partition(":"))
    if name in _DESKTOP:
        return value == _DESKTOP[name] if colon else _DESKTOP[name] not in _UNSET
    name = name.removeprefix("-webkit-").removeprefix("-moz-").removeprefix("-o-")
    if name.startswith(("min-", "max-")):
        return _compare([name[4:], ">=" if name.startswith("min-") else "<=", value])
    return _compare([name, "=", value]) if colon else None


def _compare(parts: list[str]) -> bool | None:
    """Judge ``width >= 400px``, ``400px <= width`` or ``400px <= width < 700px``."""
    if len(parts) == 5 and parts[2].strip() in _NUMBERS:
        low, high = _compare(parts[:3]), _compare(parts[2:])
        return None if low is None or high is None else low and high
    if len(parts) != 3:
        return None
    left, sign, right = (part.strip() for part in parts)
    if left not in _NUMBERS:
        left, sign, right = right, _TURNED[sign], left
    bound = _VALUE.fullmatch(right)
    if left not in _NUMBERS or bound is None or bound[2] not in _UNITS:
        return None
    least = float(bound[1]) * _UNITS[bound[2]] / (float(bound[3] or 1) or 1)
    own = _NUMBERS[left]
    return {"<": own < least, ">": own > least, "<=": own <= least, ">=": own >= least, "=": own == least}[sign]
