"""What tools.yaml may say of a kind of record: what its system can't do is refused."""

from typing import Any

import pytest
from pydantic import ValidationError

from pentad.tools.business.settings import CrmSettings, ErpSettings

CRM = {"provider": "hubspot"}
ODOO = {"url": "https://erp.example"}


@pytest.mark.parametrize(
    ("settings", "base", "kind", "said"),
    [
        (CrmSettings, CRM, {"cancel": "action_cancel"}, "use 'remove: true' with crm_cancel"),
        (CrmSettings, CRM, {"cancel": "a", "uncancel": "b", "remove": True}, "'cancel' of 'deals'"),
        (CrmSettings, CRM, {"uncancel": "b"}, "'uncancel' needs 'cancel'"),
        (ErpSettings, ODOO, {"remove": True}, "name the method for erp_cancel in 'cancel'"),
        (ErpSettings, ODOO, {"uncancel": "action_draft"}, "'uncancel' needs 'cancel'"),
        (CrmSettings, CRM, {"create": True}, "'create' needs 'write'"),
        (CrmSettings, CRM, {"write": ["name"], "marker": "name"}, "drop it there"),
        (CrmSettings, CRM, {"write": ["na me"]}, "not a valid name"),
    ],
)
def test_what_the_system_has_no_such_thing_of_is_refused(
    settings: type[CrmSettings | ErpSettings], base: dict[str, Any], kind: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        settings.model_validate(base | {"kinds": {"deals": {"read": ["name"]} | kind}})


def test_what_the_system_has_is_taken() -> None:
    crm = CrmSettings.model_validate(CRM | {"kinds": {"deals": {"read": ["name"], "remove": True}}})
    methods = {"cancel": "action_cancel", "uncancel": "action_draft"}
    erp = ErpSettings.model_validate(ODOO | {"kinds": {"sale.order": {"read": ["name"]} | methods}})
    assert (crm.get_kind("deals").remove, erp.get_kind("sale.order").uncancel) == (True, "action_draft")
