"""Send an order to another place."""

from typing import Any

from pydantic import BaseModel, Field

from pentad.domain.errors import ToolFailed
from pentad.tools.declare.declare import Grant, ToolContext, tool


class Address(BaseModel):
    """A place."""

    lines: list[str] = Field(min_length=1, max_length=6)
    city: str
    country: str = Field(min_length=2, max_length=2)
    geo: dict[str, float] | None = None


@tool(
    effects="internal",
    permissions=[
        Grant("records", "read", keys="ORDER"),
        Grant("records", "readwrite", keys="ADDRESS"),
        Grant("records", "readwrite", keys="EVENT"),
    ],
)
def change_address(order: str, address: Address, context: ToolContext) -> dict[str, Any]:
    """Change where a pending order is sent."""
    records = context.table("records")
    found = records.get("ORDER", order)
    if found is None or found["status"] != "pending":
        raise ToolFailed(f"the order {order} is not pending", fix="tell the user that it is on its way")
    place = address.model_dump(exclude_none=True)
    records.put("ADDRESS", order, place)
    key = f"{order}#{context.effect_key}"
    runs = (records.get("EVENT", key) or {"runs": 0})["runs"] + 1
    records.put("EVENT", key, {"what": "address", "order": order, "address": place, "runs": runs})
    return {"order": order, "address": place}
