"""The CRM and the ERP that the settings name; what the tools of this folder share."""

from typing import Annotated, cast

from pydantic import Field

from pentad.tools.business.actions import ChangedRecord, Done, RecordActions
from pentad.tools.business.adapters.records_hubspot import HubSpotRecords
from pentad.tools.business.adapters.records_odoo import OdooRecords
from pentad.tools.business.adapters.records_salesforce import SalesforceRecords
from pentad.tools.business.ports import Condition, RemovableRecords
from pentad.tools.business.removal import RecordRemoval
from pentad.tools.business.settings import CrmSettings, ErpSettings
from pentad.tools.declare import ToolContext, Undoable
from pentad.tools.outside.vendor_credential import VendorCredential

Kind = Annotated[str, Field(min_length=1, max_length=100, description="as the settings of this tool name it")]
RecordId = Annotated[str, Field(min_length=1, max_length=100, description="the id, as a search gave it")]
Conditions = Annotated[list[Condition], Field(max_length=10, description="all of them have to hold")]
_Name = Annotated[str, Field(max_length=100)]
Names = Annotated[list[_Name], Field(max_length=100, description="which to read; all that may be read if empty")]
Limit = Annotated[int, Field(ge=1, le=100, description="records of a page")]
After = Annotated[str | None, Field(max_length=200, description="of the page before")]
Version = Annotated[
    str | None,
    Field(max_length=100, description="as it was read: nothing is changed if somebody else changed the record since"),
]
_Value = Annotated[str, Field(max_length=20_000)] | int | float | bool | None
Values = Annotated[dict[Annotated[str, Field(max_length=100)], _Value], Field(min_length=1, max_length=50)]


def open_crm(context: ToolContext) -> RecordActions:
    """Return what tools do with the CRM's records, for one call."""
    settings = context.settings_of(CrmSettings)
    return RecordActions(_open_crm_records(context, settings), settings)


def open_crm_removal(context: ToolContext) -> RecordRemoval:
    """Return what removes records of the CRM, for one call."""
    settings = context.settings_of(CrmSettings)
    return RecordRemoval(_open_crm_records(context, settings), settings)


def _open_crm_records(context: ToolContext, settings: CrmSettings) -> RemovableRecords:
    credential = VendorCredential(context, settings.secret)
    if settings.provider == "hubspot":
        return HubSpotRecords(context.http, settings.url, token=lambda: credential.token, renew=credential.renew)
    return SalesforceRecords(
        context.http,
        settings.url,
        api_version=settings.api_version,
        token=lambda: credential.token,
        renew=credential.renew,
    )


def open_erp(context: ToolContext) -> RecordActions:
    """Return what tools do with the ERP's records, for one call."""
    settings = context.settings_of(ErpSettings)
    credential = VendorCredential(context, settings.secret)
    records = OdooRecords(
        context.http,
        settings.url,
        key=lambda: credential.token,
        database=settings.database,
        renew=credential.renew,
    )
    return RecordActions(records, settings)


def tell(done: Done) -> Undoable[ChangedRecord]:
    """Return what a tool returns of a change: with its undo, or the bare result where it has none."""
    changed, undo = done
    if undo is None:
        return cast(Undoable[ChangedRecord], changed)
    return Undoable(changed, undo=undo.model_dump(mode="json"))
