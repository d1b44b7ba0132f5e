"""An operation of an HTTP API as a declared tool.

    OPERATION = '''{"name": "get_order", ...}'''  # written by `pentad new tool NAME --openapi FILE --operation ID`

    get_order = from_openapi(OPERATION, secrets=["shop"])

The file holds all that a call needs, so the tool's function reads no document.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypedDict, Unpack
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError

from pentad.domain.declarations.agents import ToolSpec
from pentad.domain.errors import InvalidInput, ToolFailed
from pentad.domain.schemas import check_schema_limits
from pentad.tools.declare.approval_option import ApprovalOption, check_approval, check_rates
from pentad.tools.declare.context import ToolContext
from pentad.tools.declare.declare import Tool
from pentad.tools.declare.options import Effects, check_choices, check_safe_output
from pentad.tools.declare.reach import Reach, check_reach
from pentad.tools.declare.schema_arguments import make_schema_model
from pentad.tools.declare.signature import ToolSignature, make_declaration_error
from pentad.tools.openapi.operations import (
    READING,
    ApiOperation,
    build_auth_headers,
    build_request,
)
from pentad.tools.outside.ports import Credential, HttpAnswer
from pentad.tools.outside.vendor_api import VendorApi, VendorError, read_json_object
from pentad.tools.records.grants import describe_caller

CONTEXT = "pentad_context"
"""The function's parameter for the context; no argument of an operation may be named so."""


class OperationOptions(TypedDict, total=False):
    """What may be said of an operation as of any other tool: see `pentad.tools.declare.declare.tool`."""

    effects: Effects
    approval: ApprovalOption
    idempotent: bool
    rate_limit: str
    timeout_seconds: int
    memory_mb: int
    safe_output: Sequence[str]


def from_openapi(
    operation: str | Mapping[str, Any],
    *,
    secrets: Sequence[str] = (),
    url: str | None = None,
    **options: Unpack[OperationOptions],
) -> Tool[..., Any]:
    """Return an operation as a declared tool of the module that calls this.

    GET, HEAD and OPTIONS have no effects; others have ``external`` ones and need approval, unless the options say
    otherwise. PUT and DELETE may be repeated, as HTTP has it, and so may what takes an ``Idempotency-Key``: it gets the
    call's effect key. Its output counts as text from outside.

    Args:
        operation: as ``pentad new tool --openapi`` writes it.
        secrets: the name of the secret with the credential, where the API wants one: ``{"token": ...}``,
            ``{"username": ..., "password": ...}``, or for OAuth what `ToolContext.access_token` takes.
        url: where the API is, if not at the document's server.
        options: see `OperationOptions`.

    Raises:
        ConfigurationError: the operation or an option is not valid, or it needs a secret and none is named.
    """
    module = str(sys._getframe(1).f_globals["__name__"])
    where = describe_caller()
    known = _read_operation(where, operation, url)
    secret = _choose_secret(where, known, secrets)
    spec = _build_spec(where, known, options)
    signature = ToolSignature(
        make_schema_model(spec.name, known.input_schema), CONTEXT, TypeAdapter(Any), undoable=False
    )
    parts = urlsplit(known.server)
    reach = Reach(secrets=(secret,) if secret else (), egress=(f"{parts.scheme}://{parts.netloc}",))
    return Tool(
        _make_function(known, secret, module, reads=spec.effects == "none"),
        spec=spec,
        signature=signature,
        undo=None,
        grants=(),
        memory_mb=options.get("memory_mb", 256),
        reach=check_reach(where, signature, reach),
    )


def _read_operation(where: str, operation: str | Mapping[str, Any], url: str | None) -> ApiOperation:
    try:
        given = ApiOperation.model_validate_json(operation) if isinstance(operation, str) else ApiOperation(**operation)
    except (ValidationError, TypeError) as error:
        raise make_declaration_error(
            where, "its operation is not valid", "write it again: pentad new tool NAME --openapi FILE --operation ID"
        ) from error
    if CONTEXT in given.input_schema.get("properties", {}):
        raise make_declaration_error(where, f"an argument is named '{CONTEXT}'", "rename it in the operation")
    return given if url is None else given.model_copy(update={"server": url.rstrip("/")})


def _choose_secret(where: str, operation: ApiOperation, secrets: Sequence[str]) -> str | None:
    if isinstance(secrets, str) or len(secrets) > 1:
        raise make_declaration_error(where, f"secrets is {secrets!r:.80}", 'name one: secrets=["shop"]')
    if operation.auth is not None and not secrets:
        raise make_declaration_error(
            where, "the API wants a credential and no secret is named", 'add secrets=["NAME"] to from_openapi(...)'
        )
    if operation.auth is None and secrets:
        raise make_declaration_error(
            where, "the API wants no credential, and a secret is named", "drop secrets, or add 'auth' to the operation"
        )
    return secrets[0] if secrets else None


