"""The tool that makes a record in the ERP."""

from functions.library.business._records import Kind, Values, open_erp, tell
from pentad.tools.business.actions import ChangedRecord, RecordUndo
from pentad.tools.business.settings import ErpSettings
from pentad.tools.declare import ToolContext, Undoable, tool


def remove(data: RecordUndo, context: ToolContext) -> None:
    """Remove the record, if nobody changed it since.

    Raises:
        ToolFailed: it was changed since; nothing is removed.
    """
    open_erp(context).undo_create(data)


@tool(
    effects="external",
    settings=ErpSettings,
    secrets=["settings.secret"],
    egress=["settings.url"],
    approval="always",
    undo=remove,
    # What an earlier try has made is found by the marker; without one nothing is repeated.
    idempotent=True,
    rate_limit="30/minute per user, 1000/day per tenant",
    timeout_seconds=60,
)
def erp_create(kind: Kind, fields: Values, context: ToolContext) -> Undoable[ChangedRecord]:
    """Make a record in the ERP. A human sees it first and decides.

    Look for it with erp_find first: it may be there already.
    """
    return tell(open_erp(context).create(kind, fields, effect_key=context.effect_key, again=context.again))
