"""The HTTP API: dispatch, scopes, validation and problem documents around the routes."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver, ApiGatewayResolver
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from pentad.api import problems
from pentad.api.access import AccessRules
from pentad.api.acts.acts import Acts
from pentad.api.acts.ports import Act
from pentad.api.body import MENDED_HEADER, BadBody, read_body
from pentad.api.door import faults
from pentad.api.identity.caller import Caller
from pentad.api.mcp.refusals import build_refusal
from pentad.api.problems import MEDIA_TYPE
from pentad.api.rates.kinds import list_kinds
from pentad.api.rates.rates import RequestRates
from pentad.api.routes import MCP_PATH, find_route, is_door, list_door, list_methods, to_pattern
from pentad.api.sealed_cursors import SealedCursors
from pentad.api.views.problem import Problem
from pentad.domain.errors import NotAuthenticated, NotFound, PentadError
from pentad.observability.ports import Telemetry

_WITH_BODY = ("POST", "PUT", "PATCH")
ANSWER_BYTES = 5_500_000
"""Lambda returns at most 6 MB, and JSON around the body escapes it (AWS Lambda quotas)."""


class PathResolver(APIGatewayHttpResolver):
    """Powertools' resolver with our rule for paths: ``<document>`` takes all that is left, slashes included."""

    @staticmethod
    def _compile_regex(rule: str, base_regex: str = "^{}$") -> re.Pattern[str]:
        # A route that Powertools makes for what it does not find comes as a regular expression already.
        return re.compile(rule if rule == ".*" else base_regex.format(to_pattern(rule)))


class Router(Protocol):
    """Some routes with what they use: `pentad.api.routers`."""

    def register(self, app: ApiGatewayResolver, caller: Callable[[], Caller]) -> None:
        """Add the routes.

        Args:
            app: takes them.
            caller: returns who asks, while a request is answered.
        """
        ...


