"""The HTTP API itself: route, authorise, invoke, answer. No sockets here."""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from twin.deploy.deployment import HttpApi, HttpAuthorizer, HttpIntegration, HttpStage, InvokePermission
from twin.host.clocks import CallClock
from twin.http_api.authorizers import VerdictCache, check_allowed, parse_answer, parse_verdict, read_identity_sources
from twin.http_api.cors import add_cors_headers, answer_preflight, is_preflight
from twin.http_api.events import ApiIdentity, HttpRequest, build_authorizer_event, build_request_event
from twin.http_api.responses import (
    INTERNAL,
    NOT_FOUND,
    TOO_LONG,
    UNAUTHORIZED,
    UNAVAILABLE,
    GatewayError,
    HttpResponse,
    parse_lambda_response,
)
from twin.http_api.routes import RouteMatch, RouteTable
from twin.http_api.tokens import TokenVerifier

JsonObject = dict[str, Any]

logger = logging.getLogger(__name__)

#: A Lambda authorizer has 10 s (API Gateway quotas).
_AUTHORIZER_SECONDS = 10.0
_WORKERS = 64
"""Bounds the invocations under way, those abandoned after a timeout too."""
#: An authorizer that raises exactly this is understood; any other error is a 500.
_UNAUTHORIZED_MESSAGE = "Unauthorized"
_PRINCIPAL = "apigateway.amazonaws.com"
_ACTIONS = ("lambda:InvokeFunction", "lambda:*", "*")


class InvokeFailed(Exception):
    """The function could not be invoked, or ended in an error; `error` is the message of what it raised."""

    def __init__(self, reason: str, error: str | None = None) -> None:
        super().__init__(reason)
        self.error = error


class InvokeThrottled(InvokeFailed):
    """No instance was free."""


class InvokeTooLarge(InvokeFailed):
    """The event is over Lambda's limit."""


class InvokeTimedOut(InvokeFailed):
    """The function did not answer in time."""


Invoke = Callable[[str, bytes, CallClock], bytes]
"""Invokes a function by ARN and returns its payload; the clock stands while it waits for a process. Raises
InvokeFailed."""


