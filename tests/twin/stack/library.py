"""The tools that ship, as a user's project has them: an agent that lists them, and their settings at local servers."""

from typing import Any

AGENT = "quartermaster"
PROMPT = "You do what the harbour's quartermaster does."
MARKER = "pentad_call"
PEOPLE = "contacts"
PARTNERS = "res.partner"
CALENDAR = "ada/work"
VENDORS = ("crm", "erp", "calendar", "slack", "teams", "search")
TOOLS = (
    *("query_sql", "describe_sql", "preview_sql_change", "change_sql"),
    *("find_records", "save_record", "delete_record", "search_web", "read_page"),
    *("list_files", "read_file", "write_file", "delete_file"),
    *("crm_find", "crm_create", "crm_update", "crm_cancel"),
    *("erp_find", "erp_create", "erp_update", "erp_cancel"),
    *("calendar_find", "calendar_create", "calendar_update", "calendar_cancel"),
    *("send_slack_message", "send_teams_message", "send_sms"),
    *("business_days", "convert_format", "convert_units", "durations"),
)
"""All but `send_email`, which another agent of the project has."""
SETTINGS = f"""description: Has the tools that ship.
tools: [{", ".join(TOOLS)}]
knowledge: {{top_k: 0}}
context: {{tools_percent: 100}}
"""


def make_settings(ports: dict[str, int]) -> dict[str, Any]:
    """Return what ``tools.yaml`` says of them.

    Args:
        ports: where each vendor's server is, once a test needs it.
    """
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    fields = ["lastname", "email"]
    person = {"read": fields, "write": fields, "create": True, "marker": MARKER, "remove": True}
    names = ["name", "state"]
    cancels = {"cancel": "action_cancel", "uncancel": "action_draft"}
    partner = {"read": names, "write": names, "create": True, "marker": f"x_{MARKER}", **cancels}
    reader = {"secret": "shop-reader", "tables": ["orders", "customers"]}
    writer = {"secret": "shop-writer", "tables": ["orders"], "reads": ["customers"]}
    shared: dict[str, Any] = {
        "crm": {"provider": "hubspot", "url": urls["crm"], "kinds": {PEOPLE: person}},
        "erp": {"url": urls["erp"], "kinds": {PARTNERS: partner}},
        "calendar": {"provider": "caldav", "url": f"{urls['calendar']}/{CALENDAR}/"},
    }
    entries = {"kinds": {"berth": {"fields": {"pier": "text", "depth": "number"}, "required": ["pier"]}}}
    return {
        **{name: shared[name.partition("_")[0]] for name in TOOLS if name.partition("_")[0] in shared},
        **dict.fromkeys(("find_records", "save_record", "delete_record"), entries),
        **dict.fromkeys(("query_sql", "describe_sql"), reader),
        **dict.fromkeys(("preview_sql_change", "change_sql"), writer),
        "search_web": {"provider": "brave", "url": urls["search"], "results": 2},
        "send_slack_message": {"url": urls["slack"], "channels": {"pier": "C0123456789"}},
        "send_teams_message": {"channels": ["teams-pier"], "hosts": [urls["teams"]]},
        "send_sms": {"backend": "sns", "prefixes": ["+41"]},
    }
