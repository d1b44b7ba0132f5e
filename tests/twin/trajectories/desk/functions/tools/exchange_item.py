"""Exchange an item of an order."""

from typing import Any

from pentad.domain.errors import ToolFailed
from pentad.tools.declare.declare import Grant, ToolContext, tool


@tool(
    effects="internal",
    permissions=[
        Grant("records", "readwrite", keys="ORDER"),
        Grant("records", "readwrite", keys="PRODUCT"),
        Grant("records", "readwrite", keys="EVENT"),
    ],
)
def exchange_item(order: str, sku: str, new_sku: str, context: ToolContext) -> dict[str, Any]:
    """Exchange an item of a delivered order for another that is in stock; tells the difference in price."""
    records = context.table("records")
    found = records.get("ORDER", order)
    if found is None or found["status"] != "delivered":
        raise ToolFailed(f"the order {order} is not delivered", fix="cancel it, or wait")
    if sku not in found["items"]:
        raise ToolFailed(f"the order {order} has no {sku}", fix=f"it has {', '.join(found['items'])}")
    old, new = records.get("PRODUCT", sku), records.get("PRODUCT", new_sku)
    if old is None or new is None or new["stock"] < 1:
        raise ToolFailed(f"{new_sku} is not in stock", fix="look for another one with check_stock")
    items = list(found["items"])
    items[items.index(sku)] = new_sku
    records.put("ORDER", order, {**found, "items": items})
    records.put("PRODUCT", new_sku, {**new, "stock": new["stock"] - 1})
    records.put("PRODUCT", sku, {**old, "stock": old["stock"] + 1})
    key = f"{order}#{context.effect_key}"
    runs = (records.get("EVENT", key) or {"runs": 0})["runs"] + 1
    records.put("EVENT", key, {"what": "exchange", "order": order, "from": sku, "to": new_sku, "runs": runs})
    return {"order": order, "items": items, "difference_cents": new["cents"] - old["cents"]}
