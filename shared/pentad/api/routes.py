"""All routes with their scopes and what they reach, in one table.

The routers say by a function's name which of them it answers.
"""

import re
from enum import StrEnum
from typing import NamedTuple

_REST = ("document", "model")
_DOOR = frozenset({"chat", "embeddings", "models"})
_OPENAI = _DOOR | {
    "assistants",
    "audio",
    "batches",
    "chatkit",
    "completions",
    "containers",
    "conversations",
    "edits",
    "engines",
    "evals",
    "files",
    "fine_tuning",
    "images",
    "moderations",
    "organization",
    "realtime",
    "responses",
    "threads",
    "uploads",
    "vector_stores",
    "videos",
}
"""What OpenAI's paths begin with (openai-python 3.54.0, `resources/`): its clients ask there, and read its errors."""


MCP_PATH = "/mcp"
"""Where clients of the Model Context Protocol ask; they read errors of JSON-RPC."""


class Access(StrEnum):
    """What a route names: for each there is one rule who may reach it, in `pentad.api.access.AccessRules`."""

    RUN = "run"
    FORK = "fork"
    SESSION = "session"
    START = "start"
    APPROVAL = "approval"
    REVIEW = "review"
    VERDICT = "verdict"
    CALL = "call"
    EFFECTS = "effects"
    UNWIND = "unwind"
    DOCUMENT = "document"
    UPLOAD = "upload"
    MEMORY = "memory"
    OWN = "own"
    """It names nothing: its function shows or makes what the caller may reach (`Caller.reach`)."""
    DEPLOYMENT = "deployment"
    """It names nothing of anybody's: the answer is the same for all callers."""


class RouteSpec(NamedTuple):
    """One route. ``<name>`` is one segment of the path; ``<document>`` and ``<model>`` are all that is left of it.

    Attributes:
        name: of the function that answers it, in one of `pentad.api.routers`.
        method: of HTTP.
        path: with its parameters.
        scope: what the caller's key needs.
        access: what it names, and so who may reach it.
        tag: the group in the OpenAPI document.
    """

    name: str
    method: str
    path: str
    scope: str
    access: Access
    tag: str

    def parse_path(self, path: str) -> dict[str, str]:
        """Return the parameters of a path that is this route's."""
        match = re.fullmatch(to_pattern(self.path), path)
        return {} if match is None else match.groupdict()

    def is_match(self, path: str) -> bool:
        """Tell whether a path is this route's."""
        return re.fullmatch(to_pattern(self.path), path) is not None


