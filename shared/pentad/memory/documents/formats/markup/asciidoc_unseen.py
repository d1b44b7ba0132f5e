"""Find what nobody sees of a page that is written in AsciiDoc, as Asciidoctor renders it."""

import re
from bisect import bisect_left
from collections.abc import Iterator

from pentad.memory.documents.formats.markup.lines import TextLines
from pentad.memory.documents.formats.markup.unseen import Place, Unseen, add_raw_html, note_read

_FENCE = re.compile(r"-{4,}|\.{4,}|\+{4,}|`{3,}.*")
_BLOCK_LINE = re.compile(r"^(={4,}|\*{4,}|_{4,}|-{4,}|\.{4,}|\+{4,}|/{4,}|--)[ \t]*$", re.MULTILINE)
_COMMENT_FENCE = re.compile(r"/{4,}")
_COMMENT_STYLE = re.compile(r"\[comment(?:[,#.%][^\]]*)?\]")
_ENTRY = re.compile(r":(!?\w[\w-]{0,100}!?):(?:[ \t]+(.*))?")
_CONDITION = re.compile(r"(ifdef|ifndef|ifeval)::([^\[]{0,100})")
_INCLUDE = re.compile(r"include::([^\[]{1,200})\[")
_TERM = re.compile(r"\(\(\([^()\n]{1,500}\)\)\)|indexterm:\[[^\]\n]{1,500}\]")
_MARKS = re.compile(r"[/\[:\-.+`]|if|include")
_NAME = re.compile(r"\{([\w-]{1,100})\}")
_PASS = re.compile(r"pass:[a-z,]{0,20}\[|\+\+\+")
_SHOWN_ENTRIES = frozenset({"author", "authors", "email", "revnumber", "revdate", "revremark", "version-label"})
_SETTINGS_CHARACTERS = 24
"""Of an attribute of one word, which is a setting: ``:toc: left``."""


def find_unseen_asciidoc(text: str) -> Unseen:
    """Return what readers of the rendered page do not see: comments, terms of its index, attributes without a use.

    What shows under conditions only is read, with a doubt.
    """
    reader = _AsciidocReader(text)
    reader.read()
    unseen = Unseen([*reader.comments], reader.count)
    if reader.has_endless:
        unseen.notes.append("a block of comments has no end: what follows it was read")
    _add_entries(unseen, text, reader.entries)
    _add_terms(unseen, text, reader.loose)
    if unseen.comments:
        unseen.notes.insert(0, f"comments were left out: {unseen.comments:,}")
    passed = [one for start, end in reader.loose for one in _iter_passed(text, start, end)]
    add_raw_html(unseen, text, sorted([*reader.raw, *passed]))
    note_read(unseen, "text was read that shows under conditions only", reader.sometimes)
    note_read(unseen, "other files that it includes were not read", reader.included)
    return unseen


