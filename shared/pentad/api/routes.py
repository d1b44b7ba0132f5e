"""All routes with their scopes, in one table. The routers say by a function's name which of them it answers."""

import re
from typing import NamedTuple

_REST = ("document", "model")
_DOOR = ("/v1/chat/", "/v1/embeddings", "/v1/models/")


class RouteSpec(NamedTuple):
    """One route. ``<name>`` is one segment of the path; ``<document>`` and ``<model>`` are all that is left of it.

    Attributes:
        name: of the function that answers it, in one of `pentad.api.routers`.
        method: of HTTP.
        path: with its parameters.
        scope: what the caller's key needs.
        tag: the group in the OpenAPI document.
    """

    name: str
    method: str
    path: str
    scope: str
    tag: str

    def is_match(self, path: str) -> bool:
        """Tell whether a path is this route's."""
        return re.fullmatch(to_pattern(self.path), path) is not None


ROUTES = (
    RouteSpec("start_run", "POST", "/v1/runs", "runs:write", "runs"),
    RouteSpec("list_runs", "GET", "/v1/runs", "runs:read", "runs"),
    RouteSpec("get_run", "GET", "/v1/runs/<run>", "runs:read", "runs"),
    RouteSpec("get_events", "GET", "/v1/runs/<run>/events", "runs:read", "runs"),
    RouteSpec("get_trace", "GET", "/v1/runs/<run>/trace", "runs:read", "runs"),
    RouteSpec("cancel_run", "POST", "/v1/runs/<run>/cancel", "runs:write", "runs"),
    RouteSpec("fork_run", "POST", "/v1/runs/<run>/fork", "runs:write", "runs"),
    RouteSpec("get_recording", "GET", "/v1/runs/<run>/recording", "runs:read", "runs"),
    RouteSpec("undo", "POST", "/v1/undo", "approvals:write", "runs"),
    RouteSpec("list_sessions", "GET", "/v1/sessions", "runs:read", "sessions"),
    RouteSpec("get_session", "GET", "/v1/sessions/<session>", "runs:read", "sessions"),
    RouteSpec("get_messages", "GET", "/v1/sessions/<session>/messages", "runs:read", "sessions"),
    RouteSpec("list_approvals", "GET", "/v1/approvals", "runs:read", "approvals"),
    RouteSpec("get_approval", "GET", "/v1/approvals/<approval>", "runs:read", "approvals"),
    RouteSpec("decide_approval", "POST", "/v1/approvals/<approval>", "approvals:write", "approvals"),
    RouteSpec("list_reviews", "GET", "/v1/reviews", "runs:read", "reviews"),
    RouteSpec("get_review", "GET", "/v1/reviews/<review>", "runs:read", "reviews"),
    RouteSpec("close_review", "POST", "/v1/reviews/<review>", "approvals:write", "reviews"),
    RouteSpec("upload_document", "POST", "/v1/documents", "documents:write", "documents"),
    RouteSpec("list_documents", "GET", "/v1/documents", "documents:read", "documents"),
    RouteSpec("get_document", "GET", "/v1/documents/<document>", "documents:read", "documents"),
    RouteSpec("delete_document", "DELETE", "/v1/documents/<document>", "documents:write", "documents"),
    RouteSpec("list_agents", "GET", "/v1/agents", "runs:read", "agents"),
    RouteSpec("read_cost", "GET", "/v1/cost", "runs:read", "cost"),
    RouteSpec("openapi", "GET", "/v1/openapi.json", "runs:read", "system"),
    RouteSpec("complete", "POST", "/v1/chat/completions", "models:invoke", "models"),
    RouteSpec("embed", "POST", "/v1/embeddings", "models:invoke", "models"),
    RouteSpec("list_models", "GET", "/v1/models", "models:invoke", "models"),
    RouteSpec("get_model", "GET", "/v1/models/<model>", "models:invoke", "models"),
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
    """Tell whether a path is one of OpenAI's, whose clients read its errors and no others."""
    return path == "/v1/models" or path.startswith(_DOOR)


def list_methods(path: str) -> list[str]:
    """Return the methods that a path answers, sorted; none where there is no such path."""
    return sorted({route.method for route in ROUTES if route.is_match(path)})


def find_route(method: str, path: str) -> RouteSpec | None:
    """Return the route of a request, or None."""
    return next((route for route in ROUTES if route.method == method and route.is_match(path)), None)
