"""What the providers check of a JSON Schema before they use it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from jsonschema import Draft202012Validator, SchemaError

_MAPS = ("properties", "$defs", "definitions", "patternProperties")
_PARTS = ("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames")
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_MAX_PARTS = 5_000


def iter_schemas(schema: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """Yield each schema in a schema with its path, itself first."""
    waiting: list[tuple[tuple[str, ...], Any]] = [((), schema)]
    for _ in range(_MAX_PARTS):
        if not waiting:
            return
        path, node = waiting.pop(0)
        if not isinstance(node, Mapping):
            continue
        yield path, node
        for name in _MAPS:
            inner = node.get(name)
            waiting += [((*path, name, key), one) for key, one in inner.items()] if isinstance(inner, Mapping) else []
        waiting += [((*path, name), node[name]) for name in _PARTS if name in node]
        for name in _LISTS:
            listed = node.get(name)
            waiting += [
                ((*path, name, str(at)), one) for at, one in enumerate(listed if isinstance(listed, list) else ())
            ]


# What Python's regular expressions have no word for, by ranges of what is common of it.
_LETTERS = {"Lu": "A-Z\u00c0-\u00de\u0391-\u03a9\u0410-\u042f", "Ll": "a-z\u00df-\u00ff\u03b1-\u03c9\u0430-\u044f"}
_CLASSES = _LETTERS | {
    "L": _LETTERS["Lu"] + _LETTERS["Ll"] + "\u3041-\u30ff\u4e00-\u9fff\uac00-\ud7a3",
    "N": "0-9",
    "Nd": "0-9",
    "P": r"!-#%-*,-/:;?@\[-\]_{}",
    "S": r"$+<=>\^`|~",
    "Z": " \u00a0",
    "Zs": " \u00a0",
}
_PROPERTY = re.compile(r"\\(?P<letter>[pP])(?P<name>\{(?P<caret>\^?)\w+\}|[LNPSZ])|\\.|(?P<bracket>[\[\]])")


def adapt_patterns(schema: Any) -> Any:
    r"""Return a schema whose patterns Python reads: RE2 and ECMAScript have classes such as ``\p{Lu}``, too."""
    if isinstance(schema, list):
        return [adapt_patterns(one) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    made = {name: one if name in ("enum", "const", "default") else adapt_patterns(one) for name, one in schema.items()}
    if isinstance(made.get("pattern"), str):
        made["pattern"] = adapt_pattern(made["pattern"])
    if isinstance(made.get("patternProperties"), Mapping):
        made["patternProperties"] = {adapt_pattern(name): one for name, one in made["patternProperties"].items()}
    return made


def adapt_pattern(pattern: str) -> str:
    """Return a pattern with ranges in the place of classes of Unicode; one that is unknown stays."""
    inside = False

    def replace(match: re.Match[str]) -> str:
        nonlocal inside
        letter, caret, name, bracket = match.group("letter", "caret", "name", "bracket")
        if bracket:
            inside = bracket == "["
        ranges = _CLASSES.get(name.strip("{}^")) if name else None
        negated = (letter == "P") != bool(caret)
        if ranges is None or (inside and negated):
            return match[0]
        return ranges if inside else f"[{'^' if negated else ''}{ranges}]"

    return _PROPERTY.sub(replace, pattern)


def relax_nulls(schema: Any) -> Any:
    """Return a strict schema as it is meant: what may be null need not be said. A simulated model leaves it out."""
    if isinstance(schema, list):
        return [relax_nulls(one) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    made = {
        name: {key: relax_nulls(one) for key, one in value.items()}
        if name in _MAPS and isinstance(value, Mapping)
        else value
        if name in ("enum", "const", "required")
        else relax_nulls(value)
        for name, value in schema.items()
    }
    nullable = [name for name, one in (schema.get("properties") or {}).items() if _takes_null(one)]
    if nullable:
        made["required"] = [name for name in schema.get("required") or () if name not in nullable]
        made["properties"] = {
            name: _drop_null(one) if name in nullable else one for name, one in made["properties"].items()
        }
    return made


def _takes_null(schema: Any) -> bool:
    if not isinstance(schema, Mapping):
        return False
    kind = schema.get("type")
    return (isinstance(kind, list) and "null" in kind) or {"type": "null"} in (schema.get("anyOf") or ())


def _drop_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(schema)
    if isinstance(made.get("type"), list):
        kinds = [kind for kind in made["type"] if kind != "null"]
        made["type"] = kinds[0] if len(kinds) == 1 else kinds
    if "anyOf" in made:
        others = [one for one in made.pop("anyOf") if one != {"type": "null"}]
        made = {**others[0], **made} if len(others) == 1 else {**made, "anyOf": others}
    return made


def find_schema_error(schema: Mapping[str, Any]) -> str | None:
    """Return what makes a schema no JSON Schema of draft 2020-12, or None; a reference to nothing in it, too."""
    try:
        Draft202012Validator.check_schema(adapt_patterns(schema))
    except SchemaError as error:
        return error.message
    for _, node in iter_schemas(schema):
        if isinstance(node.get("$ref"), str) and not _leads_somewhere(node["$ref"], schema):
            return f"reference to '{node['$ref']}', which was not found in the schema"
    return None


def _leads_somewhere(reference: str, root: Any) -> bool:
    """Tell if a reference in a schema points to a place in it; one to an anchor or elsewhere is not followed."""
    if not reference.startswith("#/"):
        return True
    for step in unquote(reference[2:]).split("/"):
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(root, list) and name.isascii() and name.isdigit() and int(name) < len(root):
            root = root[int(name)]
        elif isinstance(root, Mapping) and name in root:
            root = root[name]
        else:
            return False
    return True
