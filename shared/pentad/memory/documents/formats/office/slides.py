"""Render a presentation (PPTX) as text: a section a slide, with its tables, alternative texts and notes."""

import io
from collections.abc import Iterable
from typing import Any

from pptx import Presentation
from pptx.util import Emu

from pentad.memory.documents.formats.builder import TextBuilder
from pentad.memory.documents.formats.office.archive import check_archive, open_document
from pentad.memory.documents.structure import ParsedText

_DEPTH = 20


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
    for number, slide in enumerate(presentation.slides, 1):
        if slide.element.get("show") in ("0", "false"):
            hidden.append(number)
            continue
        out.page = number
        title = slide.shapes.title
        words = title.text_frame.text if title is not None and title.has_text_frame else ""
        if words.strip():
            out.add_heading(1, words)
        else:
            out.open_section(1, f"Slide {number}")
        _add_shapes(out, [shape for shape in slide.shapes if title is None or shape.shape_id != title.shape_id], 0)
        if slide.has_notes_slide and (frame := slide.notes_slide.notes_text_frame) is not None and frame.text.strip():
            out.add(f"Notes: {frame.text}")
    if hidden:
        out.notes.append(f"hidden slides were left out: {', '.join(map(str, hidden[:20]))}")
    return out.finish()


def _add_shapes(out: TextBuilder, shapes: Iterable[Any], depth: int) -> None:
    """Add shapes in the order in which they are read: from the top, then from the left."""
    for shape in sorted(shapes, key=lambda one: (one.top or Emu(0), one.left or Emu(0))):
        if hasattr(shape, "shapes"):
            if depth < _DEPTH:
                _add_shapes(out, shape.shapes, depth + 1)
        elif shape.has_text_frame:
            for paragraph in shape.text_frame.paragraphs:
                words = "".join(run.text for run in paragraph.runs) or paragraph.text
                out.add(words.replace("\x0b", "\n"), "item" if paragraph.level else "text")
        elif getattr(shape, "has_table", False) and shape.has_table:
            _add_table(out, shape.table)
        else:
            out.add(_find_description(shape))


def _add_table(out: TextBuilder, table: Any) -> None:
    rows: list[list[str]] = []
    for row in table.rows:
        cells: list[str] = []
        for column, cell in enumerate(row.cells):
            below = cell.is_spanned and rows and not (column and cells and row.cells[column - 1].is_merge_origin)
            cells.append(rows[-1][column] if below else "" if cell.is_spanned else cell.text_frame.text)
        rows.append(cells)
    out.add_table(rows, headed=1 if table.first_row else None)


def _find_description(shape: Any) -> str:
    for element in shape.element.iter():
        if isinstance(element.tag, str) and element.tag.endswith("}cNvPr"):
            return str(element.get("descr") or "")
    return ""
