"""JSON Schemas in the strict forms of both providers, in which what a model writes can't break them. Pure.

A strict schema is a part of JSON Schema, and each provider has its own (`OPENAI`, `CLAUDE`; `BOTH` is what both take).
Every object is closed. Lengths, bounds and patterns that a form has no words for go into the description. So a strict
schema may take more than the schema that it is made of, and never less: what it can't say without taking less
(`NotStrict`) is sent as it is, without strict mode. The gateway holds every value against the whole schema in any case.

Sources: OpenAI's "Structured outputs", supported schemas; Claude's "Structured outputs", JSON Schema limitations and
schema complexity limits (both read 2026-11); the helpers in both SDKs (openai 3.54.0, anthropic 2.12.0).
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pentad.models.providers.strict_dialects import StrictDialect
from pentad.models.providers.strict_keys import FREE_KEYS, OTHER_FIELDS, find_other_keys

Schema = dict[str, Any]
_SCALARS = ("string", "integer", "number", "boolean", "null")
_TYPES = (*_SCALARS, "object", "array")
_UNIONS = ("anyOf", "oneOf", "allOf")
_STRUCTURE = frozenset({"type", "properties", "items", "prefixItems", "enum", "const", "additionalProperties"})
# They repeat what names say, or say nothing of a value.
_SILENT = frozenset(
    "title discriminator $schema $id $comment $anchor $defs definitions readOnly writeOnly deprecated nullable "
    "externalDocs xml example".split()
)
# What counts for one type, where a schema names several.
_OF_TYPE: Mapping[str, frozenset[str]] = {
    "string": frozenset({"minLength", "maxLength", "pattern", "format"}),
    "integer": frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}),
    "number": frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}),
    "boolean": frozenset(),
    "null": frozenset(),
    "array": frozenset({"items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains"}),
    "object": frozenset({"properties", "required", "additionalProperties", "patternProperties", "propertyNames"}),
}
# Rules that tell whether a field is there.
_COUNTING = frozenset("anyOf oneOf allOf not if dependentRequired dependentSchemas minProperties maxProperties".split())
_OWN = "give it the default null, or ask for the field"  # null stands there for what is left out
_SAME = "let null mean the same as nothing, or ask for the field"
_DEFINITION = re.compile(r"#/(?:\$defs|definitions)/([A-Za-z0-9_.-]{1,100})")
_MOST_NOTES = 1_000
"""Characters of what is told in words of one part."""


class NotStrict(Exception):
    """A schema can't be said in a strict form without taking less than it does.

    Args:
        path: of the part, names with dots.
        what: it is.
        fix: what to write instead.
    """

    def __init__(self, path: str, what: str, fix: str) -> None:
        super().__init__(f"{path}: {what}" if path else what)
        self.path, self.what, self.fix = path, what, fix


@dataclass(frozen=True)
class StrictForm:
    """A schema in a strict form, and what it costs a provider to compile.

    Args:
        schema: to be sent.
        properties: how many it has, at all depths.
        optional: how many of them may be left out.
        unions: parts that are of several kinds.
    """

    schema: Schema
    properties: int
    optional: int
    unions: int


def make_strict(
    schema: Mapping[str, Any], dialect: StrictDialect, *, told: Mapping[str, Any] | None = None
) -> StrictForm:
    """Return an object's schema in a strict form.

    Args:
        schema: the schema.
        dialect: the form.
        told: rules of the object that are told elsewhere: combinators.

    Raises:
        NotStrict: it can't be said so, or is larger than the provider takes.
    """
    conversion = _Conversion(schema, dialect)
    made = conversion.convert_root(schema, told or {})
    nodes = list(_iter_nodes(made, 0))
    choices = [value for node, _ in nodes for value in node.get("enum", ())]
    names = [name for node, _ in nodes for name in (*node.get("properties", ()), *node.get("$defs", ()))]
    if max(depth for _, depth in nodes) > dialect.depth:
        raise NotStrict("", f"it is nested deeper than {dialect.depth} levels", "nest it less deeply")
    if len(choices) > dialect.choices:
        raise NotStrict("", f"it has more than {dialect.choices:,} choices", "take a string, and check it")
    if sum(len(str(one)) for one in (*names, *choices)) > dialect.characters:
        raise NotStrict("", f"its names and choices have more than {dialect.characters:,} characters", "shorten them")
    optional = sum(len(node["properties"]) - len(node["required"]) for node, _ in nodes if "properties" in node)
    unions = sum("anyOf" in node or isinstance(node.get("type"), list) for node, _ in nodes)
    return StrictForm(made, sum(len(node.get("properties", ())) for node, _ in nodes), optional, unions)


def _iter_nodes(schema: Schema, depth: int) -> Iterator[tuple[Schema, int]]:
    yield schema, depth
    inner = depth + ("properties" in schema or "items" in schema)
    for each in (*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else ())):
        yield from _iter_nodes(each, inner)
    for each in (*schema.get("anyOf", ()), *schema.get("$defs", {}).values()):
        yield from _iter_nodes(each, depth)


class _Conversion:
    """One schema's way into a strict form.

    Args:
        root: the whole schema.
        dialect: the form.
    """

    def __init__(self, root: Mapping[str, Any], dialect: StrictDialect) -> None:
        self._dialect = dialect
        named = [one for one in (root.get("$defs"), root.get("definitions")) if isinstance(one, dict)]
        self._given: dict[str, Any] = {name: one for each in named for name, one in each.items()}
        if len(named) > 1:  # what a name that both have stands for depends on the reference
            self._given = {name: one for name, one in self._given.items() if named[0].get(name, one) == one}
        self._made: dict[str, Schema] = {}
        self._nullable: dict[str, bool] = {}
        self._open: list[str] = []
        self._told: Mapping[str, Any] = {}

    def convert_root(self, schema: Mapping[str, Any], told: Mapping[str, Any]) -> Schema:
        """Return the whole schema; the definitions that are used stand beside it."""
        self._told = told
        if isinstance(schema.get("$ref"), str):  # of a recursive model: the root has to be the object itself
            rest = {name: value for name, value in schema.items() if name != "$ref"}
            schema = {**self._find(schema["$ref"], ""), **rest}
        if schema.get("type", "object") != "object" or not isinstance(schema, dict):
            raise NotStrict("", "the root is not an object", "wrap it in a field of a model")
        made = self.convert({"type": "object", **schema}, "")
        return made | {"$defs": dict(self._made)} if self._made else made

    def convert(self, schema: Any, path: str) -> Schema:
        """Return one part, with what is not enforced told in its description."""
        if not isinstance(schema, Mapping) or not schema:
            raise NotStrict(path, "a value of any type", "give the field a type")
        left = {name: value for name, value in schema.items() if name not in _SILENT and not name.startswith("x-")}
        if left.get("default", ...) is None:
            del left["default"]
        described = left.pop("description", None)
        made = self._convert_shape(left, path)
        words = _tell(described if isinstance(described, str) else "", left)
        if words and "$ref" in made:
            made = {"anyOf": [made]}  # nothing may stand beside a reference
        if words and "description" in made:  # of the only part of an allOf
            words = f"{words}\n\n{made['description']}"
        return {**made, "description": words} if words else made

    def _convert_shape(self, left: Schema, path: str) -> Schema:
        """Return what is enforced of a part, and take it out of ``left``."""
        if "$ref" in left:
            return self._convert_reference(left, path)
        unions = [one for one in _UNIONS if one in left]
        if unions and (len(unions) > 1 or _STRUCTURE & left.keys()):
            self._check_additions(left, unions, path)  # they are told in words beside the shape
        elif unions:
            return self._convert_union(left.pop(unions[0]), unions[0], path)
        if "const" in left or "enum" in left:
            return _convert_literals(left, path)
        kind = left.get("type", _guess_type(left))
        if isinstance(kind, list):
            return self._convert_types(left, kind, path)
        left.pop("type", None)
        if kind == "object":
            return self._convert_object(left, path)
        if kind == "array":
            return self._convert_array(left, path)
        if kind not in _SCALARS:
            raise NotStrict(path, "a value of any type", "give the field a type")
        made: Schema = {"type": kind}
        if kind == "string" and left.get("format") in self._dialect.formats:
            made["format"] = left.pop("format")
        return made | (self._take_bounds(left) if kind in ("integer", "number") else {})

    def _take_bounds(self, left: Schema) -> Schema:
        names = [
            name
            for name in left
            if name in self._dialect.bounds and isinstance(left[name], int | float) and not isinstance(left[name], bool)
        ]
        return {name: left.pop(name) for name in names}

    def _find(self, reference: Any, path: str) -> Any:
        match = _DEFINITION.fullmatch(reference) if isinstance(reference, str) else None
        if match is None or match[1] not in self._given:
            raise NotStrict(path, "a reference to another place than $defs", "write it as #/$defs/Name")
        return self._given[match[1]]

    def _convert_reference(self, left: Schema, path: str) -> Schema:
        target = left.pop("$ref")
        found = self._find(target, path)
        if (_STRUCTURE - {"type"} | {*_UNIONS}) & left.keys():
            raise NotStrict(path, "more of a value's shape beside a reference", "say it where the reference points to")
        left.pop("type", None)
        name = str(target).rpartition("/")[2]
        if name in self._open and not self._dialect.recursive:
            raise NotStrict(path, f"the type {name} refers to itself", "use a type of bounded depth")
        if name not in self._made and name not in self._open:
            self._open.append(name)
            made = self.convert(found, name)
            self._open.remove(name)
            self._made[name] = made
            self._nullable[name] = self._takes_null(made)
        return {"$ref": f"#/$defs/{name}"}

    def _convert_union(self, variants: Any, union: str, path: str) -> Schema:
        if not isinstance(variants, list) or not variants:
            raise NotStrict(path, f"{union} without alternatives", "list them")
        if union == "allOf" and len(variants) > 1:
            return self.convert(self._merge(variants, path), path)
        made = [self.convert(variant, path) for variant in variants]
        if union == "allOf":
            return made[0]
        flat = [one for each in made for one in (each["anyOf"] if each.keys() == {"anyOf"} else [each])]
        return {"anyOf": [one for number, one in enumerate(flat) if one not in flat[:number]]}

    def _merge(self, parts: list[Any], path: str) -> Schema:
        """Return objects that a value has to be at once as one, where no two say something of the same name."""
        merged: Schema = {"type": "object", "properties": {}, "required": []}
        for part in parts:
            whole = self._find(part["$ref"], path) if isinstance(part, dict) and part.keys() == {"$ref"} else part
            properties = whole.get("properties", {}) if isinstance(whole, dict) else None
            known = {"type", "properties", "required", "description", "title"}
            if not isinstance(properties, dict) or whole.keys() - known or whole.get("type", "object") != "object":
                raise NotStrict(path, "a value of several types at once", "use one model")
            if merged["properties"].keys() & properties.keys():
                raise NotStrict(path, "two meanings of one field at once", "use one model")
            merged["properties"] |= properties
            merged["required"] += whole.get("required", [])
            merged |= {"description": whole["description"]} if "description" in whole else {}
        return merged

    def _check_additions(self, left: Schema, unions: Sequence[str], path: str) -> None:
        """Refuse alternatives that name fields which the object beside them does not have: it would be closed."""
        own = left.get("properties")
        known = own.keys() if isinstance(own, dict) else set()
        for name in (name for union in unions for name in self._list_names(left[union], 0)):
            if name not in known:
                raise NotStrict(path, *OTHER_FIELDS)

    def _list_names(self, parts: Any, depth: int) -> Iterator[str]:
        for part in parts if isinstance(parts, list) else ():
            whole = part
            if isinstance(part, dict) and "$ref" in part:
                whole = self._find(part["$ref"], "")
            if not isinstance(whole, dict) or depth > self._dialect.depth:
                continue
            yield from whole.get("properties", {})
            for union in _UNIONS:
                yield from self._list_names(whole.get(union), depth + 1)

    def _convert_types(self, left: Schema, kinds: list[Any], path: str) -> Schema:
        """Return a part of several types as alternatives."""
        if not kinds or not all(kind in _TYPES for kind in kinds):
            raise NotStrict(path, "a value of any type", "give the field a type")
        del left["type"]
        made = []
        for kind in dict.fromkeys(kinds):
            own = {name: left[name] for name in left if name in _OF_TYPE[kind]}
            made.append(self.convert({"type": kind, **own}, path))
        for name in {name for kind in kinds for name in _OF_TYPE[kind]}:
            left.pop(name, None)
        return made[0] if len(made) == 1 else {"anyOf": made}

    def _convert_object(self, left: Schema, path: str) -> Schema:
        properties, extra = left.pop("properties", None), left.pop("additionalProperties", None)
        required = left.pop("required", ())
        given = properties if isinstance(properties, dict) else {}
        # A tool that says nothing of its arguments takes none; any other object that says nothing takes anything.
        free = not given and extra is not False and (path or left or self._told or self._dialect.optional == "required")
        more = isinstance(extra, Mapping) or (extra is True and self._dialect.optional != "required")
        if left.get("patternProperties") or more or free:
            raise NotStrict(path, *FREE_KEYS)
        if extra is not False and self._dialect.optional != "required":
            rules = [left] if path else [left, self._told]
            other = find_other_keys(rules, given.keys(), lambda target: self._find(target, path), self._dialect.depth)
            if other:
                raise NotStrict(path, *other)
        needed = {name for name in required if isinstance(name, str)} if isinstance(required, list | tuple) else set()
        if needed - given.keys():
            raise NotStrict(path, "a required field without a type", "name it in properties")
        made = {name: self.convert(each, f"{path}.{name}" if path else name) for name, each in given.items()}
        mode = self._dialect.optional
        if mode == "nullable":
            counts = bool(_COUNTING & left.keys()) or (not path and bool(self._told))
            if counts and any(self._takes_null(each) for name, each in made.items() if name not in needed):
                raise NotStrict(path, "a field that may be null and may be missing, which is not the same here", _SAME)
            for name in (one for one in made if one not in needed and self._takes_null(made[one])):
                if isinstance(given[name], dict) and given[name].get("default") is not None:
                    raise NotStrict(f"{path}.{name}".lstrip("."), "a field that may be null and has a default", _OWN)
            made = {name: each if name in needed else _make_nullable(each) for name, each in made.items()}
        asked = [name for name in made if name in needed] if mode == "optional" else list(made)
        return {"type": "object", "properties": made, "required": asked, "additionalProperties": False}

    def _takes_null(self, made: Schema) -> bool:
        """Tell if a part may be null, or refers to what may; or to what is not made yet, so that nobody knows."""
        if "$ref" in made:
            return self._nullable.get(made["$ref"].rpartition("/")[2], True)
        return _takes_null(made) or any(self._takes_null(one) for one in made.get("anyOf", ()))

    def _convert_array(self, left: Schema, path: str) -> Schema:
        if "prefixItems" in left or isinstance(left.get("items"), list):
            raise NotStrict(path, "a tuple of several types", "use a model with a field for each")
        made: Schema = {"type": "array", "items": self.convert(left.pop("items", None), f"{path}[]")}
        if left.get("minItems") in (0, 1):
            made["minItems"] = left.pop("minItems")
        return made | self._take_bounds(left)


def _convert_literals(left: Schema, path: str) -> Schema:
    """Return fixed values, each kind of them with its type."""
    kind = left.pop("type", None)
    if "const" in left:
        made: Schema = {"const": left.pop("const")}
        values = [made["const"]]
    else:
        values = left.pop("enum")
        if not isinstance(values, list) or not values:
            raise NotStrict(path, "an empty choice", "list the values")
        made = {
            "enum": list(
                {(type(one).__name__, one): one for one in values if not isinstance(one, dict | list)}.values()
            )
        }
    if not all(value is None or isinstance(value, str | int | float) for value in values):
        raise NotStrict(path, "a constant that is not a plain value", "use strings or numbers")
    kinds = dict.fromkeys(_name_type(value) for value in made.get("enum", values))
    if isinstance(kind, str):
        if any(one != kind and (one, kind) != ("integer", "number") for one in kinds):
            raise NotStrict(path, f"a choice that is not of its type '{kind}'", "list values of that type")
        return {"type": kind, **made}
    if len(kinds) == 1:
        return {"type": next(iter(kinds)), **made} if kind is not None or "enum" in made else made
    each = [
        {"type": "null"} if one == "null" else {"type": one, "enum": [v for v in made["enum"] if _name_type(v) == one]}
        for one in kinds
    ]
    return {"anyOf": each}


def _name_type(value: Any) -> str:
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}
    return kinds[type(value)]


def _guess_type(left: Schema) -> str | None:
    if {"properties", "required", "additionalProperties"} & left.keys():
        return "object"
    return "array" if "items" in left else None


def _takes_null(schema: Schema) -> bool:
    kind = schema.get("type")
    named = kind == "null" or (isinstance(kind, list) and "null" in kind)
    return named or any(_takes_null(one) for one in schema.get("anyOf", ()))


def _make_nullable(schema: Schema) -> Schema:
    """Return a part that may be null as well: the form of what may be left out."""
    kind = schema.get("type")
    if _takes_null(schema):
        return schema
    if isinstance(kind, str) and kind in _SCALARS and not {"enum", "const"} & schema.keys():
        return schema | {"type": [kind, "null"]}
    if "anyOf" in schema:
        return schema | {"anyOf": [*schema["anyOf"], {"type": "null"}]}
    told = {"description": schema["description"]} if "description" in schema else {}
    inner = {name: value for name, value in schema.items() if name != "description"}
    return {"anyOf": [inner, {"type": "null"}], **told}


def _tell(description: str, left: Schema) -> str:
    """Return a description with what is not enforced of a part."""
    if not left:
        return description
    told = [f"{name}: {value if isinstance(value, str) else _write(value)}" for name, value in left.items()]
    notes = "{" + ", ".join(told) + "}"
    if len(notes) > _MOST_NOTES:
        notes = notes[: _MOST_NOTES - 4] + " ..}"
    return f"{description}\n\n{notes}" if description else notes


def _write(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
