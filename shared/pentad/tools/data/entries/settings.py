"""What a deployment says of the records that models may keep."""

from typing import Literal

from pydantic import Field, field_validator

from pentad.domain.knowledge import USERS
from pentad.domain.values import FrozenValue

FieldType = Literal["text", "number", "boolean", "date", "list", "object"]


class EntryKind(FrozenValue):
    """One kind of record.

    Args:
        description: what it is, for the message to the model where a field is wrong.
        fields: types of its fields by name; a record has no others.
        required: those that each record has.
        own: each record is a user's own: a run reaches those of its user only, and they go when the user is erased.
    """

    description: str = Field(default="", max_length=300)
    fields: dict[str, FieldType] = Field(min_length=1, max_length=100)
    required: tuple[str, ...] = Field(default=(), max_length=100)
    own: bool = False

    @field_validator("required")
    @classmethod
    def _check_required(cls, value: tuple[str, ...], info: object) -> tuple[str, ...]:
        fields = getattr(info, "data", {}).get("fields", {})
        for name in value:
            if name not in fields:
                raise ValueError(f"'{name}' is required and not in 'fields'; add it there")
        return value


class EntrySettings(FrozenValue):
    """The kinds that the tools may touch; others do not exist for them.

    Args:
        kinds: by name.
    """

    kinds: dict[str, EntryKind] = Field(min_length=1, max_length=50)

    @field_validator("kinds")
    @classmethod
    def _check_names(cls, value: dict[str, EntryKind]) -> dict[str, EntryKind]:
        for name in value:
            if not name.isidentifier() or not name.isascii() or len(name) > 40:
                raise ValueError(f"'{name[:60]}' is not a valid name of a kind; use letters, digits and underscores")
            if name == USERS:
                raise ValueError(f"'{name}' stands in front of users' own records; give the kind another name")
        return value
