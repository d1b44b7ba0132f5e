"""The tool that cancels a record in the CRM: it archives it, or moves it to the recycle bin."""

from functions.library.business._records import Kind, RecordId, Version, open_crm_removal
from pentad.tools.business.actions import ChangedRecord
from pentad.tools.business.settings import CrmSettings
from pentad.tools.declare import ToolContext, tool


@tool(
    effects="external",
    settings=CrmSettings,
    secrets=["settings.secret"],
    egress=["settings.url"],
    # Neither vendor's API brings a record back, and a new one in its place has another id and no history: no undo.
    approval="always",
    # A try after one that was cut off looks whether the record is gone.
    idempotent=True,
    rate_limit="30/minute per user, 1000/day per tenant",
    timeout_seconds=60,
)
def crm_cancel(kind: Kind, record_id: RecordId, context: ToolContext, version: Version = None) -> ChangedRecord:
    """Remove a record from the CRM. A human sees it first and decides; only a human can bring it back, at the vendor.

    To end a deal or an order that shall stay on file, set its stage with crm_update. Read the record with crm_find
    first, and give the version that it had.
    """
    return open_crm_removal(context).remove(kind, record_id, version=version, again=context.again)
