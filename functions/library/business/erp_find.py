"""The tool that finds records in the ERP."""

from functions.library.business._records import After, Conditions, Kind, Limit, Names, RecordId, open_erp
from pentad.tools.business.ports import BusinessPage
from pentad.tools.business.settings import ErpSettings
from pentad.tools.declare import ToolContext, tool


@tool(
    effects="none",
    settings=ErpSettings,
    secrets=["settings.secret"],
    egress=["settings.url"],
    rate_limit="120/minute per tenant",
    timeout_seconds=40,
)
def erp_find(
    kind: Kind,
    context: ToolContext,
    record_id: RecordId | None = None,
    conditions: Conditions = [],  # noqa: B006 - pydantic copies it
    fields: Names = [],  # noqa: B006
    limit: Limit = 20,
    after: After = None,
) -> BusinessPage:
    """Find records in the ERP (orders, products or partners), or read one by its id.

    Give `record_id` for one record, or `conditions` for a search; neither lists all. The result names the id, the
    fields and the version of each record; with `after` of the result the next page is read.
    """
    return open_erp(context).find(
        kind, record_id=record_id, conditions=conditions, fields=fields, limit=limit, after=after
    )
