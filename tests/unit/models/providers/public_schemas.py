"""Public function schemas, from packages of the environment: BFCL's functions, and AWS's operations in botocore."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Schema = dict[str, Any]
# BFCL says types in Python's words (its README, "function documentation").
_TYPES = {"dict": "object", "float": "number", "tuple": "array", "HashMap": "object", "Hashtable": "object"}
_TYPES |= {"String": "string", "int": "integer", "long": "integer", "Boolean": "boolean", "double": "number"}
_TYPES |= {
    "ArrayList": "array",
    "Array": "array",
    "list": "array",
    "bool": "boolean",
    "str": "string",
    "Bigint": "integer",
}
_KNOWN = {"object", "array", "string", "integer", "number", "boolean", "null"}


def read_bfcl() -> Iterator[tuple[str, Schema]]:
    """Yield each function of the Berkeley Function-Calling Leaderboard once, as JSON Schema."""
    import bfcl_eval

    root, seen = Path(bfcl_eval.__file__).parent / "data", set()
    for path in sorted([*root.glob("BFCL_v4_*.json"), *root.glob("multi_turn_func_doc/*.json")]):
        for line in path.read_text(encoding="utf-8").splitlines():
            entry = json.loads(line) if line.startswith('{"') else {}
            for function in entry.get("function", ()) if "function" in entry else [entry]:
                if not isinstance(function, dict) or "parameters" not in function:
                    continue
                text = json.dumps(function, sort_keys=True)
                if text not in seen:
                    seen.add(text)
                    yield str(function["name"]), _translate(function["parameters"])


def _translate(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_translate(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {
        name: {key: _translate(one) for key, one in value.items()} if name == "properties" else value
        for name, value in schema.items()
        if name not in ("optional", "required", "type", "items")
    }
    kind = schema.get("type")
    if isinstance(kind, str):
        kind = _TYPES.get(kind, kind)
        if kind in _KNOWN:
            made["type"] = kind
    if isinstance(schema.get("items"), dict):
        made["items"] = _translate(schema["items"])
    if isinstance(schema.get("required"), list):
        made["required"] = schema["required"]
    return made


def read_aws(services: tuple[str, ...]) -> Iterator[tuple[str, Schema]]:
    """Yield operations of AWS as functions: nested, recursive, with bounds, patterns and maps."""
    import botocore.session

    session = botocore.session.get_session()
    for service in services:
        model = session.get_service_model(service)
        for name in model.operation_names:
            shape = model.operation_model(name).input_shape
            if shape is not None:
                definitions: Schema = {}
                made = _build_shape(shape, definitions)
                target = definitions[made["$ref"].rpartition("/")[2]]
                yield f"{service}_{name}", {**target, **({"$defs": definitions} if len(definitions) > 1 else {})}


def _build_shape(shape: Any, definitions: Schema) -> Schema:
    kind = shape.type_name
    if kind == "structure":
        if shape.name not in definitions:
            definitions[shape.name] = {}
            definitions[shape.name] = {
                "type": "object",
                "properties": {name: _build_shape(one, definitions) for name, one in shape.members.items()},
                "required": list(shape.required_members),
            }
        return {"$ref": f"#/$defs/{shape.name}"}
    if kind == "list":
        return {"type": "array", "items": _build_shape(shape.member, definitions), **_read_bounds(shape, "Items")}
    if kind == "map":
        return {"type": "object", "additionalProperties": _build_shape(shape.value, definitions)}
    if kind == "string":
        choices = {"enum": list(shape.enum)} if shape.enum else {}
        pattern = {"pattern": shape.metadata["pattern"]} if "pattern" in shape.metadata else {}
        return {"type": "string", **choices, **pattern, **_read_bounds(shape, "Length")}
    if kind in ("integer", "long"):
        bounds = {"minimum": "min", "maximum": "max"}
        return {"type": "integer", **{one: shape.metadata[key] for one, key in bounds.items() if key in shape.metadata}}
    if kind in ("float", "double"):
        return {"type": "number"}
    return {"type": "boolean"} if kind == "boolean" else {"type": "string"}


def _read_bounds(shape: Any, what: str) -> Schema:
    return {f"{one}{what}": shape.metadata[one] for one in ("min", "max") if one in shape.metadata}
