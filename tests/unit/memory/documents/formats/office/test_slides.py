"""Slides as their reader sees them, and what of them is said to be left out."""

from collections.abc import Callable
from typing import Any

from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from pentad.memory.documents.formats.parse import parse
from pentad.memory.documents.structure import ParsedDocument
from tests.unit.memory.documents.formats.office.make import save


def read_slide(build: Callable[[Any], None]) -> ParsedDocument:
    presentation: Any = Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[5])
    slide.shapes.title.text = "Annual\vReport"
    build(slide)
    return parse(save(presentation.save), name="a.pptx", media_type="")


def test_a_break_within_a_paragraph_parts_words() -> None:
    def build(slide: Any) -> None:
        box = slide.shapes.add_textbox(0, 0, Inches(1), Inches(1))
        box.text_frame.text = "Net\vsales"

    assert read_slide(build).text == "Annual Report\n\nNet\nsales"


def test_a_chart_is_a_table_of_its_values() -> None:
    def build(slide: Any) -> None:
        chart_data: Any = CategoryChartData
        data = chart_data()
        data.categories = ["Q1", "Q2"]
        data.add_series("Sales", (1, 2.5))
        slide.shapes.add_chart(XL_CHART_TYPE.BAR_CLUSTERED, 0, 0, Inches(1), Inches(1), data)

    assert read_slide(build).text.endswith("| Sales\nQ1 | 1\nQ2 | 2.5")


def test_shapes_that_nobody_sees_are_left_out_and_told() -> None:
    def build(slide: Any) -> None:
        for left, words in ((0, "seen"), (Inches(-20), "beside"), (Inches(1), "hidden")):
            box = slide.shapes.add_textbox(left, 0, Inches(1), Inches(1))
            box.text_frame.text = words
        box._element.nvSpPr.cNvPr.set("hidden", "1")

    parsed = read_slide(build)
    assert parsed.text == "Annual Report\n\nseen"
    assert parsed.notes == (
        "hidden shapes were left out: 1",
        "shapes beside the slide, which nobody sees, were left out: 1",
    )


def test_a_title_that_nobody_sees_is_no_heading() -> None:
    def hide(slide: Any) -> None:
        slide.shapes.title._element.nvSpPr.cNvPr.set("hidden", "1")

    def move(slide: Any) -> None:
        title = slide.shapes.title
        title.left, title.top, title.width, title.height = Inches(-30), 0, Inches(2), Inches(1)

    for build, note in (
        (hide, "hidden shapes were left out: 1"),
        (move, "shapes beside the slide, which nobody sees,"),
    ):
        parsed = read_slide(build)
        assert parsed.text == ""
        assert parsed.notes[0].startswith(note)


def test_a_shape_of_a_group_is_beside_the_slide_where_the_group_brings_it() -> None:
    def build(slide: Any) -> None:
        group = slide.shapes.add_group_shape()
        for left, words in ((Inches(-20), "beside"), (Inches(1), "seen")):
            box = group.shapes.add_textbox(left, 0, Inches(1), Inches(1))
            box.text_frame.text = words
        moved = slide.shapes.add_group_shape()
        moved.shapes.add_textbox(Inches(1000), 0, Inches(1), Inches(1)).text_frame.text = "moved in"
        moved.left = Inches(2)  # its places stay as they were: what is at 1,000 within it is at 2 on the slide

    parsed = read_slide(build)
    assert parsed.text == "Annual Report\n\nseen\n\nmoved in"
    assert parsed.notes == ("shapes beside the slide, which nobody sees, were left out: 1",)


def test_a_shape_with_the_titles_id_is_read() -> None:
    def build(slide: Any) -> None:
        box = slide.shapes.add_textbox(0, 0, Inches(1), Inches(1))
        box.text_frame.text = "Other words"
        box._element.nvSpPr.cNvPr.set("id", str(slide.shapes.title.shape_id))

    assert read_slide(build).text == "Annual Report\n\nOther words"
