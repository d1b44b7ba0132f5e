"""Notebooks: words, code and what it wrote, and a doubt about what is left out."""

import json
from typing import Any

import pytest

from pentad.domain.errors import InvalidInput
from pentad.memory.documents.formats.parse import parse
from pentad.memory.documents.structure import ParsedDocument


def read(*cells: Any, name: str = "a.ipynb", **more: Any) -> ParsedDocument:
    return parse(json.dumps({"nbformat": 4, "cells": cells, **more}).encode(), name=name, media_type="")


def run(*outputs: Any) -> ParsedDocument:
    return read({"cell_type": "code", "source": "f()", "outputs": outputs})


def shown(parsed: ParsedDocument) -> list[tuple[str, str]]:
    return [(block.kind, parsed.text[block.start : block.end].strip()) for block in parsed.blocks]


def test_a_notebook_is_read_cell_by_cell() -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Tides\n", "Read *this*."]},
        {"cell_type": "code", "source": "x = 1", "outputs": [{"output_type": "stream", "text": ["high\n"]}]},
        {"cell_type": "raw", "source": "as it is"},
    ]
    parsed = read(*cells)
    assert shown(parsed) == [
        ("heading", "# Tides"),
        ("text", "Read *this*."),
        ("code", "x = 1"),
        ("code", "high"),
        ("text", "as it is"),
    ]
    assert {block.path for block in parsed.blocks} == {("Tides",)}
    assert parsed.notes == ()
    assert read(*cells, name="a").media_type == "application/x-ipynb+json"


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (
            {"data": {"text/plain": "   a\n0  1", "text/html": "<table><tr><td>a<td>b<tr><td>1<td>2</table>"}},
            "a | b\n1 | 2",
        ),
        ({"data": {"text/html": "<p>seen<b hidden>not</b></p>"}}, "seen"),
        ({"data": {"text/html": "<script>x</script>", "text/plain": "<Map at 0x1>"}}, "<Map at 0x1>"),
        ({"data": {"text/markdown": "**b**<!-- not -->", "text/plain": "<Markdown>"}}, "**b**"),
        ({"data": {"text/latex": "$x^2$"}}, "$x^2$"),
        ({"data": {"application/json": {"a": 1}}}, "{'a': 1}"),
        (
            {"output_type": "error", "ename": "KeyError", "evalue": "'x'", "traceback": ["\x1b[0;31mat\x1b[0m line 3"]},
            "at line 3\nKeyError: 'x'",
        ),
        ({"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["at", "E: v"]}, "at\nE: v"),
        ({"output_type": "stream", "text": "\x1b[32mgreen\x1b[0m"}, "green"),
        ({"output_type": "pyout", "html": "<p>old</p>", "text": "<obj>"}, "old"),
    ],
)
def test_what_code_wrote_is_read_in_its_richest_form(output: dict[str, Any], words: str) -> None:
    assert run(output).text == f"f()\n\n{words}"


@pytest.mark.parametrize(
    ("output", "note"),
    [
        ({"text": "x" * 20_001}, "outputs of code were cut after 20,000 characters: 1"),
        ({"data": {"image/png": "aGk="}}, "what cells show besides text was not read: 1 pictures"),
        ({"data": {"video/mp4": "aGk="}}, "what cells show besides text was not read: 1 films and sounds"),
        (
            {"data": {"application/vnd.plotly.v1+json": {}, "text/plain": "a"}},
            "what cells show besides text was not read: 1 application/vnd.plotly.v1+json",
        ),
        ("x", "cells or outputs that have another form were not read: 1"),
        ({"data": []}, "cells or outputs that have another form were not read: 1"),
    ],
)
def test_what_is_left_out_of_an_output_is_a_doubt(output: Any, note: str) -> None:
    assert run(output).notes == (note,)


def test_an_output_of_twenty_thousand_characters_is_whole() -> None:
    assert run({"text": "x" * 20_000}) == run({"text": ["x" * 10_000] * 2})
    assert len(run({"text": "x" * 20_000}).text) == 20_005


@pytest.mark.parametrize(
    "metadata", [{"tags": ["hide-input"]}, {"tags": ["remove_cell"]}, {"jupyter": {"source_hidden": True}}]
)
def test_cells_that_pages_may_hide_are_read_with_a_doubt(metadata: dict[str, Any]) -> None:
    parsed = read({"cell_type": "code", "source": "x", "metadata": metadata})
    assert (parsed.text, parsed.notes) == ("x", ("cells were read that pages may hide: 1",))


def test_doubts_of_cells_are_added_up() -> None:
    cells = [
        {"cell_type": "markdown", "source": f"a{number} b c d <!-- b --><i hidden>c d</i>"} for number in range(1200)
    ]
    parsed = read(*cells, 1, {"cell_type": "code", "source": {"no": "text"}})
    assert parsed.notes == (
        "comments were left out: 1,200",
        "hidden text was left out: 2,400 words",
        "cells or outputs that have another form were not read: 2",
    )


def test_pictures_that_are_attached_are_counted() -> None:
    parsed = read({"cell_type": "markdown", "source": "![a](attachment:a.png)", "attachments": {"a.png": {}}})
    assert parsed.notes == ("what cells show besides text was not read: 1 pictures",)


def test_notebooks_of_version_3_have_sheets() -> None:
    cells = [
        {"cell_type": "heading", "level": 2, "source": "Tides"},
        {"cell_type": "code", "input": "x = 1", "outputs": [{"output_type": "pyout", "text": "high"}]},
    ]
    old = json.dumps({"nbformat": 3, "worksheets": [{"cells": cells}]}).encode()
    parsed = parse(old, name="a", media_type="")
    assert shown(parsed) == [("heading", "Tides"), ("code", "x = 1"), ("code", "high")]


@pytest.mark.parametrize("text", ['{"nbformat": 4}', "[]", '{"cells": 5}'])
def test_what_has_no_cells_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="no cells"):
        parse(text.encode(), name="a.ipynb", media_type="")
