"""What readers of a page written in reStructuredText do not see: it is left out, or read with a doubt."""

import pytest

from pentad.memory.documents.formats.markup.rst import parse_rst
from pentad.memory.documents.structure import ParsedText


def read(words: str) -> ParsedText:
    return parse_rst(f"before\n\n{words}\n\nafter\n")


UNUSED = "targets and substitutions that nothing uses were left out: 1"


@pytest.mark.parametrize(
    ("words", "note"),
    [
        (".. hidden", "comments were left out: 1"),
        (".. hidden\n   hidden\n\n   hidden\n\nshown", "comments were left out: 1"),
        ("..\n   hidden\n   .. note:: hidden", "comments were left out: 1"),
        ("..\thidden", "comments were left out: 1"),
        (".. hidden\n.. hidden\n\nshown", "comments were left out: 2"),
        (".. note:: shown\n\n   shown\n\n   .. hidden\n\n   shown", "comments were left out: 1"),
        (".. note::\n   .. hidden\n   shown", "comments were left out: 1"),
        ("- .. hidden\n- shown", "comments were left out: 1"),
        ("* shown\n1. .. hidden\n", "comments were left out: 1"),
        ("- shown::\n\n    .. shown\n\n- shown\n\n  .. hidden", "comments were left out: 1"),
        ("Title\n=====\n.. hidden", "comments were left out: 1"),
        ("term\n  .. hidden\n  shown", "comments were left out: 1"),
        (".. _malformed hidden words", "comments were left out: 1"),
        (".. _x: hidden hidden words", UNUSED),
        (".. _hidden words: http://x.org", UNUSED),
        (".. |x| replace:: hidden", UNUSED),
        (".. meta::\n   :description: hidden", "what pages do not show was left out: 'meta', 1 times"),
        (".. raw:: latex\n\n   hidden", "what pages do not show was left out: 'raw latex', 1 times"),
        (".. raw:: html\n\n   <p>shown<b hidden>hidden</b></p>", "hidden text was left out: 1 words"),
        (".. raw:: html\n\n   <!-- hidden -->", "comments within HTML were left out: 1"),
    ],
)
def test_what_nobody_sees_is_left_out(words: str, note: str) -> None:
    parsed = read(words)
    assert "hidden" not in parsed.text
    assert parsed.text.count("shown") == words.count("shown")
    assert [word in parsed.text for word in ("before", "after")] == [True] * 2
    assert parsed.notes == (note,)


@pytest.mark.parametrize(
    "words",
    [
        "..\n\n   a quote",
        ".. _target: http://x.org",
        "see `two words`_\n\n.. _two words: http://x.org",
        "``a`` and `text <two words_>`_ b\n\n.. _two words: http://x.org",
        ".. [1] a footnote",
        ".. [CIT2020] a citation",
        "|x|\n\n.. |x| replace:: y",
        "text\n.. a paragraph goes on",
        "text::\n\n   .. a literal\n\nmore",
        "text::\n\n> quoted\n> .. literal\n",
        ".. code-block:: rst\n\n   .. a literal\n\nx",
        ".. image:: x.png\n   :alt: words",
        ".. function:: f(x)\n\n   words",
        ":field: .. words",
        "..words",
        "__ http://x.org",
    ],
)
def test_what_is_shown_stays(words: str) -> None:
    parsed = read(words)
    assert words in parsed.text
    assert parsed.notes == ()


@pytest.mark.parametrize(
    ("words", "note"),
    [
        (".. only:: html\n\n   x", "text was read that shows under conditions only: only html"),
        (".. include:: a.rst", "other files that it includes were not read: a.rst"),
        ("+-----+\n| .. x |\n+-----+", "words within tables were read that may be comments: 1 cells"),
    ],
)
def test_what_may_be_hidden_is_read_with_a_doubt(words: str, note: str) -> None:
    parsed = read(words)
    assert words in parsed.text
    assert parsed.notes == (note,)


@pytest.mark.parametrize(
    "text",
    [
        ".. a\n" * 100_000,
        "".join(" " * depth + ".. a::\n" for depth in range(1_000)),
        "".join(f".. |x{number}| replace:: y\n" for number in range(20_000)),
        "".join(f".. _a b{number}: x\n" for number in range(20_000)),
        "..\n\n" * 100_000,
        "- " * 100_000,
    ],
)
def test_much_markup_takes_no_time(text: str) -> None:
    assert len(parse_rst(text).text) <= len(text)
