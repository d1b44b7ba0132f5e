"""Lambda authorizers of HTTP APIs: identity sources, simple and IAM responses, the cache."""

import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from twin.deploy.deployment import HttpAuthorizer
from twin.http_api.events import HttpRequest, parse_query
from twin.http_api.responses import FORBIDDEN, INTERNAL, UNAUTHORIZED, GatewayError

JsonObject = dict[str, Any]
_CACHE_ENTRIES = 1000


@dataclass(frozen=True)
class Verdict:
    """An authorizer's answer."""

    allowed: bool
    context: JsonObject


class VerdictCache:
    """Answers by authorizer and identity, each until its time is up; bounded, oldest out first."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._verdicts: OrderedDict[tuple[str, ...], tuple[float, JsonObject]] = OrderedDict()

    def get(self, key: tuple[str, ...]) -> JsonObject | None:
        """Return the cached answer, or None."""
        with self._lock:
            expires, answer = self._verdicts.get(key, (0.0, {}))
            if expires > self._clock():
                return answer
            self._verdicts.pop(key, None)
            return None

    def put(self, key: tuple[str, ...], answer: JsonObject, ttl: int) -> None:
        """Keep an answer for `ttl` seconds."""
        with self._lock:
            self._verdicts[key] = (self._clock() + ttl, answer)
            self._verdicts.move_to_end(key)
            while len(self._verdicts) > _CACHE_ENTRIES:
                self._verdicts.popitem(last=False)


def read_identity_sources(
    authorizer: HttpAuthorizer, request: HttpRequest, stage_variables: Mapping[str, str], context: JsonObject
) -> list[str]:
    """Return the values of the authorizer's identity sources.

    Raises:
        GatewayError: 401 where one is missing or empty; the function is not called then.
    """
    values = []
    for source in authorizer.identity_sources:
        value = _read_source(source, request, stage_variables, context)
        if not value:
            raise GatewayError(UNAUTHORIZED, f"no value for the identity source {source}")
        values.append(value)
    return values


def _read_source(
    source: str, request: HttpRequest, stage_variables: Mapping[str, str], context: JsonObject
) -> str | None:
    kind, _, name = source.removeprefix("$").partition(".")
    if kind == "request":
        where, _, name = name.partition(".")
        if where == "header":
            return request.headers.get(name.lower())
        return parse_query(request.query).get(name)
    if kind == "stageVariables":
        return stage_variables.get(name)
    value: Any = context
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return None if value is None else str(value)


def parse_verdict(authorizer: HttpAuthorizer, answer: JsonObject, route_arn: str) -> Verdict:
    """Read an authorizer's answer for one route.

    Raises:
        GatewayError: 500 where the answer is malformed.
    """
    context = answer.get("context") or {}
    if not isinstance(context, dict):
        raise GatewayError(INTERNAL, "the authorizer's context is not an object")
    if authorizer.simple_responses:
        if not isinstance(answer.get("isAuthorized"), bool):
            raise GatewayError(INTERNAL, "the authorizer's answer has no isAuthorized")
        return Verdict(answer["isAuthorized"], context)
    try:
        statements = answer["policyDocument"]["Statement"]
        return Verdict(_is_allowed(statements, route_arn), context)
    except (KeyError, TypeError) as error:
        raise GatewayError(INTERNAL, "the authorizer's answer has no policyDocument") from error


def _is_allowed(statements: Any, route_arn: str) -> bool:
    allowed = False
    for statement in statements if isinstance(statements, list) else [statements]:
        resources = statement["Resource"]
        patterns = [resources] if isinstance(resources, str) else resources
        if any(fnmatchcase(route_arn, pattern) for pattern in patterns):
            if statement["Effect"] == "Deny":
                return False
            allowed = True
    return allowed


def parse_answer(payload: bytes) -> JsonObject:
    """Parse an authorizer's payload.

    Raises:
        GatewayError: 500 where it is not a JSON object.
    """
    try:
        answer = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise GatewayError(INTERNAL, "the authorizer's answer is not JSON") from error
    if not isinstance(answer, dict):
        raise GatewayError(INTERNAL, "the authorizer's answer is not an object")
    return answer


def check_allowed(allowed: bool) -> None:
    """Refuse what the authorizer refused.

    Raises:
        GatewayError: 403.
    """
    if not allowed:
        raise GatewayError(FORBIDDEN)
