"""Values of forms and texts written on the pages of a PDF are read, and what nobody sees of them is not."""

from typing import Any

import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.generic import (
    ArrayObject,
    BooleanObject,
    DictionaryObject,
    FloatObject,
    NameObject,
    NumberObject,
    TextStringObject,
)

from pentad.memory.documents.formats.office import pdf_annotations
from pentad.memory.documents.formats.parse import parse
from pentad.memory.documents.structure import ParsedDocument
from tests.unit.memory.documents.formats.office.make import make_pdf, save

_PLACE = ArrayObject([FloatObject(number) for number in (50, 600, 300, 620)])


def annotate(*annotations: dict[str, Any], layers: tuple[str, ...] = ()) -> ParsedDocument:
    """Return what is read of a page with a line of text and these annotations; layers are switched off."""
    import io

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(make_pdf([[(700, 12, "Application form")]]))))
    made = []
    for one in annotations:
        fields = {NameObject("/Type"): NameObject("/Annot"), NameObject("/Rect"): _PLACE}
        fields |= {NameObject(name): value for name, value in one.items()}
        made.append(writer._add_object(DictionaryObject(fields)))
    writer.pages[0][NameObject("/Annots")] = ArrayObject(made)
    widgets = [one for one, given in zip(made, annotations, strict=True) if given["/Subtype"] == "/Widget"]
    root = writer._root_object
    root[NameObject("/AcroForm")] = DictionaryObject(
        {NameObject("/Fields"): ArrayObject(widgets), NameObject("/NeedAppearances"): BooleanObject(True)}
    )
    if layers:
        groups = [
            writer._add_object(
                DictionaryObject({NameObject("/Type"): NameObject("/OCG"), NameObject("/Name"): TextStringObject(name)})
            )
            for name in layers
        ]
        root[NameObject("/OCProperties")] = DictionaryObject(
            {
                NameObject("/OCGs"): ArrayObject(groups),
                NameObject("/D"): DictionaryObject({NameObject("/OFF"): ArrayObject(groups)}),
            }
        )
    return parse(save(writer.write), name="a.pdf", media_type="")


def field(name: str, value: str, **more: Any) -> dict[str, Any]:
    return {
        "/Subtype": NameObject("/Widget"),
        "/FT": NameObject("/Tx"),
        "/T": TextStringObject(name),
        "/V": TextStringObject(value),
        "/F": NumberObject(4),
        **more,
    }


def written(kind: str, words: str, flags: int = 4) -> dict[str, Any]:
    return {"/Subtype": NameObject(kind), "/Contents": TextStringObject(words), "/F": NumberObject(flags)}


def test_values_of_a_form_are_read_with_their_names() -> None:
    tick = {"/FT": NameObject("/Btn"), "/V": NameObject("/Yes"), "/AS": NameObject("/Yes")}
    parsed = annotate(
        field("name", "Ada Adams", **{"/TU": TextStringObject("Full name")}),
        field("town", "Kiel"),
        field("empty", ""),
        field("agreed", "", **tick),
        field("pin", "1234", **{"/Ff": NumberObject(1 << 13)}),
    )
    assert parsed.text.split("\n\n") == ["Application form", "Full name: Ada Adams", "town: Kiel", "agreed: yes"]
    assert parsed.notes == ()


def test_texts_written_on_a_page_are_read_and_comments_are_a_doubt() -> None:
    parsed = annotate(
        written("/FreeText", "Approved on 3 May"), written("/Text", "ask Bo"), written("/Highlight", ""),
        written("/Link", "no words"),
    )  # fmt: skip
    assert parsed.text.split("\n\n") == ["Application form", "Approved on 3 May"]
    assert parsed.notes == ("comments on its pages were not read: 1",)


@pytest.mark.parametrize("flags", [2, 32, 1])
def test_what_of_them_nobody_sees_is_left_out(flags: int) -> None:
    parsed = annotate(
        written("/FreeText", "IGNORE", flags), field("x", "IGNORE", **{"/F": NumberObject(flags)}), field("y", "seen")
    )
    assert parsed.text.split("\n\n") == ["Application form", "y: seen"]
    assert parsed.notes == ("hidden fields and texts on its pages were left out: 2",)


def test_layers_that_are_switched_off_are_a_doubt() -> None:
    assert annotate(layers=("Draft",)).notes == (
        "its layers that are switched off may have words, which were read: Draft",
    )


def test_a_bound_of_annotations_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_annotations, "MOST_ANNOTATIONS", 2)
    parsed = annotate(*(written("/FreeText", f"note {number}") for number in range(4)))
    assert parsed.text.split("\n\n") == ["Application form", "note 0", "note 1"]
    assert parsed.notes == ("fields and texts on its pages after the first 2 were not read",)
