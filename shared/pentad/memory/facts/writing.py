"""Check what is written to a store of facts, the same for every adapter."""

from pentad.domain.errors import InvalidInput
from pentad.memory.facts.ports import MAX_CHANGES, FactChange


def check_change(tenant_id: str, user_id: str, change: FactChange) -> None:
    """Return if a change may be written for a user.

    Raises:
        InvalidInput: it is too large, or a fact in it is another user's.
    """
    if change.size > MAX_CHANGES:
        raise InvalidInput(
            f"a change has at most {MAX_CHANGES} items, not {change.size}",
            field="change",
            fix="make it in several parts",
        )
    if any((fact.tenant_id, fact.user_id) != (tenant_id, user_id) for fact in change.put):
        raise InvalidInput("a fact of the change belongs to another user", field="put", fix="write it for its user")
