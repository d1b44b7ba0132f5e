"""LaTeX: what no page of it shows is left out, and counted; a percent sign that is a character stays."""

import pytest

from pentad.memory.documents.formats.parse import parse
from pentad.memory.documents.structure import ParsedDocument


def read(text: str, name: str = "a.tex") -> ParsedDocument:
    return parse(text.encode(), name=name, media_type="")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a\n% no\n  % no\nb\n", "a\nb\n"),
        ("a % no\nb\n", "a \nb\n"),
        ("a \\\\% no\nb\n", "a \\\\\nb\n"),
        ("\\verb|x|% no\n", "\\verb|x|\n"),
        ("\\begin{comment}\nno\n\\end{comment}\nb\n", "\nb\n"),
        ("\\begin{verbatim}\n\\end{verbatim} % no\n", "\\begin{verbatim}\n\\end{verbatim} \n"),
    ],
)
def test_comments_are_left_out_and_counted(text: str, left: str) -> None:
    assert (read(text).text, read(text).notes) == (left, ("comments were left out: 1",))


@pytest.mark.parametrize(
    "text",
    [
        "50\\% of it\n",
        "\\verb|%yes| \\verb*+%yes+ \\lstinline|%yes| \\lstinline{%yes}\n",
        "\\url{http://a/%20yes} \\href{http://a/%20}{yes}\n",
        "\\begin{verbatim}\n% yes\n\\iffalse\n\\end{verbatim}\n",
        "\\begin{lstlisting}[language=TeX]\n% yes\n\\end{lstlisting}\n",
        "\\begin{minted}{tex}\n% yes\n\\end{minted}\n",
        "a \\iff b\n",
        "\\begin{document}\nyes\n\\end{document}\n",
    ],
)
def test_what_is_seen_stays_without_a_doubt(text: str) -> None:
    assert (read(text).text, read(text).notes) == (text, ())


@pytest.mark.parametrize(
    ("text", "left", "note"),
    [
        ("\\iffalse no \\ifx a b \\fi no \\fi b", " b", "parts that are switched off (\\iffalse) were left out: 1"),
        ("\\iffalse no \\else b", " b", "parts that are switched off (\\iffalse) were left out: 1"),
        ("b\\end{document}\nno", "b\\end{document}", "what stands behind the document's end was left out"),
    ],
)
def test_what_is_switched_off_is_left_out(text: str, left: str, note: str) -> None:
    assert (read(text).text, read(text).notes) == (left, (note,))


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("\\iffalse yes", "a part that would not show has no end: what follows it was read"),
        ("\\begin{comment}\nyes", "a part that would not show has no end: what follows it was read"),
        ("\\textcolor{white}{yes}", "words in white or without ink, which readers may not see, were read: 1"),
    ],
)
def test_what_may_be_unseen_is_read_with_a_doubt(text: str, note: str) -> None:
    assert (read(text).text, read(text).notes) == (text, (note,))