class _AsciidocReader:
    """Goes through the lines once, and keeps which fence is open: within it all but its end is words."""

    def __init__(self, text: str) -> None:
        self.comments: list[Place] = []
        self.count = 0
        self.entries: list[tuple[str, Place]] = []
        self.raw: list[Place] = []
        self.loose: list[Place] = []
        self.sometimes: dict[str, None] = {}
        self.included: dict[str, None] = {}
        self.has_endless = False
        self._lines = TextLines(text)
        self._blocks = _AsciidocBlocks(text, self._lines)
        self._fence, self._begin = "", 0

    def read(self) -> None:
        """Read all lines."""
        number = 0
        while number < len(self._lines):
            line = self._lines[number]
            if self._fence:
                self._read_fenced(number, line.rstrip())
                number += 1
            elif _MARKS.match(line):
                number = self._read_mark(number, line.rstrip())
            else:
                number = self._take_words(number)

    def _read_fenced(self, number: int, mark: str) -> None:
        self._note_preprocessed(mark)
        if mark == self._fence:
            if mark[0] == "+":
                self.raw.append((self._begin, self._lines.get_start(number)))
            self._fence = ""

    def _read_mark(self, number: int, mark: str) -> int:
        """Read a line that may be more than words, and return the line behind what it begins."""
        self._note_preprocessed(mark)
        if _COMMENT_FENCE.fullmatch(mark):
            closing = self._blocks.find(mark, number + 1)
            self.has_endless = self.has_endless or not closing
            return self._add_comment(number, closing) if closing else number + 1
        if _COMMENT_STYLE.fullmatch(mark):
            return self._add_comment(number, self._blocks.find_end(number + 1))
        if _FENCE.fullmatch(mark):
            self._fence, self._begin = ("```" if mark[0] == "`" else mark), self._lines.get_start(number + 1)
            return number + 1
        if mark.startswith("//") and not mark.startswith("///"):
            return self._add_comment(number, number + 1)
        if found := _ENTRY.fullmatch(mark):
            end = number + 1
            while mark.endswith((" \\", " +")) and end < len(self._lines):
                mark = self._lines[end].rstrip()
                end += 1
            place = (self._lines.get_start(number), self._lines.get_start(end))
            self.entries.append((found[1].strip("!").lower(), place))
            return end
        return self._take_words(number)

    def _note_preprocessed(self, mark: str) -> None:
        if found := _CONDITION.match(mark):
            self.sometimes[f"{found[1]}::{found[2]}"] = None
        elif found := _INCLUDE.match(mark):
            self.included[found[1]] = None

    def _add_comment(self, number: int, end: int) -> int:
        _extend(self.comments, self._lines.get_start(number), self._lines.get_start(end))
        self.count += 1
        return end

    def _take_words(self, number: int) -> int:
        _extend(self.loose, self._lines.get_start(number), self._lines.get_start(number + 1))
        return number + 1


def _add_entries(unseen: Unseen, text: str, entries: list[tuple[str, Place]]) -> None:
    """Add attributes that hold words and stand nowhere in the text."""
    used = {one[1].lower() for one in _NAME.finditer(text)} | _SHOWN_ENTRIES if entries else frozenset()
    count = 0
    for name, (start, end) in entries:
        value = text[start:end].partition(":")[2].partition(":")[2].strip()
        if name not in used and (len(value.split()) > 1 or len(value) > _SETTINGS_CHARACTERS):
            unseen.places.append((start, end))
            count += 1
    if count:
        unseen.notes.append(f"attributes that the text does not use were left out: {count:,}")


def _add_terms(unseen: Unseen, text: str, loose: list[Place]) -> None:
    terms = [one.span() for start, end in loose for one in _TERM.finditer(text, start, end)]
    if terms:
        unseen.places += terms
        unseen.notes.append(f"terms for an index, which pages do not show, were left out: {len(terms):,}")


def _iter_passed(text: str, start: int, end: int) -> Iterator[Place]:
    """Yield what stands within words and goes into the page as it is."""
    while found := _PASS.search(text, start, end):
        closing = text.find("+++" if found[0] == "+++" else "]", found.end(), end)
        while closing >= 0 and text[closing - 1 : closing] == "\\":
            closing = text.find("]", closing + 1, end)
        if closing < 0:
            return
        yield found.end(), closing
        start = closing + 3


class _AsciidocBlocks:
    """Finds where a block ends."""

    def __init__(self, text: str, lines: TextLines) -> None:
        self._lines = lines
        self._marks: dict[str, list[int]] = {}
        for found in _BLOCK_LINE.finditer(text):
            self._marks.setdefault(found[1], []).append(lines.find(found.start()))

    def find(self, mark: str, number: int) -> int:
        """Return the line behind the next one that is a mark, from a line on; 0 where there is none."""
        numbers = self._marks.get(mark, [])
        after = bisect_left(numbers, number)
        return numbers[after] + 1 if after < len(numbers) else 0

    def find_end(self, number: int) -> int:
        """Return the line behind the block that begins at a line: a fenced one, or a paragraph."""
        if number < len(self._lines) and (end := self.find(self._lines[number].rstrip(), number + 1)):
            return end
        while not self._lines.is_blank(number):
            number += 1
        return number


def _extend(places: list[Place], start: int, end: int) -> None:
    """Add a place; what follows on the last one is part of that."""
    if places and places[-1][1] == start:
        places[-1] = (places[-1][0], end)
    else:
        places.append((start, end))
