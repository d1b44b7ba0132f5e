"""Tell how an element is seen when its animation has run: what fades in is read, what fades out is not."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

_INNER = re.compile(r"\([^()]*\)")
_TIME = re.compile(r"(-?(?:\d{1,9}(?:\.\d{0,9})?|\.\d{1,9}))(m?s)")
_FILLS = ("forwards", "both", "backwards")
_MOST_SECONDS = 60.0
"""Of a delay and a run; what takes longer is read as it begins."""
_MOST_PARTS = 10
_MOST_FRAMES = 50
MOTION_NAMES = frozenset(
    "animation animation-name animation-fill-mode animation-iteration-count animation-play-state animation-direction"
    " animation-duration animation-delay".split()
)
_Hides = Callable[[Mapping[str, str]], bool]


@dataclass(frozen=True)
class CssMotion:
    """The keyframes of an animation: what its first and its last one declare, and each of them."""

    first: Mapping[str, str]
    last: Mapping[str, str]
    frames: tuple[Mapping[str, str], ...]


def build_motion(frames: Sequence[tuple[str, Mapping[str, str]]]) -> CssMotion:
    """Return an animation of its keyframes: what each is for (``from``, ``50%, to``), and what it declares."""
    first: dict[str, str] = {}
    last: dict[str, str] = {}
    for selectors, declared in frames[:_MOST_FRAMES]:
        offsets = {one.strip().lower() for one in selectors.split(",")}
        if offsets & {"from", "0%"}:
            first |= declared
        if offsets & {"to", "100%"}:
            last |= declared
    return CssMotion(first, last, tuple(declared for _, declared in frames[:_MOST_FRAMES]))


def expand_motion(value: str) -> Iterator[tuple[str, str]]:
    """Yield what `animation` stands for, each for all of its parts."""
    # One of variables is told apart where they are known.
    yield "animation", value if "var(" in value else "none"
    parts = [one.split() for one in _INNER.sub("", value).split(",")[:_MOST_PARTS]]
    times = [[word for word in part if _TIME.fullmatch(word)] for part in parts]
    yield "animation-name", ",".join(" ".join(part) for part in parts)
    yield "animation-duration", ",".join((*found, "0s")[0] for found in times)
    yield "animation-delay", ",".join((*found, "0s", "0s")[1] for found in times)
    for name, words, otherwise in (
        ("animation-fill-mode", _FILLS, "none"),
        ("animation-iteration-count", ("infinite",), "1"),
        ("animation-play-state", ("paused",), "running"),
        ("animation-direction", ("reverse", "alternate", "alternate-reverse"), "normal"),
    ):
        yield name, ",".join(next((word for word in part if word in words), otherwise) for part in parts)


def find_moved(
    declared: Mapping[str, str], motions: Mapping[str, CssMotion], hides: _Hides
) -> list[tuple[str, Mapping[str, str]]]:
    """Return the names of an element's animations, and what each declares once it has run.

    Args:
        declared: of the element.
        motions: by their names in lower case.
        hides: tells whether declarations hide an element.
    """
    found = []
    for place, words in enumerate(declared.get("animation-name", "").split(",")[:_MOST_PARTS]):
        name = next((word for word in words.split() if word in motions), "")
        if name:
            found.append((name, _settle(declared, place, motions[name], hides)))
    return found


def _settle(declared: Mapping[str, str], place: int, motion: CssMotion, hides: _Hides) -> Mapping[str, str]:
    def get(name: str) -> str:
        values = declared.get(f"animation-{name}", "").split(",")
        return values[place % len(values)].strip()  # a shorter list begins anew (CSS Animations 1, 3)

    seconds = sum(float(one[1]) / (1 if one[2] == "s" else 1000) for one in _find_times(get("duration"), get("delay")))
    hiding = [one for one in motion.frames if hides({**declared, **one})]
    if get("play-state") == "paused" or seconds > _MOST_SECONDS:
        return hiding[0] if hiding else {}
    if get("iteration-count") == "infinite":
        if motion.first in hiding and motion.last in hiding:
            return motion.last
        shown = [one for one in motion.frames if one not in hiding]
        return shown[0] if shown and hides(declared) else {}
    if get("fill-mode") not in ("forwards", "both"):
        return {}
    return motion.first if "reverse" in get("direction") else motion.last


def _find_times(*values: str) -> Iterator[re.Match[str]]:
    return (one for one in map(_TIME.fullmatch, values) if one is not None)
