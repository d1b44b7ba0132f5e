"""Errors as RFC 9457 problem documents: what was wrong, in which field, and what to do; no internals."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from pentad.api.views.problem import Problem
from pentad.domain import errors
from pentad.domain.errors import PentadError

MEDIA_TYPE = "application/problem+json"


# One row a class; what is in no row has the status of its nearest base.
STATUS: dict[type[PentadError], HTTPStatus] = {
    PentadError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.TransientError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.ModelThrottled: HTTPStatus.TOO_MANY_REQUESTS,
    errors.ToolThrottled: HTTPStatus.TOO_MANY_REQUESTS,
    errors.SessionBusy: HTTPStatus.CONFLICT,
    errors.InvalidInput: HTTPStatus.BAD_REQUEST,
    errors.IdempotencyConflict: HTTPStatus.CONFLICT,
    errors.SessionConflict: HTTPStatus.CONFLICT,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.NotAuthenticated: HTTPStatus.UNAUTHORIZED,
    errors.PolicyDenied: HTTPStatus.FORBIDDEN,
    errors.InvalidTransition: HTTPStatus.CONFLICT,
    errors.LimitReached: HTTPStatus.TOO_MANY_REQUESTS,
    errors.BudgetExceeded: HTTPStatus.TOO_MANY_REQUESTS,
    errors.ToolFailed: HTTPStatus.BAD_GATEWAY,
    errors.EffectUncertain: HTTPStatus.CONFLICT,
    errors.RecordChanged: HTTPStatus.CONFLICT,
}
INTERNAL_ERROR = "InternalError"
HELP_PATH, HELP_FIELD = "/v1/openapi.json", "x-errors"
"""Where each code is explained: a field of the document that the API serves, so it is there wherever the API is."""
_RETRY_SECONDS = 1
_LONGEST_RETRY_SECONDS = 3600


def status_of(error: PentadError) -> HTTPStatus:
    """Return the HTTP status of an error."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def build_help(code: str) -> str:
    """Return the address of a code's explanation: a URI reference, relative to the request's own address."""
    return f"{HELP_PATH}#/{HELP_FIELD}/{code}"


def list_codes() -> dict[str, dict[str, Any]]:
    """Return what each code of a problem document means, with its HTTP status and whether to try again."""
    found = {kind.__name__: _explain(kind) for kind in _walk_tree(PentadError)}
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    told = "An unexpected error; the log has the details under the request's id."
    return found | {INTERNAL_ERROR: {"status": status.value, "means": told, "try_again": False}}


def _explain(kind: type[PentadError]) -> dict[str, Any]:
    status = next(STATUS[base] for base in kind.__mro__ if base in STATUS)
    means = (kind.__doc__ or "").strip().split("\n")[0].replace("`", "")
    return {"status": status.value, "means": means, "try_again": issubclass(kind, errors.TransientError)}


def _walk_tree(kind: type[PentadError]) -> Iterator[type[PentadError]]:
    if kind.__module__ == errors.__name__:
        yield kind
    for below in kind.__subclasses__():
        yield from _walk_tree(below)


def build_problem(
    status: HTTPStatus,
    detail: str,
    *,
    instance: str,
    code: str,
    field: str | None = None,
    fix: str | None = None,
    explained: str | None = None,
) -> Problem:
    """Return a problem document.

    Args:
        status: of the answer.
        detail: what is wrong.
        instance: the request's id.
        code: class name of the error.
        field: the input field at fault.
        fix: what can be done.
        explained: the code whose explanation holds, if it is not ``code``.
    """
    return Problem(
        type=f"urn:pentad:error:{code}",
        title=status.phrase,
        status=status.value,
        detail=detail,
        instance=instance,
        code=code,
        help=build_help(explained or code),
        field=field,
        fix=fix,
    )


def from_error(error: PentadError, instance: str) -> tuple[Problem, dict[str, str]]:
    """Return an error's problem document and headers.

    An error of the deployment (500) is told by its code alone: its message may name resources.
    """
    status = status_of(error)
    detail = error.message
    kinds = type(error).__mro__
    explained = next(kind.__name__ for kind in kinds if kind.__module__ == errors.__name__)
    if status is HTTPStatus.INTERNAL_SERVER_ERROR:
        return build_internal_error(instance, code=kinds[0].__name__, explained=explained), {}
    document = build_problem(
        status,
        detail,
        instance=instance,
        code=kinds[0].__name__,
        field=error.field,
        fix=error.fix,
        explained=explained,
    )
    headers = {}
    if isinstance(error, errors.TransientError):
        seconds = error.retry_after if error.retry_after is not None else _RETRY_SECONDS
        headers["Retry-After"] = str(min(_LONGEST_RETRY_SECONDS, max(1, round(seconds))))
    return document, headers


def build_internal_error(instance: str, code: str = INTERNAL_ERROR, explained: str | None = None) -> Problem:
    """Return the problem of an unexpected error; it says only where the log has it."""
    detail = "internal error; the log has the details under the request's id"
    return build_problem(HTTPStatus.INTERNAL_SERVER_ERROR, detail, instance=instance, code=code, explained=explained)


def from_validation(details: list[dict[str, Any]], instance: str) -> Problem:
    """Return the problem of a request that does not fit its schema; names the first field, never its value.

    Args:
        details: pydantic's errors: ``loc`` begins with body, path, query or header.
        instance: the request's id.
    """
    first = details[0]
    if first["type"] == "json_invalid":
        return build_problem(
            HTTPStatus.BAD_REQUEST,
            "the body is not valid JSON",
            instance=instance,
            code="InvalidInput",
            field="body",
            fix="send one JSON object",
        )
    parts = [str(part) for part in first["loc"]]
    field = ".".join(parts[1:]) or parts[0]
    message = str(first.get("msg", "is not valid"))
    more = f" ({len(details) - 1} more fields are wrong)" if len(details) > 1 else ""
    return build_problem(
        HTTPStatus.BAD_REQUEST,
        f"{field}: {message}{more}",
        instance=instance,
        code="InvalidInput",
        field=field,
        fix=message,
    )
