"""Cut HTML into tags and text in one pass, in time that grows with its length alone.

`html.parser` begins anew after each construct that has no end, so 72 kB of ``<a href='`` take it 9 s. Of the parsers in
C, lxml is as slow with attributes and drops what is nested deeper than 256, and lexbor is with nested blocks. Rendering
text needs no tree: here a tag is one match that never goes back, what has no end is searched for once, and attributes
are read where one is asked for.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

# Every repetition is possessive, so a match never goes back: a quote without its end counts as any other character.
TAG = re.compile(
    r"""<(?P<end>/?)(?P<name>[a-zA-Z][^\s/>]*+)(?P<rest>(?:[^>"'=]++|=\s*+(?:"[^"]*+"|'[^']*+')|["'=])*+)>""",
)
_ATTRIBUTE = re.compile(
    r"""(?P<name>[^\s"'>/=]++)(?:\s*+=\s*+(?:"(?P<double>[^"]*+)"|'(?P<single>[^']*+)'|(?P<bare>[^\s"'=<>`]++)))?+""",
)
TAG_BEGIN = re.compile(r"</?[a-zA-Z]")
_RAW = ("script", "style", "textarea", "title")
"""Elements that hold text only, up to their end tag."""
_CDATA = "<![CDATA["
_HEAD_CHARACTERS = 1000
_SHOWN_RAW = frozenset({"textarea", "title"})
_RAW_END = {name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE) for name in _RAW}
# `html.unescape` makes a number of them, which Python refuses past 4,300 digits.
_LONG_REFERENCE = re.compile(r"&#(?:[0-9]{20,}+|[xX][0-9a-fA-F]{20,}+);?")


@dataclass(frozen=True)
class HtmlToken:
    """A tag or text; ``value`` is the tag's name in lower case, or the text with its references read.

    ``attributes`` is what stands in a tag behind its name. The words of a style sheet are of the kind ``style``, with
    the attributes of its element.
    """

    kind: Literal["start", "end", "text", "style"]
    value: str
    attributes: str = ""

    def read_attributes(self) -> dict[str, str]:
        """Return the attributes by their names in lower case; the first of a name counts, as in browsers."""
        found: dict[str, str] = {}
        for match in _ATTRIBUTE.finditer(self.attributes):
            value = match["double"] or match["single"] or match["bare"] or ""
            found.setdefault(match["name"].lower(), _read_references(value))
        return found


@dataclass
class HtmlTokens:
    """The tokens of one document. ``place`` is where in it the last one stood, from its first character to its last."""

    _text: str
    _missing: set[str] = field(default_factory=set)
    place: tuple[int, int] = (0, 0)
    has_endless_comment: bool = False
    """A comment has no end: browsers show nothing after it, and here it is text."""

    def __iter__(self) -> Iterator[HtmlToken]:
        """Yield the tokens in order. Comments and declarations are left out; what has no end is text."""
        position = 0
        is_xml = self._text[:_HEAD_CHARACTERS].lstrip().startswith("<?xml")
        while (start := self._text.find("<", position)) >= 0:
            if start > position:
                self.place = position, start
                yield _read_text(self._text[position:start])
            match = TAG.match(self._text, start) if "tag" not in self._missing else None
            if match is not None:
                name = match["name"].lower()
                position = match.end()
                self.place = start, position
                yield HtmlToken("end" if match["end"] else "start", name, match["rest"])
                if is_xml and not match["end"] and match["rest"].endswith("/"):
                    yield HtmlToken("end", name)
                elif not match["end"] and name in _RAW:
                    raw_end = self._find_raw_end(name, position)
                    self.place = position, raw_end
                    yield from self._read_raw(name, match["rest"], position, raw_end)
                    position = raw_end
                continue
            if is_xml and (end := self._find_cdata_end(start)):
                self.place = start, end
                yield HtmlToken("text", self._text[start + len(_CDATA) : end - len("]]>")])
                position = end
                continue
            end = self._skip_unshown(start)
            if end == start:
                end = start + 1
                self.place = start, end
                yield HtmlToken("text", "<")
            position = end
        if position < len(self._text):
            self.place = position, len(self._text)
            yield _read_text(self._text[position:])

    def _skip_unshown(self, start: int) -> int:
        """Return where a comment or declaration ends that begins at ``start``, or ``start`` where none does."""
        if self._text.startswith("<!--", start):
            ends = (self._find("-->", start + 2, start), self._find("--!>", start + 4, start))
            end = min((one for one in ends if one > start), default=start)
            self.has_endless_comment = self.has_endless_comment or end == start
            return end
        if TAG_BEGIN.match(self._text, start):
            self._missing.add("tag")  # this one did not end, so none ends from here on
        elif self._text[start + 1 : start + 2] in ("!", "?", "/"):
            return self._find(">", start + 1, start)
        return start

    def _read_raw(self, name: str, attributes: str, begin: int, end: int) -> Iterator[HtmlToken]:
        if name in _SHOWN_RAW and end > begin:
            yield _read_text(self._text[begin:end])
        elif name == "style":
            yield HtmlToken("style", self._text[begin:end], attributes)

    def _find_cdata_end(self, start: int) -> int:
        """Return where a piece of XML ends that holds text as it is; 0 where none begins. In HTML it is a comment."""
        return self._find("]]>", start, 0) if self._text.startswith(_CDATA, start) else 0

    def _find(self, mark: str, begin: int, otherwise: int) -> int:
        """Return where the next ``mark`` ends. One that was not found is not searched for again."""
        found = self._text.find(mark, begin) if mark not in self._missing else -1
        if found < 0:
            self._missing.add(mark)
            return otherwise
        return found + len(mark)

    def _find_raw_end(self, name: str, begin: int) -> int:
        """Return where the end tag of an element begins that holds text only.

        Scripts and styles without an end hide the rest, as in browsers; other elements hold markup then.
        """
        found = _RAW_END[name].search(self._text, begin) if name not in self._missing else None
        if found is not None:
            return found.start()
        self._missing.add(name)
        return begin if name in _SHOWN_RAW else len(self._text)


def _read_text(text: str) -> HtmlToken:
    return HtmlToken("text", _read_references(text))


def _read_references(text: str) -> str:
    return html.unescape(_LONG_REFERENCE.sub("\ufffd", text))
