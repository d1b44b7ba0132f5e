"""Render a presentation (PPTX) as text: a section a slide, with its tables, charts, alternative texts and notes."""

import io
from collections.abc import Iterable
from typing import Any

from lxml import etree
from pptx import Presentation
from pptx.util import Emu

from pentad.memory.documents.formats.builder import TextBuilder
from pentad.memory.documents.formats.office.archive import check_archive, open_document
from pentad.memory.documents.structure import ParsedText

_DEPTH = 20
_BREAK = "\x0b"
"""How the library gives a break within a paragraph."""
_DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_RELATED = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_MOST_POINTS = 200
"""Of a chart's series."""


def parse_slides(data: bytes) -> ParsedText:
    """Return the text and its blocks, with the number of the slide as page. Hidden slides are left out.

    Raises:
        InvalidInput: it is damaged, or unpacks to too much.
    """
    check_archive(data)
    with open_document("presentation"):
        return _render(Presentation(io.BytesIO(data)))


def _render(presentation: Any) -> ParsedText:
    out = TextBuilder()
    hidden: list[int] = []
    reader = _SlideReader(out, presentation.slide_width, presentation.slide_height)
    for number, slide in enumerate(presentation.slides, 1):
        if slide.element.get("show") in ("0", "false"):
            hidden.append(number)
            continue
        out.page = number
        title = slide.shapes.title
        seen = title is not None and title.has_text_frame and reader.is_seen(title)
        words = title.text_frame.text.replace(_BREAK, " ") if seen else ""
        if words.strip():
            out.add_heading(1, words)
        else:
            out.open_section(1, f"Slide {number}")
        reader.add_slide([shape for shape in slide.shapes if title is None or shape.element is not title.element])
        if slide.has_notes_slide and (frame := slide.notes_slide.notes_text_frame) is not None and frame.text.strip():
            out.add(f"Notes: {frame.text.replace(_BREAK, chr(10))}")
    if hidden:
        out.notes.append(f"hidden slides were left out: {', '.join(map(str, hidden[:20]))}")
    if reader.hidden:
        out.notes.append(f"hidden shapes were left out: {reader.hidden:,}")
    if reader.outside:
        out.notes.append(f"shapes beside the slide, which nobody sees, were left out: {reader.outside:,}")
    if reader.unread:
        out.notes.append(f"charts or diagrams that can't be read: {reader.unread:,}")
    return out.finish()


_Scale = tuple[tuple[float, float], tuple[float, float]]
"""Factor and offset of places, across and down."""
_SLIDE: _Scale = ((1.0, 0.0), (1.0, 0.0))


