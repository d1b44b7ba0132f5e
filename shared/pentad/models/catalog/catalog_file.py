"""A YAML file that can say on which line a value stands, so that every mistake is reported with its place."""

from collections.abc import Iterator
from typing import Any

import yaml

from pentad.domain.errors import ConfigurationError


class CatalogFile:
    """A parsed file.

    Args:
        name: as errors show it.
        text: its content.

    Raises:
        ConfigurationError: it is no YAML, no mapping, or holds a key twice.
    """

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self._text = text
        try:
            self.data: Any = yaml.load(text, Loader=yaml.CSafeLoader)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise ConfigurationError(f"{name}:{line}: {error.problem}", fix="correct the YAML") from error
        if self.data is None:  # comments alone
            self.data = {}
        if not isinstance(self.data, dict):
            raise ConfigurationError(f"{name}:1: the file must be a mapping", fix="begin with its sections")

    def get_section(self, name: str) -> dict[str, Any]:
        """Return a section; an empty one where there is none.

        Raises:
            ConfigurationError: it is no mapping.
        """
        items = self.data.get(name)
        if items is None:
            return {}
        if not isinstance(items, dict):
            raise self.make_error(
                (name,), "the section is not a mapping", f"write names and their fields under {name}:"
            )
        return {str(key): value for key, value in items.items()}

    def check_sections(self, known: tuple[str, ...]) -> None:
        """Raise ConfigurationError where the file has a section that is not known."""
        for section in self.data:
            if section not in known:
                raise self.make_error((section,), "the section is not known", f"use {', '.join(known)}")

    def check_duplicates(self) -> None:
        """Raise ConfigurationError where a key stands twice in one mapping: YAML would let the last one win."""
        for key in _iter_duplicates(yaml.compose(self._text, Loader=yaml.CSafeLoader)):
            line = key.start_mark.line + 1
            raise ConfigurationError(f"{self.name}:{line}: '{key.value}' is defined twice", fix="keep one of them")

    def find_line(self, path: tuple[Any, ...]) -> int:
        """Return the line of the deepest part of ``path`` that is there."""
        node: Any = yaml.compose(self._text, Loader=yaml.CSafeLoader)
        line = 1
        for step in path:
            found = next(_iter_children(node, step), None)
            if found is None:
                break
            mark, node = found
            line = mark.line + 1
        return line

    def make_error(self, path: tuple[Any, ...], message: str, fix: str) -> ConfigurationError:
        """Return the error of a place in the file."""
        where = ".".join(str(part) for part in path)
        return ConfigurationError(f"{self.name}:{self.find_line(path)}: {where}: {message}", field=where, fix=fix)


def _iter_children(node: Any, step: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(node, yaml.MappingNode):
        yield from ((key.start_mark, value) for key, value in node.value if key.value == str(step))
    elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        yield node.value[step].start_mark, node.value[step]


def _iter_duplicates(node: Any) -> Iterator[Any]:
    if isinstance(node, yaml.SequenceNode):
        for child in node.value:
            yield from _iter_duplicates(child)
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if key.value in seen:
                yield key
            seen.add(key.value)
            yield from _iter_duplicates(value)
