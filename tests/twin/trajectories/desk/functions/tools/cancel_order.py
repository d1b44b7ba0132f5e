"""Cancel an order."""

from typing import Any, Literal

from pentad.domain.errors import ToolFailed
from pentad.tools.declare.declare import Grant, ToolContext, tool


@tool(
    effects="internal",
    permissions=[Grant("records", "readwrite", keys="ORDER"), Grant("records", "readwrite", keys="EVENT")],
)
def cancel_order(
    order: str, reason: Literal["no longer needed", "ordered by mistake"], context: ToolContext
) -> dict[str, Any]:
    """Cancel an order that has not been sent yet."""
    records = context.table("records")
    found = records.get("ORDER", order)
    if found is None or found["status"] != "pending":
        raise ToolFailed(f"the order {order} is not pending", fix="exchange or refund what was sent")
    records.put("ORDER", order, {**found, "status": "cancelled"})
    key = f"{order}#{context.effect_key}"
    runs = (records.get("EVENT", key) or {"runs": 0})["runs"] + 1
    records.put("EVENT", key, {"what": "cancelled", "order": order, "reason": reason, "runs": runs})
    return {"order": order, "status": "cancelled"}
