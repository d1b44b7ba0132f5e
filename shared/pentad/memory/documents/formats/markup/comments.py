"""Read XML, Org and WebVTT as they are, but for what their readers do not see."""

import re
from collections import Counter
from collections.abc import Iterator

from pentad.memory.documents.formats.markup.unseen import Place, Unseen, cut_out
from pentad.memory.documents.formats.parse import parse_text
from pentad.memory.documents.structure import ParsedText

_XML_MARK = re.compile(r"<!--|<!\[CDATA\[|<\?")
_XML_ENDS = {"<!--": "-->", "<![CDATA[": "]]>", "<?": "?>"}
_ORG_COMMENT = re.compile(r"[ \t]*#(?:[ \t].*)?\Z")
_ORG_BLOCK = re.compile(r"[ \t]*#\+begin_(\S{1,60})", re.IGNORECASE)
_ORG_BLOCK_END = re.compile(r"[ \t]*#\+end_(\S{1,60})", re.IGNORECASE)
_ORG_AS_IT_IS = frozenset({"comment", "src", "example", "export", "verse"})
_ORG_HEADING = re.compile(r"(\*{1,40})[ \t]+(.*)")
_ORG_UNSHOWN_TREE = re.compile(r"(?:[A-Z]{2,20}[ \t]+)?COMMENT(?:[ \t]|\Z)|.*:noexport:[\w@#%:]*[ \t]*\Z")
_ORG_DRAWER = re.compile(r"[ \t]*:(?:properties|logbook):[ \t]*\Z", re.IGNORECASE)
_ORG_DRAWER_END = re.compile(r"[ \t]*:end:[ \t]*\Z", re.IGNORECASE)
_ORG_KEYWORD = re.compile(r"[ \t]*#\+([A-Za-z]\w{0,60}):[ \t]*(.*)")
_ORG_INLINE = re.compile(r"@@comment:[^\n]{0,2000}?@@")
_ORG_SHOWN = frozenset("title subtitle author date email caption name html latex results call include".split())
_VTT_NOTE = re.compile(r"NOTE(?:[ \t].*)?\Z")
_COMMENTS, _BLOCKS, _CUES = "comments", "blocks that no player shows", "names of cues, which no player shows,"
_MOST_LINES_OF_A_DRAWER = 200


def parse_xml(text: str) -> ParsedText:
    """Return XML as it is, without comments and instructions for programs; sections of CDATA are words."""
    unseen = Unseen()
    instructions, position, endless = 0, 0, {""}
    while found := _XML_MARK.search(text, position):
        mark = found[0]
        position = found.end()
        if mark in endless:
            continue
        end = text.find(_XML_ENDS[mark], position)
        if end < 0:
            endless.add(mark)
            continue
        position = end + len(_XML_ENDS[mark])
        if mark == "<!--":
            unseen.comments += 1
        elif mark == "<?" and not text.startswith("<?xml ", found.start()):
            instructions += 1
        else:
            continue
        unseen.places.append((found.start(), position))
    if unseen.comments:
        unseen.notes.append(f"comments were left out: {unseen.comments:,}")
    if instructions:
        unseen.notes.append(f"instructions for programs were left out: {instructions:,}")
    if "<!--" in endless:
        unseen.notes.append("a comment has no end: what follows it was read")
    return _finish(text, unseen)


def parse_org(text: str) -> ParsedText:
    """Return Org as it is, without what an export leaves out: comments, drawers, trees of COMMENT and noexport."""
    return _finish(text, _OrgReader(text).find_unseen())


class _OrgReader:
    """Finds what of an Org text an export leaves out, line by line."""

    def __init__(self, text: str) -> None:
        self._lines = list(_iter_lines(text))
        self._ends = _find_block_ends(self._lines)
        self._unseen = Unseen([one.span() for one in _ORG_INLINE.finditer(text)])
        self._unseen.comments = len(self._unseen.places)
        self._counts = {"parts that are not exported": 0, "drawers": 0, "settings of several words": 0}
        self._hidden = 0
        """The level of the heading whose part is not exported; 0 in others."""
        self._endless = False

    def find_unseen(self) -> Unseen:
        """Return what is not seen, with the notes on it."""
        number = 0
        while number < len(self._lines):
            number = self._pass(number)
        unseen = self._unseen
        unseen.notes += [f"comments were left out: {unseen.comments:,}"] if unseen.comments else []
        unseen.notes += [f"{what} were left out: {count:,}" for what, count in self._counts.items() if count]
        unseen.notes += ["a block has no end: what follows it was read"] if self._endless else []
        return unseen

    def _pass(self, number: int) -> int:
        """Look at a line, and return the next one to look at."""
        line = self._lines[number][1]
        self._enter(line)
        if self._hidden:
            return self._hide(number, number + 1)
        if number in self._ends:
            return self._pass_block(number)
        if _ORG_COMMENT.match(line):
            self._unseen.comments += not (number and _ORG_COMMENT.match(self._lines[number - 1][1]))
            return self._hide(number, number + 1)
        if _ORG_DRAWER.match(line) and (end := _find_drawer_end(self._lines, number)):
            self._counts["drawers"] += 1
            return self._hide(number, end)
        if _is_unshown_setting(line):
            self._counts["settings of several words"] += 1
            return self._hide(number, number + 1)
        self._endless = self._endless or _ORG_BLOCK.match(line) is not None
        return number + 1

    def _enter(self, line: str) -> None:
        """Follow a heading out of a part that is not exported, or into one."""
        heading = _ORG_HEADING.match(line)
        if heading is None:
            return
        if self._hidden and len(heading[1]) <= self._hidden:
            self._hidden = 0
        if not self._hidden and _ORG_UNSHOWN_TREE.match(heading[2]):
            self._hidden = len(heading[1])
            self._counts["parts that are not exported"] += 1

    def _pass_block(self, number: int) -> int:
        begin = _ORG_BLOCK.match(self._lines[number][1])
        kind = begin[1].lower() if begin else ""
        after = self._ends[number] + 1
        if kind == "comment":
            self._unseen.comments += 1
            return self._hide(number, after)
        return after if kind in _ORG_AS_IT_IS else number + 1

    def _hide(self, number: int, after: int) -> int:
        """Leave out lines, and return the one behind them."""
        _extend(self._unseen.places, self._lines[number][0], _end_of(self._lines, after - 1))
        return after


