"""The orders of a customer."""

from typing import Any

from pentad.tools.declare.declare import Grant, ToolContext, tool


@tool(effects="none", permissions=[Grant("records", "read", keys="ORDER")])
def list_orders(customer: str, context: ToolContext) -> list[dict[str, Any]]:
    """List a customer's orders with their status."""
    records = context.table("records").query("ORDER", limit=1000)
    return [
        {"order": record.key, "status": record.value["status"]}
        for record in records
        if record.value["customer"] == customer
    ]
