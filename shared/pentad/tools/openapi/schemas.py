"""From the schemas of an OpenAPI document to JSON Schema: references resolved, 3.0's own words translated."""

from typing import Any

from pentad.domain.errors import ConfigurationError

Json = dict[str, Any]
_MAX_DEPTH = 24
_MAX_PARTS = 3_000
_DATA = ("const", "default", "enum")
_NAMED = ("properties", "patternProperties", "dependentSchemas")
_DROPPED = frozenset(
    "example examples discriminator xml externalDocs deprecated title readOnly writeOnly nullable $schema $id $comment "
    "contentMediaType contentEncoding".split()
)


class SchemaReader:
    """Reads the schemas of one document.

    Args:
        document: the whole of it.
    """

    def __init__(self, document: Json) -> None:
        self._document = document
        self._parts = 0

    def resolve(self, node: Any, *, what: str) -> Json:
        """Return an object of the document, through its references.

        Args:
            node: the object, or ``{"$ref": "#/..."}``.
            what: it is, for messages.

        Raises:
            ConfigurationError: the reference leads nowhere, out of the document, or around.
        """
        seen: set[str] = set()
        while isinstance(node, dict) and isinstance(node.get("$ref"), str):
            target = node["$ref"]
            if target in seen:
                raise ConfigurationError(f"{what}: the reference '{target[:120]}' leads to itself", field="document")
            seen.add(target)
            beside = {name: one for name, one in node.items() if name in ("description", "summary")}
            found = self._find(target, what)
            node = {**found, **beside} if isinstance(found, dict) else found
        if not isinstance(node, dict):
            raise ConfigurationError(f"{what} is not an object", field="document", fix="correct the document")
        return node

    def _find(self, target: str, what: str) -> Any:
        if not target.startswith("#/"):
            raise ConfigurationError(
                f"{what}: the reference '{target[:120]}' leads to another document",
                field="document",
                fix="bundle the documents into one first",
            )
        node: Any = self._document
        for part in target[2:].split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            if isinstance(node, list) and key.isascii() and key.isdigit() and int(key) < len(node):
                node = node[int(key)]
            elif isinstance(node, dict) and key in node:
                node = node[key]
            else:
                raise ConfigurationError(
                    f"{what}: the reference '{target[:120]}' leads nowhere", field="document", fix="correct it"
                )
        return node

    def read(self, schema: Any, *, what: str) -> Json:
        """Return a schema of a request as JSON Schema, without references.

        A schema within itself is cut off where it comes again: any value is taken there. What only answers have
        (``readOnly``) is left out.

        Args:
            schema: of the document.
            what: it is, for messages.

        Raises:
            ConfigurationError: it is too large or too deep, or a reference leads nowhere.
        """
        found = self._read(schema, (), 0, what)
        return found if isinstance(found, dict) else {}

    def _read(self, schema: Any, path: tuple[str, ...], depth: int, what: str) -> Any:
        self._parts += 1
        if depth > _MAX_DEPTH or self._parts > _MAX_PARTS:
            raise ConfigurationError(
                f"{what} is too large: more than {_MAX_PARTS:,} schemas, or {_MAX_DEPTH} levels",
                field="document",
                fix="write the tool by hand, with the fields that are needed",
            )
        if isinstance(schema, bool):
            return {} if schema else {"not": {}}
        if not isinstance(schema, dict):
            raise ConfigurationError(f"{what} has a schema that is not an object", field="document")
        target = schema.get("$ref")
        if isinstance(target, str):
            if target in path:
                return {"description": "as above; any value is taken here"}
            resolved = self._find(target, what)
            beside = {name: one for name, one in schema.items() if name != "$ref"}
            merged = {**resolved, **beside} if isinstance(resolved, dict) else resolved
            return self._read(merged, (*path, target), depth, what)
        return self._translate(schema, path, depth, what)

    def _translate(self, schema: Json, path: tuple[str, ...], depth: int, what: str) -> Json:
        result: Json = {}
        left_out: list[str] = []
        for key, value in schema.items():
            if key in _DROPPED or key.startswith("x-"):
                continue
            if key in _DATA:
                result[key] = value
            elif key in _NAMED and isinstance(value, dict):
                left_out += [name for name, one in value.items() if self._is_answers_own(one)]
                result[key] = {
                    name: self._read(one, path, depth + 1, what) for name, one in value.items() if name not in left_out
                }
            elif isinstance(value, dict):
                result[key] = self._read(value, path, depth + 1, what)
            elif isinstance(value, list) and any(isinstance(one, dict) for one in value):
                result[key] = [self._read(one, path, depth + 1, what) for one in value]
            else:
                result[key] = value
        if left_out and isinstance(result.get("required"), list):
            result["required"] = [name for name in result["required"] if name not in left_out]
        return _translate_words(schema, result)

    def _is_answers_own(self, schema: Any) -> bool:
        if isinstance(schema, dict) and isinstance(schema.get("$ref"), str):
            return schema.get("readOnly") is True
        return isinstance(schema, dict) and schema.get("readOnly") is True


def _translate_words(schema: Json, result: Json) -> Json:
    """Translate what OpenAPI 3.0 says otherwise than JSON Schema: bounds that are excluded, and null."""
    for excluded, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(schema.get(excluded), bool):
            result.pop(excluded, None)
            if schema[excluded] and bound in result:
                result[excluded] = result.pop(bound)
    if schema.get("type") == "file" or schema.get("format") == "binary":
        result["type"] = "string"
    if result.get("format") not in (None, "date", "date-time", "email", "uuid", "uri", "time", "ipv4", "ipv6"):
        result.pop("format", None)  # int64, password and the like say nothing that is checked
    if schema.get("nullable") is True:
        return _add_null(result)
    return result


def _add_null(result: Json) -> Json:
    if isinstance(result.get("type"), str):
        result["type"] = [result["type"], "null"]
        if isinstance(result.get("enum"), list) and None not in result["enum"]:
            result["enum"] = [*result["enum"], None]
        return result
    return {"anyOf": [result, {"type": "null"}]} if result else result
