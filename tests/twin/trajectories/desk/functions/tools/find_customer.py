"""Who a customer is."""

from typing import Any

from pentad.domain.errors import ToolFailed
from pentad.tools.declare.declare import Grant, ToolContext, tool


@tool(effects="none", permissions=[Grant("records", "read", keys="CUSTOMER")])
def find_customer(email: str, context: ToolContext) -> dict[str, Any]:
    """Find a customer by the e-mail address."""
    for record in context.table("records").query("CUSTOMER", limit=1000):
        if record.value["email"].casefold() == email.casefold():
            return {"customer": record.key, **record.value}
    raise ToolFailed("there is no customer with this address", fix="ask for the address again")
