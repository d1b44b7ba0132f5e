"""Find what nobody sees of a page that is written in reStructuredText, as docutils and Sphinx render it."""

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property

from pentad.memory.documents.formats.markup.lines import TextLines
from pentad.memory.documents.formats.markup.unseen import Place, Unseen, add_raw_html, note_read

_MARK = re.compile(r"\.\.(?:[ \t]+|$)")
_BULLET = re.compile(r"[-*+\u2022\u2023\u2043][ \t]+")
_NUMBERED = re.compile(
    r"(?:\((?:[0-9]{1,9}|[A-Za-z#]|[ivxlcdmIVXLCDM]{1,9})\)|(?:[0-9]{1,9}|[A-Za-z#]|[ivxlcdmIVXLCDM]{1,9})[.)])[ \t]+"
)
_CONTINUED = re.compile(r"\|[ \t]|:[^:\s][^:]{0,200}:[ \t]")
_NAME = r"(?:(?!_)\w)+(?:[-._+:](?:(?!_)\w)+)*"
_DIRECTIVE = re.compile(rf"({_NAME})[ ]?::(?:[ \t]+(.*)|$)")
_NOTE = re.compile(rf"\[(?:[0-9]+|#?{_NAME}|#|\*)\](?:[ \t]|$)")
_TARGET = re.compile(r"_(?![ ])(`[^`]{1,1000}`|(?:\\.|[^:\\]|:(?![ \t]|$)){0,1000}):(?:[ \t]+(.*)|$)")
_QUOTED = re.compile(r"(?<![`_])`([^`]{1,1000})`(?!`)")
_SUBSTITUTION = re.compile(rf"\|([^|]{{1,1000}})\|[ \t]+({_NAME})[ ]?::(?:[ \t]+(.*)|$)")
_LITERAL = frozenset(
    "code code-block sourcecode parsed-literal math csv-table graphviz digraph graph mermaid prompt doctest testcode "
    "testoutput ipython productionlist uml plantuml console highlight raw literalinclude".split()
)
_UNSHOWN = frozenset({"meta", "testsetup", "testcleanup"})
_SOMETIMES = frozenset({"only", "ifconfig", "todo"})
_INCLUDING = frozenset({"include", "literalinclude"})
_CELL = re.compile(r"\|[ \t]+\.\.[ \t]+(?!_|\[|\|[^|\n]+\||[\w.+:-]+[ ]?::)")
_TAB = 8
_MOST_NESTED = 8
_TWICE = 2
_MOST_CHARACTERS = 1000


@dataclass
class _RstUnseen:
    comments: list[Place] = field(default_factory=list)
    unused: list[Place] = field(default_factory=list)
    unshown: dict[str, list[Place]] = field(default_factory=dict)
    raw: list[Place] = field(default_factory=list)
    sometimes: dict[str, None] = field(default_factory=dict)
    included: dict[str, None] = field(default_factory=dict)
    cells: int = 0


def find_unseen_rst(text: str) -> Unseen:
    """Return what readers of the rendered page do not see: comments, data about the page, text for other programs.

    What shows under conditions only is read, with a doubt, and so is what may be a comment within a table.
    """
    found = _RstReader(text).read()
    unseen = Unseen([*found.comments, *found.unused], len(found.comments))
    if found.comments:
        unseen.notes.append(f"comments were left out: {len(found.comments):,}")
    if found.unused:
        unseen.notes.append(f"targets and substitutions that nothing uses were left out: {len(found.unused):,}")
    for name, places in found.unshown.items():
        unseen.places += places
        unseen.notes.append(f"what pages do not show was left out: '{name[:40]}', {len(places):,} times")
    add_raw_html(unseen, text, found.raw)
    note_read(unseen, "text was read that shows under conditions only", found.sometimes)
    note_read(unseen, "other files that it includes were not read", found.included)
    if found.cells:
        unseen.notes.append(f"words within tables were read that may be comments: {found.cells:,} cells")
    return unseen


