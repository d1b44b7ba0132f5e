"""Give money back."""

from typing import Annotated, Any

from pydantic import Field

from pentad.domain.errors import ToolFailed
from pentad.tools.declare.declare import Grant, ToolContext, tool


@tool(
    effects="external",
    permissions=[Grant("records", "read", keys="ORDER"), Grant("records", "readwrite", keys="EVENT")],
)
def refund_order(order: str, cents: Annotated[int, Field(ge=1, le=10_000_000)], context: ToolContext) -> dict[str, Any]:
    """Give back a part of what was paid for an order that was delivered or cancelled."""
    records = context.table("records")
    found = records.get("ORDER", order)
    if found is None or found["status"] not in ("delivered", "cancelled"):
        raise ToolFailed(f"the order {order} is neither delivered nor cancelled", fix="cancel it first")
    if cents > found["paid_cents"]:
        raise ToolFailed(f"only {found['paid_cents']} cents were paid", fix="refund no more than that")
    key = f"{order}#{context.effect_key}"
    runs = (records.get("EVENT", key) or {"runs": 0})["runs"] + 1
    records.put("EVENT", key, {"what": "refund", "order": order, "cents": cents, "runs": runs})
    return {"order": order, "refunded_cents": cents}
