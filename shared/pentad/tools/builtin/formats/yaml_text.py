"""YAML 1.2, core schema: no tags that make objects, aliases counted as what they expand to, "no" is a word.

PyYAML finds the structure; what a plain scalar means is decided here, since PyYAML reads YAML 1.1, in which ``no`` is
false, ``012`` is ten and ``1:30`` is ninety.
"""

import re
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import yaml

from pentad.tools.builtin.formats.tree import (
    Losses,
    Node,
    NodeBudget,
    check_tree,
    make_content_error,
    make_depth_error,
    read_decimal,
    read_integer,
    show_decimal,
)

_PLAIN = "tag:pentad,2026:plain"
_CORE = "tag:yaml.org,2002:"
_NULL = re.compile(r"null|Null|NULL|~|")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"(?P<sign>[-+]?)\.(?:inf|Inf|INF)")
_NAN = re.compile(r"\.(?:nan|NaN|NAN)")
_COMMENT = re.compile(r"(?m)^#|^[ \t]+#|[ \t]#")
# Signs that a reader may take for the end of a line, or not take at all.
_BREAKS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]")
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Composer(_Base):  # type: ignore[misc]
    """Finds nodes only: nothing is constructed, and a plain scalar keeps that it is one."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        if kind is yaml.ScalarNode and implicit[0]:
            return _PLAIN
        return super().resolve(kind, value, (False, True) if kind is yaml.ScalarNode else implicit)


def read_yaml(text: str, losses: Losses) -> Node:
    """Return the tree of a YAML text; of several documents, the list of their trees.

    Raises:
        InvalidInput: it is no YAML, holds a tag that makes an object, or passes a bound.
    """
    _check_nesting(text)
    reader, budget = _TreeReader(losses), NodeBudget()
    try:
        documents = [
            None if node is None else reader.read(node, budget, 0) for node in yaml.compose_all(text, Loader=_Composer)
        ]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise make_content_error(f"it is not YAML: {problem[:200]}{where}", "correct it there") from error
    except RecursionError as error:
        raise make_depth_error() from error
    if _COMMENT.search(text):
        losses.note("comments are not kept")
    if len(documents) > 1:
        losses.note(f"{len(documents)} documents became one list")
        return documents
    return documents[0] if documents else None


def _check_nesting(text: str) -> None:
    """Refuse brackets and dashes nested so deeply that the parser itself would fail."""
    depth = 0
    for token in re.finditer(r"[\[{\]}]", text):
        depth = depth + 1 if token[0] in "[{" else max(0, depth - 1)
        if depth > 500:
            raise make_depth_error()
    if re.search(r"(?m)^\s*(?:[-?:] ){200}", text):
        raise make_depth_error()


class _TreeReader:
    """From nodes to a tree, an alias as often as it stands there."""

    def __init__(self, losses: Losses) -> None:
        self._losses = losses
        self._around: set[int] = set()
        self._met: set[int] = set()

    def read(self, node: yaml.Node, budget: NodeBudget, depth: int) -> Node:
        budget.spend(depth, node.value if isinstance(node, yaml.ScalarNode) else "")
        if isinstance(node, yaml.ScalarNode):
            return self._read_scalar(node)
        place = id(node)
        if place in self._around:
            raise make_content_error("an alias stands within what it names", "write the value out")
        if place in self._met:
            self._losses.note("aliases were written out")
        self._met.add(place)
        self._around.add(place)
        try:
            if isinstance(node, yaml.SequenceNode):
                self._check_tag(node, "seq")
                return [self.read(item, budget, depth + 1) for item in node.value]
            self._check_tag(node, "map")
            return self._read_mapping(node, budget, depth)
        finally:
            self._around.discard(place)

    def _read_mapping(self, node: yaml.Node, budget: NodeBudget, depth: int) -> dict[str, Node]:
        found: dict[str, Node] = {}
        merged: dict[str, Node] = {}
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag == _PLAIN and key.value == "<<":
                merged = self._read_merged(value, budget, depth) | merged
                continue
            name = self._read_key(key)
            if name in found:
                self._losses.note(f"the key '{name[:60]}' stands more than once: the last value was taken")
            found[name] = self.read(value, budget, depth + 1)
        return merged | found

    def _read_merged(self, node: yaml.Node, budget: NodeBudget, depth: int) -> dict[str, Node]:
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        merged: dict[str, Node] = {}
        for source in sources:
            value = self.read(source, budget, depth + 1)
            if not isinstance(value, dict):
                raise make_content_error("'<<' merges something that is not a mapping", "merge mappings only")
            merged = value | merged
        self._losses.note("merged keys ('<<') were written out")
        return merged

    def _read_key(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise make_content_error("a key is a list or a mapping", "use text as keys")
        value = self._read_scalar(node)
        if not isinstance(value, str):
            self._losses.note("keys that are numbers, booleans or null became text")
        return str(node.value)

    def _check_tag(self, node: yaml.Node, kind: str) -> None:
        if node.tag != f"{_CORE}{kind}":
            raise make_content_error(
                f"the tag '{node.tag[:80]}' in line {node.start_mark.line + 1} makes an object",
                "remove the tag: only plain values are read",
            )

    def _read_scalar(self, node: yaml.ScalarNode) -> Node:
        kind = node.tag.removeprefix(_CORE)
        if node.tag == _PLAIN:
            return _read_plain(node.value)
        if kind == "str":
            return node.value
        if kind in ("int", "float", "bool", "null"):
            return _read_plain(node.value)
        self._check_tag(node, "str")
        return node.value


def _read_plain(text: str) -> Node:
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text) or _FALSE.fullmatch(text):
        return text[0] in "tT"
    if _INTEGER.fullmatch(text):
        return read_integer(text)
    if _BASED.fullmatch(text):
        read_integer("0" * len(text))  # the same bound on digits
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return read_decimal(text)
    infinite = _INFINITE.fullmatch(text)
    if infinite:
        return Decimal(f"{infinite['sign']}Infinity")
    return Decimal("NaN") if _NAN.fullmatch(text) else text


class _Dumper(yaml.SafeDumper):
    """Quotes what YAML 1.1 or 1.2 would read as something else than text; never writes an alias."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_decimal(self, value: Decimal) -> yaml.Node:
        return self.represent_scalar(f"{_CORE}float", _show_decimal(value))

    def represent_text(self, value: str) -> yaml.Node:
        style = '"' if _BREAKS.search(value) else "'" if _means_more(value) else None
        return self.represent_scalar(f"{_CORE}str", value, style=style)

    def represent_moment(self, value: date | time | datetime) -> yaml.Node:
        return self.represent_scalar(f"{_CORE}str", value.isoformat())