ROUTES = (
    RouteSpec("start_run", "POST", "/v1/runs", "runs:write", Access.START, "runs"),
    RouteSpec("list_runs", "GET", "/v1/runs", "runs:read", Access.OWN, "runs"),
    RouteSpec("get_run", "GET", "/v1/runs/<run>", "runs:read", Access.RUN, "runs"),
    RouteSpec("get_events", "GET", "/v1/runs/<run>/events", "runs:read", Access.RUN, "runs"),
    RouteSpec("open_citation", "GET", "/v1/runs/<run>/citations/<cited>", "runs:read", Access.RUN, "runs"),
    RouteSpec("get_trace", "GET", "/v1/runs/<run>/trace", "runs:read", Access.RUN, "runs"),
    RouteSpec("cancel_run", "POST", "/v1/runs/<run>/cancel", "runs:write", Access.RUN, "runs"),
    RouteSpec("fork_run", "POST", "/v1/runs/<run>/fork", "runs:write", Access.FORK, "runs"),
    RouteSpec("get_recording", "GET", "/v1/runs/<run>/recording", "runs:read", Access.RUN, "runs"),
    RouteSpec("give_feedback", "POST", "/v1/runs/<run>/feedback", "runs:write", Access.RUN, "feedback"),
    RouteSpec("list_run_feedback", "GET", "/v1/runs/<run>/feedback", "runs:read", Access.RUN, "feedback"),
    RouteSpec("list_feedback", "GET", "/v1/feedback", "runs:read", Access.OWN, "feedback"),
    RouteSpec("plan_undo", "GET", "/v1/runs/<run>/undo", "runs:read", Access.EFFECTS, "runs"),
    RouteSpec("undo_run", "POST", "/v1/runs/<run>/undo", "approvals:write", Access.UNWIND, "runs"),
    RouteSpec("undo", "POST", "/v1/undo", "approvals:write", Access.CALL, "runs"),
    RouteSpec("list_sessions", "GET", "/v1/sessions", "runs:read", Access.OWN, "sessions"),
    RouteSpec("get_session", "GET", "/v1/sessions/<session>", "runs:read", Access.SESSION, "sessions"),
    RouteSpec("delete_session", "DELETE", "/v1/sessions/<session>", "runs:write", Access.SESSION, "sessions"),
    RouteSpec("get_messages", "GET", "/v1/sessions/<session>/messages", "runs:read", Access.SESSION, "sessions"),
    RouteSpec("list_approvals", "GET", "/v1/approvals", "runs:read", Access.OWN, "approvals"),
    RouteSpec("get_approval", "GET", "/v1/approvals/<approval>", "runs:read", Access.APPROVAL, "approvals"),
    RouteSpec("decide_approval", "POST", "/v1/approvals/<approval>", "approvals:write", Access.APPROVAL, "approvals"),
    RouteSpec("list_reviews", "GET", "/v1/reviews", "runs:read", Access.OWN, "reviews"),
    RouteSpec("get_review", "GET", "/v1/reviews/<review>", "runs:read", Access.REVIEW, "reviews"),
    RouteSpec("close_review", "POST", "/v1/reviews/<review>", "approvals:write", Access.VERDICT, "reviews"),
    RouteSpec("list_verdicts", "GET", "/v1/verdicts", "runs:read", Access.OWN, "reviews"),
    RouteSpec("upload_document", "POST", "/v1/documents", "documents:write", Access.UPLOAD, "documents"),
    RouteSpec("list_documents", "GET", "/v1/documents", "documents:read", Access.OWN, "documents"),
    RouteSpec("get_document", "GET", "/v1/documents/<document>", "documents:read", Access.DOCUMENT, "documents"),
    RouteSpec("reingest_document", "POST", "/v1/documents/<document>", "documents:write", Access.DOCUMENT, "documents"),
    RouteSpec("delete_document", "DELETE", "/v1/documents/<document>", "documents:write", Access.DOCUMENT, "documents"),
    RouteSpec("upload_documents", "POST", "/v1/bulk-uploads", "documents:write", Access.OWN, "documents"),
    RouteSpec("start_bulk_ingest", "POST", "/v1/bulk-ingests", "documents:write", Access.OWN, "documents"),
    RouteSpec("get_bulk_ingest", "GET", "/v1/bulk-ingests/<bulk>", "documents:read", Access.OWN, "documents"),
    RouteSpec("list_memory", "GET", "/v1/memory/<user>", "memory:read", Access.MEMORY, "memory"),
    RouteSpec("list_decisions", "GET", "/v1/memory/<user>/decisions", "memory:read", Access.MEMORY, "memory"),
    RouteSpec("get_fact", "GET", "/v1/memory/<user>/facts/<fact>", "memory:read", Access.MEMORY, "memory"),
    RouteSpec("edit_fact", "PATCH", "/v1/memory/<user>/facts/<fact>", "memory:write", Access.MEMORY, "memory"),
    RouteSpec("forget_fact", "DELETE", "/v1/memory/<user>/facts/<fact>", "memory:write", Access.MEMORY, "memory"),
    RouteSpec("erase_user", "DELETE", "/v1/users/<user>", "users:erase", Access.MEMORY, "users"),
    RouteSpec("get_erasure", "GET", "/v1/users/<user>/erasures/<erasure>", "users:erase", Access.MEMORY, "users"),
    RouteSpec("verify_erasure", "POST", "/v1/users/<user>/erasures/<erasure>", "users:erase", Access.MEMORY, "users"),
    RouteSpec("list_agents", "GET", "/v1/agents", "runs:read", Access.DEPLOYMENT, "agents"),
    RouteSpec("read_cost", "GET", "/v1/cost", "runs:read", Access.OWN, "cost"),
    RouteSpec("openapi", "GET", "/v1/openapi.json", "runs:read", Access.DEPLOYMENT, "system"),
    RouteSpec("complete", "POST", "/v1/chat/completions", "models:invoke", Access.OWN, "models"),
    RouteSpec("embed", "POST", "/v1/embeddings", "models:invoke", Access.OWN, "models"),
    RouteSpec("list_models", "GET", "/v1/models", "models:invoke", Access.DEPLOYMENT, "models"),
    RouteSpec("get_model", "GET", "/v1/models/<model>", "models:invoke", Access.DEPLOYMENT, "models"),
    RouteSpec("call_mcp", "POST", MCP_PATH, "runs:read", Access.OWN, "mcp"),
)
_BY_NAME = {route.name: route for route in ROUTES}


def route_named(name: str) -> RouteSpec:
    """Return the route that the function of this name answers.

    Raises:
        KeyError: the table has none.
    """
    return _BY_NAME[name]


def to_pattern(path: str) -> str:
    """Return the regular expression of a route's path."""
    return re.sub(
        r"<(\w+)>",
        lambda found: f"(?P<{found[1]}>{'.+' if found[1] in _REST else '[^/]+'})",
        re.escape(path),
    )


def is_door(path: str) -> bool:
    """Tell whether a path is one of OpenAI's, whose clients read its errors and no others; it need not be served."""
    version, _, rest = path.removeprefix("/").partition("/")
    return version == "v1" and rest.partition("/")[0] in _OPENAI


def list_door() -> list[str]:
    """Return OpenAI's routes that are served, such as ``POST /v1/embeddings``."""
    served = [f"{route.method} {route.path}" for route in ROUTES if is_door(route.path)]
    return [route.replace("<", "{").replace(">", "}") for route in served]


def list_methods(path: str) -> list[str]:
    """Return the methods that a path answers, sorted; none where there is no such path."""
    return sorted({route.method for route in ROUTES if route.is_match(path)})


def find_route(method: str, path: str) -> RouteSpec | None:
    """Return the route of a request, or None."""
    return next((route for route in ROUTES if route.method == method and route.is_match(path)), None)
