"""Draw a reliability diagram as PNG: how often answers were right, by how sure the agent was.

Pillow draws it: it is on every laptop that has this project's development packages, and in no function
(docs/decisions/0012-calibration.md).
"""

import io
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

from pentad.orchestration.calibration.calibrate import FEWEST_IN_BIN, Calibration

_WIDTH, _HEIGHT = 900, 900
_LEFT, _TOP, _SIDE = 100, 90, 560
"""Of the square in which shares are drawn."""
_BARS_TOP, _BARS_HEIGHT = 710, 90
_INK, _PALE, _GRID, _BLUE, _GREY = "#202124", "#5f6368", "#dadce0", "#1a56c4", "#b0b4ba"
Point = tuple[float, float]


class _Fonts(NamedTuple):
    title: ImageFont.FreeTypeFont | ImageFont.ImageFont
    text: ImageFont.FreeTypeFont | ImageFont.ImageFont


def draw_reliability(agent: str, calibration: Calibration) -> bytes:
    """Return the diagram of an agent as PNG.

    A point is a bin: its mean confidence and its share of right answers, with the limits of 95 %. On the dashed line
    confidence says what is. Bars below are how many answers were judged; those of bins with too few are grey.
    """
    image = Image.new("RGB", (_WIDTH, _HEIGHT), "white")
    draw = ImageDraw.Draw(image)
    fonts = _Fonts(ImageFont.load_default(24), ImageFont.load_default(17))
    _draw_frame(draw, fonts, agent, calibration)
    _draw_points(draw, calibration)
    _draw_counts(draw, fonts, calibration)
    content = io.BytesIO()
    image.save(content, format="PNG", optimize=True)
    return content.getvalue()


def place(confidence: float, share: float) -> Point:
    """Return where a point of the diagram is, in pixels."""
    return _LEFT + confidence * _SIDE, _TOP + (1 - share) * _SIDE


def _draw_frame(draw: ImageDraw.ImageDraw, fonts: _Fonts, agent: str, calibration: Calibration) -> None:
    judged = calibration.all
    draw.text((_LEFT, 20), f"{agent}: right answers by confidence", fill=_INK, font=fonts.title)
    said = f"{judged.count} judged answers, {judged.correct} right"
    if calibration.gap is not None and calibration.brier is not None:
        said += f"; calibration error {calibration.gap:.3f}, Brier score {calibration.brier:.3f}"
    draw.text((_LEFT, 54), said, fill=_PALE, font=fonts.text)
    for tenth in range(0, 11, 2):
        x, y = place(tenth / 10, tenth / 10)
        draw.line([(_LEFT, y), (_LEFT + _SIDE, y)], fill=_GRID)
        draw.line([(x, _TOP), (x, _TOP + _SIDE)], fill=_GRID)
        draw.text((_LEFT - 12, y), f"{tenth * 10} %", fill=_PALE, font=fonts.text, anchor="rm")
        draw.text((x, _TOP + _SIDE + 8), f"{tenth / 10:.1f}", fill=_PALE, font=fonts.text, anchor="ma")
    for part in range(0, 100, 2):  # dashes
        draw.line([place(part / 100, part / 100), place((part + 1) / 100, (part + 1) / 100)], fill=_PALE, width=2)
    draw.rectangle([(_LEFT, _TOP), (_LEFT + _SIDE, _TOP + _SIDE)], outline=_PALE)
    legend = ("point: share of right", "line: 95 % limits", "dashes: perfect", f"grey: fewer than {FEWEST_IN_BIN}")
    for number, words in enumerate(legend):
        draw.text((_LEFT + _SIDE + 16, _TOP + 4 + 24 * number), words, fill=_PALE, font=fonts.text)


def _draw_points(draw: ImageDraw.ImageDraw, calibration: Calibration) -> None:
    for one in calibration.bins:
        if one.share is None or one.low is None or one.high is None or one.mean_confidence is None:
            continue
        x, y = place(one.mean_confidence, one.share)
        low, high = place(one.mean_confidence, one.low), place(one.mean_confidence, one.high)
        draw.line([low, high], fill=_BLUE, width=2)
        for end in (low, high):
            draw.line([(end[0] - 6, end[1]), (end[0] + 6, end[1])], fill=_BLUE, width=2)
        draw.ellipse([(x - 7, y - 7), (x + 7, y + 7)], fill=_BLUE)


def _draw_counts(draw: ImageDraw.ImageDraw, fonts: _Fonts, calibration: Calibration) -> None:
    most = max([1, *(one.count for one in calibration.bins)])
    floor = _BARS_TOP + _BARS_HEIGHT
    for one in calibration.bins:
        left, right = place(one.above, 0)[0] + 4, place(one.below, 0)[0] - 4
        height = _BARS_HEIGHT * one.count / most
        if one.count:
            fill = _GREY if one.share is None else _BLUE
            draw.rectangle([(left, floor - max(2, height)), (right, floor)], fill=fill)
        middle = (left + right) / 2
        draw.text((middle, floor - height - 4), str(one.count), fill=_PALE, font=fonts.text, anchor="ms")
    draw.line([(_LEFT, floor), (_LEFT + _SIDE, floor)], fill=_PALE)
    words = "confidence, and how many answers were judged"
    draw.text((_LEFT + _SIDE / 2, floor + 10), words, fill=_INK, font=fonts.text, anchor="ma")