class Api:
    """Answers API Gateway's events (payload 2.0).

    Args:
        routers: the routes.
        rules: say who may reach what a route names.
        telemetry: logs.
        rates: how many requests a caller may make.
        acts: records who does what.
        cursors: seals cursors of callers who may not see all of a list.
    """

    def __init__(
        self,
        routers: Sequence[Router],
        rules: AccessRules,
        telemetry: Telemetry,
        rates: RequestRates,
        acts: Acts,
        cursors: SealedCursors,
    ) -> None:
        self._rules = rules
        self._cursors = cursors
        self._acts = acts
        self._telemetry = telemetry
        self._rates = rates
        self._resolver = PathResolver(enable_validation=True, serializer=_dump)
        _register_error_handlers(self._resolver, telemetry)
        caller = _make_get_caller(self._resolver)
        for router in routers:
            router.register(self._resolver, caller)

    def __call__(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        """Return the answer to a request. Never raises: an unexpected error is a 500 without details."""
        request = event.get("requestContext", {})
        instance = str(request.get("requestId") or getattr(context, "aws_request_id", ""))
        path = _get_path(event)
        try:
            admitted = self._admit(event)
        except PentadError as error:
            return _build_response(path, *problems.from_error(error, instance))
        except _Rejected as rejected:
            return _build_response(path, rejected.to_problem(instance), rejected.headers)
        except BadBody as bad:
            return _build_response(path, _build_bad_body(bad, instance), {})
        except Exception as error:  # the outermost boundary: a client must not see a traceback
            return self._build_unexpected(path, error, instance)
        answer = self._answer(admitted, context, path, instance)
        if admitted.event.get("mended"):
            answer["headers"] = {**answer["headers"], MENDED_HEADER: "body"}
        if admitted.act is not None:
            self._acts.end(admitted.act, int(answer["statusCode"]))
        return answer

    def _answer(self, admitted: "_Admitted", context: Any, path: str, instance: str) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = self._resolver.resolve(admitted.event, context)
            answer = self._cursors.seal_answer(answer, admitted.caller, admitted.route)
        except PentadError as error:
            return _build_response(path, *problems.from_error(error, instance))
        except Exception as error:  # the outermost boundary: a client must not see a traceback
            return self._build_unexpected(path, error, instance)
        return answer if _is_within_limit(answer) else _build_response(path, _build_too_large(instance), {})

    def _build_unexpected(self, path: str, error: Exception, instance: str) -> dict[str, Any]:
        self._telemetry.log_event("api.unexpected", level="ERROR", error=type(error).__name__)
        return _build_response(path, problems.build_internal_error(instance), {})

    def _admit(self, event: Mapping[str, Any]) -> "_Admitted":
        """Return a request as its route reads it, or raise: no such path, no right to it, unreadable or too many.

        What changes a run is in the audit then: the entry comes second.
        """
        http = event["requestContext"]["http"]
        method, path = str(http["method"]).upper(), _get_path(event)
        caller = Caller.from_event(event)
        route = find_route(method, path)
        if route is None:
            allowed = list_methods(path)
            if not allowed and is_door(path):
                raise NotFound(f"this API does not have this path of OpenAI's; it has {', '.join(list_door())}")
            if not allowed:
                raise NotFound("no such path", fix="read /v1/openapi.json")
            raise _Rejected(
                HTTPStatus.METHOD_NOT_ALLOWED, f"the path does not accept {method}", {"Allow": ", ".join(allowed)}
            )
        caller.check_scope(route.scope)
        read = read_body(event, labelled=not is_door(path)) if method in _WITH_BODY else {**event, "body": None}
        names, request = route.parse_path(path), APIGatewayProxyEventV2(read)
        headers = {name.lower(): value for name, value in request.headers.items()}
        for kind in list_kinds(route.name, headers, str(read.get("body") or "")):
            self._rates.admit(caller, kind)
        self._rules.check(caller, route.access, names, request)
        self._telemetry.add_keys(run=names.get("run"), session=names.get("session"))
        opened = self._cursors.open_event(read, caller, route.name)
        return _Admitted(opened, caller, route.name, self._acts.begin(caller, route.name, names, request))


@dataclass(frozen=True, slots=True)
class _Admitted:
    """A request as its route reads it, who asks, and the entry of the audit where it changes something."""

    event: dict[str, Any]
    caller: Caller
    route: str
    act: Act | None


class _Rejected(Exception):
    """A request that HTTP itself refuses."""

    def __init__(self, status: HTTPStatus, detail: str, headers: dict[str, str]) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers

    def to_problem(self, instance: str) -> Problem:
        """Return it as a problem document."""
        return problems.build_problem(self.status, self.detail, instance=instance, code="InvalidInput")


def _get_path(event: Mapping[str, Any]) -> str:
    return str(event.get("requestContext", {}).get("http", {}).get("path", ""))


def _is_within_limit(answer: Mapping[str, Any]) -> bool:
    # Lambda's runtime may escape what is not ASCII: count as it would.
    return len(json.dumps(answer.get("body") or "")) <= ANSWER_BYTES


def _build_too_large(instance: str) -> Problem:
    return problems.build_problem(
        HTTPStatus.BAD_REQUEST,
        f"the answer has more than {ANSWER_BYTES:,} bytes",
        instance=instance,
        code="InvalidInput",
        field="limit",
        fix="ask for fewer items",
    )


def _build_bad_body(bad: BadBody, instance: str) -> Problem:
    return problems.build_problem(
        bad.status, bad.detail, instance=instance, code="InvalidInput", field=bad.field, fix=bad.fix
    )


def _dump(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _build_response(path: str, document: Problem, headers: Mapping[str, str]) -> dict[str, Any]:
    if document.status == HTTPStatus.UNAUTHORIZED:
        headers = {**headers, "WWW-Authenticate": "Bearer"}
    body, media_type = document.model_dump_json(exclude_none=True), MEDIA_TYPE
    if is_door(path):
        fault = faults.from_problem(document, headers)
        body, media_type = fault.body, fault.media_type
        headers = {**fault.headers, "x-request-id": document.instance}
    if path == MCP_PATH:
        body, media_type = build_refusal(document), "application/json"
    return {
        "statusCode": document.status,
        "headers": {"Content-Type": media_type, "Cache-Control": "no-store", **headers},
        "body": body,
        "isBase64Encoded": False,
        "cookies": [],
    }


def _register_error_handlers(resolver: PathResolver, telemetry: Telemetry) -> None:
    def build_response(document: Problem, headers: Mapping[str, str]) -> Response[str]:
        return Response(
            status_code=document.status,
            content_type=MEDIA_TYPE,
            body=document.model_dump_json(exclude_none=True),
            headers={"Cache-Control": "no-store", **headers},
        )

    def get_instance() -> str:
        return str(resolver.current_event.request_context.request_id)

    def handle_pentad_error(error: PentadError) -> Response[str]:
        document, headers = problems.from_error(error, get_instance())
        if document.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            telemetry.log_event("api.error", level="ERROR", error=document.code, detail=error.message)
        return build_response(document, headers)

    def handle_invalid_request(error: RequestValidationError) -> Response[str]:
        details = list(error.errors())
        if details and details[0]["loc"][:1] == ("response",):
            # Powertools raises the same class where our own answer does not fit its model.
            telemetry.log_event("api.invalid_response", level="ERROR")
            return build_response(problems.build_internal_error(get_instance()), {})
        return build_response(problems.from_validation(details, get_instance()), {})

    resolver.exception_handler(PentadError)(handle_pentad_error)
    resolver.exception_handler(RequestValidationError)(handle_invalid_request)


def _make_get_caller(resolver: PathResolver) -> Callable[[], Caller]:
    def get_caller() -> Caller:
        try:
            return Caller.from_event(resolver.current_event.raw_event)
        except KeyError as error:
            raise NotAuthenticated("the request has no credential") from error

    return get_caller
