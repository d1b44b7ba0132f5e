"""Find words of a PDF's page that nobody sees: drawn invisibly with no picture below, transparent, or white on white.

A text that was recognised in a scan is invisible too, and lies on the picture that shows it: that is no doubt. White
letters on a dark ground are none either, so where letters are white the page is drawn, and looked at below them.
"""

import ctypes
import re
import time
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final

import pypdfium2
from pypdfium2 import raw

MOST_DRAWN: Final = 20
"""Pages of a document that are drawn, each some milliseconds; on others white letters are not looked at."""
_MOST_SECONDS: Final = 5.0
"""Of CPU time for all of them: a plan of many lines takes seconds, and a document has 60."""
_WORD: Final = re.compile(r"\S+")
_WHITE: Final = 245
_LIGHT: Final = 235
"""No darker than this is a place on which white letters do not show, of 255."""
_TRANSPARENT: Final = 12
_MOST_PIXELS: Final = 1_500
"""Of the longer side of a page that is drawn."""

Box = tuple[float, float, float, float]
"""Left, bottom, right and top, in points from the page's lower left corner."""


class HiddenWords:
    """Finds hidden words, page by page.

    Attributes:
        pages: numbers of the pages that have some, from 1, in order.
        words: the first of them.
    """

    def __init__(self) -> None:
        self.pages: list[int] = []
        self.words: list[str] = []
        self._drawn, self._seconds = 0, 0.0
        self._color = [ctypes.c_uint() for _ in range(4)]
        self._color_places = [ctypes.byref(one) for one in self._color]

    def look(self, number: int, page: Any, textpage: Any, text: str) -> None:
        """Look at a page.

        Args:
            number: of the page, from 1.
            page: the page.
            textpage: its text.
            text: the same as a string, each character at its index.
        """
        count = textpage.count_chars()
        list_pictures, draw = cache(lambda: list(_iter_pictures(page))), cache(lambda: self._draw(page))
        for match in _WORD.finditer(text):
            place = match.start()
            if place >= count:
                return
            kind = self._find_kind(textpage, place)
            if kind is None:
                continue
            box = textpage.get_charbox(place)
            if kind == "unpainted" and any(_is_within(box, one) for one in list_pictures()):
                continue
            if kind == "white" and not ((is_light := draw()) and is_light(box)):
                continue
            self._add(number, match[0])

    def _add(self, number: int, word: str) -> None:
        if self.pages[-1:] != [number]:
            self.pages.append(number)
        if len(self.words) < 8:
            self.words.append(word[:20])

    def _find_kind(self, textpage: Any, place: int) -> str | None:
        piece = raw.FPDFText_GetTextObject(textpage, place)
        if piece and raw.FPDFTextObj_GetTextRenderMode(piece) == raw.FPDF_TEXTRENDERMODE_INVISIBLE:
            return "unpainted"
        if not raw.FPDFText_GetFillColor(textpage, place, *self._color_places):
            return None
        red, green, blue, alpha = (one.value for one in self._color)
        if alpha < _TRANSPARENT:
            return "transparent"
        return "white" if min(red, green, blue) >= _WHITE else None

    def _draw(self, page: Any) -> Callable[[Box], bool] | None:
        """Return what tells if a place of a page is light all over; None where enough has been drawn."""
        if self._drawn >= MOST_DRAWN or self._seconds > _MOST_SECONDS:
            return None
        self._drawn += 1
        began = time.process_time()
        scale = min(1.0, _MOST_PIXELS / max(*page.get_size(), 1.0))
        try:
            bitmap = page.render(scale=scale, grayscale=True)
        except pypdfium2.PdfiumError:
            return None  # its words are read all the same
        finally:
            self._seconds += time.process_time() - began
        pixels, stride, columns, rows = bytes(bitmap.buffer), bitmap.stride, bitmap.width, bitmap.height
        places = bitmap.get_posconv(page)  # knows a turned page, and one whose corner is elsewhere
        bitmap.close()

        def is_light(box: Box) -> bool:
            one, other = places.to_bitmap(box[0], box[1]), places.to_bitmap(box[2], box[3])
            begin, end = max(0, min(one[0], other[0])), min(columns, max(one[0], other[0]) + 1)
            lines = range(max(0, min(one[1], other[1])), min(rows, max(one[1], other[1]) + 1))
            parts = [pixels[line * stride + begin : line * stride + end] for line in lines]
            return all(min(part, default=255) >= _LIGHT for part in parts)

        return is_light


def _iter_pictures(page: Any) -> Iterator[Box]:
    edges = [ctypes.c_float() for _ in range(4)]
    places = [ctypes.byref(one) for one in edges]
    for one in page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=2):
        if raw.FPDFPageObj_GetBounds(one, *places):
            left, bottom, right, top = (edge.value for edge in edges)
            yield left, bottom, right, top


def _is_within(box: Box, picture: Box) -> bool:
    across, up = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return picture[0] <= across <= picture[2] and picture[1] <= up <= picture[3]
