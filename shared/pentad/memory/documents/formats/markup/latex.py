"""Read LaTeX as it is, but for what its pages do not show: comments, what is switched off, what is behind its end."""

import re

from pentad.memory.documents.formats.markup.unseen import Unseen, cut_out
from pentad.memory.documents.formats.parse import parse_text
from pentad.memory.documents.structure import ParsedText

_TOKEN = re.compile(
    r"\\begin[ \t]*\{(?P<begin>[A-Za-z]{1,40}\*?)\}"
    r"|\\(?P<end>end[ \t]*\{document\})"
    r"|\\(?:verb|lstinline|mintinline)\*?(?:\[[^\]\n]{0,200}\])?(?P<bar>[^\sA-Za-z0-9*{\[])"
    r"|\\(?P<address>url|path|nolinkurl|href|lstinline|hyperref)[ \t]*\{"
    r"|\\(?P<name>[A-Za-z@]+)|\\.|(?P<comment>%)",
    re.DOTALL,
)
_AS_IT_IS = frozenset(
    "verbatim verbatim* Verbatim Verbatim* BVerbatim LVerbatim lstlisting minted alltt filecontents filecontents* "
    "comment".split()
)
"""Environments in which a percent sign is a character."""
_BRANCH = re.compile(r"\\(?P<name>[A-Za-z@]+)|\\.|%[^\n]*+", re.DOTALL)
_NO_CONDITIONS = frozenset({"iff", "ifthenelse"})
_WHITE = re.compile(r"\\(?:textcolor|color|colorbox)[ \t]*\{white\}|\\phantom[ \t]*\{|\\transparent[ \t]*\{0?\.?0\}")
_MOST_TRIES = 3
"""Of conditions and environments without an end that are looked for."""


def parse_latex(text: str) -> ParsedText:
    r"""Return LaTeX as it is, without comments, ``comment``, ``\iffalse`` and what stands behind the document's end."""
    unseen = _LatexReader(text).find_unseen()
    return ParsedText(cut := cut_out(text, unseen.places), parse_text(cut).blocks, tuple(unseen.notes))


class _LatexReader:
    """Finds what of a LaTeX text its pages do not show, command by command."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._unseen = Unseen()
        self._off = self._endless = 0
        self._has_more = False

    def find_unseen(self) -> Unseen:
        """Return what is not seen, with the notes on it."""
        position = 0
        while found := _TOKEN.search(self._text, position):
            if found["end"]:
                self._end(found.end())
                break
            position = self._pass(found)
        unseen = self._unseen
        unseen.notes += [f"comments were left out: {unseen.comments:,}"] if unseen.comments else []
        unseen.notes += ["what stands behind the document's end was left out"] if self._has_more else []
        if self._off:
            unseen.notes.append(f"parts that are switched off (\\iffalse) were left out: {self._off:,}")
        if self._endless:
            unseen.notes.append("a part that would not show has no end: what follows it was read")
        if white := len(_WHITE.findall(self._text)):
            unseen.notes.append(f"words in white or without ink, which readers may not see, were read: {white:,}")
        return unseen

    def _pass(self, found: re.Match[str]) -> int:
        """Look at a command or a comment, and return where to go on."""
        if found["comment"]:
            return _add_comment(self._unseen, self._text, found.start())
        if found["bar"] or found["address"]:
            return _find_close(self._text, found["bar"] or "}", found.end())
        if found["begin"] in _AS_IT_IS:
            return self._pass_environment(found)
        return self._pass_condition(found) if found["name"] == "iffalse" else found.end()

    def _pass_environment(self, found: re.Match[str]) -> int:
        end = f"\\end{{{found['begin']}}}"
        close = self._text.find(end, found.end()) if self._endless < _MOST_TRIES else -1
        if close < 0:
            self._endless += 1
            return found.end()
        if found["begin"] != "comment":
            return close
        self._unseen.comments += 1
        self._unseen.places.append((found.start(), close + len(end)))
        return close + len(end)

    def _pass_condition(self, found: re.Match[str]) -> int:
        close = _find_branch_end(self._text, found.end()) if self._endless < _MOST_TRIES else -1
        if close < 0:
            self._endless += 1
            return found.end()
        self._off += 1
        self._unseen.places.append((found.start(), close))
        return close

    def _end(self, position: int) -> None:
        if self._text[position:].strip():
            self._has_more = True
            self._unseen.places.append((position, len(self._text)))


def _add_comment(unseen: Unseen, text: str, start: int) -> int:
    """Add a comment, with its line where that has nothing else; lines of comments on each other are one."""
    end = text.find("\n", start)
    end = len(text) if end < 0 else end
    begin = text.rfind("\n", 0, start) + 1
    if not text[begin:start].strip():
        start, end = begin, min(end + 1, len(text))
    if unseen.places and unseen.places[-1][1] == start:
        unseen.places[-1] = (unseen.places[-1][0], end)
    else:
        unseen.places.append((start, end))
        unseen.comments += 1
    return end


def _find_close(text: str, mark: str, position: int) -> int:
    """Return where a piece of a line ends that is read as it is; where it begins, if it does not end with the line."""
    line = text.find("\n", position)
    close = text.find(mark, position, len(text) if line < 0 else line)
    return position if close < 0 else close + 1


def _find_branch_end(text: str, position: int) -> int:
    r"""Return where what is switched off ends, by ``\\else`` or ``\\fi``; -1 where it does not."""
    depth = 0
    for found in _BRANCH.finditer(text, position):
        name = found["name"] or ""
        if name.startswith("if") and name not in _NO_CONDITIONS:
            depth += 1
        elif name == "fi":
            if not depth:
                return found.end()
            depth -= 1
        elif name == "else" and not depth:
            return found.end()
    return -1
