"""What vector stores check alike: conditions on metadata, and their size. Pure."""

import json
import re
from collections.abc import Mapping
from typing import Any

from pentad.domain.errors import InvalidInput

Where = Mapping[str, str | tuple[str, ...]]

WHERE_CHARACTERS = 2000
"""A string of metadata that is longer can't be searched for: stores index what can be, whole."""
RESERVED_FIELDS = frozenset({"values", "words", "payload"})
_FIELD = re.compile(r"[a-z][a-z0-9_]{0,63}")


def check_field(name: str) -> None:
    """Check the name of a field of metadata.

    Raises:
        ValueError: it is not of letters a-z, digits and underscores, or it is one that stores use.
    """
    if not _FIELD.fullmatch(name) or name in RESERVED_FIELDS:
        raise ValueError(f"'{name}' can't be the name of a field of metadata: use a-z, 0-9 and _, not a reserved one")


def check_where(where: Where) -> None:
    """Check the conditions of a search or a deletion.

    Raises:
        ValueError: a field's name or a value is not one that can be searched for.
    """
    for name, wanted in where.items():
        check_field(name)
        for value in (wanted,) if isinstance(wanted, str) else wanted:
            if len(value) > WHERE_CHARACTERS:
                raise ValueError(f"a value of '{name}' has more than {WHERE_CHARACTERS} characters")


def require_condition(where: Where) -> None:
    """Check that a deletion says which vectors it means.

    Raises:
        ValueError: it has no condition, or one that can't be searched for.
    """
    if not where:
        raise ValueError("a deletion by metadata needs a condition; use delete_tenant to remove all")
    check_where(where)


def is_match(metadata: Mapping[str, object], where: Where) -> bool:
    """Return whether metadata meet all conditions: a field equals, or is one of; a list has one of."""
    return all(_has_one(metadata.get(name), wanted) for name, wanted in where.items())


def can_match(where: Where) -> bool:
    """Return whether anything can meet the conditions: not where a field must be one of nothing."""
    return all(isinstance(wanted, str) or wanted for wanted in where.values())


def measure_metadata(metadata: Mapping[str, Any]) -> int:
    """Return the bytes of metadata, as compact JSON in UTF-8."""
    return len(json.dumps(metadata, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"))


def check_metadata_size(vector_id: str, metadata: Mapping[str, Any], most: int) -> None:
    """Check that a vector's metadata fit into what a store holds of one.

    Raises:
        InvalidInput: they are larger than ``most`` bytes.
    """
    size = measure_metadata(metadata)
    if size > most:
        raise InvalidInput(
            f"the metadata of '{vector_id}' have {size:,} bytes, and {most:,} are the limit",
            field="metadata",
            fix="store the text in smaller pieces",
        )


def _has_one(value: object, wanted: str | tuple[str, ...]) -> bool:
    allowed = (wanted,) if isinstance(wanted, str) else wanted
    return any(one in allowed for one in value) if isinstance(value, list) else value in allowed
