"""Read what a client sent: JSON, then values of a type, with faults that name the field as OpenAI does."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ValidationError, model_validator
from pydantic_core import from_json

from pentad.api.door.faults import DoorFault
from pentad.domain.values import FrozenValue

M = TypeVar("M", bound=BaseModel)
_MOST_LEFT_OUT = 100
_INDEX = re.compile(r"\[\d+\]")


class Part(FrozenValue, extra="allow"):
    """Base of what a request holds. Fields that are not known are kept apart: `LeftOut` tells of them.

    Attributes:
        quiet: names of fields that are known and ask for nothing.
        hints: names of fields that are known and not followed: told, and no error where strictness is asked.
    """

    quiet: ClassVar[frozenset[str]] = frozenset()
    hints: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _leave_nulls_out(cls, value: Any) -> Any:
        """Take a field that is null as left out, at every depth: clients send what they have no value for as null."""
        return drop_nulls(value) if isinstance(value, dict) else value


class LeftOut:
    """The fields inside a request that were not followed.

    Args:
        strict: a field that is not known is an error.
    """

    def __init__(self, *, strict: bool = False) -> None:
        self._strict = strict
        self._names: set[str] = set()

    @property
    def names(self) -> frozenset[str]:
        """What was left out, by the name of the field without positions: ``messages[].name``; 100 at most."""
        return frozenset(self._names)

    def note(self, name: str, param: str, *, hint: bool = False) -> None:
        """Keep a field's name.

        Args:
            name: of the field.
            param: where it stands: ``messages[0]``.
            hint: it is known, and no error.

        Raises:
            Fault: it is not known, and strictness was asked.
        """
        where = f"{param}.{name[:64]}" if param else name[:64]
        if self._strict and not hint:
            raise _build_unknown(where)
        if len(self._names) < _MOST_LEFT_OUT:
            self._names.add(_INDEX.sub("[]", where))

    def note_parts(self, value: object, param: str) -> None:
        """Keep the names of what a value, and each part in it, holds and has no field for.

        Raises:
            Fault: one is not known, and strictness was asked.
        """
        if isinstance(value, tuple | list):
            for index, each in enumerate(value):
                self.note_parts(each, f"{param}[{index}]")
        if not isinstance(value, Part):
            return
        for name, given in (value.model_extra or {}).items():
            known = name in value.hints
            if name not in value.quiet and not (known and given in ("", [], {}, False)):
                self.note(name, param, hint=known)
        for name, field in type(value).model_fields.items():
            self.note_parts(getattr(value, name), join_path(param, (field.alias or name,)))


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
    unknown = [name[:64] for name in fields if name not in kind.model_fields]
    if unknown and strict:
        raise _build_unknown(unknown[0])
    return {name: value for name, value in fields.items() if name in kind.model_fields}, unknown


def drop_nulls(value: dict[str, Any]) -> dict[str, Any]:
    """Return an object without its fields that are null."""
    return {name: each for name, each in value.items() if each is not None}


def parse_model(kind: type[M], value: Any, param: str = "", left_out: LeftOut | None = None) -> M:
    """Return a value as a model of its type.

    Args:
        kind: the type.
        value: what was sent; fields that are null count as left out.
        param: where it stands in the request, such as ``messages[0]``.
        left_out: is told of the fields that the type does not have.

    Raises:
        Fault: it does not fit; its ``param`` says where.
    """
    try:
        found = kind.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = join_path(param, first["loc"])
        raise DoorFault(f"{where or 'the body'}: {first['msg']}", param=where or None) from error
    if left_out is not None:
        left_out.note_parts(found, param)
    return found


def _build_unknown(where: str) -> DoorFault:
    return DoorFault(f"Unrecognized request argument supplied: {where}", param=where, code="unknown_parameter")


def join_path(param: str, parts: Iterable[int | str]) -> str:
    """Return the name of a field inside another: ``messages[0].content``."""
    for part in parts:
        param = f"{param}[{part}]" if isinstance(part, int) else f"{param}.{part}" if param else part
    return param
