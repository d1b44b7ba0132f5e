"""Errors in OpenAI's shape: ``{"error": {message, type, param, code}}``, with the statuses that its clients know.

Source: the client's own table, `openai/_client.py` (`_make_status_error`) of openai 3.54.0, and its retry rules,
`openai/_base_client.py` (`_should_retry`): it repeats 408, 409, 429 and 5xx unless ``x-should-retry`` is false.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus

from pentad.api.views.problem import Problem
from pentad.domain import errors
from pentad.domain.errors import PentadError

INVALID = "invalid_request_error"
_SERVER = "server_error"
_RETRY_SECONDS = 1
_IGNORED_LENGTH, _SEPARATOR, _MORE = 1000, ", ", "..."
_LONGEST_RETRY_SECONDS = 3600
_INTERNAL = "internal error; the log has the details under the request's id"
_NO_RETRY = {"x-should-retry": "false"}
"""The client does not repeat what would end, and be billed, the same way again."""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer of the door."""

    body: str
    status: int = 200
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class DoorFault(Exception):
    """A request that the door itself does not take, or cannot answer.

    Args:
        message: one sentence for the caller; never a value that was sent.
        param: the request's field at fault.
        code: OpenAI's code, if there is one for it.
        status: the HTTP status.
        kind: OpenAI's error type.
    """

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        status: HTTPStatus = HTTPStatus.BAD_REQUEST,
        kind: str = INVALID,
    ) -> None:
        super().__init__(message)
        self.message, self.param, self.code, self.status, self.kind = message, param, code, status, kind

    def to_answer(self) -> Answer:
        """Return it as an HTTP answer."""
        headers = {} if self.status < HTTPStatus.TOO_MANY_REQUESTS else _NO_RETRY
        return _build_answer(self.status, self.message, self.kind, self.param, self.code, headers)


@dataclass(frozen=True)
class _Row:
    status: HTTPStatus
    kind: str
    code: str | None


# One row a class; what is in no row has that of its nearest base.
_ROWS: dict[type[PentadError], _Row] = {
    PentadError: _Row(HTTPStatus.INTERNAL_SERVER_ERROR, _SERVER, "internal_error"),
    errors.TransientError: _Row(HTTPStatus.SERVICE_UNAVAILABLE, _SERVER, "service_unavailable"),
    errors.ModelThrottled: _Row(HTTPStatus.TOO_MANY_REQUESTS, "rate_limit_error", "rate_limit_exceeded"),
    errors.InvalidInput: _Row(HTTPStatus.BAD_REQUEST, INVALID, None),
    errors.ModelCallerError: _Row(HTTPStatus.BAD_REQUEST, INVALID, None),
    errors.ContextOverflow: _Row(HTTPStatus.BAD_REQUEST, INVALID, "context_length_exceeded"),
    errors.NotFound: _Row(HTTPStatus.NOT_FOUND, INVALID, "not_found"),
    errors.NotAuthenticated: _Row(HTTPStatus.UNAUTHORIZED, INVALID, "invalid_api_key"),
    errors.PolicyDenied: _Row(HTTPStatus.FORBIDDEN, INVALID, "insufficient_permissions"),
    errors.BudgetExceeded: _Row(HTTPStatus.TOO_MANY_REQUESTS, "insufficient_quota", "insufficient_quota"),
    errors.LimitReached: _Row(HTTPStatus.TOO_MANY_REQUESTS, "insufficient_quota", "insufficient_quota"),
    errors.MalformedReply: _Row(HTTPStatus.BAD_GATEWAY, _SERVER, "malformed_reply"),
}
_PARAMS: dict[type[PentadError], str] = {errors.ContextOverflow: "messages"}


