"""The tool that deletes a record."""

from functions.library.data._records import Key, Kind, Version
from pentad.tools.data.entries import actions
from pentad.tools.data.entries.actions import KIND, EntryToRestore
from pentad.tools.data.entries.settings import EntrySettings
from pentad.tools.declare import Grant, ToolContext, Undoable, tool


def restore(data: EntryToRestore, context: ToolContext) -> None:
    """Bring the record back, if there is none of its key."""
    actions.restore(context.table("records"), data)


@tool(
    effects="internal",
    settings=EntrySettings,
    permissions=[Grant("records", "readwrite", keys=KIND)],
    approval="always",
    rate_limit="120/minute per user, 10000/day per tenant",
    undo=restore,
    timeout_seconds=30,
)
def delete_record(kind: Kind, key: Key, context: ToolContext, if_version: Version = None) -> Undoable[str]:
    """Delete a record. A human decides first; it can be brought back later."""
    settings = context.settings_of(EntrySettings)
    table = context.table("records")
    done, kept = actions.delete(settings, table, kind, key, user_id=context.user, if_version=if_version)
    return Undoable(done, undo=kept.model_dump())
