"""Note something on an order."""

from typing import Annotated, Any

from pydantic import Field

from pentad.tools.declare.declare import Grant, ToolContext, tool


@tool(effects="internal", permissions=[Grant("records", "readwrite", keys="EVENT")])
def add_note(
    order: str,
    text: Annotated[str, Field(max_length=100_000)],
    context: ToolContext,
    details: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Note something on an order, with details in any form."""
    records = context.table("records")
    key = f"{order}#{context.effect_key}"
    runs = (records.get("EVENT", key) or {"runs": 0})["runs"] + 1
    records.put("EVENT", key, {"what": "note", "order": order, "text": text, "details": details, "runs": runs})
    return {"order": order, "characters": len(text)}
