"""Read what a client sent: JSON, then values of a type, with faults that name the field as OpenAI does."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError, model_validator
from pydantic_core import from_json

from pentad.api.door.faults import DoorFault
from pentad.domain.values import FrozenValue

M = TypeVar("M", bound=BaseModel)


class Part(FrozenValue, extra="ignore"):
    """Base of what a request holds. Fields that are not known are left out: clients send back what they were given."""

    @model_validator(mode="before")
    @classmethod
    def _leave_nulls_out(cls, value: Any) -> Any:
        """Take a field that is null as left out, at every depth: clients send what they have no value for as null."""
        return drop_nulls(value) if isinstance(value, dict) else value


def parse_object(body: str | None) -> dict[str, Any]:
    """Return the object in a request's body, fields that are null left out.

    Raises:
        Fault: it is none.
    """
    try:
        # Refuses NaN, half of a surrogate pair, and what nests deeper than 200.
        value = from_json(body or "", allow_inf_nan=False)
    except ValueError as error:
        raise DoorFault("the body is not valid JSON") from error
    if not isinstance(value, dict):
        raise DoorFault("the body is not a JSON object")
    return drop_nulls(value)


def split_known(kind: type[BaseModel], fields: Mapping[str, Any], *, strict: bool) -> tuple[dict[str, Any], list[str]]:
    """Return the fields that a model has, and the names of the others.

    Raises:
        Fault: there are others, and ``strict``; ``param`` names the first.
    """
    unknown = [name for name in fields if name not in kind.model_fields]
    if unknown and strict:
        shown = unknown[0][:64]
        raise DoorFault(f"Unrecognized request argument supplied: {shown}", param=shown, code="unknown_parameter")
    return {name: value for name, value in fields.items() if name in kind.model_fields}, unknown


def drop_nulls(value: dict[str, Any]) -> dict[str, Any]:
    """Return an object without its fields that are null."""
    return {name: each for name, each in value.items() if each is not None}


def parse_model(kind: type[M], value: Any, param: str = "") -> M:
    """Return a value as a model of its type.

    Args:
        kind: the type.
        value: what was sent; fields that are null count as left out.
        param: where it stands in the request, such as ``messages[0]``.

    Raises:
        Fault: it does not fit; its ``param`` says where.
    """
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = join_path(param, first["loc"])
        raise DoorFault(f"{where or 'the body'}: {first['msg']}", param=where or None) from error


def join_path(param: str, parts: Iterable[int | str]) -> str:
    """Return the name of a field inside another: ``messages[0].content``."""
    for part in parts:
        param = f"{param}[{part}]" if isinstance(part, int) else f"{param}.{part}" if param else part
    return param
