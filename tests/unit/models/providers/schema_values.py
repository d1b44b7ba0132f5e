"""Values that fit a schema, schemas that nobody would write, and what providers document of their strict modes."""

import random
from collections.abc import Iterator
from typing import Any

import jsonschema_rs

Schema = dict[str, Any]
TYPES = {"string", "integer", "number", "boolean", "null", "object", "array"}
OPENAI_WORDS = {"$ref", "$defs", "anyOf", "type", "enum", "const", "properties", "required", "additionalProperties"}
OPENAI_WORDS |= {"items", "description", "format", "minItems", "maxItems", "minimum", "maximum"}
OPENAI_WORDS |= {"exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
CLAUDE_WORDS = OPENAI_WORDS - {"maxItems", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
ODD = ["", " ", "a b", "$filter", "type", "properties", "ключ", "a.b[c]", "default", "x" * 60, "anyOf", "-", "a/b~c"]


def iter_nodes(schema: Schema, depth: int = 0) -> Iterator[tuple[Schema, int]]:
    """Yield each schema in a strict schema with its level of nesting."""
    yield schema, depth
    for each in (*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else ())):
        yield from iter_nodes(each, depth + 1)
    for each in (*schema.get("anyOf", ()), *schema.get("$defs", {}).values()):
        yield from iter_nodes(each, depth)


def find_faults(schema: Schema, *, openai: bool) -> list[str]:
    """Return what the provider's documentation says that a strict schema must not be."""
    faults = ["the root is not an object"] if schema.get("type") != "object" or "anyOf" in schema else []
    nodes = list(iter_nodes(schema))
    for node, depth in nodes:
        words = OPENAI_WORDS if openai else CLAUDE_WORDS
        faults += [f"the keyword {name}" for name in node.keys() - words]
        faults += _find_type_faults(node) + _find_object_faults(node, openai=openai)
        if not openai and node.get("minItems", 0) not in (0, 1):
            faults.append("minItems")
        if "$ref" in node and (node.keys() != {"$ref"} or node["$ref"].rpartition("/")[2] not in schema["$defs"]):
            faults.append(f"the reference {node}")
        faults += ["too deep"] if depth > 10 else []
    return faults + (["too many choices"] if sum(len(node.get("enum", ())) for node, _ in nodes) > 1_000 else [])


def _list_types(node: Schema) -> list[Any]:
    kinds = node.get("type", [])
    return kinds if isinstance(kinds, list) else [kinds]


def _find_type_faults(node: Schema) -> list[str]:
    kinds = _list_types(node)
    faults = [] if kinds or {"anyOf", "$ref", "const"} & node.keys() else [f"no type: {node}"]
    faults += ["a list of anything"] if "array" in kinds and "items" not in node else []
    return faults + [f"the type {kind}" for kind in kinds if kind not in TYPES]


def _find_object_faults(node: Schema, *, openai: bool) -> list[str]:
    if "object" not in _list_types(node):
        return []
    properties, required = node.get("properties"), set(node.get("required") or ())
    if node.get("additionalProperties") is not False or properties is None:
        return ["an open object"]
    if openai and required != set(properties):
        return ["a property that is not required"]
    return ["a required property that there is not"] if required - set(properties) else []


def make_value(schema: Any, root: Schema, rng: random.Random, depth: int = 0) -> Any:
    """Return a value that a schema of the usual keywords takes; of rarer ones it knows nothing."""
    if not isinstance(schema, dict):
        return "anything"
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        named: Schema = root["$defs"] if "$defs" in root else root.get("definitions", {})
        return make_value(named.get(name, {}), root, rng, depth + 1)
    if "const" in schema or "enum" in schema:
        return schema["const"] if "const" in schema else rng.choice(schema["enum"])
    for union in ("anyOf", "oneOf"):
        if union in schema and not schema.keys() & {"type", "properties"}:
            return make_value(rng.choice(schema[union]), root, rng, depth)
    if "allOf" in schema:
        parts = [make_value(one, root, rng, depth) for one in schema["allOf"]]
        return {name: value for part in parts if isinstance(part, dict) for name, value in part.items()} or parts[0]
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = rng.choice(kind) if isinstance(kind, list) else kind
    return _make_of_type(kind, schema, root, rng, depth)


def _make_of_type(kind: str, schema: Schema, root: Schema, rng: random.Random, depth: int) -> Any:
    if kind == "object":
        required = schema.get("required", ())
        return {
            name: make_value(each, root, rng, depth + 1)
            for name, each in schema.get("properties", {}).items()
            if name in required or (depth < 4 and rng.random() < 0.5)
        }
    if kind == "array":
        if "prefixItems" in schema:
            return [make_value(one, root, rng, depth + 1) for one in schema["prefixItems"]]
        least = schema.get("minItems", 0)
        count = min(max(least, rng.randint(0, 2) if depth < 4 else 0), schema.get("maxItems", 9))
        return [make_value(schema.get("items", {"type": "string"}), root, rng, depth + 1) for _ in range(count)]
    if kind == "string":
        return "text" + "x" * max(0, schema.get("minLength", 0) - 4) if schema.get("maxLength", 9) >= 4 else "t"
    if kind in ("integer", "number"):
        low = schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
        return low if kind == "integer" or rng.random() < 0.5 else low + 0.5
    return {"boolean": rng.random() < 0.5, "null": None}[kind]


def pad_nulls(value: Any, strict: Schema, root: Schema) -> Any:
    """Return a value as a model writes it in OpenAI's strict mode: what may be left out is null."""
    if "$ref" in strict:
        return pad_nulls(value, root["$defs"][strict["$ref"].rpartition("/")[2]], root)
    if "anyOf" in strict and isinstance(value, dict | list):
        for one in strict["anyOf"]:
            padded = pad_nulls(value, one, root)
            if jsonschema_rs.is_valid({**one, "$defs": root.get("$defs", {})}, padded):
                return padded
    if isinstance(value, dict) and "properties" in strict:
        names = {**strict["properties"], **value}
        return {name: pad_nulls(value.get(name), strict["properties"].get(name, {}), root) for name in names}
    if isinstance(value, list) and "items" in strict:
        return [pad_nulls(one, strict["items"], root) for one in value]
    return value


def make_schema(rng: random.Random) -> Schema:
    """Return an object's schema with what schemas have in the wild, and what nobody would write."""
    definitions = {name: _make_part(rng, 2, ()) for name in ("Apple", "Pear_1")}
    definitions["Tree"] = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "leaves": {"type": "array", "items": {"$ref": "#/$defs/Tree"}}},
        "required": ["name"],
    }
    made = _make_object(rng, 0, (*definitions,))
    made["$defs"] = definitions
    extra: list[Schema] = [{}, {}, {}, {"$schema": "https://json-schema.org/draft/2020-12/schema"}, {"title": "Q"}]
    extra += [{"minProperties": 1}, {"not": {"required": ["zzz"]}}, {"if": {"required": ["a"]}, "then": {}}]
    extra += [{"anyOf": [{"required": []}]}, {"x-order": 3, "nullable": True}]
    return made | rng.choice(extra)


