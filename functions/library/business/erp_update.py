"""The tool that changes a record in the ERP."""

from functions.library.business._records import Kind, RecordId, Values, Version, open_erp, tell
from pentad.tools.business.actions import ChangedRecord, RecordUndo
from pentad.tools.business.settings import ErpSettings
from pentad.tools.declare import ToolContext, Undoable, tool


def restore(data: RecordUndo, context: ToolContext) -> None:
    """Give the fields their values from before, if they stand as this tool left them.

    Raises:
        ToolFailed: they were changed since; nothing is changed.
    """
    open_erp(context).undo_update(data)


@tool(
    effects="external",
    settings=ErpSettings,
    secrets=["settings.secret"],
    egress=["settings.url"],
    approval="always",
    undo=restore,
    # A try after one that was cut off looks whether the record is as asked for, and changes nothing.
    idempotent=True,
    rate_limit="30/minute per user, 1000/day per tenant",
    timeout_seconds=60,
)
def erp_update(
    kind: Kind, record_id: RecordId, fields: Values, context: ToolContext, version: Version = None
) -> Undoable[ChangedRecord]:
    """Change fields of a record in the ERP; null empties a field. A human sees it first and decides.

    Read it with erp_find first, and give the version that it had.
    """
    return tell(open_erp(context).update(kind, record_id, fields, version=version, again=context.again))
