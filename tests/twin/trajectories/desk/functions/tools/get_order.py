"""An order as it stands."""

from typing import Any

from pentad.domain.errors import ToolFailed
from pentad.tools.declare.declare import Grant, ToolContext, tool


@tool(
    effects="none",
    permissions=[Grant("records", "read", keys="ORDER"), Grant("records", "read", keys="ADDRESS")],
)
def get_order(order: str, context: ToolContext) -> dict[str, Any]:
    """Read an order with its items and where it goes."""
    records = context.table("records")
    found = records.get("ORDER", order)
    if found is None:
        raise ToolFailed(f"there is no order {order}", fix="list the customer's orders")
    return {"order": order, **found, "address": records.get("ADDRESS", order)}
