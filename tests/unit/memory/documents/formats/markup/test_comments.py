"""XML, Org and WebVTT: what their readers do not see is left out, and counted; what they see stays."""

import pytest

from pentad.memory.documents.formats.parse import parse
from pentad.memory.documents.structure import ParsedDocument


def read(text: str, name: str, media_type: str = "") -> ParsedDocument:
    return parse(text.encode(), name=name, media_type=media_type)


@pytest.mark.parametrize(
    ("text", "name", "left"),
    [
        (
            "<?xml version='1.0'?><a>\n<!-- no --><b>yes</b>\n</a>",
            "a.xml",
            "<?xml version='1.0'?><a>\n<b>yes</b>\n</a>",
        ),
        ("<?xml version='1.0'?><a><!--no\n\nno-->yes</a>", "feed", "<?xml version='1.0'?><a>yes</a>"),
        ("<svg><!-- no --><text>yes</text></svg>", "a.svg", "<svg><text>yes</text></svg>"),
        ("A\n<!-- no -->yes\n", "a.wiki", "A\nyes\n"),
        ("* A\n# no\n  # no\nyes\n", "a.org", "* A\nyes\n"),
        ("* A\n#+BEGIN_COMMENT\nno\n#+END_COMMENT\nyes\n", "a.org", "* A\nyes\n"),
        ("#+begin_quote\n# no\nyes\n#+end_quote\n", "a.org", "#+begin_quote\nyes\n#+end_quote\n"),
        ("yes @@comment: no@@yes\n", "a.org", "yes yes\n"),
        (
            "WEBVTT\n\nNOTE no\nno\n\n00:01.000 --> 00:02.000\nyes\n",
            "a.vtt",
            "WEBVTT\n\n\n\n00:01.000 --> 00:02.000\nyes\n",
        ),
        ("= A\n\n// no\n\nyes\n", "a.asc", "= A\n\n\nyes\n"),
    ],
)
def test_comments_are_left_out_and_counted(text: str, name: str, left: str) -> None:
    found = read(text, name)
    assert found.text == left
    assert found.notes == ("comments were left out: 1",)
    assert all(found.text[one.start : one.end].strip() for one in found.blocks)


def test_the_label_tells_xml_too() -> None:
    assert read("<a><!-- no -->yes</a>", "a", "application/xml").text == "<a>yes</a>"
    assert read("<a><!-- no -->yes</a>", "a", "image/svg+xml").text == "<a>yes</a>"


@pytest.mark.parametrize(
    ("text", "name", "note"),
    [
        ("<a><?x no ?>yes</a>", "a.xml", "instructions for programs were left out: 1"),
        ("* COMMENT A\nno\n** B\nno\n* C\nyes", "a.org", "parts that are not exported were left out: 1"),
        ("* TODO COMMENT A\nno\n* C\nyes", "a.org", "parts that are not exported were left out: 1"),
        ("* A :x:noexport:\nno\n* C\nyes", "a.org", "parts that are not exported were left out: 1"),
        ("* A\n:PROPERTIES:\n:x: no\n:END:\nyes", "a.org", "drawers were left out: 1"),
        ("#+TITLE: yes yes\n#+DESCRIPTION: no words\n", "a.org", "settings of several words were left out: 1"),
        ("WEBVTT no\n\n00:01.000 --> 00:02.000\nyes", "a.vtt", "blocks that no player shows were left out: 1"),
        (
            "WEBVTT\n\nSTYLE\nno\n\n00:01.000 --> 00:02.000\nyes",
            "a.vtt",
            "blocks that no player shows were left out: 1",
        ),
        ("WEBVTT\n\nno\n\n00:01.000 --> 00:02.000\nyes", "a.vtt", "blocks that no player shows were left out: 1"),
        (
            "WEBVTT\n\nno no\n00:01.000 --> 00:02.000\nyes",
            "a.vtt",
            "names of cues, which no player shows, were left out: 1",
        ),
    ],
)
def test_what_else_nobody_sees_is_left_out(text: str, name: str, note: str) -> None:
    found = read(text, name)
    assert "yes" in found.text.split() or "yes" in found.text
    assert "no" not in found.text.replace("<", " ").split()
    assert found.notes == (note,)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("<?xml version='1.0'?>\n<a><![CDATA[<!-- yes -->]]></a>", "a.xml"),
        ("#+BEGIN_SRC sh\n# yes\n#+END_SRC\n#yes\n: # yes\n", "a.org"),
        ("#+BEGIN_EXAMPLE\n,* COMMENT yes\n:PROPERTIES:\n:END:\n#+END_EXAMPLE\n", "a.org"),
        ("#+CAPTION: yes yes\n#+TITLE: yes yes\n* A :tag:\nyes\n", "a.org"),
        ("WEBVTT\n\n1\n00:01.000 --> 00:02.000\nNOTE yes\n", "a.vtt"),
        ("a: 1 # yes\n", "a.yaml"),
        ("1\n00:00:01,000 --> 00:00:02,000\nyes\n\nNOTE yes\n", "a.srt"),
    ],
)
def test_what_is_seen_stays_without_a_doubt(text: str, name: str) -> None:
    found = read(text, name)
    assert (found.text, found.notes) == (text, ())


@pytest.mark.parametrize(
    ("text", "name", "note"),
    [
        ("<a>yes<!-- yes", "a.xml", "a comment has no end: what follows it was read"),
        ("#+BEGIN_COMMENT\nyes\n", "a.org", "a block has no end: what follows it was read"),
        ("plain <!-- yes -->", "a.txt", "comments as of HTML were read, since it is plain text: 1"),
        (
            "# A\n\n<!-- yes -->\n\nb",
            "a.txt",
            "it looks like Markdown, whose pages do not show all that plain text does: comments were read: 1",
        ),
        (
            "A\n=====\n\n.. yes\n\nb :ref:`x`\n\n.. note:: x\n",
            "README",
            "it looks like reStructuredText, whose pages do not show all that plain text does: comments were read: 1",
        ),
    ],
)
def test_what_may_be_unseen_is_read_with_a_doubt(text: str, name: str, note: str) -> None:
    found = read(text, name)
    assert found.text == text
    assert found.notes == (note,)


def test_a_signed_message_is_no_asciidoc() -> None:
    assert read("-----BEGIN PGP SIGNED MESSAGE-----\n\n// yes\n", "a.asc").text.endswith("// yes\n")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("<!-- " * 400_000, "a.xml"),
        ("<?" * 800_000, "a.xml"),
        ("#+BEGIN_COMMENT\n:PROPERTIES:\n" * 40_000, "a.org"),
        ("@@comment:" * 100_000, "a.org"),
        ("WEBVTT\n\n" + "NOTE x\n\n" * 150_000, "a.vtt"),
        ("\\iffalse " * 100_000, "a.tex"),
        ("\\begin{comment}" * 100_000, "a.tex"),
        ("\\verb|" * 200_000, "a.tex"),
        ("%\\" * 500_000, "a.tex"),
    ],
)
@pytest.mark.timeout(60)
def test_what_has_no_end_takes_no_more_than_its_length(text: str, name: str) -> None:
    # A search that began anew at each mark would need minutes here, and the time limit ends it.
    assert read(text, name).media_type == "text/plain"
