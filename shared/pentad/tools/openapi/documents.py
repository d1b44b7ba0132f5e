"""Read one operation out of an OpenAPI document (3.0 or 3.1), as a tool needs it."""

import re
from typing import Any, cast
from urllib.parse import urlsplit

import yaml

from pentad.domain.errors import ConfigurationError
from pentad.domain.ids import TOOL_CHARACTERS
from pentad.domain.reading.json_text import read_json
from pentad.tools.openapi.operations import IDEMPOTENCY_HEADER, ApiAuth, ApiOperation, ApiParameter, Method
from pentad.tools.openapi.schemas import Json, SchemaReader

MAX_DOCUMENT_BYTES = 20_000_000
_METHODS = ("get", "head", "options", "put", "post", "patch", "delete")
_STYLES = {"path": "simple", "header": "simple", "query": "form"}
_KNOWN_STYLES = {
    "path": ("simple",),
    "header": ("simple",),
    "query": ("form", "spaceDelimited", "pipeDelimited", "deepObject"),
}
_OWN_HEADERS = ("accept", "content-type", "authorization")
"""Of these OpenAPI says that a parameter of the name is ignored."""
_MAX_DESCRIPTION = 1_500
_BODIES = ("application/json", "application/x-www-form-urlencoded")


def read_document(text: str) -> Json:
    """Return a document of JSON or YAML.

    Raises:
        ConfigurationError: it is none, or not of OpenAPI 3.0 or 3.1.
    """
    if len(text) > MAX_DOCUMENT_BYTES:
        raise ConfigurationError(f"the document has more than {MAX_DOCUMENT_BYTES:,} bytes", field="document")
    try:
        found = read_json(text) if text.lstrip().startswith("{") else yaml.load(text, Loader=_Loader)  # noqa: S506
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        raise ConfigurationError(
            f"the document can't be read: {str(error)[:200]}", field="document", fix="correct it"
        ) from error
    version = str(found.get("openapi", "")) if isinstance(found, dict) else ""
    if not re.match(r"3\.[01](\.|$)", version):
        said = f"says 'openapi: {version[:20]}'" if version else "does not say 'openapi: 3...'"
        raise ConfigurationError(
            f"the document {said}", field="document", fix="give one of OpenAPI 3.0 or 3.1; convert Swagger 2.0 first"
        )
    return cast(Json, found)


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML without dates, which JSON does not have, and keys such as 200 as text."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[str, Any]:
        return {str(key): value for key, value in super().construct_mapping(node, deep=deep).items()}


_Loader.yaml_implicit_resolvers = {
    sign: [one for one in resolvers if one[0] != "tag:yaml.org,2002:timestamp"]
    for sign, resolvers in _Loader.yaml_implicit_resolvers.items()
}


def list_operations(document: Json) -> list[str]:
    """Return the operations of a document: their ids, or ``GET /path`` where one has none."""
    return [_name(method, path, node) for path, _, method, node in _iterate(document)]


def _iterate(document: Json) -> list[tuple[str, Json, str, Json]]:
    reader = SchemaReader(document)
    paths = document.get("paths")
    found = []
    for path, item in (paths if isinstance(paths, dict) else {}).items():
        if not str(path).startswith("/"):
            continue
        resolved = reader.resolve(item, what=f"the path '{path}'")
        found += [
            (str(path), resolved, method, resolved[method])
            for method in _METHODS
            if isinstance(resolved.get(method), dict)
        ]
    return found


def _name(method: str, path: str, node: Json) -> str:
    return str(node.get("operationId") or f"{method.upper()} {path}")


