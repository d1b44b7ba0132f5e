"""Check the JSON Schemas of a client before they are used: what a validator would fetch, or loop on, is refused.

The gateway validates replies against them. A reference to another address would make it fetch that address, and one
that leads back to itself would never end.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from pentad.api.door.faults import DoorFault
from pentad.domain.errors import InvalidInput
from pentad.domain.schemas import check_schema_limits

Schema = dict[str, Any]

_DATA = frozenset({"const", "enum", "default", "examples", "example"})
_NULL_SAYS = frozenset({"const", "default"})
_MAPS = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"})
_SAME_VALUE = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else")
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_DIALECTS = (
    "",
    "https://json-schema.org/draft/2020-12/schema",
    "https://json-schema.org/draft/2019-09/schema",
    "http://json-schema.org/draft-07/schema",
    "http://json-schema.org/draft-06/schema",
)
_MAX_STEPS = 10_000
_MAX_DEPTH = 64
_MAX_NODES = 20_000


def drop_null_keywords(schema: Any) -> Any:
    """Return a schema without its keywords that are null, at every depth: they say nothing.

    A ``default`` or ``const`` that is null says something, and so does null in an ``enum``; names of properties are no
    keywords.
    """
    if isinstance(schema, list):
        return [drop_null_keywords(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {name: value for name, value in schema.items() if value is not None or name in _NULL_SAYS}
    return {name: _drop_inside(name, value) for name, value in kept.items()}


def _drop_inside(keyword: str, value: Any) -> Any:
    if keyword in _DATA:
        return value
    if keyword in _MAPS and isinstance(value, dict):
        return {name: drop_null_keywords(part) for name, part in value.items()}
    return drop_null_keywords(value)


def check_schema(schema: Schema, param: str) -> Schema:
    """Return the schema if a reply can be validated against it.

    Raises:
        Fault: it is no JSON Schema, or refers to what is not in it, or to itself without end.
    """
    count_parts(schema, param)  # first: the other checks take a millisecond for each property
    _check_form(schema, param)
    nodes = _collect_nodes(schema, param)
    steps: dict[int, int] = {}
    for node in nodes:
        if _count_steps(node, schema, param, steps, frozenset()) > _MAX_STEPS:
            raise DoorFault(f"{param}: the schema has too many branches", param=param)
    return schema


def count_parts(schema: Schema, param: str) -> int:
    """Return how many schemas a schema holds, if it is within the limits.

    Raises:
        Fault: it is not; its ``param`` says where.
    """
    try:
        return check_schema_limits(schema, param)
    except InvalidInput as error:
        raise DoorFault(f"{error.field}: {error.message}: {error.fix}", param=error.field) from error


def _check_form(schema: Schema, param: str) -> None:
    # Imported here: jsonschema takes 0.2 s to load, and a plain question needs none of it.
    import jsonschema
    from jsonschema.validators import validator_for

    dialect = schema.get("$schema", "")
    if not isinstance(dialect, str) or dialect.rstrip("#") not in _DIALECTS:
        raise DoorFault(f"{param}: unknown $schema: leave it out", param=param)
    try:
        validator_for(schema, default=jsonschema.Draft202012Validator).check_schema(schema)
    except jsonschema.SchemaError as error:
        raise DoorFault(f"{param}: not a valid JSON Schema at {error.json_path}", param=param) from error


def _collect_nodes(root: Schema, param: str) -> list[Schema]:
    """Return every schema in a schema, those that are only referred to included."""
    found: dict[int, Schema] = {}
    waiting: list[Any] = [root]
    while waiting:
        node = waiting.pop()
        if not isinstance(node, dict) or id(node) in found:
            continue
        found[id(node)] = node
        if len(found) > _MAX_NODES:
            raise DoorFault(f"{param}: the schema is too large", param=param)
        if node is not root and ("$id" in node or "$schema" in node):
            raise DoorFault(f"{param}: only the whole schema may have $id and $schema", param=param)
        waiting.extend(_iter_children(node))
        waiting.extend(_iter_targets(node, root, param))
    return list(found.values())


def _iter_children(node: Schema) -> Iterator[Any]:
    for keyword, value in node.items():
        if keyword in _DATA:
            continue
        if keyword in _MAPS and isinstance(value, dict):
            yield from value.values()
        elif isinstance(value, list):
            yield from value
        else:
            yield value


def _iter_targets(node: Schema, root: Schema, param: str) -> Iterator[Any]:
    for keyword in _REFERENCES:
        reference = node.get(keyword)
        if isinstance(reference, str):
            yield _resolve_reference(reference, root, param)


def _resolve_reference(reference: str, root: Schema, param: str) -> Any:
    if reference != "#" and not reference.startswith("#/"):
        raise DoorFault(f"{param}: a reference points outside the schema: use #/$defs/...", param=param)
    target: Any = root
    for step in reference.removeprefix("#").split("/")[1:]:
        name = unquote(step).replace("~1", "/").replace("~0", "~")
        if isinstance(target, list) and name.isascii() and name.isdigit() and int(name) < len(target):
            target = target[int(name)]
        elif isinstance(target, dict) and name in target:
            target = target[name]
        else:
            raise DoorFault(f"{param}: a reference points to nothing in the schema", param=param)
    return target


def _count_steps(node: Any, root: Schema, param: str, known: dict[int, int], above: frozenset[int]) -> int:
    """Return how many schemas one value is held against."""
    if not isinstance(node, dict):
        return 0
    if id(node) in above or len(above) > _MAX_DEPTH:
        raise DoorFault(f"{param}: the schema refers to itself endlessly", param=param)
    if id(node) not in known:
        inside = above | {id(node)}
        same = [*_iter_same_value(node), *_iter_targets(node, root, param)]
        known[id(node)] = min(_MAX_STEPS + 1, 1 + sum(_count_steps(one, root, param, known, inside) for one in same))
    return known[id(node)]


def _iter_same_value(node: Schema) -> Iterator[Any]:
    for keyword in _SAME_VALUE:
        value = node.get(keyword)
        yield from value if isinstance(value, list) else (value,)
    dependent = node.get("dependentSchemas")
    if isinstance(dependent, dict):
        yield from dependent.values()