class _SlideReader:
    """Adds the shapes of slides.

    Attributes:
        hidden: how many shapes were left out that are hidden.
        outside: how many that lie beside their slide.
        unread: how many charts and diagrams could not be read.
    """

    def __init__(self, out: TextBuilder, width: int | None, height: int | None) -> None:
        self.hidden, self.outside, self.unread = 0, 0, 0
        self._out = out
        self._size = width, height

    def add_slide(self, shapes: Iterable[Any]) -> None:
        """Add the shapes of a slide that lie on it."""
        self._add_shapes(shapes, _SLIDE, 0)

    def is_seen(self, shape: Any, scale: _Scale = _SLIDE) -> bool:
        """Tell whether a shape is on its slide and not hidden; count it where it is not."""
        properties = _find_properties(shape)
        if properties is not None and properties.get("hidden") in ("1", "true"):
            self.hidden += 1
            return False
        is_outside = self._is_outside(shape, scale)
        self.outside += is_outside
        return not is_outside

    def _is_outside(self, shape: Any, scale: _Scale) -> bool:
        places = ((shape.left, shape.width, self._size[0]), (shape.top, shape.height, self._size[1]))
        for (start, extent, most), (factor, offset) in zip(places, scale, strict=True):
            if start is not None and most is not None:
                place = start * factor + offset
                if place >= most or place + (extent or 0) * factor < 0:
                    return True
        return False

    def _add_shapes(self, shapes: Iterable[Any], scale: _Scale, depth: int) -> None:
        """Add shapes in the order in which they are read: from the top, then from the left."""
        for shape in sorted(shapes, key=lambda one: (one.top or Emu(0), one.left or Emu(0))):
            if not self.is_seen(shape, scale):
                continue
            properties = _find_properties(shape)
            if hasattr(shape, "shapes"):
                if depth < _DEPTH:
                    self._add_shapes(shape.shapes, _scale_group(shape, scale), depth + 1)
            elif shape.has_text_frame:
                for paragraph in shape.text_frame.paragraphs:
                    self._out.add(paragraph.text.replace(_BREAK, "\n"), "item" if paragraph.level else "text")
            elif getattr(shape, "has_table", False) and shape.has_table:
                _add_table(self._out, shape.table)
            else:
                self._out.add(str(properties.get("descr") or "") if properties is not None else "")
                self._add_graphic(shape)

    def _add_graphic(self, shape: Any) -> None:
        try:
            if getattr(shape, "has_chart", False) and shape.has_chart:
                _add_chart(self._out, shape.chart)
                return
            data = next(shape.element.iter(f"{_DIAGRAM}relIds"), None)
            if data is not None:
                blob = shape.part.related_part(data.get(f"{_RELATED}dm")).blob
                root = etree.fromstring(blob, etree.XMLParser(resolve_entities=False, no_network=True))
                for point in root.iter(f"{_DIAGRAM}pt"):
                    self._out.add("".join(one.text or "" for one in point.iter(f"{_DRAWING}t")), "item")
        except (KeyError, ValueError, AttributeError, NotImplementedError, etree.XMLSyntaxError):
            self.unread += 1  # of a kind that the library does not know


def _scale_group(group: Any, scale: _Scale) -> _Scale:
    """Return how places within a group become places on the slide."""
    frame = group.element.grpSpPr.find(f"{_DRAWING}xfrm")
    parts = {} if frame is None else {str(one.tag).removeprefix(_DRAWING): one for one in frame}
    if not {"off", "ext", "chOff", "chExt"} <= parts.keys():
        return scale
    axes = []
    for (factor, offset), place, size in zip(scale, ("x", "y"), ("cx", "cy"), strict=True):
        starts = [int(parts[name].get(place, "0")) for name in ("off", "chOff")]
        outer, inner = (int(parts[name].get(size, "0")) for name in ("ext", "chExt"))
        share = outer / inner if inner else 1.0
        axes.append((factor * share, factor * (starts[0] - starts[1] * share) + offset))
    return axes[0], axes[1]


def _add_chart(out: TextBuilder, chart: Any) -> None:
    """Add a chart's values, a category a row."""
    if chart.has_title and chart.chart_title.has_text_frame:
        out.add(chart.chart_title.text_frame.text.replace(_BREAK, " "))
    for plot in chart.plots:
        series = list(plot.series)
        names = [str(category) for category in plot.categories][:_MOST_POINTS]
        columns = [[_render_number(value) for value in one.values][:_MOST_POINTS] for one in series]
        length = max([len(names), *map(len, columns)], default=0)
        rows = [["", *(str(one.name or "") for one in series)]]
        for index in range(length):
            rows.append([column[index] if index < len(column) else "" for column in (names, *columns)])
        out.add_table(rows, headed=1)


def _render_number(value: float | None) -> str:
    return "" if value is None else f"{value:.15g}"


def _add_table(out: TextBuilder, table: Any) -> None:
    rows: list[list[str]] = []
    for row in table.rows:
        cells: list[str] = []
        for column, cell in enumerate(row.cells):
            below = cell.is_spanned and rows and not (column and cells and row.cells[column - 1].is_merge_origin)
            cells.append(
                rows[-1][column] if below else "" if cell.is_spanned else cell.text_frame.text.replace(_BREAK, " ")
            )
        rows.append(cells)
    out.add_table(rows, headed=1 if table.first_row else None)


def _find_properties(shape: Any) -> Any:
    """Return the element that says a shape's name, its description and whether it is hidden."""
    for element in shape.element.iter():
        if isinstance(element.tag, str) and element.tag.endswith("}cNvPr"):
            return element
    return None
