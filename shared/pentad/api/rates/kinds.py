"""As what a request is counted: what it starts, changes, waits for or reads."""

from collections.abc import Mapping
from typing import Final, Literal

from pentad.api.acts.mcp_runs import CALL_MCP, is_mcp_change
from pentad.api.views.waiting import parse_wait_seconds
from pentad.domain.reading.json_text import read_json

Kind = Literal["starts", "queue", "changes", "waits", "bulk", "reads"]
KINDS: Final[Mapping[Kind, str]] = {
    "starts": "requests that start models, tools, ingestion or an erasure, or tell memory",
    "queue": "signed requests of the queue and of events; a message beyond it comes again",
    "changes": "requests that are written into the audit: cancelling, deciding, deleting",
    "waits": "requests that wait for a run, up to 25 s each: `Prefer: wait`, calls and tasks of MCP",
    "bulk": "bulk ingestions, beside starts",
    "reads": "all others; counted by twenty, so that a client that polls costs a write in twenty",
}
STARTING_ROUTES: Final = frozenset(
    {
        "start_run",
        "fork_run",
        "complete",
        "embed",
        "upload_document",
        "upload_documents",
        "reingest_document",
        "start_bulk_ingest",
        "undo",
        "undo_run",
        "erase_user",
        "verify_erasure",
        "give_feedback",
    }
)
"""Names of `pentad.api.routes.ROUTES`."""
CHANGING_ROUTES: Final = frozenset(
    {"cancel_run", "decide_approval", "close_review", "delete_session", "delete_document", "edit_fact", "forget_fact"}
)
_WAITING_METHODS: Final = ("tools/call", "tasks/result")


def list_kinds(route: str, headers: Mapping[str, str], body: str) -> tuple[Kind, ...]:
    """Return as what a request is counted; the calls of MCP's tools that start something, its server counts.

    Args:
        route: the route's name.
        headers: of the request, by their names in lower case.
        body: of the request.
    """
    if route == CALL_MCP:
        return _list_kinds_of_mcp(body)
    if route in CHANGING_ROUTES:
        return ("changes",)
    if route not in STARTING_ROUTES:
        return ("reads",)
    if route == "start_bulk_ingest":
        return ("starts", "bulk")
    waits = route == "start_run" and bool(parse_wait_seconds(headers.get("prefer")))
    return ("starts", "waits") if waits else ("starts",)


def _list_kinds_of_mcp(body: str) -> tuple[Kind, ...]:
    """Return as what a message of a client is counted; one that can't be read does nothing."""
    try:
        message = read_json(body)
    except ValueError:
        return ("reads",)
    method = message.get("method") if isinstance(message, dict) else None
    waits: tuple[Kind, ...] = ("waits",) if method in _WAITING_METHODS else ()
    changes: tuple[Kind, ...] = ("changes",) if is_mcp_change(body) else ()
    return changes + waits or ("reads",)
