"""Tell what the style sheets of a page and its `style` attributes declare of an element, as a browser cascades them.

Followed are rules for one element at a time: by its name, its classes, its id and its attributes. A rule that names
elements around it (`.menu ul`), or a state (`:hover`), is not followed: text that it may hide is read, and said so.
It takes time that grows with the length of the sheets.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pentad.memory.documents.formats.web.css_hiding import (
    Declared,
    hides,
    is_clear,
    is_invisible,
    is_placed,
    is_small,
    read_declarations,
)
from pentad.memory.documents.formats.web.css_media import holds_for_screen
from pentad.memory.documents.formats.web.css_text import iter_rules, read_plain

_PASSING = re.compile(r"::|:(?:before|after|hover|focus|active)", re.IGNORECASE)
_WHOLE = frozenset({"html", "body"})
"""Elements that pages hide until a script has run: what is in them is read, and the doubt noted."""
_GROUND = frozenset({"color", "background-color", "background-image"})
_COMPOUND = re.compile(
    r"(?P<name>[a-zA-Z][\w-]*+|\*)?"
    r"(?P<rest>(?:[.#](?:[\w-]|\\.)++|\[[\w-]++(?:=(?:\"[^\"\\]*+\"|'[^'\\]*+'|[\w-]++))?\])*+)"
)
_PART = re.compile(r"([.#])((?:[\w-]|\\.)++)|\[([\w-]++)(?:=[\"']?([^\"'\]]*+)[\"']?)?\]")
_ESCAPED = re.compile(r"\\(.)")
_SELECTOR = re.compile(r"(?:[^,\\]++|\\[\s\S]|\\\Z)++")
_VARIABLE = re.compile(r"var\(\s*(--[\w-]+)\s*(?:,([^()]*))?\)")
_MOST_RULES = 5_000
_MOST_OF_A_KEY = 100
_MOST_DOUBTS = 5
_INLINE = (1, 0, 0, 0)


def is_hidden_by(style: str) -> bool:
    """Tell whether a style hides what it is for."""
    declared = {name: value for name, (value, _) in read_declarations(read_plain(style)).items()}
    declared = {name: value for name, value in declared.items() if "var(" not in value}
    return _hides_at_all({"position": "unknown", **declared})


def _hides_at_all(declared: Mapping[str, str]) -> bool:
    return hides(declared) or any(tell(declared) is True for tell in (is_invisible, is_small, is_clear))


@dataclass(frozen=True)
class _Compound:
    """What an element has to be: its name (none for any), classes and ids with their marks, attributes."""

    name: str
    marks: frozenset[str]
    attributes: tuple[tuple[str, str | None], ...]

    @property
    def key(self) -> str:
        return min(self.marks, default=f"[{self.attributes[0][0]}" if self.attributes else self.name)

    @property
    def weight(self) -> tuple[int, int, int, int]:
        """Return its specificity (CSS Selectors 4, 17): what counts more than what."""
        ids = sum(mark[0] == "#" for mark in self.marks)
        return 0, ids, len(self.marks) - ids + len(self.attributes), int(bool(self.name))

    def fits(self, tag: str, marks: set[str], attributes: Mapping[str, str]) -> bool:
        return (
            self.name in ("", tag)
            and self.marks <= marks
            and all(name in attributes and value in (None, attributes[name].strip()) for name, value in self.attributes)
        )


@dataclass
class _Judged:
    """What a rule declares, and whether that hides anything: judged once for all of its selectors."""

    declared: Declared
    hides: bool | None = None


@dataclass
class StyleRules:
    """The rules of a page about what is seen.

    Attributes:
        quirks: the page has no document type, so lengths need no unit.
        doubts: selectors of rules that were not followed and may hide something, the first ones.
    """

    quirks: bool = False
    doubts: list[str] = field(default_factory=list)
    _rules: dict[str, dict[_Compound, list[tuple[int, Declared]]]] = field(default_factory=dict)
    _variables: dict[str, str] = field(default_factory=dict)
    _count: int = 0
    _places: bool = False
    """A rule that is not followed places something: an element may be placed of which nothing says so."""

    def read(self, sheet: str, media: str = "") -> None:
        """Note the rules of a style sheet; those that do not hold for a screen are left out.

        Args:
            sheet: the sheet.
            media: what it holds for, as its element says.
        """
        if not holds_for_screen(media):
            return
        if "@import" in sheet[:10_000].lower():
            self._doubt("@import")
        for rule in iter_rules(sheet):
            self._count += 1
            if self._count > _MOST_RULES:
                self._doubt(f"rules after the first {_MOST_RULES:,}")
                break
            declared = read_declarations(rule.declarations, quirks=self.quirks)
            self._variables |= {name: value for name, (value, _) in declared.items() if name.startswith("--")}
            if declared:
                judged = _Judged(declared)
                for selector in _SELECTOR.findall(rule.selectors):
                    self._add(selector.strip(), judged, nested=rule.nested)

    def resolve(self, tag: str, attributes: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
        """Return what is declared of an element.

        Args:
            tag: its name.
            attributes: of it.
            given: what a browser declares of it by itself, and what all else overrides.
        """
        found = {name: ((False, (0, 0, 0, 0), -1), value) for name, value in given.items()}

        def take(weight: tuple[int, int, int, int], order: int, declared: Declared) -> None:
            for name, (value, important) in declared.items():
                rank = (important, weight, order)
                if name not in found or rank >= found[name][0]:
                    found[name] = rank, value

        marks = {f".{name}" for name in attributes.get("class", "").split()}
        if "id" in attributes:
            marks.add(f"#{attributes['id'].strip()}")
        for key in ("", tag, *marks, *(f"[{name}" for name in attributes)) if self._rules else ():
            for one, blocks in self._rules.get(key, {}).items():
                if one.fits(tag, marks, attributes):
                    for order, declared in blocks:
                        take(one.weight, order, declared)
        if "style" in attributes:
            take(_INLINE, self._count, read_declarations(read_plain(attributes["style"]), quirks=self.quirks))
        return self._settle(tag, {name: self._replace_variables(value) for name, (_, value) in found.items()})

    def _settle(self, tag: str, declared: dict[str, str]) -> dict[str, str]:
        if tag in ("td", "th") and "display" not in declared:
            declared.pop("max-width", None)  # cells heed none: it is how pages shorten long words in them
        return {"position": "unknown", **declared} if self._places else declared

    def _replace_variables(self, value: str) -> str:
        for _ in range(3):
            if "var(" not in value:
                break
            value = _VARIABLE.sub(lambda found: self._variables.get(found[1], found[2] or "").strip(), value)[:200]
        return value

    def _add(self, selector: str, judged: "_Judged", *, nested: bool) -> None:
        declared = judged.declared
        found = None if nested else _COMPOUND.fullmatch(selector)
        parts = list(_PART.finditer(found["rest"])) if found is not None else []
        name = "" if found is None or found["name"] in (None, "*") else found["name"].lower()
        if name in _WHOLE:
            self._doubt_if_hiding(selector, judged)
            declared = {key: value for key, value in declared.items() if key in _GROUND}
        if found is None or not (name or parts):
            self._places = self._places or is_placed({key: value for key, (value, _) in declared.items()})
            self._doubt_if_hiding(selector, judged)
            return
        one = _Compound(
            name,
            frozenset(part[1] + _ESCAPED.sub(r"\1", part[2]) for part in parts if part[1]),
            tuple((part[3].lower(), part[4]) for part in parts if part[3]),
        )
        rules = self._rules.setdefault(one.key, {})
        if one in rules or len(rules) < _MOST_OF_A_KEY:
            blocks = rules.setdefault(one, [])
            blocks.append((self._count, declared))
            if len(blocks) > 8:
                rules[one] = [_merge(blocks)]
        else:
            self._doubt(f"rules after the first {_MOST_OF_A_KEY} for {one.key}")

    def _doubt_if_hiding(self, selector: str, judged: "_Judged") -> None:
        if len(self.doubts) >= _MOST_DOUBTS or _PASSING.search(selector):
            return
        if judged.hides is None:
            plain = {name: self._replace_variables(value) for name, (value, _) in judged.declared.items()}
            judged.hides = _hides_at_all({"position": "unknown", **plain})
        if judged.hides:
            self._doubt(selector)

    def _doubt(self, selector: str) -> None:
        if len(self.doubts) < _MOST_DOUBTS and selector not in self.doubts:
            self.doubts.append(selector)


def _merge(blocks: list[tuple[int, Declared]]) -> tuple[int, Declared]:
    """Return many rules for the same element as one: the last, unless an earlier one is important."""
    merged: Declared = {}
    for _, declared in blocks:
        merged |= {name: one for name, one in declared.items() if one[1] or not merged.get(name, ("", False))[1]}
    return blocks[-1][0], merged