def _build_spec(where: str, operation: ApiOperation, options: OperationOptions) -> ToolSpec:
    reading = operation.method in READING
    effects = options.get("effects", "none" if reading else "external")
    check_choices(where, effects, options.get("memory_mb", 256))
    approval = options.get("approval", "never" if effects == "none" else "always")
    repeatable = reading or operation.method in ("put", "delete") or operation.takes_key
    try:
        check_schema_limits(operation.input_schema, "input_schema")
        return ToolSpec(
            name=operation.name,
            description=operation.description,
            input_schema=operation.input_schema,
            effects=effects,
            approval=check_approval(where, approval, operation.input_schema),
            rates=check_rates(where, options.get("rate_limit")),
            idempotent=options.get("idempotent", repeatable and effects != "none"),
            timeout_seconds=options.get("timeout_seconds", 30),
            trusted_output=False,
            safe_output=check_safe_output(where, options.get("safe_output", ())),
        )
    except InvalidInput as error:
        raise make_declaration_error(where, f"{error.field}: {error.message}", error.fix or "") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise make_declaration_error(where, f"{field} is not valid: {first['msg']}", "correct it") from error


def _make_function(operation: ApiOperation, secret: str | None, module: str, *, reads: bool) -> Callable[..., Any]:
    def run(**values: Any) -> Any:
        context: ToolContext = values.pop(CONTEXT)
        return call_operation(operation, values, context, secret, reads=reads)

    run.__name__ = run.__qualname__ = operation.name
    run.__module__ = module
    run.__doc__ = operation.description
    return run


def call_operation(
    operation: ApiOperation, arguments: Mapping[str, Any], context: ToolContext, secret: str | None, *, reads: bool
) -> Any:
    """Call an operation and return its answer: JSON as it is, anything else as text.

    Args:
        operation: which one.
        arguments: as its schema has them.
        context: of the call.
        secret: the secret's name; None where the API wants none.
        reads: it changes nothing, though its method may.

    Raises:
        InvalidInput: a value can't stand where it has to.
        ConfigurationError: the API does not accept the credential.
        NotFound: there is no such thing.
        ToolThrottled: a limit is reached; nothing was done.
        ToolUnavailable: no clear answer.
        ToolFailed: the API refuses the request.
    """
    request = build_request(operation, arguments, context.effect_key)
    login = _Login(operation, context, secret)
    api = VendorApi(
        context.http,
        operation.server,
        name=f"'{urlsplit(operation.server).hostname}'",
        authorize=login.build_headers,
        read_error=read_api_error,
        renew=None if secret is None else login.renew,
        seconds=min(20.0, max(1.0, context.remaining_seconds() - 1)),
    )
    answer = api.ask(
        operation.method.upper(),
        request.path,
        json=request.json_body,
        body=request.form,
        headers={"accept": "application/json, text/plain;q=0.9, */*;q=0.1", **request.headers},
        reads=reads,
    )
    return _read_answer(answer)


class _Login:
    """The credential of one call, taken anew where the API refuses it."""

    def __init__(self, operation: ApiOperation, context: ToolContext, secret: str | None) -> None:
        self._operation = operation
        self._context = context
        self._secret = secret
        self._used: Credential | None = None
        self._token = ""
        self._refused = ""

    def build_headers(self) -> dict[str, str]:
        auth = self._operation.auth
        if auth is None or self._secret is None:
            return {}
        if auth.kind == "oauth":
            self._token = self._context.access_token(self._secret, refused=self._refused)
            return build_auth_headers(auth, Credential(""), self._token)
        if self._used is None:
            self._used = self._context.secret(self._secret)
        return build_auth_headers(auth, self._used)

    def renew(self) -> None:
        auth = self._operation.auth
        if auth is not None and auth.kind == "oauth":
            if self._refused:
                raise ToolFailed("the access token was refused twice", fix="check the tool's secret")
            self._refused = self._token
        elif self._used is not None and self._secret is not None:
            self._used = self._context.renew_secret(self._secret, self._used)


def _read_answer(answer: HttpAnswer) -> Any:
    if not answer.body.strip():
        return {"status": answer.status}
    kind = answer.headers.get("content-type", "").lower()
    if "json" in kind or (not kind and answer.body.lstrip()[:1] in (b"{", b"[")):
        return answer.json()
    if kind.startswith("text/") or "xml" in kind or not kind:
        return answer.text
    return {"status": answer.status, "note": f"{len(answer.body):,} bytes of {kind[:60]}, which are not shown"}


def read_api_error(answer: HttpAnswer) -> VendorError:
    """Return what an API says of a refusal, in common forms: RFC 9457, ``error``, ``message``, ``errors``."""
    body = read_json_object(answer)
    inner = body.get("error")
    if isinstance(inner, dict):
        body = {**body, **inner}
    first = body.get("errors")
    if isinstance(first, list) and first:
        first = first[0]
    words = [body.get("title"), body.get("detail"), body.get("message"), inner, body.get("error_description")]
    words += [first.get("message") if isinstance(first, dict) else first]
    said = ": ".join(dict.fromkeys(one for one in words if isinstance(one, str) and one))
    code = body.get("code")
    return VendorError(code=str(code) if isinstance(code, str | int) else "", words=said)