def from_error(error: PentadError, now: datetime) -> Answer:
    """Return an error of the stack as the door's answer.

    An error of the deployment (500) tells nothing: its message may name resources.
    """
    row = next(_ROWS[kind] for kind in type(error).__mro__ if kind in _ROWS)
    if row.status is HTTPStatus.INTERNAL_SERVER_ERROR:
        return build_internal_error()
    headers: Mapping[str, str] = {}
    if isinstance(error, errors.TransientError):
        headers = {"Retry-After": _format_retry_after(error.retry_after)}
    elif row.status >= HTTPStatus.TOO_MANY_REQUESTS:
        headers = _NO_RETRY | _build_reset_header(error, now)
    message = f"{error.message}: {error.fix}" if error.fix else error.message
    return _build_answer(row.status, message, row.kind, error.field or _PARAMS.get(type(error)), row.code, headers)


def from_problem(problem: Problem, headers: Mapping[str, str]) -> Answer:
    """Return what the API refused before the door saw it."""
    kind, code = INVALID, None
    if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        kind, code = _SERVER, "internal_error"
    codes = {
        HTTPStatus.UNAUTHORIZED: "invalid_api_key",
        HTTPStatus.FORBIDDEN: "insufficient_permissions",
        HTTPStatus.NOT_FOUND: "not_found",
    }
    if problem.status == HTTPStatus.TOO_MANY_REQUESTS:
        kind, code = "rate_limit_error", "rate_limit_exceeded"
    code = codes.get(HTTPStatus(problem.status), code)
    return _build_answer(HTTPStatus(problem.status), problem.detail, kind, problem.field, code, headers)


def build_internal_error() -> Answer:
    """Return the fault of an unexpected error; it says only where the log has it."""
    return _build_answer(HTTPStatus.INTERNAL_SERVER_ERROR, _INTERNAL, _SERVER, None, "internal_error", _NO_RETRY)


def build_timeout() -> DoorFault:
    """Return the fault of an answer that did not come in the time that API Gateway gives."""
    return DoorFault(
        "no model answered within the 30 s that this API has: ask for less, or start a run",
        code="timeout",
        status=HTTPStatus.GATEWAY_TIMEOUT,
        kind=_SERVER,
    )


def build_unavailable() -> DoorFault:
    """Return the fault of a chain of which no model could be reached."""
    return DoorFault(
        "no language model can be reached: try again in a few minutes",
        code="service_unavailable",
        status=HTTPStatus.SERVICE_UNAVAILABLE,
        kind=_SERVER,
    )


def build_ignored_header(names: Sequence[str]) -> dict[str, str]:
    """Return the header that warns of the fields of a request that were not followed; none where all were.

    It has 1,000 characters at most, and ends with three dots where it names only some.
    """
    shown: list[str] = []
    room = _IGNORED_LENGTH - len(_MORE)
    for name in names:
        text = sanitize_header(name)[:128]
        room -= len(text) + len(_SEPARATOR)
        if room < 0:
            shown.append(_MORE)
            break
        shown.append(text)
    return {"x-pentad-ignored": _SEPARATOR.join(shown)} if names else {}


def sanitize_header(text: str) -> str:
    """Return a text as a header may hold it: visible ASCII on one line."""
    return re.sub(r"[^\x20-\x7e]+", "?", " ".join(text.split()))[:1000]


def _build_reset_header(error: PentadError, now: datetime) -> dict[str, str]:
    """Return when a budget is empty again, where it ever is."""
    resets_at = error.resets_at if isinstance(error, errors.BudgetExceeded) else None
    if resets_at is None:
        return {}
    return {"Retry-After": str(max(1, math.ceil((datetime.fromisoformat(resets_at) - now).total_seconds())))}


def _format_retry_after(retry_after: float | None) -> str:
    seconds = retry_after if retry_after is not None else _RETRY_SECONDS
    return str(min(_LONGEST_RETRY_SECONDS, max(1, round(seconds))))


def _build_answer(
    status: HTTPStatus, message: str, kind: str, param: str | None, code: str | None, headers: Mapping[str, str]
) -> Answer:
    document = {"error": {"message": message, "type": kind, "param": param, "code": code}}
    return Answer(json.dumps(document), status.value, headers=headers)