_Dumper.add_representer(Decimal, _Dumper.represent_decimal)
_Dumper.add_representer(str, _Dumper.represent_text)
_Dumper.add_representer(date, _Dumper.represent_moment)
_Dumper.add_representer(time, _Dumper.represent_moment)
_Dumper.add_representer(datetime, _Dumper.represent_moment)


def _means_more(text: str) -> bool:
    """Tell whether a plain scalar of this text would be something else in YAML 1.2."""
    try:
        return len(text) < 1_100 and not isinstance(_read_plain(text), str)
    except ValueError:
        return True


def _show_decimal(value: Decimal) -> str:
    if value.is_nan():
        return ".nan"
    if value.is_infinite():
        return "-.inf" if value < 0 else ".inf"
    mantissa, letter, exponent = show_decimal(value).partition("E")
    if "." not in mantissa:
        mantissa += ".0"  # without a point YAML 1.1 reads text
    return f"{mantissa}e{exponent}" if letter else mantissa


def write_yaml(root: Node, losses: Losses) -> str:
    """Return a tree as YAML that readers of 1.1 and of 1.2 understand alike, keys in their order."""
    check_tree(root)
    if any(isinstance(node, date | time) for node in _list_scalars(root)):
        losses.note("dates and times became text")
    text: str = yaml.dump(
        root, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False, width=10**9
    )
    return text.removesuffix("...\n")


def _list_scalars(root: Node) -> list[Node]:
    found, open_nodes = [], [root]
    while open_nodes:
        node = open_nodes.pop()
        if isinstance(node, dict):
            open_nodes.extend(node.values())
        elif isinstance(node, list):
            open_nodes.extend(node)
        else:
            found.append(node)
    return found
