"""Where moto 5.2.5 does the work of an UpdateItem's expression many times over: a third of the time of one.

* It parses the same text twice for each request, once to find its names and once to apply it. Here a text is parsed
  once; what is made of it is only read.
* It copies the tree of the expression with `copy.deepcopy`, which goes about a node as about anything. Here a node is
  copied as the three attributes that it has.
* Each of its ten walks through the tree, and each look for clauses, asks anew at each node which kinds of nodes it is
  there for. Here a walk asks once, and which of some kinds a class is of is remembered.

The trees, and so the answers, are moto's own.
"""

import copy
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from moto.dynamodb.parsing import ast_nodes, expressions, validators

from twin.moto_patches.patching import Patches

_nodes: Any = ast_nodes  # they have no types
_parser: Any = expressions
_BRANCHES = (_nodes.Expression, _nodes.UpdateExpressionFunction)
_MOST_TEXTS = 1024
"""A project has some hundred expressions; those with numbered names, of lists, are more."""


def apply(patches: Patches) -> None:
    """Install the patches of this module."""
    parse = lru_cache(_MOST_TEXTS)(_parser.UpdateExpressionParser.make)
    patches.set_attribute(_parser.UpdateExpressionParser, "make", staticmethod(parse))
    patches.set_attribute(validators, "deepcopy", _copy)
    patches.set_attribute(_nodes.DepthFirstTraverser, "traverse", _traverse)
    patches.set_attribute(_nodes.Node, "find_clauses", _find_clauses)


def _copy(value: Any) -> Any:
    return copy_tree(value) if isinstance(value, _nodes.Node) else copy.deepcopy(value)


def copy_tree(root: Any) -> Any:
    """Return a tree of new nodes over the same texts and numbers; a node's parent is the new one of its parent."""
    made: dict[int, Any] = {}
    nodes = list(_iter_nodes(root))
    for node in nodes:
        made[id(node)] = one = object.__new__(type(node))
        one.__dict__.update(node.__dict__)
    for node in nodes:
        one = made[id(node)]
        one.parent = made.get(id(node.parent))
        if node.children is not None:
            one.children = [made.get(id(child), child) for child in node.children]
    return made[id(root)]


def _iter_nodes(root: Any) -> Iterator[Any]:
    """Yield a node and all below it."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(child for child in node.children or () if _is_node(type(child)))


def _find_first(kinds: tuple[type, ...], kind: type) -> type | None:
    """Return the first of some classes that a class is of."""
    return next((one for one in kinds if issubclass(kind, one)), None)


_choose: Callable[[tuple[type, ...], type], type | None] = lru_cache(_MOST_TEXTS)(_find_first)
_is_node: Callable[[type], bool] = lru_cache(_MOST_TEXTS)(lambda kind: issubclass(kind, _nodes.Node))


def _traverse(self: Any, root: Any) -> Any:
    """Replace nodes from the leaves up, as moto's own walk does, and return what stands for the root."""
    replace: dict[type, Callable[[Any], Any]] = self._processing_map()
    kinds = tuple(replace)
    told = type(self).pre_processing_of_child is not _nodes.DepthFirstTraverser.pre_processing_of_child

    def visit(node: Any, place: int) -> Any:
        parent = node.parent
        for number, child in enumerate(node.children or ()):
            if told:
                self.pre_processing_of_child(node, number)
            if _is_node(type(child)):
                visit(child, number)
        kind = _choose(kinds, type(node))
        if kind is None:
            return node
        found = replace[kind](node)
        found.parent = parent
        if parent is not None:
            parent.children[place] = found
        return found

    return visit(root, -1) if isinstance(root, _nodes.Node) else root


def _find_clauses(self: Any, kinds: list[type]) -> list[Any]:
    """Return the nodes of some classes below a node, in the order of the text, as moto's own does."""
    found: list[Any] = []
    for child in self.children or ():
        if type(child) in kinds:
            found.append(child)
        elif _choose(_BRANCHES, type(child)) is not None:
            found.extend(_find_clauses(child, kinds))
    return found
