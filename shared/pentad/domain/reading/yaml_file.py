"""Read a YAML file that a person writes, so that every mistake in it is told with its file, its line and a fix."""

from collections.abc import Iterator
from typing import Any

import yaml

from pentad.domain.errors import ConfigurationError

_MOST_LEVELS = 100
"""Of lists and mappings in each other: what the readers of values go through without an end of Python's stack."""


class YamlFile:
    """A parsed file; ``data`` is its value.

    YAML itself lets the last of two equal keys win: half of a file would count for nothing, and nobody be told.

    Args:
        name: as errors show it.
        content: its text, or its bytes in UTF-8 (UTF-16 with a mark at the beginning is read too).
        unique: refuse keys that stand twice, values that hold themselves and what nests deeper than 100 levels. It
            reads the file again, for which a cold start has no time.

    Raises:
        ConfigurationError: it is no YAML, or what ``unique`` refuses.
    """

    def __init__(self, name: str, content: str | bytes, *, unique: bool = True) -> None:
        self.name = name
        self._text = content if isinstance(content, str) else decode_yaml(name, content)
        if unique:
            self.check_duplicates()
        try:
            self.data: Any = yaml.load(self._text, Loader=yaml.CSafeLoader)
        except yaml.MarkedYAMLError as error:
            raise _make_yaml_error(name, error) from error
        except yaml.YAMLError as error:
            raise self._make_character_error() from error
        except ValueError as error:  # a date that no calendar has, a number of more digits than Python reads
            line = self._find_unreadable()
            raise ConfigurationError(
                f"{name}:{line}: not YAML: {error}", fix="correct the value, or put it in quotes"
            ) from error

    def check_duplicates(self) -> None:
        """Check what ``unique`` is about.

        Raises:
            ConfigurationError: a key stands twice in one mapping, a value holds itself, or the file nests too deep.
        """
        self._check_depth()
        self._check_node(self._compose(), (), set())

    def find_line(self, path: tuple[Any, ...]) -> int:
        """Return the line of the deepest part of ``path`` that is there, from 1."""
        node: Any = self._compose()
        line = 1 if node is None else node.start_mark.line + 1
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

    def _compose(self) -> Any:
        try:
            return yaml.compose(self._text, Loader=yaml.CSafeLoader)
        except yaml.MarkedYAMLError as error:
            raise _make_yaml_error(self.name, error) from error
        except yaml.YAMLError as error:
            raise self._make_character_error() from error

    def _check_depth(self) -> None:
        """Check the levels before a tree is made of them: libyaml ends the process where its stack does."""
        depth = 0
        for event in self._iter_events():
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            if depth > _MOST_LEVELS:
                raise ConfigurationError(
                    f"{self.name}:{event.start_mark.line + 1}: nests too deep", fix=f"use {_MOST_LEVELS} levels at most"
                )

    def _iter_events(self) -> Iterator[Any]:
        try:
            yield from yaml.parse(self._text, Loader=yaml.CSafeLoader)
        except yaml.MarkedYAMLError as error:
            raise _make_yaml_error(self.name, error) from error
        except yaml.YAMLError as error:
            raise self._make_character_error() from error

    def _check_node(self, node: Any, above: tuple[Any, ...], done: set[int]) -> None:
        """Check a part of the file.

        Args:
            node: the part.
            above: what it stands in.
            done: the ids of parts that were checked: aliases of aliases would be gone through time and again.
        """
        if isinstance(node, yaml.ScalarNode) or node is None:
            return
        line = node.start_mark.line + 1
        if any(node is one for one in above):
            raise ConfigurationError(f"{self.name}:{line}: this value holds itself", fix="remove the alias, *, in it")
        if id(node) in done:
            return
        done.add(id(node))
        if isinstance(node, yaml.MappingNode):
            self._check_keys([key for key, _ in node.value if isinstance(key, yaml.ScalarNode)])
        for child in (value for _, value in node.value) if isinstance(node, yaml.MappingNode) else node.value:
            self._check_node(child, (*above, node), done)

    def _check_keys(self, keys: list[Any]) -> None:
        seen: set[tuple[str, str]] = set()
        for key in keys:
            if (key.tag, key.value) in seen:
                raise ConfigurationError(
                    f"{self.name}:{key.start_mark.line + 1}: '{key.value}' is defined twice",
                    field=str(key.value),
                    fix="keep one of them",
                )
            seen.add((key.tag, key.value))

    def _make_character_error(self) -> ConfigurationError:
        """Return the error of a character that YAML does not allow: the parser says no line of it."""
        found = yaml.reader.Reader.NON_PRINTABLE.search(self._text)
        what, before = (f"the character U+{ord(found[0]):04X}", self._text[: found.start()]) if found else ("it", "")
        line = before.count("\n") + 1
        return ConfigurationError(
            f"{self.name}:{line}: not YAML: {what} is not allowed in it", fix="remove the character"
        )

    def _find_unreadable(self) -> int:
        """Return the line of the first value that has no meaning, such as a day that no calendar has."""
        for node in _iter_scalars(self._compose()):
            try:
                yaml.SafeLoader("").construct_object(node)
            except ValueError:
                return int(node.start_mark.line) + 1
        return 1


def decode_yaml(name: str, content: bytes) -> str:
    """Return a file's text, by the mark at its beginning where it has one.

    Raises:
        ConfigurationError: it is not UTF-8; the message has file and line.
    """
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ConfigurationError(f"{name} is not YAML in UTF-8, line {line}", fix="save it as UTF-8") from error


def _make_yaml_error(name: str, error: yaml.MarkedYAMLError) -> ConfigurationError:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    problem = " ".join(str(error.problem or error).split())
    if "cannot start any token" in problem:
        problem += " (YAML is indented by blanks, never by tabs)"
    return ConfigurationError(f"{name}:{line}: not YAML: {problem}", fix="correct the YAML")


def _iter_children(node: Any, step: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(node, yaml.MappingNode):
        yield from ((key.start_mark, value) for key, value in node.value if key.value == str(step))
    elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        yield node.value[step].start_mark, node.value[step]


def _iter_scalars(node: Any) -> Iterator[Any]:
    if isinstance(node, yaml.ScalarNode):
        yield node
    elif isinstance(node, yaml.SequenceNode):
        for child in node.value:
            yield from _iter_scalars(child)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _iter_scalars(key)
            yield from _iter_scalars(value)
