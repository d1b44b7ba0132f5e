"""The benchmark's simulated backends behind tools: an instance is loaded from records, acts, and is stored.

This module is copied into the tools' project as ``functions/tools/_backend.py``, so it runs in the tools' functions.
"""

import importlib
import json
import random
from types import NoneType
from typing import Any

from pentad.domain.errors import ToolFailed
from pentad.tools.declare.declare import ToolContext

PACKAGE = "bfcl_eval.eval_checker.multi_turn_eval.func_source_code"
KEY = "state"
"""A tenant has one conversation, so one instance of each class."""
_UNREAD = "_last_modified"
"""When a file was written: no backend reads it, and it is another time in each run."""
_SCALARS = (str, int, float, bool, type(None))

Json = dict[str, Any]


def kind_of(class_name: str) -> str:
    """Return the kind of record that holds the instance of a class."""
    return class_name.upper()


def act(context: ToolContext, class_name: str, method: str, arguments: Json, *, stores: bool) -> Any:
    """Return what a method of the tenant's instance returns, its new state stored.

    Raises:
        ToolFailed: this conversation has no such backend.
    """
    records, kind = context.table("records"), kind_of(class_name)
    state = records.get(kind, KEY)
    if state is None:
        raise ToolFailed(f"this conversation has no {class_name}")
    backend = decoded(state)
    result = getattr(backend, method)(**arguments)
    if stores:
        records.put(kind, KEY, encoded(backend))
    return told(result)


def compute(module: str, class_name: str, method: str, arguments: Json) -> Any:
    """Return what a method of a class without state returns."""
    return told(getattr(_class(module, class_name)(), method)(**arguments))


def told(result: Any) -> Any:
    """Return a result as the benchmark tells it to a model: JSON objects and text as they are, else Python's own words.

    A logarithm is an object with a number of arbitrary precision, which has no JSON form.
    """
    if isinstance(result, dict):
        try:
            json.dumps(result)
        except TypeError:
            return str(result)
    return result if isinstance(result, dict | str | NoneType) else str(result)


def encoded(backend: object) -> Json:
    """Return an object, and all that it refers to, as JSON: a list of nodes, the object first.

    Two references to one node stay so: directories know their parents, and the current one is one of the tree's.
    """
    nodes: list[Json] = []
    places: dict[int, int] = {}

    def reference(value: Any) -> Any:
        if isinstance(value, _SCALARS):
            return value
        if id(value) not in places:
            places[id(value)] = len(nodes)
            nodes.append({})
            nodes[places[id(value)]].update(content(value))
        return [places[id(value)]]

    def content(value: Any) -> Json:
        if isinstance(value, list):
            return {"list": [reference(part) for part in value]}
        if isinstance(value, dict):
            return {"dict": [[key, reference(part)] for key, part in value.items()]}
        if isinstance(value, random.Random):
            version, numbers, gauss = value.getstate()
            return {"random": [version, list(numbers), gauss]}
        if isinstance(value, set):
            return {"set": sorted(value)}
        package, _, module = type(value).__module__.rpartition(".")
        if package != PACKAGE:
            raise TypeError(f"a backend holds a {type(value).__name__}")
        parts = {name: reference(part) for name, part in sorted(vars(value).items()) if name != _UNREAD}
        return {"class": [module, type(value).__name__], "attributes": parts}

    reference(backend)
    return {"nodes": nodes}


def decoded(state: Json) -> Any:
    """Return the object that was encoded."""
    nodes = state["nodes"]
    made = [_empty(node) for node in nodes]

    def value(reference: Any) -> Any:
        return made[reference[0]] if isinstance(reference, list) else reference

    for node, one in zip(nodes, made, strict=True):
        if "list" in node:
            one.extend(value(part) for part in node["list"])
        elif "dict" in node:
            one.update((key, value(part)) for key, part in node["dict"])
        elif "attributes" in node:
            vars(one).update((name, value(part)) for name, part in node["attributes"].items())
    return made[0]


def _empty(node: Json) -> Any:
    if "list" in node:
        return []
    if "dict" in node:
        return {}
    if "set" in node:
        return set(node["set"])
    if "random" in node:
        version, numbers, gauss = node["random"]
        generator = random.Random()
        generator.setstate((version, tuple(numbers), gauss))
        return generator
    one = _class(*node["class"])
    return one.__new__(one)


def _class(module: str, name: str) -> Any:
    return getattr(importlib.import_module(f"{PACKAGE}.{module}"), name)
