"""The tool that finds records."""

from typing import Annotated, Any

from pydantic import Field

from functions.library.data._records import Kind
from pentad.tools.data.entries import actions
from pentad.tools.data.entries.actions import KIND, FoundEntries
from pentad.tools.data.entries.settings import EntrySettings
from pentad.tools.declare import Grant, ToolContext, tool


@tool(
    effects="none",
    settings=EntrySettings,
    permissions=[Grant("records", "read", keys=KIND)],
    rate_limit="600/minute per tenant",
    trusted_output=False,
    timeout_seconds=30,
)
def find_records(
    kind: Kind,
    context: ToolContext,
    begins: Annotated[str, Field(max_length=300, description="how their keys begin; the whole key for one")] = "",
    where: Annotated[
        dict[str, Any], Field(max_length=20, description="values that fields have: {'city': 'Bern'}")
    ] = {},  # noqa: B006 - pydantic copies the default of a parameter
    after: Annotated[str | None, Field(max_length=300, description="more_after of the answer before")] = None,
) -> FoundEntries:
    """Find records of a kind by how their keys begin and by values of their fields, 50 at a time, in order of keys."""
    settings = context.settings_of(EntrySettings)
    table = context.table("records")
    return actions.find(settings, table, kind, user_id=context.user, begins=begins, where=where, after=after)
