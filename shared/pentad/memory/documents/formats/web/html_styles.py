"""Tell what the style sheets of a page and its `style` attributes declare of an element, as a browser cascades them.

Followed are rules for one element at a time: by its name, its classes, its id and its attributes. A rule that names
elements around it (`.menu ul`), or a state (`:hover`), is not followed: text that it may hide is read, and said so.
It takes time that grows with the length of the sheets.
"""

import re
from collections.abc import Collection, Mapping
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
from pentad.memory.documents.formats.web.css_motion import CssMotion, build_motion, expand_motion, find_moved
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
_MOST_TRIES = 10_000
"""Keyframes of which is told whether they hide an element: half a second of work."""
_INLINE = (1, 0, 0, 0)
_GIVEN_LAYER, _NO_LAYER, _INLINE_LAYER = -1, 10_000, 20_000
"""Places among the layers of sheets, which count less than what stands in none, and more where it is important."""


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
    layer: int

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
    _layers: dict[str, int] = field(default_factory=dict)
    _motions: dict[str, CssMotion] = field(default_factory=dict)
    _moved: list[tuple[str, "_Judged"]] = field(default_factory=list)
    """Rules that are not followed, and move something."""
    _ends: dict[tuple[frozenset[tuple[str, str]], frozenset[str]], dict[str, str]] = field(default_factory=dict)
    _tries: int = 0
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
            if rule.orders:
                for name in rule.selectors.split(","):
                    self._place_layer(name)
                continue
            if rule.keyframes is not None:
                self._add_motion(rule.selectors, rule.keyframes)
                continue
            declared = read_declarations(rule.declarations, quirks=self.quirks)
            self._variables |= {name: value for name, (value, _) in declared.items() if name.startswith("--")}
            if declared:
                judged = _Judged(declared)
                for selector in _SELECTOR.findall(rule.selectors):
                    self._add(selector.strip(), judged, nested=rule.nested, layer=self._place_layer(rule.layer))

    def resolve(self, tag: str, attributes: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
        """Return what is declared of an element.

        Args:
            tag: its name.
            attributes: of it.
            given: what a browser declares of it by itself, and what all else overrides.
        """
        found = {name: ((False, _GIVEN_LAYER, (0, 0, 0, 0), -1), value) for name, value in given.items()}

        def take(weight: tuple[int, int, int, int], layer: int, order: int, declared: Declared) -> None:
            for name, (value, important) in declared.items():
                rank = (important, -layer if important and layer != _INLINE_LAYER else layer, weight, order)
                if name not in found or rank >= found[name][0]:
                    found[name] = rank, value

        marks = {f".{name}" for name in attributes.get("class", "").split()}
        if "id" in attributes:
            marks.add(f"#{attributes['id'].strip()}")
        for key in ("", tag, *marks, *(f"[{name}" for name in attributes)) if self._rules else ():
            for one, blocks in self._rules.get(key, {}).items():
                if one.fits(tag, marks, attributes):
                    for order, declared in blocks:
                        take(one.weight, one.layer, order, declared)
        if "style" in attributes:
            take(
                _INLINE,
                _INLINE_LAYER,
                self._count,
                read_declarations(read_plain(attributes["style"]), quirks=self.quirks),
            )
        firm = {name for name, (rank, _) in found.items() if rank[0]}
        return self._settle(tag, {name: self._replace_variables(value) for name, (_, value) in found.items()}, firm)

    def _settle(self, tag: str, declared: dict[str, str], firm: set[str]) -> dict[str, str]:
        if declared.get("animation", "none") != "none":
            declared |= dict(expand_motion(declared["animation"]))
        if "animation-name" in declared:
            declared = self._move(declared, firm)
        if tag in ("td", "th") and "display" not in declared:
            declared.pop("max-width", None)  # cells heed none: it is how pages shorten long words in them
        return {"position": "unknown", **declared} if self._places else declared

    def _place_layer(self, name: str) -> int:
        """Return the place of a layer: later ones count more. What is within one counts as in it."""
        name = name.strip().partition(".")[0]
        return self._layers.setdefault(name, len(self._layers)) if name else _NO_LAYER

    def _add_motion(self, name: str, keyframes: tuple[tuple[str, str], ...]) -> None:
        frames = []
        for selectors, declarations in keyframes:
            declared = read_declarations(declarations, quirks=self.quirks)
            # What is important counts in no animation (CSS Animations 1, 3).
            frames.append((selectors, {key: value for key, (value, firm) in declared.items() if not firm}))
        self._motions[name.strip("\"'").lower()] = build_motion(frames)

    def _move(self, declared: dict[str, str], firm: Collection[str]) -> dict[str, str]:
        """Return what counts of an element when its animations have run; what they alone show is a doubt."""
        key = (frozenset(declared.items()), frozenset(firm))
        if key not in self._ends:
            if self._tries > _MOST_TRIES:
                limit = "animations of many kinds"
                self.doubts += [limit] if limit not in self.doubts else []
                return declared
            self._ends[key] = self._run(declared, firm)
        return self._ends[key]

    def _run(self, declared: dict[str, str], firm: Collection[str]) -> dict[str, str]:
        def judge(moved: Mapping[str, str]) -> bool:
            self._tries += 1
            return _hides_at_all(moved)

        moved = dict(declared)
        names = []
        self._tries += 1
        for name, last in find_moved(declared, self._motions, judge):
            names.append(name)
            moved |= {key: self._replace_variables(value) for key, value in last.items() if key not in firm}
        if names and _hides_at_all(declared) and not _hides_at_all(moved):
            self._doubt(f"@keyframes {names[0]}")
            if f"@keyframes {names[0]}" not in self.doubts:
                return declared
        return moved

    def list_doubts(self) -> list[str]:
        """Return the doubts, with those about rules that are not followed and move something."""
        for selector, judged in self._moved:
            plain = {name: value for name, (value, _) in judged.declared.items()}
            if _hides_at_all(self._move({"position": "unknown", **plain}, ())):
                self._doubt(selector)
        self._moved = []
        return self.doubts

    def _replace_variables(self, value: str) -> str:
        for _ in range(3):
            if "var(" not in value:
                break
            value = _VARIABLE.sub(lambda found: self._variables.get(found[1], found[2] or "").strip(), value)[:200]
        return value

    def _add(self, selector: str, judged: "_Judged", *, nested: bool, layer: int) -> None:
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
            layer,
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
        if "animation-name" in judged.declared and len(self._moved) < _MOST_OF_A_KEY:
            self._moved.append((selector, judged))
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