def read_operation(
    document: Json, operation_id: str, *, name: str | None = None, url: str | None = None
) -> ApiOperation:
    """Return one operation.

    Args:
        document: as `read_document` returns it.
        operation_id: its id, or ``GET /path``.
        name: the tool's; made of the id if None.
        url: where the API is; the document's first server if None.

    Raises:
        ConfigurationError: there is no such operation, or it needs what a tool can't do; it says what.
    """
    matches = [
        one
        for one in _iterate(document)
        if operation_id in (_name(*one[2:3], one[0], one[3]), f"{one[2].upper()} {one[0]}")
    ]
    if not matches:
        known = ", ".join(list_operations(document)[:40]) or "none"
        raise ConfigurationError(
            f"no operation '{operation_id[:80]}' in the document", field="operation", fix=f"it has {known}"
        )
    path, item, method, node = matches[0]
    reader = SchemaReader(document)
    server = _read_server(document, item, node, url)
    parameters, schemas, required = _read_parameters(reader, item, node)
    body, body_schema, body_required = _read_body(reader, node)
    if body is not None:
        schemas["body"] = body_schema
        required += ["body"] if body_required else []
    schema: Json = {"type": "object", "properties": schemas, "required": required, "additionalProperties": False}
    missing = set(re.findall(r"{[^{}]+}", path)) - {f"{{{one.name}}}" for one in parameters if one.place == "path"}
    if missing:
        raise ConfigurationError(
            f"the path '{path}' has {', '.join(sorted(missing))}, and no parameter of that name",
            field="document",
            fix="correct the document",
        )
    return ApiOperation(
        name=name or make_tool_name(_name(method, path, node)),
        description=_describe(document, node, method, path),
        method=cast(Method, method),
        server=server,
        path=path,
        parameters=tuple(parameters),
        body=cast(Any, body),
        input_schema=schema if required else {key: one for key, one in schema.items() if key != "required"},
        auth=_read_auth(reader, document, node),
    )


def make_tool_name(operation_id: str) -> str:
    """Return an operation's id as the name of a tool: ``listOrders`` is ``list_orders``."""
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", operation_id)
    name = re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")[:TOOL_CHARACTERS].strip("_")
    return name if name and name[0].isalpha() else f"call_{name}"[:TOOL_CHARACTERS].strip("_")


def _describe(document: Json, node: Json, method: str, path: str) -> str:
    summary, text = str(node.get("summary") or "").strip(), str(node.get("description") or "").strip()
    said = f"{summary}\n\n{text}" if summary and text and summary not in text else text or summary
    title = str((document.get("info") or {}).get("title") or "the API")[:80]
    return f"{said[:_MAX_DESCRIPTION]}\n\n({method.upper()} {path} of {title})".strip()


def _read_server(document: Json, item: Json, node: Json, url: str | None) -> str:
    servers = node.get("servers") or item.get("servers") or document.get("servers") or []
    server = servers[0] if isinstance(servers, list) and servers and isinstance(servers[0], dict) else {}
    address = url or str(server.get("url") or "")
    variables = server.get("variables")
    for name, variable in (variables if isinstance(variables, dict) and url is None else {}).items():
        default = variable.get("default") if isinstance(variable, dict) else None
        address = address.replace(f"{{{name}}}", str(default or ""))
    parts = urlsplit(address)
    if parts.scheme not in ("https", "http") or not parts.hostname or "{" in address or parts.username is not None:
        raise ConfigurationError(
            f"the document's server '{address[:120]}' is not a whole address",
            field="url",
            fix="say where the API is: url='https://api.example.com/v1'",
        )
    return address.split("?")[0].split("#")[0].rstrip("/")


def _read_parameters(reader: SchemaReader, item: Json, node: Json) -> tuple[list[ApiParameter], Json, list[str]]:
    merged: dict[tuple[str, str], Json] = {}
    for source in (item, node):
        for given in source.get("parameters") or []:
            one = reader.resolve(given, what="a parameter")
            merged[str(one.get("in")), str(one.get("name"))] = one
    parameters: list[ApiParameter] = []
    schemas: Json = {}
    required: list[str] = []
    for (place, name), one in merged.items():
        if place == "header" and name.lower() in _OWN_HEADERS:
            continue
        if place not in _STYLES:
            if one.get("required"):
                raise ConfigurationError(
                    f"the operation needs the cookie '{name}', which a tool does not send", field="document"
                )
            continue
        parameter = _make_parameter(place, name, one, {*schemas, "body"})
        parameters.append(parameter)
        if name.lower() == IDEMPOTENCY_HEADER and place == "header":
            continue
        schemas[parameter.argument] = _read_parameter_schema(reader, name, one)
        if one.get("required") or place == "path":
            required.append(parameter.argument)
    return parameters, schemas, required