def _make_object(rng: random.Random, depth: int, names: tuple[str, ...]) -> Schema:
    keys = rng.sample([*ODD, "a", "b", "c", "d", "e"], rng.randint(0, 4))
    made: Schema = {"type": "object", "properties": {key: _make_part(rng, depth + 1, names) for key in keys}}
    if keys and rng.random() < 0.7:
        made["required"] = rng.sample(keys, rng.randint(0, len(keys)))
    if rng.random() < 0.5:
        made["additionalProperties"] = rng.choice([False, False, False, True, {"type": "string"}])
    if rng.random() < 0.05:
        made["patternProperties"] = {"^x": {"type": "integer"}}
    return made


def _make_part(rng: random.Random, depth: int, names: tuple[str, ...]) -> Schema:
    scalar: list[Schema] = [
        {"type": "string", "minLength": 1, "maxLength": 9, "pattern": "^t"},
        {"type": "string", "format": rng.choice(["date", "uri", "byte", "email"])},
        {"type": "integer", "minimum": -3, "exclusiveMaximum": 10},
        {"type": "number", "multipleOf": 0.5},
        {"type": "boolean", "default": True},
        {"type": "null"},
        {"type": ["string", "null"], "default": None},
        {"type": ["integer", "boolean", "null"], "minimum": 0},
        {"enum": ["a", 1, None, True, 2.5]},
        {"enum": ["a", "b"], "type": "string"},
        {"type": ["string", "null"], "enum": ["a", None]},
        {"const": "cat"},
        {"const": 3, "description": 'a "quoted" word'},
        {"enum": [{"a": 1}]},
        {"enum": [f"v{number}" for number in range(rng.choice([3, 300, 1_200]))]},
        {},
        {"description": "anything"},
    ]
    if depth > 4 or rng.random() < 0.5:
        return rng.choice(scalar)
    return _make_compound(rng, depth, names)


def _make_compound(rng: random.Random, depth: int, names: tuple[str, ...]) -> Schema:
    number = rng.randrange(12 if names else 11)
    inner = [_make_part(rng, depth + 1, names) for _ in range(2)] if number < 8 else []
    match number:
        case 0:
            return {"type": "array", "items": inner[0], "minItems": rng.choice([0, 1, 2]), "uniqueItems": True}
        case 1 | 2:
            tuple_of = {"type": "array", "prefixItems": inner, "items": False}
            return rng.choice([tuple_of, {"type": "object", "additionalProperties": inner[0]}])
        case 3:
            return {"anyOf": inner, "description": "either"}
        case 4:
            return {"oneOf": [*inner, {"type": "null"}]}
        case 5:
            return {"allOf": [{"properties": {"p": inner[0]}, "required": ["p"]}, {"properties": {"q": inner[1]}}]}
        case 6 | 7:
            either = [{"required": ["u"]}, {"required": ["v"]}]
            return {"type": "object", "properties": {"u": inner[0], "v": inner[1]}, "oneOf": either}
        case 8 | 9:
            made = _make_object(rng, depth, names)
            return made if number == 8 else {"allOf": [made]}
        case 10:
            return rng.choice([{"type": "array"}, {"type": "object"}])
        case _:
            return {"$ref": f"#/$defs/{rng.choice(names)}", "description": "there"}
