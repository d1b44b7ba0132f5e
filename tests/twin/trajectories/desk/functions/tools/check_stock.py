"""What is in the warehouse."""

from typing import Annotated, Any

from pydantic import Field

from pentad.tools.declare.declare import Grant, ToolContext, tool


@tool(effects="none", permissions=[Grant("records", "read", keys="PRODUCT")])
def check_stock(
    skus: Annotated[list[str], Field(min_length=1, max_length=20)], context: ToolContext
) -> dict[str, dict[str, Any] | None]:
    """Read price and stock of products; none for one that is not sold."""
    return {sku: context.table("records").get("PRODUCT", sku) for sku in skus}
