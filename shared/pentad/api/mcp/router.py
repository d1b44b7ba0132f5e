"""``/mcp``: clients of the Model Context Protocol."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import ApiGatewayResolver

from pentad.api.identity.caller import Caller
from pentad.api.mcp.service import McpService, Terms, dump_answer, with_no_store
from pentad.api.routers.door import deadline_of
from pentad.api.routers.serve import serve
from pentad.domain.tracing import HEADER

_LONGEST_WAIT = 25.0


@dataclass(frozen=True)
class McpRoutes:
    """Answers MCP clients.

    Attributes:
        service: the server.
        now: the clock.
    """

    service: McpService
    now: Callable[[], datetime]

    def register(self, app: ApiGatewayResolver, caller: Callable[[], Caller]) -> None:
        """Add the route."""

        @serve(app, summary="Ask as a client of the Model Context Protocol")
        def call_mcp() -> Response[str]:
            event = app.current_event
            headers = {str(name).lower(): str(value) for name, value in (event.raw_event.get("headers") or {}).items()}
            now = self.now().timestamp()
            left = app.lambda_context.get_remaining_time_in_millis() / 1000
            terms = Terms(
                caller(),
                max(0.0, min(_LONGEST_WAIT, deadline_of(event.raw_event, now, left) - now)),
                headers.get("idempotency-key"),
                headers.get(HEADER),
            )
            answer = with_no_store(self.service(event.body, headers, terms))
            return Response(
                status_code=int(answer.status),
                content_type="application/json",
                body=dump_answer(answer.body),
                headers=dict(answer.headers),
            )
