"""One operation of an HTTP API, and the request that a call of it is."""

import base64
import json
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import quote

from pydantic import Field

from pentad.domain.errors import ConfigurationError, InvalidInput
from pentad.domain.values import FrozenValue
from pentad.tools.outside.ports import Credential
from pentad.tools.outside.vendor_api import join_path

IDEMPOTENCY_HEADER = "idempotency-key"
READING = ("get", "head", "options")
Method = Literal["get", "head", "options", "put", "post", "patch", "delete"]
_MAX_HEADER = 4_000


class ApiParameter(FrozenValue):
    """A parameter beside the body.

    Args:
        name: as the API has it.
        argument: as the tool has it.
        place: where it goes.
        style: how lists and objects are written: a part each (``form`` with ``explode``), joined, or ``a[b]=c``.
        explode: see ``style``.
    """

    name: str
    argument: str
    place: Literal["path", "query", "header"]
    style: Literal["form", "simple", "spaceDelimited", "pipeDelimited", "deepObject"]
    explode: bool = False


class ApiAuth(FrozenValue):
    """How a credential is sent.

    Args:
        kind: ``bearer``, ``basic`` or ``oauth`` in ``Authorization``, or ``header``: in a header of its own.
        header: that header's name.
    """

    kind: Literal["bearer", "basic", "oauth", "header"]
    header: str = "authorization"


class ApiOperation(FrozenValue):
    """An operation, with all that a call needs.

    Args:
        name: the tool's.
        description: what the model reads.
        method: HTTP's, in small letters.
        server: where paths begin, without a slash at the end.
        path: with ``{name}`` for parameters.
        parameters: beside the body.
        body: the content type of the body; None where there is none.
        input_schema: of the arguments; a body is the argument ``body``.
        auth: how a credential is sent; None where none is.
    """

    name: str
    description: str
    method: Method
    server: str
    path: str
    parameters: tuple[ApiParameter, ...] = ()
    body: Literal["application/json", "application/x-www-form-urlencoded"] | None = None
    input_schema: dict[str, Any]
    auth: ApiAuth | None = None

    @property
    def takes_key(self) -> bool:
        """It has a header for a key by which the API knows a repeated request."""
        return any(one.name.lower() == IDEMPOTENCY_HEADER for one in self.parameters)


class ApiRequest(FrozenValue):
    """A request below the server.

    Args:
        path: with the query.
        headers: without the credential.
        json_body: sent as JSON.
        form: sent as a form.
    """

    path: str
    headers: dict[str, str] = Field(default={})
    json_body: Any = None
    form: str | None = None


def build_request(operation: ApiOperation, arguments: Mapping[str, Any], effect_key: str) -> ApiRequest:
    """Return the request of a call.

    Args:
        operation: what is asked.
        arguments: as its schema has them.
        effect_key: sent as ``Idempotency-Key`` where the API takes one.

    Raises:
        InvalidInput: a value can't stand where it has to.
    """
    path, query, headers = operation.path, list[str](), dict[str, str]()
    for one in operation.parameters:
        if one.name.lower() == IDEMPOTENCY_HEADER:
            headers[one.name] = effect_key[:64]
            continue
        value = arguments.get(one.argument)
        if value is None:
            continue
        if one.place == "path":
            path = path.replace(f"{{{one.name}}}", _show_path(one, value))
        elif one.place == "query":
            query += _list_pairs(one, value)
        else:
            headers[one.name] = _show_header(one, value)
    if "{" in path:
        raise InvalidInput("a part of the path is missing", field="arguments", fix="give every required argument")
    body = arguments.get("body")
    shown = f"{path}?{'&'.join(query)}" if query else path
    if operation.body == "application/x-www-form-urlencoded" and body is not None:
        form = "&".join(f"{quote(str(name), safe='')}={_quote(one)}" for name, one in _list_fields(body))
        return ApiRequest(path=shown, headers=headers | {"content-type": operation.body}, form=form)
    return ApiRequest(path=shown, headers=headers, json_body=body if operation.body else None)


def _list_fields(body: Any) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in body.items() if isinstance(body, dict) else ():
        found += [(name, one) for one in value] if isinstance(value, list) else [(name, value)]
    return found


def _show(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _quote(value: Any) -> str:
    return quote(_show(value), safe="")


def _show_path(parameter: ApiParameter, value: Any) -> str:
    parts = value if isinstance(value, list) else [value]
    text = ",".join(_show(one) for one in parts)
    if not text:
        raise InvalidInput(
            f"'{parameter.argument}' is a part of the path and empty", field=parameter.argument, fix="give a value"
        )
    return join_path(text)[1:]


def _list_pairs(parameter: ApiParameter, value: Any) -> list[str]:
    name = quote(parameter.name, safe="")
    if isinstance(value, dict):
        if parameter.style == "deepObject":
            return [f"{quote(f'{parameter.name}[{key}]', safe='')}={_quote(one)}" for key, one in value.items()]
        if parameter.explode:
            return [f"{quote(str(key), safe='')}={_quote(one)}" for key, one in value.items()]
        return [f"{name}={','.join(f'{quote(str(key), safe=chr(0))},{_quote(one)}' for key, one in value.items())}"]
    if isinstance(value, list):
        if parameter.explode and parameter.style == "form":
            return [f"{name}={_quote(one)}" for one in value]
        sign = {"spaceDelimited": "%20", "pipeDelimited": "|"}.get(parameter.style, ",")
        return [f"{name}={sign.join(_quote(one) for one in value)}"] if value else []
    return [f"{name}={_quote(value)}"]


def _show_header(parameter: ApiParameter, value: Any) -> str:
    text = ",".join(_show(one) for one in value) if isinstance(value, list) else _show(value)
    if len(text) > _MAX_HEADER or not text.isascii() or not text.isprintable():
        raise InvalidInput(
            f"'{parameter.argument}' is sent as a header, which can't have these characters or this length",
            field=parameter.argument,
            fix="use plain ASCII in one line",
        )
    return text


def build_auth_headers(auth: ApiAuth, credential: Credential, token: str | None = None) -> dict[str, str]:
    """Return the headers that carry a credential.

    Args:
        auth: how it is sent.
        credential: ``token`` (or the text as it is), or ``username`` and ``password``.
        token: an access token of OAuth.

    Raises:
        ConfigurationError: the secret lacks a field.
    """
    fields = credential.fields
    if auth.kind == "oauth" and token is not None:
        return {"authorization": f"Bearer {token}"}
    if auth.kind == "basic":
        if "username" not in fields or "password" not in fields:
            raise ConfigurationError(
                "the secret has no 'username' and 'password'", field="secret", fix="store both as a JSON object"
            )
        pair = f"{fields['username']}:{fields['password']}".encode()
        return {"authorization": f"Basic {base64.b64encode(pair).decode()}"}
    key = fields.get("token") or fields.get("api_key") or credential.text.strip()
    return {auth.header: key if auth.kind == "header" else f"Bearer {key}"}