def _is_unshown_setting(line: str) -> bool:
    found = _ORG_KEYWORD.match(line)
    return found is not None and found[1].lower() not in _ORG_SHOWN and len(found[2].split()) > 1


def parse_subtitles(text: str) -> ParsedText:
    """Return WebVTT as it is, without what players do not show: notes, styles, and names of cues of several words."""
    unseen, counts = Unseen(), Counter[str]()
    for number, block in enumerate(_list_cues(text)):
        found = _find_unshown_of_cue(block, is_first=number == 0)
        if found is not None and text[found[1] : found[2]].strip():
            counts[found[0]] += 1
            unseen.places.append(found[1:])
    unseen.comments = counts["comments"]
    unseen.notes += [f"{what} were left out: {counts[what]:,}" for what in (_COMMENTS, _BLOCKS, _CUES) if counts[what]]
    return _finish(text, unseen)


def _list_cues(text: str) -> list[list[tuple[int, str]]]:
    """Return the blocks of lines, each line with where it begins."""
    blocks: list[list[tuple[int, str]]] = [[]]
    for start, line in _iter_lines(text):
        if line.strip():
            blocks[-1].append((start, line))
        elif blocks[-1]:
            blocks.append([])
    return [one for one in blocks if one]


def _find_unshown_of_cue(block: list[tuple[int, str]], *, is_first: bool) -> tuple[str, int, int] | None:
    """Return what of a block no player shows: what it is, where it begins, and where it ends."""
    begin, first = block[0]
    end = block[-1][0] + len(block[-1][1])
    timed = next((index for index, (_, line) in enumerate(block[:2]) if "-->" in line), None)
    if is_first and first.startswith("WEBVTT"):
        return (_BLOCKS, begin + len("WEBVTT"), end)
    if timed is None:
        return (_COMMENTS if _VTT_NOTE.match(first) else _BLOCKS, begin, end)
    if timed == 1 and len(first.split()) > 1:
        return (_CUES, begin, block[1][0])
    return None


def _finish(text: str, unseen: Unseen) -> ParsedText:
    text = cut_out(text, unseen.places)
    return ParsedText(text, parse_text(text).blocks, tuple(unseen.notes))


def _iter_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield where each line begins, and the line without its end."""
    position = 0
    while position < len(text):
        end = text.find("\n", position)
        end = len(text) if end < 0 else end
        yield position, text[position:end]
        position = end + 1


def _end_of(lines: list[tuple[int, str]], number: int) -> int:
    """Return where the line behind another one begins."""
    return lines[number + 1][0] if number + 1 < len(lines) else lines[number][0] + len(lines[number][1])


def _find_block_ends(lines: list[tuple[int, str]]) -> dict[int, int]:
    """Return the lines at which blocks begin, and at which each ends; what has no end is no block."""
    ends: dict[int, int] = {}
    following: dict[str, int] = {}
    for number in range(len(lines) - 1, -1, -1):
        line = lines[number][1]
        if found := _ORG_BLOCK_END.match(line):
            following[found[1].lower()] = number
        elif (found := _ORG_BLOCK.match(line)) and found[1].lower() in following:
            ends[number] = following[found[1].lower()]
        elif _ORG_HEADING.match(line):
            following.clear()
    return ends


def _find_drawer_end(lines: list[tuple[int, str]], number: int) -> int:
    """Return the line behind a drawer's end; 0 where it has none."""
    for index in range(number + 1, min(number + _MOST_LINES_OF_A_DRAWER, len(lines))):
        if _ORG_DRAWER_END.match(lines[index][1]):
            return index + 1
        if _ORG_HEADING.match(lines[index][1]):
            break
    return 0


def _extend(places: list[Place], start: int, end: int) -> None:
    if places and places[-1][1] == start:
        places[-1] = (places[-1][0], end)
    else:
        places.append((start, end))
