"""Keep the elements of a page that are open, as browsers do where end tags are left out, doubled or out of order.

Enough of the HTML standard's tree construction (13.2.6) to tell in which element a word stands: what ends a paragraph,
an item or a cell, which end tags are ignored, and that formatting elements go on in the next block.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

VOID: Final = frozenset("area base br col embed hr img input link meta param source track wbr".split())
INVISIBLE, SMALL, CLEAR = "invisible", "small", "clear"
"""What an element within another one can undo."""
_HEADINGS: Final = frozenset({f"h{level}" for level in range(1, 7)})
_FORMATTING: Final = frozenset("a b big code em font i nobr s small strike strong tt u".split())
"""Elements that go on behind the end of the block in which they begin, until their own end."""
_SPECIAL: Final = _HEADINGS | frozenset(
    "address applet article aside blockquote body button caption center colgroup dd details dir div dl dt fieldset"
    " figcaption figure footer form frameset head header hgroup html iframe li listing main marquee menu nav noembed"
    " noframes noscript object ol p plaintext pre script search section select style summary table tbody td template"
    " textarea tfoot th thead title tr ul xmp".split()
)
"""Elements that no end tag of an ordinary element passes."""
_ENDS_P: Final = _HEADINGS | frozenset(
    "address article aside blockquote center dd details dialog dir div dl dt fieldset figcaption figure footer form"
    " header hgroup hr li listing main menu nav ol p plaintext pre search section summary table ul xmp".split()
)
_TABLE_PARTS: Final = frozenset("table caption colgroup tbody thead tfoot tr td th".split())
_MARKERS: Final = frozenset("applet caption marquee object table td template th".split())
"""Elements out of which no formatting goes on, and out of which no end tag of a block reaches."""
_LISTS: Final = frozenset({"ul", "ol", "menu"})
_PICTURES: Final = frozenset({"svg", "math"})
_WITHIN_PICTURES: Final = frozenset(
    {"foreignobject", "desc", "title", "annotation-xml", "mtext", "mi", "mo", "mn", "ms"}
)
_LEAVES_PICTURES: Final = (
    _ENDS_P | frozenset("body br code em font head i img s small span strong sub sup var".split())
) - {
    "search",
    "form",
}
_ITEM: Final = _SPECIAL - {"address", "div", "p"}
_TABLE: Final = ("table", "template")
_CELL = (("td", "th"), (*_TABLE, "tr"))
_ROW = (("tr",), _TABLE)
_GROUP = (("tbody", "thead", "tfoot", "caption", "colgroup"), _TABLE)
_RUBY: Final = frozenset({"rt", "rp", "rb", "rtc"})
_IMPLIED: Final = _RUBY | {"dd", "dt", "li", "optgroup", "option", "p"}
_ENDED_ON_TOP: Final[dict[str, Collection[str]]] = {
    **dict.fromkeys(_RUBY, _IMPLIED),
    "option": ("option",),
    "optgroup": ("option", "optgroup"),
}
"""What a tag that opens ends where nothing is open within it."""
_IN_TABLES: Final = _TABLE_PARTS - {"table"}
_NAMELESS: Final = "#form"
_BETWEEN_CELLS: Final = frozenset({"table", "tbody", "thead", "tfoot", "tr"})
"""Elements whose own words and blocks browsers put before their table."""
_ENDED_BY: Final[dict[str, tuple[tuple[Collection[str], Collection[str]], ...]]] = {
    "li": ((("li",), _ITEM),),
    **dict.fromkeys(("dd", "dt"), ((("dd", "dt"), _ITEM),)),
    **dict.fromkeys(("td", "th"), (_CELL,)),
    "tr": (_CELL, _ROW),
    **dict.fromkeys(("tbody", "thead", "tfoot"), (_CELL, _ROW, _GROUP)),
    "button": ((("button",), _MARKERS),),
    "body": ((("head",), ()),),
}
"""What a tag that opens ends: the innermost of these, unless one of the others stands before it."""
_REACH: Final = 300
"""Elements that are looked through for the one that a tag ends."""
_MOST_GOING_ON: Final = 20
"""Formatting elements that go on at once."""


@dataclass(slots=True)
class OpenElement:
    """An element that is open.

    Args:
        tag: its name.
        own: why it is not seen by itself, or nothing.
        shows: why it would not be seen for what is around it, and is (`INVISIBLE`, `SMALL`, `CLEAR`).
        is_main: it holds what the page is about, or is within such a one.
        why: why its words are not seen, or nothing.
    """

    tag: str
    own: str = ""
    shows: frozenset[str] = frozenset()
    is_main: bool = False
    why: str = ""


def _list_barriers(tag: str) -> Collection[str]:
    """Return the elements beyond which an end tag ends nothing (13.2.4.2, "in scope")."""
    if tag == "template":
        return ()
    if tag in _TABLE_PARTS:
        return ("table", "template")
    if tag in _FORMATTING or tag in _SPECIAL:
        return _MARKERS | (_LISTS if tag == "li" else {"button"} if tag == "p" else frozenset())
    return _SPECIAL


class OpenElements:
    """A stack of elements."""

    def __init__(self) -> None:
        self._stack: list[OpenElement] = []
        self._counts: Counter[str] = Counter()
        self._going_on: list[tuple[int, OpenElement]] = []
        """Formatting that goes on with the next words, and how many cells and the like are open around it."""

    @property
    def why(self) -> str:
        """Why words that stand here are not seen, or nothing."""
        if self._going_on:
            self._resume()
        return self.why_around

    @property
    def why_around(self) -> str:
        """Why a block that opens here is not seen, or nothing; formatting goes on in it, and not around it."""
        around = self._find_around()
        return "" if around is None else around.why

    @property
    def has_main(self) -> bool:
        """Whether this is within what the page is about."""
        return bool(self._stack) and self._stack[-1].is_main

    def count(self, *tags: str) -> int:
        """Return how many elements of these names are open."""
        return sum(self._counts[tag] for tag in tags)

    def begin(self, tag: str) -> bool:
        """End what a tag that opens ends; tell whether it opens anything: parts of tables do within tables only."""
        if (tag in _IN_TABLES and not self.count(*_TABLE)) or (tag == "form" and self.count("form")):
            return False
        if tag in _LEAVES_PICTURES and self.count(*_PICTURES):
            self._leave_picture()
        for names, barriers in _ENDED_BY.get(tag, ()):
            self._end_first(names, barriers)
        if tag in _IN_TABLES:
            self._clear_to_part()
        elif tag in ("a", "nobr"):
            self.end(tag)
        elif tag not in _RUBY or self.count("ruby"):
            self._end_implied(_ENDED_ON_TOP.get(tag, ()))
        if tag in _ENDS_P:
            self.end("p")
        if tag in _HEADINGS and self._stack and self._stack[-1].tag in _HEADINGS:
            self._cut(len(self._stack) - 1)
        if self._going_on and tag not in _SPECIAL:
            self._resume()
        return True

    def push(
        self, tag: str, own: str = "", *, shows: frozenset[str] = frozenset(), is_main: bool = False
    ) -> OpenElement:
        """Open an element; what is around it may hide it too."""
        around = (
            self.why_around if tag not in _TABLE_PARTS or tag == "table" else self._stack[-1].why if self._stack else ""
        )
        why = around
        if not around or around in shows or own == around:
            why = own
        elif own and around in (INVISIBLE, SMALL, CLEAR):
            why = "hidden"  # undone by no one thing
        element = OpenElement(tag, own, shows, is_main or self.has_main, why)
        self._stack.append(element)
        self._counts[tag] += 1
        return element

    def _find_around(self) -> OpenElement | None:
        """Return the element in which words stand here: between a table's cells, the one around the table."""
        place = len(self._stack) - 1
        while place >= 0 and self._stack[place].tag in _BETWEEN_CELLS:
            place -= 1
        return self._stack[place] if place >= 0 else None

    def end(self, tag: str) -> OpenElement | None:
        """Take an end tag, and return the element that it ends, or None where browsers ignore it."""
        if tag == "form":
            return self._end_form()
        wanted = _HEADINGS if tag in _HEADINGS else (tag,)
        if tag in ("html", "body"):
            return None
        if tag in _FORMATTING and self._stop_going_on(tag):
            return None
        place = self._find(tag, wanted) if self.count(*wanted) else None
        if place is None:
            return None
        found = self._stack[place]
        if tag in _FORMATTING and any(one.tag in _SPECIAL for one in self._stack[place + 1 :]):
            self._take_out(place)  # the blocks within it stay open
        else:
            self._cut(place)
        return found

    def _end_form(self) -> OpenElement | None:
        """End a form: what is open within it stays so, and within it."""
        if not self.count("form"):
            return None
        self._end_implied(_IMPLIED)
        for place in range(len(self._stack) - 1, max(-1, len(self._stack) - 1 - _REACH), -1):
            found = self._stack[place]
            if found.tag == "form":
                self._forget([found])
                if place == len(self._stack) - 1:
                    self._stack.pop()
                else:
                    found.tag = _NAMELESS
                return found
            if found.tag in _MARKERS:
                break
        return None

    def _end_implied(self, tags: Collection[str]) -> None:
        while self._stack and self._stack[-1].tag in tags:
            self._cut(len(self._stack) - 1)

    def _find(self, tag: str, wanted: Collection[str]) -> int | None:
        barriers = _list_barriers(tag)
        for place in range(len(self._stack) - 1, max(-1, len(self._stack) - 1 - _REACH), -1):
            if self._stack[place].tag in wanted:
                return place
            if self._stack[place].tag in barriers:
                return None
        for one in wanted if len(self._stack) > _REACH else ():
            self._counts[one] = 0  # too far off to be ended: it is not searched for again
        return None

    def _cut(self, place: int) -> None:
        """End an element and all within it; formatting that is hidden goes on, as it does in browsers."""
        ended = self._stack[place:]
        del self._stack[place:]
        self._forget(ended)
        while self._stack and self._stack[-1].tag == _NAMELESS:
            self._stack.pop()
        level = self.count(*_MARKERS)
        if ended[0].tag in _MARKERS:
            self._going_on = [one for one in self._going_on if one[0] <= level]
            return
        for one in ended[1:]:
            if one.tag in _MARKERS:
                break
            if one.tag in _FORMATTING and one.own:
                self._going_on.append((level, one))
        self._going_on = self._going_on[-_MOST_GOING_ON:]

    def _resume(self) -> None:
        """Open again what goes on here; what stands outside a cell does not go on in it."""
        level = self.count(*_MARKERS)
        waiting, self._going_on = self._going_on, []
        for one in waiting:
            if one[0] == level:
                self.push(one[1].tag, one[1].own, shows=one[1].shows)
            else:
                self._going_on.append(one)

    def _stop_going_on(self, tag: str) -> bool:
        for place in range(len(self._going_on) - 1, -1, -1):
            if self._going_on[place][1].tag == tag and self._going_on[place][0] == self.count(*_MARKERS):
                del self._going_on[place]
                return True
        return False

    def _take_out(self, place: int) -> None:
        """Take an element out of those that are open, and tell anew why what is within it is not seen."""
        inner = self._stack[place:]
        del self._stack[place:]
        self._forget(inner)
        for one in inner[1:]:
            self.push(one.tag, one.own, shows=one.shows, is_main=one.is_main)

    def _forget(self, ended: Collection[OpenElement]) -> None:
        for one in ended:
            self._counts[one.tag] = max(0, self._counts[one.tag] - 1)

    def _end_first(self, tags: Collection[str], barriers: Collection[str]) -> None:
        """End the innermost element of these names, unless another one stands around this place before it."""
        if not self.count(*tags):
            return
        for place in range(len(self._stack) - 1, max(-1, len(self._stack) - 1 - _REACH), -1):
            tag = self._stack[place].tag
            if tag in tags:
                self._cut(place)
                return
            if tag in barriers:
                return

    def _clear_to_part(self) -> None:
        """End what stands between a table's cells where another part of it begins."""
        for place in range(len(self._stack) - 1, max(-1, len(self._stack) - 1 - _REACH), -1):
            if self._stack[place].tag in _BETWEEN_CELLS or self._stack[place].tag == "template":
                if place + 1 < len(self._stack):
                    self._cut(place + 1)
                return

    def _leave_picture(self) -> None:
        for place in range(len(self._stack) - 1, max(-1, len(self._stack) - 1 - _REACH), -1):
            tag = self._stack[place].tag
            if tag in _WITHIN_PICTURES or tag in _SPECIAL:
                return
            if tag in _PICTURES:
                self._cut(place)
                return
