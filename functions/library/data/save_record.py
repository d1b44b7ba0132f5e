"""The tool that stores a record."""

from typing import Annotated, Any

from pydantic import Field

from functions.library.data._records import Key, Kind, Version
from pentad.tools.data.entries import actions
from pentad.tools.data.entries.actions import KIND, EntryToRestore, SavedEntry
from pentad.tools.data.entries.settings import EntrySettings
from pentad.tools.declare import Grant, ToolContext, Undoable, tool


def restore(data: EntryToRestore, context: ToolContext) -> None:
    """Put back what was there before, if nobody has changed it since."""
    actions.restore(context.table("records"), data)


@tool(
    effects="internal",
    settings=EntrySettings,
    permissions=[Grant("records", "readwrite", keys=KIND)],
    rate_limit="120/minute per user, 10000/day per tenant",
    undo=restore,
    timeout_seconds=30,
)
def save_record(
    kind: Kind,
    key: Key,
    value: Annotated[dict[str, Any], Field(max_length=100, description="its fields; null removes one")],
    context: ToolContext,
    merge: Annotated[bool, Field(description="keep fields that the value does not name")] = True,
    if_version: Version = None,
) -> Undoable[SavedEntry]:
    """Store a record under a key, or change the one that is there. It can be undone later.

    To change a record, find it first and give its version: then nobody else's change is lost. With if_version 0 only a
    new record is made.
    """
    settings = context.settings_of(EntrySettings)
    table = context.table("records")
    done, kept = actions.save(
        settings, table, kind, key, value, user_id=context.user, merge=merge, if_version=if_version
    )
    return Undoable(done, undo=kept.model_dump())
