"""Read what stands on a PDF's pages beside their text: values of forms and notes written on it; and tell of layers."""

import ctypes
import io
from collections.abc import Iterator
from typing import Any, Final

from pypdfium2 import raw

from pentad.memory.documents.structure import clean

MOST_ANNOTATIONS: Final = 5_000
"""Of a document; beyond them the rest is a doubt."""
_MOST_CHARACTERS: Final = 20_000
_UNSEEN: Final = raw.FPDF_ANNOT_FLAG_HIDDEN | raw.FPDF_ANNOT_FLAG_NOVIEW | raw.FPDF_ANNOT_FLAG_INVISIBLE
_TICKED: Final = (raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON)
_VALUES: Final = (raw.FPDF_FORMFIELD_TEXTFIELD, raw.FPDF_FORMFIELD_COMBOBOX, raw.FPDF_FORMFIELD_LISTBOX)
_COMMENTS: Final = frozenset(
    {
        *(raw.FPDF_ANNOT_TEXT, raw.FPDF_ANNOT_HIGHLIGHT, raw.FPDF_ANNOT_UNDERLINE, raw.FPDF_ANNOT_SQUIGGLY),
        *(raw.FPDF_ANNOT_STRIKEOUT, raw.FPDF_ANNOT_STAMP, raw.FPDF_ANNOT_CARET),
    }
)


class PageAnnotations:
    """Reads annotations, page by page.

    Args:
        document: of pypdfium2, with its forms initialised before a page is opened.

    Attributes:
        comments: how many notes were passed over that open on a click.
        hidden: how many fields and texts nobody sees.
        cut: there are more than are read.
    """

    def __init__(self, document: Any) -> None:
        self.comments, self.hidden, self.cut = 0, 0, False
        self._forms = document.formenv
        self._count = 0

    def read(self, page: Any) -> Iterator[str]:
        """Yield what is written on a page: a text, or a form's ``name: value``."""
        for number in range(raw.FPDFPage_GetAnnotCount(page)):
            self._count += 1
            if self._count > MOST_ANNOTATIONS:
                self.cut = True
                return
            annotation = raw.FPDFPage_GetAnnot(page, number)
            if not annotation:
                continue
            try:
                words = self._read_words(annotation)
            finally:
                raw.FPDFPage_CloseAnnot(annotation)
            if words:
                yield words

    def list_notes(self) -> list[str]:
        """Return what was not read."""
        notes = []
        if self.comments:
            notes.append(f"comments on its pages were not read: {self.comments:,}")
        if self.hidden:
            notes.append(f"hidden fields and texts on its pages were left out: {self.hidden:,}")
        if self.cut:
            notes.append(f"fields and texts on its pages after the first {MOST_ANNOTATIONS:,} were not read")
        return notes

    def _read_words(self, annotation: Any) -> str:
        kind = raw.FPDFAnnot_GetSubtype(annotation)
        words = ""
        if kind == raw.FPDF_ANNOT_FREETEXT:
            words = _get_text(raw.FPDFAnnot_GetStringValue, annotation, b"Contents")
        elif kind == raw.FPDF_ANNOT_WIDGET and self._forms is not None:
            words = self._read_field(annotation)
        elif kind in _COMMENTS and _get_text(raw.FPDFAnnot_GetStringValue, annotation, b"Contents"):
            self.comments += 1
        if words and raw.FPDFAnnot_GetFlags(annotation) & _UNSEEN:
            self.hidden += 1
            return ""
        return words

    def _read_field(self, annotation: Any) -> str:
        forms = self._forms.raw
        kind = raw.FPDFAnnot_GetFormFieldType(forms, annotation)
        if kind in _TICKED:
            value = "yes" if raw.FPDFAnnot_IsChecked(forms, annotation) else ""
        else:
            value = _get_text(raw.FPDFAnnot_GetFormFieldValue, forms, annotation) if kind in _VALUES else ""
        if not value or raw.FPDFAnnot_GetFormFieldFlags(forms, annotation) & raw.FPDF_FORMFLAG_TEXT_PASSWORD:
            return ""
        name = _get_text(raw.FPDFAnnot_GetFormFieldAlternateName, forms, annotation)
        name = name or _get_text(raw.FPDFAnnot_GetFormFieldName, forms, annotation)
        return f"{name}: {value}" if name else value


def find_layers(data: bytes) -> list[str]:
    """Return a doubt where a PDF has layers that are switched off: their words are read with all others."""
    import logging

    from pypdf import PdfReader

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        root: Any = PdfReader(io.BytesIO(data), strict=False).trailer["/Root"]
        layers = root["/OCProperties"]["/D"].get("/OFF", [])
        names = [str(one.get_object().get("/Name", "")) for one in list(layers)[:10]]
    except Exception:  # a boundary: there are none, or pypdf does not read what PDFium does
        return []
    if not names:
        return []
    return [f"its layers that are switched off may have words, which were read: {clean(', '.join(names))[:120]}"]


def _get_text(get: Any, *operands: Any) -> str:
    """Return a text that PDFium gives out as UTF-16."""
    length = min(int(get(*operands, None, 0)), 2 * _MOST_CHARACTERS)
    if length <= 2:
        return ""
    buffer = ctypes.create_string_buffer(length)
    get(*operands, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), length)
    text = buffer.raw[:length].decode("utf-16-le", "replace").partition("\0")[0]
    return " ".join(clean(text).split())
