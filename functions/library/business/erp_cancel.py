"""The tool that cancels a record in the ERP."""

from functions.library.business._records import Kind, RecordId, open_erp, tell
from pentad.tools.business.actions import ChangedRecord, RecordUndo
from pentad.tools.business.settings import ErpSettings
from pentad.tools.declare import ToolContext, Undoable, tool


def reopen(data: RecordUndo, context: ToolContext) -> None:
    """Take the cancellation back by the method that the settings name, if nobody changed the record since.

    Raises:
        ToolFailed: it was changed since, or the settings name no such method; nothing is done.
    """
    open_erp(context).undo_cancel(data)


@tool(
    effects="external",
    settings=ErpSettings,
    secrets=["settings.secret"],
    egress=["settings.url"],
    approval="always",
    undo=reopen,
    # A draft again, where it may have been confirmed before.
    undo_kind="compensate",
    # A try after one that was cut off says so and cancels nothing.
    idempotent=True,
    rate_limit="30/minute per user, 1000/day per tenant",
    timeout_seconds=60,
)
def erp_cancel(kind: Kind, record_id: RecordId, context: ToolContext) -> Undoable[ChangedRecord]:
    """Cancel a record in the ERP, such as an order. A human sees it first and decides."""
    return tell(open_erp(context).cancel(kind, record_id, again=context.again))
