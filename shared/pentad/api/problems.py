"""Errors as RFC 9457 problem documents: what was wrong, in which field, and what to do; no internals."""

from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from pentad.domain import errors
from pentad.domain.errors import PentadError

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """A problem document (RFC 9457)."""

    model_config = ConfigDict(frozen=True)

    type: str = Field(description="identifies the kind of problem")
    title: str
    status: int
    detail: str
    instance: str = Field(description="id of the request, as it stands in the log")
    code: str = Field(description="class name of the error tree")
    field: str | None = Field(default=None, description="the input field at fault")
    fix: str | None = Field(default=None, description="what can be done about it")


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
_RETRY_SECONDS = 1
_LONGEST_RETRY_SECONDS = 3600


def status_of(error: PentadError) -> HTTPStatus:
    """Return the HTTP status of an error."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def build_problem(
    status: HTTPStatus, detail: str, *, instance: str, code: str, field: str | None = None, fix: str | None = None
) -> Problem:
    """Return a problem document."""
    return Problem(
        type=f"urn:pentad:error:{code}",
        title=status.phrase,
        status=status.value,
        detail=detail,
        instance=instance,
        code=code,
        field=field,
        fix=fix,
    )


def from_error(error: PentadError, instance: str) -> tuple[Problem, dict[str, str]]:
    """Return an error's problem document and headers.

    An error of the deployment (500) is told by its code alone: its message may name resources.
    """
    status = status_of(error)
    detail = error.message
    if status is HTTPStatus.INTERNAL_SERVER_ERROR:
        return build_internal_error(instance, code=type(error).__name__), {}
    document = build_problem(
        status, detail, instance=instance, code=type(error).__name__, field=error.field, fix=error.fix
    )
    headers = {}
    if isinstance(error, errors.TransientError):
        seconds = error.retry_after if error.retry_after is not None else _RETRY_SECONDS
        headers["Retry-After"] = str(min(_LONGEST_RETRY_SECONDS, max(1, round(seconds))))
    return document, headers


def build_internal_error(instance: str, code: str = "InternalError") -> Problem:
    """Return the problem of an unexpected error; it says only where the log has it."""
    detail = "internal error; the log has the details under the request's id"
    return build_problem(HTTPStatus.INTERNAL_SERVER_ERROR, detail, instance=instance, code=code)


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
