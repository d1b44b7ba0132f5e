"""XML by expat: no document type, so no entity is ever declared or fetched; names with their prefixes as they stand.

An element with nothing but text is a text. Any other is an object: attributes under ``@name``, text under ``#text``,
children by name, those of one name as a list.
"""

import re
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape

from pentad.tools.builtin.formats.tree import (
    Losses,
    Node,
    NodeBudget,
    is_scalar,
    make_content_error,
    show_scalar,
)

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*(?::[A-Za-z_][A-Za-z0-9_.-]*)?")
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_TEXT = {"\r": "&#13;"}
_ATTRIBUTE = {"\r": "&#13;", "\n": "&#10;", "\t": "&#9;", '"': "&quot;"}


class _TreeBuilder:
    """Takes what expat finds."""

    def __init__(self, losses: Losses) -> None:
        self.root: dict[str, Node] = {}
        self._losses = losses
        self._budget = NodeBudget()
        # Of each open element: its name, what is in it, its text, and whether children stand between its words.
        self._open: list[tuple[str, dict[str, Node], list[str]]] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._budget.spend(len(self._open))
        inner: dict[str, Node] = {}
        for key, value in attributes.items():
            self._budget.spend(len(self._open) + 1, value)
            inner[f"@{key}"] = value
        self._open.append((name, inner, []))

    def take_text(self, text: str) -> None:
        self._budget.spend(0, text)
        self._open[-1][2].append(text)

    def end(self, _name: str) -> None:
        name, inner, texts = self._open.pop()
        text = "".join(texts)
        value: Node = inner
        if not inner:
            value = text or None
        elif text.strip():
            if any(not key.startswith("@") for key in inner):
                self._losses.note("where text stands between elements, its place among them is not kept")
            inner["#text"] = text.strip()
        around = self._open[-1][1] if self._open else self.root
        if name not in around:
            around[name] = value
        elif isinstance(around[name], list):
            around[name].append(value)
        else:
            around[name] = [around[name], value]

    def note_comment(self, *_: Any) -> None:
        self._losses.note("comments and processing instructions are not kept")

    def refuse_doctype(self, *_: Any) -> None:
        raise make_content_error(
            "it has a document type (<!DOCTYPE ...>), which can declare entities", "remove the document type"
        )


def read_xml(text: str, losses: Losses) -> Node:
    """Return the tree of an XML text: an object with the root element's name.

    Raises:
        InvalidInput: it is no XML, has a document type, or passes a bound.
    """
    builder = _TreeBuilder(losses)
    # The text is decoded already: what its declaration says of an encoding does not count.
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = builder.refuse_doctype
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.take_text
    parser.CommentHandler = builder.note_comment
    parser.ProcessingInstructionHandler = builder.note_comment
    try:
        parser.Parse(text.encode("utf-8", "replace"), True)
    except expat.ExpatError as error:
        said = expat.ErrorString(error.code)
        raise make_content_error(
            f"it is not XML: {said} in line {error.lineno}, column {error.offset + 1}", "correct it there"
        ) from error
    losses.note("XML has no numbers and no order between elements of different names: all values are text")
    return builder.root


def write_xml(root: Node, losses: Losses) -> str:
    """Return a tree as XML; an object with one key that is a name has its root element from it, else it is 'root'."""
    name, value = "root", root
    if isinstance(root, dict) and len(root) == 1:
        only, inner = next(iter(root.items()))
        if not isinstance(inner, list) and _NAME.fullmatch(only):
            name, value = only, inner
    lines: list[str] = ['<?xml version="1.0" encoding="UTF-8"?>']
    _XmlWriter(losses, lines).write_element(name, value, 0)
    return "\n".join(lines) + "\n"


class _XmlWriter:
    def __init__(self, losses: Losses, lines: list[str]) -> None:
        self._losses = losses
        self._lines = lines

    def write_element(self, name: str, value: Node, depth: int) -> None:
        """Write an element and what is in it."""
        tag, close = self._make_tag(name)
        margin = "  " * depth
        if isinstance(value, list):
            value = {"item": value}
        if is_scalar(value):
            text = self._escape(self._show(value), _TEXT)
            self._lines.append(f"{margin}<{tag}/>" if not text else f"{margin}<{tag}>{text}</{close}>")
            return
        own = {key: item for key, item in value.items() if self._is_attribute(key, item)}
        tag += "".join(f' {key[1:]}="{self._escape(self._show(item), _ATTRIBUTE)}"' for key, item in own.items())
        rest = {key: item for key, item in value.items() if key not in own}
        text = self._escape(self._show(rest.pop("#text")), _TEXT) if is_scalar(rest.get("#text", [])) else ""
        if not rest:
            self._lines.append(f"{margin}<{tag}>{text}</{close}>" if text else f"{margin}<{tag}/>")
            return
        self._lines.append(f"{margin}<{tag}>{text}")
        for key, item in rest.items():
            for one in item if isinstance(item, list) else [item]:
                self.write_element(key, one, depth + 1)
            if isinstance(item, list) and len(item) < 2:
                self._losses.note("a list of one element, or of none, can't be told from a single value in XML")
        self._lines.append(f"{margin}</{close}>")

    def _is_attribute(self, key: str, value: Node) -> bool:
        return key.startswith("@") and is_scalar(value) and _NAME.fullmatch(key[1:]) is not None

    def _make_tag(self, name: str) -> tuple[str, str]:
        if _NAME.fullmatch(name) and name[:3].lower() != "xml":
            return name, name
        self._losses.note('keys that are not names of elements became <entry key="...">')
        return f'entry key="{self._escape(name, _ATTRIBUTE)}"', "entry"

    def _show(self, value: Node) -> str:
        if value is not None and not isinstance(value, str):
            self._losses.note("numbers, booleans and dates became text: XML does not tell them apart")
        return show_scalar(value)

    def _escape(self, text: str, entities: dict[str, str]) -> str:
        kept = _ILLEGAL.sub("", text)
        if len(kept) < len(text):
            self._losses.note("control characters that XML can't hold were removed")
        return escape(kept, entities)