class _RstReader:
    """Goes through the lines once. What a paragraph holds is no markup, so it keeps whether one has begun."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = TextLines(text)
        self._found = _RstUnseen()

    def read(self) -> _RstUnseen:
        """Return what is not shown."""
        may_begin, indent, literal, is_fresh = True, 0, -1, False
        number = 0
        while number < len(self._lines):
            line = self._lines[number]
            number += 1
            if line.isspace():
                may_begin = True
                continue
            last, indent = indent, _measure_indent(line)
            if literal >= 0:
                if indent > literal:
                    is_fresh = False
                    continue
                is_quoted = is_fresh and indent == literal and may_begin and not line.lstrip()[0].isalnum()
                literal = -1
                if is_quoted:
                    number = self._skip_quoted(number, line.lstrip()[0])
                    continue
            may_begin = may_begin or last != indent
            offset, words = (
                self._skip_items(line, number) if may_begin else (len(line) - len(line.lstrip()), line.strip())
            )
            column = indent + offset - (len(line) - len(line.lstrip()))
            indent = column
            if may_begin and (mark := _MARK.match(words)):
                begin = self._lines.get_start(number - 1) + offset
                number, literal, may_begin = self._read_markup(number, begin, column, words[mark.end() :])
                is_fresh = False
                if not may_begin:
                    indent, may_begin = self._look_on(number, column)
                continue
            self._found.cells += len(_CELL.findall(words)) if words[0] == "|" else 0
            literal = column if words.endswith("::") and self._lines.is_blank(number) else -1
            is_fresh = True
            if _CONTINUED.match(words):
                indent, may_begin = self._look_on(number, column)
                continue
            may_begin = len(words) > 2 and len(set(words)) == 1 and not words[0].isalnum()
        return self._found

    def _look_on(self, number: int, column: int) -> tuple[int, bool]:
        """Return the indent at which a line goes on with the words of the one before it, and whether it does not.

        Args:
            number: of the line.
            column: where the words before it begin, which go on in lines that are indented deeper.
        """
        following = 0 if self._lines.is_blank(number) else _measure_indent(self._lines[number])
        return max(column, following), following <= column

    def _skip_quoted(self, number: int, mark: str) -> int:
        """Return the line behind a quoted literal: its lines begin with the same mark."""
        while not self._lines.is_blank(number) and self._lines[number].lstrip()[0] == mark:
            number += 1
        return number

    def _skip_items(self, line: str, number: int) -> tuple[int, str]:
        """Return how far within a line its words begin, and these; what marks an item of a list is none of them.

        Args:
            line: the line.
            number: of the line after it.
        """
        words = line.strip()
        column = len(line) - len(line.lstrip())
        for _ in range(_MOST_NESTED):
            item = _BULLET.match(words) or (self._is_numbered(number, column) and _NUMBERED.match(words))
            if not item:
                break
            column += item.end()
            words = words[item.end() :]
        return column, words

    def _is_numbered(self, number: int, column: int) -> bool:
        """Tell whether what looks like a number of an item is one: what follows on it directly has to belong to it."""
        if self._lines.is_blank(number):
            return True
        following = self._lines[number]
        return _measure_indent(following) > column or _NUMBERED.match(following.strip()) is not None

    def _read_markup(self, number: int, begin: int, column: int, words: str) -> tuple[int, int, bool]:
        """Read what begins with two dots: return the next line, what is literal from there on, and what may begin.

        Args:
            number: of the line after it.
            begin: where in the text its dots stand.
            column: where in their line they stand.
            words: what stands behind them.
        """
        if not words and self._lines.is_blank(number):
            return number, -1, True  # empty: what follows is none of it
        if _NOTE.match(words):
            return number, -1, False
        if target := _TARGET.match(words):
            if len((target[2] or "").split()) < _TWICE and not self._is_unused(target[1]):
                return number, -1, True
            return self._cut(self._found.unused, number, begin, column)
        if substitution := _SUBSTITUTION.match(words):
            if self._segments[substitution[1].lower()] < _TWICE:
                return self._cut(self._found.unused, number, begin, column)
            return number, -1, False
        if directive := _DIRECTIVE.match(words):
            name, argument = directive[1].lower(), (directive[2] or "").strip()
            return self._read_directive(number, begin, column, name, argument)
        return self._cut(self._found.comments, number, begin, column)

    def _cut(self, places: list[Place], number: int, begin: int, column: int) -> tuple[int, int, bool]:
        """Add a piece of markup with all that belongs to it, and return what follows."""
        end = self._find_end(number, column)
        places.append((begin, self._lines.get_start(end)))
        return end, -1, True

    def _read_directive(self, number: int, begin: int, column: int, name: str, argument: str) -> tuple[int, int, bool]:
        if name in _SOMETIMES:
            self._found.sometimes[f"{name} {argument}".strip()] = None
        elif name in _INCLUDING:
            self._found.included[argument] = None
        if name == "raw" and "html" in argument.lower().split():
            return self._cut(self._found.raw, number, self._lines.get_start(number), column)
        if name in _UNSHOWN or name == "raw":
            what = f"{name} {argument}" if name == "raw" else name
            return self._cut(self._found.unshown.setdefault(what, []), number, begin, column)
        return number, column if name in _LITERAL else -1, not argument

    def _is_unused(self, name: str) -> bool:
        """Tell whether a target has words in its name that nothing refers to."""
        words = " ".join(name.strip("`").lower().split())
        return " " in words and words not in self._referred

    @cached_property
    def _segments(self) -> Counter[str]:
        """What stands between bars, in lower case."""
        return Counter(one for one in self._text.lower().split("|") if len(one) <= _MOST_CHARACTERS)

    @cached_property
    def _referred(self) -> frozenset[str]:
        """What stands in backquotes, in lower case; of a reference with words of its own, its target."""
        found = (one[1].lower().replace("_>", ">") for one in _QUOTED.finditer(self._text))
        return frozenset(" ".join(one.rpartition("<")[2].rstrip(">").split()) for one in found)

    def _find_end(self, number: int, column: int) -> int:
        """Return the line behind the last one that is indented deeper than a column; blank ones within count."""
        last = number
        while number < len(self._lines):
            line = self._lines[number]
            number += 1
            if line.isspace():
                continue
            if _measure_indent(line) <= column:
                break
            last = number
        return last


def _measure_indent(line: str) -> int:
    return len(line[: len(line) - len(line.lstrip(" \t"))].expandtabs(_TAB))
