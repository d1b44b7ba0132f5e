"""All routes with their scopes, in one table: read by the dispatcher, the documentation's test and the tests."""

import re
from typing import NamedTuple


class RouteSpec(NamedTuple):
    """One route. ``<name>`` is one segment of the path; ``<document>`` is all that is left of it."""

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
    RouteSpec("POST", "/v1/undo", "approvals:write"),
    RouteSpec("GET", "/v1/sessions", "runs:read"),
    RouteSpec("GET", "/v1/sessions/<session>", "runs:read"),
    RouteSpec("GET", "/v1/sessions/<session>/messages", "runs:read"),
    RouteSpec("GET", "/v1/approvals", "runs:read"),
    RouteSpec("GET", "/v1/approvals/<approval>", "runs:read"),
    RouteSpec("POST", "/v1/approvals/<approval>", "approvals:write"),
    RouteSpec("POST", "/v1/documents", "documents:write"),
    RouteSpec("GET", "/v1/documents", "documents:read"),
    RouteSpec("GET", "/v1/documents/<document>", "documents:read"),
    RouteSpec("DELETE", "/v1/documents/<document>", "documents:write"),
    RouteSpec("GET", "/v1/agents", "runs:read"),
    RouteSpec("GET", "/v1/openapi.json", "runs:read"),
)


def pattern(path: str) -> str:
    """Return the regular expression of a route's path."""
    return re.sub(
        r"<(\w+)>",
        lambda found: f"(?P<{found[1]}>{'.+' if found[1] == 'document' else '[^/]+'})",
        re.escape(path),
    )


def methods_of(path: str) -> list[str]:
    """Return the methods that a path answers, sorted; none where there is no such path."""
    return sorted({route.method for route in ROUTES if route.matches(path)})


def find(method: str, path: str) -> RouteSpec | None:
    """Return the route of a request, or None."""
    return next((route for route in ROUTES if route.method == method and route.matches(path)), None)