def _make_parameter(place: str, name: str, one: Json, taken: set[str]) -> ApiParameter:
    style = str(one.get("style") or _STYLES[place])
    if style not in _KNOWN_STYLES[place]:
        raise ConfigurationError(
            f"the parameter '{name}' has the style '{style}', which is not supported",
            field="document",
            fix="write the tool by hand",
        )
    argument = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_")[:60] or "value"
    argument = f"{place}_{argument}" if argument in taken or argument[0].isdigit() else argument
    while argument in taken:
        argument += "_"
    explode = one.get("explode")
    return ApiParameter(
        name=name,
        argument=argument,
        place=cast(Any, place),
        style=cast(Any, style),
        explode=style == "form" if explode is None else bool(explode),
    )


def _read_parameter_schema(reader: SchemaReader, name: str, one: Json) -> Json:
    schema = one.get("schema")
    content = one.get("content")
    if schema is None and isinstance(content, dict) and content:
        schema = next(iter(content.values())).get("schema")
    found = reader.read(schema if schema is not None else {"type": "string"}, what=f"the parameter '{name}'")
    description = str(one.get("description") or "").strip()
    return {**found, "description": description[:500]} if description and "description" not in found else found


def _read_body(reader: SchemaReader, node: Json) -> tuple[str | None, Json, bool]:
    if node.get("requestBody") is None:
        return None, {}, False
    body = reader.resolve(node["requestBody"], what="the body")
    content = body.get("content")
    kinds = {str(kind).split(";")[0].strip().lower(): one for kind, one in (content or {}).items()}
    found = next((kind for kind in _BODIES if kind in kinds), None)
    found = found or next((kind for kind in kinds if kind.endswith("+json") or kind == "*/*"), None)
    if found is None:
        if not body.get("required"):
            return None, {}, False
        raise ConfigurationError(
            f"the operation's body is {', '.join(kinds) or 'of no type'}, and a tool sends JSON or a form",
            field="document",
            fix="write the tool by hand",
        )
    schema = reader.read((kinds[found] or {}).get("schema") or {}, what="the body")
    kind = found if found in _BODIES else "application/json"
    return kind, schema, bool(body.get("required"))


def _read_auth(reader: SchemaReader, document: Json, node: Json) -> ApiAuth | None:
    """Return the first way to authenticate that a tool knows; None where none is needed."""
    needed = node.get("security", document.get("security"))
    if not isinstance(needed, list) or not needed or {} in needed:
        return None
    schemes = (document.get("components") or {}).get("securitySchemes") or {}
    unknown = []
    for alternative in needed:
        found = [
            _read_scheme(reader.resolve(schemes.get(name), what=f"the security scheme '{name}'"))
            for name in alternative
        ]
        if len(found) == 1 and found[0] is not None:
            return found[0]
        unknown.append(" and ".join(alternative))
    raise ConfigurationError(
        f"the operation wants {' or '.join(unknown)}, and a tool sends a bearer token, a user and password, a key in a "
        "header, or a token of OAuth",
        field="document",
        fix="write the tool by hand",
    )


def _read_scheme(scheme: Json) -> ApiAuth | None:
    kind, way = str(scheme.get("type")), str(scheme.get("scheme", "")).lower()
    if kind == "http" and way in ("bearer", "basic"):
        return ApiAuth(kind=cast(Any, way))
    if kind == "apiKey" and scheme.get("in") == "header":
        return ApiAuth(kind="header", header=str(scheme.get("name")))
    if kind == "openIdConnect":
        return ApiAuth(kind="bearer")
    if kind == "oauth2":
        return ApiAuth(kind="oauth" if "clientCredentials" in (scheme.get("flows") or {}) else "bearer")
    return None
