"""Documents under the name or the label of another type: read as what they are, or with a doubt."""

import pytest

from pentad.memory.documents.formats.parse import parse
from pentad.memory.documents.structure import ParsedDocument


def read(text: str, name: str, media_type: str = "") -> ParsedDocument:
    return parse(text.encode(), name=name, media_type=media_type)


CONTENTS = {
    "JSON": '[{"name": "Pump", "price": 3}, {"name": "Bolt", "price": 4}]',
    "JSON lines": '{"a": 1}\n{"a": 2}\n',
    "HTML": "<!-- x -->\n<!DOCTYPE html>\n<html><body><p hidden>secret</p><p>Words</p></body></html>",
    "CSV": "name;price\nPump;3\nBolt;4\n",
    "Markdown": "# Fees\n\nSee [it](https://x.org/a).\n\n<!-- secret -->\n\n```\nx\n```\n",
    "reStructuredText": "Guide\n=====\n\n.. note:: Words\n\n.. secret\n\nMore\n~~~~\n\nSee :ref:`more`.\n",
    "AsciiDoc": "= Guide\n:toc:\n\nIntro.\n\n// secret\n\n== Fees\n\nThree.\n",
    "mail": "From: a@x.org\nTo: b@x.org\nSubject: Hi\nMIME-Version: 1.0\nContent-Type: text/html\n\n"
    "<p hidden>secret</p>\n",
    "a notebook": '{"nbformat": 4, "cells": [{"cell_type": "markdown", "source": "# T\\n<!-- secret -->"}]}',
}
NAMES = {
    "JSON": "a.json",
    "HTML": "a.html",
    "CSV": "a.csv",
    "Markdown": "a.md",
    "reStructuredText": "a.rst",
    "AsciiDoc": "a.adoc",
    "mail": "a.eml",
    "plain text": "a.txt",
}
SHOWN_AS_THEIR_SOURCE = ("JSON lines", "CSV", "Markdown", "reStructuredText", "AsciiDoc")


@pytest.mark.parametrize("said", NAMES)
@pytest.mark.parametrize("kind", CONTENTS)
def test_text_under_the_name_of_another_type_is_read_as_what_it_is_with_a_doubt(kind: str, said: str) -> None:
    parsed = read(CONTENTS[kind], NAMES[said])
    if said == kind or (said, kind) == ("JSON", "JSON lines"):
        assert not [note for note in parsed.notes if "says" in note]
    elif said == "plain text" and kind in SHOWN_AS_THEIR_SOURCE:
        unseen = f"it looks like {kind}, whose pages do not show all that plain text does: comments were read: 1"
        assert parsed.media_type == "text/plain"
        assert parsed.notes == ((unseen,) if "secret" in CONTENTS[kind] else ())
        return
    elif said == "HTML" and kind == "JSON lines":
        assert parsed.notes == ("it is read as HTML, but has no tags",)
    else:
        assert parsed.notes[0] == f"its name says {said}, but it looks like {kind}: read as such"
    assert "secret" not in parsed.text


@pytest.mark.parametrize(
    ("text", "name", "label", "note"),
    [
        (
            "Guide\n=====\n\n.. secret\n\nwords\n",
            "a.md",
            "",
            "it is read as Markdown, but has marks of reStructuredText",
        ),
        ("Guide\n=====\n\n.. secret\n\nx\n", "a.adoc", "", "it is read as AsciiDoc, but has marks of reStructuredText"),
        ("words\n\nmore", "a.html", "", "it is read as HTML, but has no tags"),
        ("<?xml version='1.0'?><feed>x</feed>", "a.html", "", "it is read as HTML, but is XML of another kind"),
        ("#!/bin/sh\n# words\nx\n", "a.md", "", "it is read as Markdown, but begins as a program does"),
        (
            "One, two.\nThree\n\nFour, a, b, c\nx\ny\n",
            "a.csv",
            "",
            "it is read as CSV, but its lines have no columns in",
        ),
        ("a: 1\nb: 2\n", "a.eml", "", "its name says mail, but it looks like plain text: read as such"),
        ("a,b", "a.csv", "text/markdown", "its label says Markdown and its name says CSV: read as Markdown"),
        ("x", "a.txt", "application/pdf", "its label says PDF, but it is not: read as text/plain"),
    ],
)
def test_what_speaks_against_a_type_is_a_doubt(text: str, name: str, label: str, note: str) -> None:
    assert read(text, name, label).notes[0].startswith(note)


@pytest.mark.parametrize(
    ("text", "name", "label"),
    [
        ("# RST\n\n```rst\n.. note:: x\n\n.. comment\n```\n", "a.md", "text/markdown"),
        ("{{< include >}}\n\n[a]: b {}", "a.md", ""),
        ("<h1 align=center>Pentad</h1>\n\nwords\n\n</b></b>", "a.md", ""),
        ("a = 1, 2\nb = 3, 4\nc = 5, 6\n", "a.md", ""),
        ("Subject: a letter\n\nDear all", "a.txt", "text/plain"),
        ("# a comment\n# more\nname,price\nPump,3\nBolt,4\n", "a.csv", "text/csv"),
        ("Title\n=====\n\n* a\n\n## b\n", "a.adoc", ""),
        ('{"a": 1}\n', "a.jsonl", "application/jsonl"),
        ("name,age\nAda,36\n", "a.csv", "application/vnd.ms-excel"),
        ("x", "a.md", "text/plain; charset=utf-8"),
        ("print('#!')", "a.py", "text/x-python"),
        ("[1] a source\n[2] more", "a.txt", ""),
    ],
)
def test_an_honest_name_is_no_doubt(text: str, name: str, label: str) -> None:
    assert not [note for note in read(text, name, label).notes if "read as" in note]


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("a.mdx", "# A\n\n<!-- secret -->", "text/markdown"),
        ("a.qmd", "# A\n\n<!-- secret -->", "text/markdown"),
        ("a.Rmd", "# A\n\n<!-- secret -->", "text/markdown"),
        ("a.rest", "A\n=\n\n.. secret\n", "text/x-rst"),
        ("a.mhtml", CONTENTS["mail"], "message/rfc822"),
        ("a.xls", "<table><tr><td>a</td><td hidden>secret</td></tr></table>", "text/html"),
        ("a.doc", CONTENTS["HTML"], "text/html"),
    ],
)
def test_other_endings_of_the_same_types_are_known(name: str, text: str, kind: str) -> None:
    parsed = read(text, name)
    assert parsed.media_type == kind
    assert "secret" not in parsed.text
