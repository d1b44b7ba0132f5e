"""A property that a resource type handles is read by the code that creates it; else it is refused, or ignored aloud."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest

from twin.deploy.registry import check, list_types
from twin.deploy.services import register_all

register_all()


@pytest.mark.parametrize("resource_type", list_types())
def test_every_handled_property_is_read(resource_type: str) -> None:
    kind = check("X", resource_type, [])
    names, whole = find_read(kind.create, set())
    assert whole or not kind.handled - names


def test_a_property_that_nothing_reads_is_found() -> None:
    def create(properties: Mapping[str, Any]) -> str:
        return str(properties["Name"])

    assert find_read(create, set()) == ({"Name"}, False)


def find_read(function: Callable[..., Any], seen: set[Any]) -> tuple[set[str], bool]:
    """Return the texts that a function and what it calls spell, and whether all properties are passed on whole."""
    seen.add(function)
    names: set[str] = set()
    whole = False
    for node in ast.walk(strip(function)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            names.add(node.value)
        elif isinstance(node, ast.Name):
            value = inspect.unwrap(function).__globals__.get(node.id)
            if inspect.isfunction(value) and value.__module__.startswith("twin.") and value not in seen:
                more, passed = find_read(value, seen)
                names |= more
                whole = whole or passed
            elif isinstance(value, Iterable) and not isinstance(value, str):
                names |= {one for one in value if isinstance(one, str)}
        whole = whole or passes_whole(node)
    return names, whole


def strip(function: Callable[..., Any]) -> ast.AST:
    """The function without its decorators and docstring, which name properties and read none."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(tree, ast.FunctionDef)
    tree.decorator_list = []
    if ast.get_docstring(tree) is not None:
        tree.body = tree.body[1:]
    return tree


def passes_whole(node: ast.AST) -> bool:
    """Whether properties go into a call or a dict as they are, each under its own name."""
    if isinstance(node, ast.Dict):
        given = [value for key, value in zip(node.keys, node.values, strict=True) if key is None]
    elif isinstance(node, ast.Call):
        given = [word.value for word in node.keywords if word.arg is None]
    elif isinstance(node, ast.comprehension):
        return "properties.items()" in ast.unparse(node.iter)
    else:
        return False
    return any(isinstance(one, ast.Name) and one.id == "properties" for one in given)
