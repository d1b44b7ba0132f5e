"""``/v1/chat/completions``, ``/v1/embeddings`` and ``/v1/models``: the routes of OpenAI's clients."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import ApiGatewayResolver
from aws_lambda_powertools.event_handler.openapi.params import Path

from pentad.api.door.faults import Answer
from pentad.api.identity.caller import Caller
from pentad.api.routers.serve import serve

if TYPE_CHECKING:
    # Named, not loaded: the door reads the models' catalog, and most requests need none of it.
    from pentad.api.door.service import Door

STRICT_HEADER = "x-pentad-strict"
"""Of a request: a field that is not known is an error, instead of ignored with a warning."""
_YES = ("1", "true", "yes", "on")
_GATEWAY_SECONDS = 30.0
"""API Gateway ends a request after this, an instance's start included (HTTP API quotas)."""
_SPARE_SECONDS = 2.5
"""Left for the way back: the gateway's own end, then ours."""


@dataclass(frozen=True)
class DoorRoutes:
    """Answers OpenAI's clients.

    Attributes:
        door: returns what answers; made with the first request, since it reads the models' catalog.
        now: the clock.
    """

    door: "Callable[[], Door]"
    now: Callable[[], datetime]

    def register(self, app: ApiGatewayResolver, caller: Callable[[], Caller]) -> None:
        """Add the routes."""

        def request_id() -> str:
            return str(app.current_event.raw_event["requestContext"]["requestId"])

        def deadline() -> float:
            left = app.lambda_context.get_remaining_time_in_millis() / 1000
            return deadline_of(app.current_event.raw_event, self.now().timestamp(), left)

        def terms() -> dict[str, Any]:
            strict = app.current_event.headers.get(STRICT_HEADER, "").strip().lower() in _YES
            return {"request_id": request_id(), "deadline": deadline(), "strict": strict}

        @serve(app, summary="Ask a model, as OpenAI's clients do")
        def complete() -> Response[str]:
            return _to_response(self.door().complete_chat(caller(), app.current_event.body, **terms()))

        @serve(app, summary="Embed texts, as OpenAI's clients do")
        def embed() -> Response[str]:
            return _to_response(self.door().embed(caller(), app.current_event.body, **terms()))

        @serve(app, summary="List what can be named as a model")
        def list_models() -> Response[str]:
            return _to_response(self.door().list_models(request_id=request_id()))

        @serve(app, summary="Read what a model's name leads to")
        def get_model(model: Annotated[str, Path(description="a model, a tier, or task: and a task")]) -> Response[str]:
            return _to_response(self.door().get_model(model, request_id=request_id()))


def deadline_of(event: Mapping[str, Any], now: float, left: float) -> float:
    """Return the time by which an answer is of use.

    Args:
        event: API Gateway's event, which says when the request came.
        now: ``time.time()``.
        left: seconds before Lambda ends the invocation.
    """
    came = event.get("requestContext", {}).get("timeEpoch")
    until = came / 1000 + _GATEWAY_SECONDS if isinstance(came, int | float) else now + left
    return min(until, now + left) - _SPARE_SECONDS


def _to_response(answer: Answer) -> Response[str]:
    return Response(
        status_code=answer.status,
        content_type=answer.media_type,
        body=answer.body,
        headers={"Cache-Control": "no-store", **answer.headers},
    )
