"""Tell which elements the style sheets of a page hide, and whether a style does; in time that grows with their length.

Followed are rules for one element at a time: by its name, its classes, its id and its attributes. A rule that names
elements around it (`.menu ul`), or a state (`:hover`), is not followed: text that it may hide is read, and said so.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_COMMENT = re.compile(r"/\*(?:[^*]++|\*(?!/))*+(?:\*/|\Z)")
_ESCAPE = re.compile(r"\\([0-9a-fA-F]{1,6})\s?")
_HIDES = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|opacity\s*:\s*0(?:\.0*)?%?\s*(?:;|\Z|!|\})"
    r"|font-size\s*:\s*0(?:px|em|rem|pt|%)?\s*(?:;|\Z|!|\})"
    r"|(?:left|top|right|bottom|text-indent)\s*:\s*-\d{3,}|translate[xy]?\(\s*-\d{3,}"
    r"|clip\s*:\s*rect\(\s*0|clip-path\s*:\s*(?:inset\(\s*(?:[5-9]\d|100)%|circle\(\s*0|ellipse\(\s*0)"
    r"|scale[xy]?\(\s*0(?:\.0*)?\s*[,)]|(?<![-\w])color\s*:\s*transparent|content-visibility\s*:\s*hidden",
    re.IGNORECASE,
)
_NO_SIZE = re.compile(r"(?<![-\w])(?:max-)?(?:width|height)\s*:\s*0(?:px|em|rem|pt|%)?\s*(?:;|\Z|!|\})", re.IGNORECASE)
_CUTS = re.compile(r"overflow(?:-[xy])?\s*:\s*(?:hidden|clip)", re.IGNORECASE)
_MEDIA = re.compile(r"@(media|(?:-\w+-)?keyframes)\b([^{};]{0,300})\{", re.IGNORECASE)
_PASSING = re.compile(r"::|:(?:before|after|hover|focus|active)", re.IGNORECASE)
_WHOLE = frozenset({"html", "body"})
"""Elements that pages hide until a script has run: what is in them is read, and the doubt noted."""
_RULE = re.compile(r"([^{};]{1,300})\{([^{}]{0,2000})\}")
_COMPOUND = re.compile(
    r"(?P<name>[a-zA-Z][\w-]*+|\*)?(?P<rest>(?:[.#][\w-]++|\[[\w-]++(?:=(?:\"[^\"]*+\"|'[^']*+'|[\w-]++))?\])*+)"
)
_PART = re.compile(r"([.#])([\w-]++)|\[([\w-]++)(?:=[\"']?([^\"'\]]*+)[\"']?)?\]")
_MOST_RULES = 5_000
_MOST_OF_A_KEY = 50
_MOST_DOUBTS = 5


def is_hidden_by(style: str) -> bool:
    """Tell whether a style hides what it is for."""
    plain = _read_plain(style)
    return bool(_HIDES.search(plain)) or bool(_NO_SIZE.search(plain) and _CUTS.search(plain))


@dataclass(frozen=True)
class _Compound:
    """What an element has to be: its name (none for any), classes and ids with their marks, attributes."""

    name: str
    marks: frozenset[str]
    attributes: tuple[tuple[str, str | None], ...]

    @property
    def key(self) -> str:
        return min(self.marks, default=f"[{self.attributes[0][0]}" if self.attributes else self.name)

    def fits(self, tag: str, marks: set[str], attributes: Mapping[str, str]) -> bool:
        return (
            self.name in ("", tag)
            and self.marks <= marks
            and all(name in attributes and value in (None, attributes[name].strip()) for name, value in self.attributes)
        )


@dataclass
class StyleRules:
    """The rules of a page that hide elements.

    Attributes:
        doubts: selectors of rules that were not followed and may hide something, the first ones.
    """

    doubts: list[str] = field(default_factory=list)
    _rules: dict[str, list[_Compound]] = field(default_factory=dict)

    def read(self, sheet: str) -> None:
        """Note the rules of a style sheet that hide something; those for printers alone are left out."""
        sheet = _drop_print(_read_plain(sheet))
        for count, match in enumerate(_RULE.finditer(sheet)):
            if count >= _MOST_RULES:
                self._doubt(f"rules after the first {_MOST_RULES:,}")
                break
            if is_hidden_by(match[2]):
                for selector in match[1].split(","):
                    self._add(selector.strip())

    def hides(self, tag: str, attributes: Mapping[str, str]) -> bool:
        """Tell whether a rule hides an element."""
        if not self._rules:
            return False
        marks = {f".{name}" for name in attributes.get("class", "").split()}
        if "id" in attributes:
            marks.add(f"#{attributes['id'].strip()}")
        keys = (tag, *marks, *(f"[{name}" for name in attributes))
        return any(one.fits(tag, marks, attributes) for key in keys for one in self._rules.get(key, ()))

    def _add(self, selector: str) -> None:
        found = _COMPOUND.fullmatch(selector)
        parts = list(_PART.finditer(found["rest"])) if found is not None else []
        name = "" if found is None or found["name"] in (None, "*") else found["name"].lower()
        if found is None or not (name or parts) or name in _WHOLE:
            if not _PASSING.search(selector):
                self._doubt(selector)
            return
        one = _Compound(
            name,
            frozenset(f"{part[1]}{part[2]}" for part in parts if part[1]),
            tuple((part[3].lower(), part[4]) for part in parts if part[3]),
        )
        rules = self._rules.setdefault(one.key, [])
        if len(rules) < _MOST_OF_A_KEY:
            rules.append(one)
        elif one not in rules:
            self._doubt(selector)

    def _doubt(self, selector: str) -> None:
        if len(self.doubts) < _MOST_DOUBTS and selector not in self.doubts:
            self.doubts.append(selector)


def _read_plain(style: str) -> str:
    """Return a style without its comments, and with its escaped letters read."""
    return _ESCAPE.sub(lambda match: chr(min(int(match[1], 16), 0x10FFFF)), _COMMENT.sub("", style))


def _drop_print(sheet: str) -> str:
    """Return a style sheet without the blocks that hold for printers, or for a moment of an animation."""
    kept, position = [], 0
    for match in _MEDIA.finditer(sheet):
        query = match[2].lower()
        prints = match[1].lower() != "media" or ("print" in query and "," not in query and "not" not in query)
        if match.start() < position or not prints:
            continue
        kept.append(sheet[position : match.start()])
        position = _find_block_end(sheet, match.end())
    return "".join([*kept, sheet[position:]])


def _find_block_end(sheet: str, begin: int) -> int:
    depth = 1
    for match in re.compile(r"[{}]").finditer(sheet, begin):
        depth += 1 if match[0] == "{" else -1
        if not depth:
            return match.end()
    return len(sheet)
