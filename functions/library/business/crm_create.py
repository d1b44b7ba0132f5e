"""The tool that makes a record in the CRM."""

from functions.library.business._records import Kind, Values, open_crm, tell
from pentad.tools.business.actions import ChangedRecord, RecordUndo
from pentad.tools.business.settings import CrmSettings
from pentad.tools.declare import ToolContext, Undoable, tool


def remove(data: RecordUndo, context: ToolContext) -> None:
    """Remove the record, if nobody changed it since.

    Raises:
        ToolFailed: it was changed since; nothing is removed.
    """
    open_crm(context).undo_create(data)


@tool(
    effects="external",
    settings=CrmSettings,
    secrets=["settings.secret"],
    egress=["settings.url"],
    undo=remove,
    # What an earlier try has made is found by the marker; without one nothing is repeated.
    idempotent=True,
    rate_limit="30/minute per user, 1000/day per tenant",
    timeout_seconds=60,
)
def crm_create(kind: Kind, fields: Values, context: ToolContext) -> Undoable[ChangedRecord]:
    """Make a record in the CRM. Look for it with crm_find first: it may be there already."""
    return tell(open_crm(context).create(kind, fields, effect_key=context.effect_key, again=context.again))
