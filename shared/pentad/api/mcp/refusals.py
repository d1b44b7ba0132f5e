"""What the API refuses before the protocol's server sees it, as JSON-RPC has it."""

import json
from http import HTTPStatus

from pentad.api.mcp.protocol import DENIED, INTERNAL, INVALID_REQUEST, PARSE_ERROR, THROTTLED
from pentad.api.views.problem import Problem

_CODES = {
    HTTPStatus.UNAUTHORIZED: DENIED,
    HTTPStatus.FORBIDDEN: DENIED,
    HTTPStatus.TOO_MANY_REQUESTS: THROTTLED,
}


def build_refusal(problem: Problem) -> str:
    """Return the body for a problem: an error without an id, since the message was not read."""
    code = _CODES.get(HTTPStatus(problem.status), INVALID_REQUEST)
    if problem.status == HTTPStatus.BAD_REQUEST and problem.field == "body":
        code = PARSE_ERROR
    if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        code = INTERNAL
    data = problem.model_dump(exclude_none=True, exclude={"detail"})
    error = {"code": code, "message": problem.detail, "data": data}
    return json.dumps({"jsonrpc": "2.0", "id": None, "error": error})
