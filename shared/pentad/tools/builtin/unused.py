"""Refuse what an operation of a tool would ignore: who gave it meant something by it."""

from collections.abc import Mapping, Sequence
from typing import Any

from pentad.domain.errors import InvalidInput


def refuse_unused(operation: str, uses: Sequence[str], given: Mapping[str, Any], *always: str) -> None:
    """Refuse a parameter that has a value and is not used.

    Args:
        operation: what is done.
        uses: names of what it uses.
        given: values by name; None, 0 and an empty text are none.
        always: names of what every operation of the tool uses, for the message.

    Raises:
        InvalidInput: there is one.
    """
    for name, value in given.items():
        if value and name not in uses:
            takes = [*uses, *always]
            listed = " and ".join(part for part in (", ".join(takes[:-1]), takes[-1]) if part) if takes else "nothing"
            raise InvalidInput(
                f"'{operation}' does not use '{name}'", field=name, fix=f"leave it out: '{operation}' takes {listed}"
            )
