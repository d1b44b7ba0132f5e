"""All routes with their scopes, in one table: read by the dispatcher, the documentation's test and the tests."""

import re
from typing import NamedTuple

_REST = ("document", "model")
_DOOR = ("/v1/chat/", "/v1/embeddings", "/v1/models/")


class RouteSpec(NamedTuple):
    """One route. ``<name>`` is one segment of the path; ``<document>`` and ``<model>`` are all that is left of it."""

    method: str
    path: str
    scope: str

    def matches(self, path: str) -> bool:
        """Tell whether a path is this route's."""
        return re.fullmatch(pattern(self.path), path) is not None


ROUTES = (
    RouteSpec("POST", "/v1/runs", "runs:write"),
    RouteSpec("GET", "/v1/runs", "runs:read"),
    RouteSpec("GET", "/v1/runs/<run>", "runs:read"),
    RouteSpec("GET", "/v1/runs/<run>/events", "runs:read"),
    RouteSpec("GET", "/v1/runs/<run>/trace", "runs:read"),
    RouteSpec("POST", "/v1/runs/<run>/cancel", "runs:write"),
    RouteSpec("POST", "/v1/runs/<run>/fork", "runs:write"),
    RouteSpec("GET", "/v1/runs/<run>/recording", "runs:read"),
    RouteSpec("POST", "/v1/undo", "approvals:write"),
    RouteSpec("GET", "/v1/sessions", "runs:read"),
    RouteSpec("GET", "/v1/sessions/<session>", "runs:read"),
    RouteSpec("GET", "/v1/sessions/<session>/messages", "runs:read"),
    RouteSpec("GET", "/v1/approvals", "runs:read"),
    RouteSpec("GET", "/v1/approvals/<approval>", "runs:read"),
    RouteSpec("POST", "/v1/approvals/<approval>", "approvals:write"),
    RouteSpec("GET", "/v1/reviews", "runs:read"),
    RouteSpec("GET", "/v1/reviews/<review>", "runs:read"),
    RouteSpec("POST", "/v1/reviews/<review>", "approvals:write"),
    RouteSpec("POST", "/v1/documents", "documents:write"),
    RouteSpec("GET", "/v1/documents", "documents:read"),
    RouteSpec("GET", "/v1/documents/<document>", "documents:read"),
    RouteSpec("DELETE", "/v1/documents/<document>", "documents:write"),
    RouteSpec("GET", "/v1/agents", "runs:read"),
    RouteSpec("GET", "/v1/cost", "runs:read"),
    RouteSpec("GET", "/v1/openapi.json", "runs:read"),
    RouteSpec("POST", "/v1/chat/completions", "models:invoke"),
    RouteSpec("POST", "/v1/embeddings", "models:invoke"),
    RouteSpec("GET", "/v1/models", "models:invoke"),
    RouteSpec("GET", "/v1/models/<model>", "models:invoke"),
)


def pattern(path: str) -> str:
    """Return the regular expression of a route's path."""
    return re.sub(
        r"<(\w+)>",
        lambda found: f"(?P<{found[1]}>{'.+' if found[1] in _REST else '[^/]+'})",
        re.escape(path),
    )


def is_door(path: str) -> bool:
    """Tell whether a path is one of OpenAI's, whose clients read its errors and no others."""
    return path == "/v1/models" or path.startswith(_DOOR)


def methods_of(path: str) -> list[str]:
    """Return the methods that a path answers, sorted; none where there is no such path."""
    return sorted({route.method for route in ROUTES if route.matches(path)})


def find(method: str, path: str) -> RouteSpec | None:
    """Return the route of a request, or None."""
    return next((route for route in ROUTES if route.method == method and route.matches(path)), None)