class HttpGateway:
    """Serves one HTTP API.

    `clock` is that of the cached
    answers of authorizers, in seconds. `measure` is told of each answer: the API's id, the status, the milliseconds
    that it took, and the time in seconds since the epoch.
    """

    def __init__(
        self,
        api: HttpApi,
        identity: ApiIdentity,
        invoke: Invoke,
        permissions: Iterable[InvokePermission],
        *,
        clock: Callable[[], float] = time.monotonic,
        measure: Callable[[str, int, float, float], None] | None = None,
    ) -> None:
        self._measure = measure
        self._api, self._identity, self._invoke = api, identity, invoke
        self._permissions = tuple(permissions)
        self._routes = RouteTable(api.routes)
        self._stages = {stage.name: stage for stage in api.stages}
        self._cache = VerdictCache(clock)
        self._tokens = TokenVerifier()
        self._pool = ThreadPoolExecutor(max_workers=_WORKERS, thread_name_prefix=f"http-api-{api.id}")

    def close(self) -> None:
        """Stop accepting invocations."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def allows_origin(self, origin: str | None) -> bool:
        """Whether the API's CORS lets pages of an origin call it; None is one that the browser does not tell."""
        allowed = (self._api.cors or {}).get("AllowOrigins", [])
        return "*" in allowed or origin in allowed

    def handle(self, request: HttpRequest) -> HttpResponse:
        """Answer one request; never raises for what the request or the function did."""
        began = time.monotonic()
        response = self._handle(request)
        if self._measure is not None:
            self._measure(self._api.id, response.status, (time.monotonic() - began) * 1000, time.time())
        return response

    def _handle(self, request: HttpRequest) -> HttpResponse:
        cors, origin = self._api.cors, request.headers.get("origin")
        if cors is not None and origin is not None and is_preflight(request.method, dict(request.headers)):
            return answer_preflight(cors, origin)
        try:
            response = self._answer(request)
        except GatewayError as error:
            log = logger.warning if error.status >= 500 else logger.info
            log("%s %s: %d %s", request.method, request.path, error.status, error)
            response = error.to_response(request.request_id)
        named = (*response.headers, ("apigw-requestid", request.request_id))
        response = HttpResponse(response.status, named, response.body)
        return response if cors is None else add_cors_headers(cors, origin, response)

    def _answer(self, request: HttpRequest) -> HttpResponse:
        stage, request = self._select_stage(request)
        match = self._routes.match(request.method, request.path)
        if match is None:
            raise GatewayError(NOT_FOUND)
        context = self._authorize(stage, match, request)
        integration = self._api.integrations[match.route.integration]
        self._check_permission(integration.function, self._route_arn(stage, match, request.method))
        event = build_request_event(self._identity, stage, match.route.key, request, match.parameters, context)
        return parse_lambda_response(self._invoke_integration(integration, event))

    def _select_stage(self, request: HttpRequest) -> tuple[HttpStage, HttpRequest]:
        """Return the stage: named by the first segment of the path, else $default."""
        first, _, rest = request.path.removeprefix("/").partition("/")
        stage = self._stages.get(first)
        if stage is not None:
            return stage, replace(request, path=f"/{rest}")
        default = self._stages.get("$default")
        if default is None:
            raise GatewayError(NOT_FOUND)
        return default, request

    def _route_arn(self, stage: HttpStage, match: RouteMatch, method: str) -> str:
        key = match.route.key
        suffix = key if key == "$default" else f"{method}{key.split(' ', 1)[1]}"
        return f"{self._execute_arn}/{stage.name}/{suffix}"

    @property
    def _execute_arn(self) -> str:
        own = self._identity
        return f"arn:aws:execute-api:{own.region}:{own.account}:{own.api_id}"

    def _authorize(self, stage: HttpStage, match: RouteMatch, request: HttpRequest) -> JsonObject | None:
        if match.route.authorizer is None:
            return None
        authorizer = self._api.authorizers[match.route.authorizer]
        values = read_identity_sources(authorizer, request, stage.variables, _build_context(request))
        if authorizer.kind == "JWT":
            token = values[0].removeprefix("Bearer ").strip() if values else ""
            if not token:
                raise GatewayError(UNAUTHORIZED)
            return {"jwt": self._tokens.verify(authorizer, token, match.route.scopes)}
        return self._ask_authorizer(authorizer, stage, match, request, values)

    def _ask_authorizer(
        self,
        authorizer: HttpAuthorizer,
        stage: HttpStage,
        match: RouteMatch,
        request: HttpRequest,
        values: list[str],
    ) -> JsonObject | None:
        route_arn = f"{self._execute_arn}/{stage.name}/{request.method}{request.path}"
        key = (authorizer.id, *values)
        cached = self._cache.get(key) if authorizer.cache_ttl else None
        answer = cached
        if answer is None:
            answer = self._invoke_authorizer(authorizer, stage, match, request, values, route_arn)
        decided = parse_verdict(authorizer, answer, route_arn)
        # The time runs from the authorizer's answer: a key that is used all the time is asked about again, too.
        if cached is None and authorizer.cache_ttl:
            self._cache.put(key, answer, authorizer.cache_ttl)
        check_allowed(decided.allowed)
        return {"lambda": decided.context} if decided.context else {"lambda": None}

    def _invoke_authorizer(
        self,
        authorizer: HttpAuthorizer,
        stage: HttpStage,
        match: RouteMatch,
        request: HttpRequest,
        values: list[str],
        route_arn: str,
    ) -> JsonObject:
        function = authorizer.function or ""
        self._check_permission(function, f"{self._execute_arn}/authorizers/{authorizer.id}")
        event = build_authorizer_event(
            self._identity, stage, match.route.key, request, match.parameters, values, route_arn
        )
        try:
            return parse_answer(self._call(function, event, _AUTHORIZER_SECONDS))
        except InvokeThrottled as error:
            raise GatewayError(UNAVAILABLE, str(error)) from error
        except InvokeFailed as error:
            if error.error == _UNAUTHORIZED_MESSAGE:
                raise GatewayError(UNAUTHORIZED, "the authorizer does not know the caller") from error
            raise GatewayError(INTERNAL, f"the authorizer '{authorizer.name}' failed: {error}") from error

    def _invoke_integration(self, integration: HttpIntegration, event: JsonObject) -> bytes:
        try:
            return self._call(integration.function, event, integration.timeout / 1000)
        except InvokeTooLarge as error:
            raise GatewayError(TOO_LONG, str(error)) from error
        except (InvokeThrottled, InvokeTimedOut) as error:
            raise GatewayError(UNAVAILABLE, str(error)) from error
        except InvokeFailed as error:
            raise GatewayError(INTERNAL, str(error)) from error

    def _call(self, function: str, event: JsonObject, seconds: float) -> bytes:
        """Invoke a function; what waits for a thread or a process here does not count as its time.

        Raises:
            InvokeFailed: no answer in time, or the function failed.
        """
        clock = CallClock(held=True)
        done = threading.Event()

        def invoke() -> bytes:
            clock.run()
            return self._invoke(function, json.dumps(event).encode(), clock)

        future = self._pool.submit(invoke)
        future.add_done_callback(lambda _: done.set())
        if not clock.wait(done, seconds):
            raise InvokeTimedOut(f"no answer in {seconds * 1000:g} ms")
        return future.result()

    def _check_permission(self, function: str, source_arn: str) -> None:
        name, _, qualifier = function.split(":function:", 1)[-1].partition(":")
        for one in self._permissions:
            if (
                one.function == name
                and (one.qualifier or "") == qualifier
                and one.principal == _PRINCIPAL
                and one.action in _ACTIONS
                and (one.source_account or self._identity.account) == self._identity.account
                and (one.source_arn is None or _match_arn(source_arn, one.source_arn))
            ):
                return
        reason = f"has no permission that lets API Gateway invoke it for '{source_arn}'"
        raise GatewayError(INTERNAL, f"the function '{function}' {reason}")


def _match_arn(arn: str, pattern: str) -> bool:
    # IAM patterns know * and ? only: a [ is itself.
    return fnmatchcase(arn, pattern.replace("[", "[[]"))


def _build_context(request: HttpRequest) -> JsonObject:
    return {"http": {"method": request.method, "sourceIp": request.source_ip}, "requestId": request.request_id}
