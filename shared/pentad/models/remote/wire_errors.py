"""An error of the gateway's function on the wire, where its caller asks for errors as answers.

Lambda's own error payload has a class name and a text. That is what a state machine matches, so it is what a call
gets by default; a caller in Python loses the field at fault and the time to wait with it, and asks for all of it.
"""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import ValidationError

from pentad.domain import errors
from pentad.domain.errors import PentadError
from pentad.domain.models import Attempt

Errors = Literal["raise", "return"]
_KEY = "error"
_DETAILS = ("field", "fix", "retry_after", "limit", "budget", "limit_nanousd", "resets_at")


def encode_error(error: PentadError) -> dict[str, Any]:
    """Return the function's answer that tells an error."""
    details = {name: getattr(error, name) for name in _DETAILS if getattr(error, name, None) is not None}
    told: dict[str, Any] = {"type": type(error).__name__, "message": error.message, "details": details}
    if error.attempts:
        told["attempts"] = [each.model_dump(mode="json") for each in error.attempts]
    return {_KEY: told}


def decode_error(answer: Any) -> PentadError | None:
    """Return the error that an answer tells; None where it is an answer."""
    told = answer.get(_KEY) if isinstance(answer, Mapping) else None
    if not isinstance(told, Mapping):
        return None
    error = from_name(str(told.get("type")), str(told.get("message")))
    details = told.get("details")
    for name, value in details.items() if error and isinstance(details, Mapping) else ():
        if name in _DETAILS and hasattr(error, name):
            setattr(error, name, value)
    error = error or errors.ModelUnavailable("the gateway function returned an unknown error")
    if told.get("attempts"):
        error.attempts = decode_attempts(told["attempts"])
    return error


def decode_attempts(told: Any) -> tuple[Attempt, ...]:
    """Return the attempts in a reply or an error; none where another release wrote something else."""
    try:
        return tuple(Attempt.model_validate(each, extra="ignore") for each in told)
    except (TypeError, ValidationError):
        return ()


def from_name(name: str, message: str) -> PentadError | None:
    """Return an error of ours by its class name; None where there is no such class."""
    kinds = {leaf.__name__: leaf for leaf in errors.iter_leaves()} | {"InvalidInput": errors.InvalidInput}
    kind = kinds.get(name)
    if kind is None:
        return None
    return errors.LimitReached(message, limit="tokens") if kind is errors.LimitReached else kind(message)
