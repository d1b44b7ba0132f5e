"""Base classes of values: frozen, and pages of them."""

from collections.abc import Mapping
from typing import Any, Generic, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

T = TypeVar("T")

STORED_NAMES = {
    "tenant_id": "tenant",
    "run_id": "run",
    "session_id": "session",
    "user_id": "user",
    "approval_id": "approval",
    "review_id": "review",
    "erasure_id": "erasure",
    "parent_run_id": "parent",
    "child_run_id": "child",
    "forked_from_run_id": "forked_from",
    "redrive_of_run_id": "redrive_of",
    "taken_from_run_id": "taken_from",
}
"""Ids by their name in code, and by their shorter name in items, payloads and recordings, which are read for years."""
_FIELD_NAMES = {stored: field for field, stored in STORED_NAMES.items()}


def stored_name(field: str) -> str:
    """Return the name under which a field is stored and sent."""
    return STORED_NAMES.get(field, field)


def field_name(stored: str) -> str:
    """Return the name that a stored or sent field has in code."""
    return _FIELD_NAMES.get(stored, stored)


def rename_to_fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return stored or sent values under their fields' names in code."""
    return {field_name(name): value for name, value in values.items()}


def _check_whole(value: object) -> object:
    """Return a number as JSON has it: 3.0 is 3, and neither a flag nor digits in quotes is a number."""
    if isinstance(value, bool | str):
        raise ValueError("must be a whole number")
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_check_whole)
"""Of an integer in a request, last among its terms: an integer as JSON Schema understands the word."""


class FrozenValue(BaseModel):
    """A value that never changes and refuses fields that it does not know.

    Ids end in ``_id`` in code. They are stored and sent under `stored_name`, and read by either name.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=stored_name,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
    )

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with other values, unchecked but for their names: pydantic would keep an unknown one.

        Raises:
            ValueError: there is no such field.
        """
        unknown = sorted(set(update or ()) - set(type(self).model_fields))
        if unknown:
            raise ValueError(f"{type(self).__name__} has no field '{unknown[0]}'")
        return super().model_copy(update=update, deep=deep)


class Page(FrozenValue, Generic[T]):
    """One page of a list."""

    items: tuple[T, ...]
    cursor: str | None = Field(default=None, description="give it back for the next page; none on the last")
