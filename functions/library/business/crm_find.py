"""The tool that finds records in the CRM."""

from functions.library.business._records import After, Conditions, Kind, Limit, Names, RecordId, open_crm
from pentad.tools.business.ports import BusinessPage
from pentad.tools.business.settings import CrmSettings
from pentad.tools.declare import ToolContext, tool


@tool(
    effects="none",
    settings=CrmSettings,
    secrets=["settings.secret"],
    egress=["settings.url"],
    rate_limit="120/minute per tenant",
    timeout_seconds=40,
)
def crm_find(
    kind: Kind,
    context: ToolContext,
    record_id: RecordId | None = None,
    conditions: Conditions = [],  # noqa: B006 - pydantic copies it
    fields: Names = [],  # noqa: B006
    limit: Limit = 20,
    after: After = None,
) -> BusinessPage:
    """Find records in the CRM (contacts, companies or deals), or read one by its id.

    Give `record_id` for one record, or `conditions` for a search; neither lists all. The result names the id, the
    fields and the version of each record; with `after` of the result the next page is read.
    """
    return open_crm(context).find(
        kind, record_id=record_id, conditions=conditions, fields=fields, limit=limit, after=after
    )
