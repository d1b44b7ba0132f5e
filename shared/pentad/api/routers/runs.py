"""``/v1/runs`` and ``/v1/undo``."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import ApiGatewayResolver
from aws_lambda_powertools.event_handler.openapi.params import Body, Header, Path, Query
from pydantic import Field

from pentad.api.identity.caller import Caller
from pentad.api.services import Services
from pentad.api.views.cursors import place_of
from pentad.api.views.events import events_of
from pentad.api.views.lifecycle import CancelRequest, current_view
from pentad.api.views.views import (
    EventList,
    RunPage,
    RunView,
    SpanView,
    ToolCallView,
    TraceView,
    call_view,
    run_view,
)
from pentad.api.views.waiting import settled, wait_seconds
from pentad.domain.errors import InvalidInput, NotFound
from pentad.domain.ids import RUN_PATTERN, SESSION_PATTERN, check_id
from pentad.domain.runs import Run
from pentad.domain.values import FrozenValue
from pentad.orchestration.lifecycle.dead_executions import without_overdue
from pentad.orchestration.lifecycle.start import RunRequest
from pentad.orchestration.trace.run_spans import spans_of, transitions_of, whole_history

_SPARE_SECONDS = 2.0
"""Left of the function's time for the answer."""

RunPath = Annotated[str, Path(description="the run's id")]


class UndoRequest(FrozenValue):
    """The body of ``POST /v1/undo``."""

    undo_token: str = Field(max_length=100, description="from a tool call of the run's events")


def register(app: ApiGatewayResolver, services: Services, caller: Callable[[], Caller]) -> None:
    """Add the routes."""
    _register_start(app, services, caller)
    _register_reads(app, services, caller)
    _register_trace(app, services, caller)
    _register_cancel(app, services, caller)

    @app.post("/v1/undo", tags=["runs"], summary="Undo the effect of a tool call")
    def undo(request: Annotated[UndoRequest, Body()]) -> ToolCallView:
        return call_view(services.undo(caller().tenant, request.undo_token))


def _register_start(app: ApiGatewayResolver, services: Services, caller: Callable[[], Caller]) -> None:
    @app.post("/v1/runs", tags=["runs"], summary="Start a run", status_code=202)
    def start_run(
        request: Annotated[RunRequest, Body()],
        idempotency_key: Annotated[str | None, Header(alias="Idempotency-Key")] = None,
        prefer: Annotated[str | None, Header(alias="Prefer")] = None,
    ) -> Response[RunView]:
        """The same Idempotency-Key gives the same run. ``Prefer: wait=N`` waits up to 25 seconds for its end."""
        who = caller()
        asked = request.model_copy(update={"user": who.acts_for(request.user)})
        run = services.start_run(who.tenant, asked, trigger="api", idempotency_key=idempotency_key)
        seconds = wait_seconds(prefer)
        headers = {"Location": f"/v1/runs/{run.run}"}
        if seconds is not None:
            headers["Preference-Applied"] = f"wait={seconds}"
            left = app.lambda_context.get_remaining_time_in_millis() / 1000 - _SPARE_SECONDS
            run = services.waiting(run, max(0.0, min(seconds, left)))
        return Response(
            status_code=HTTPStatus.OK if settled(run) else HTTPStatus.ACCEPTED,
            content_type="application/json",
            body=current_view(run, services),
            headers=dict(headers),
        )


def _register_cancel(app: ApiGatewayResolver, services: Services, caller: Callable[[], Caller]) -> None:
    find = _finder(services, caller)

    @app.post("/v1/runs/<run>/cancel", tags=["runs"], summary="Cancel a run")
    def cancel_run(run: RunPath, request: Annotated[CancelRequest | None, Body()] = None) -> RunView:
        """Its session is free at once. A tool call that is running may end; what it did is in the run's events."""
        who, found = caller(), find(run)
        reason = request.reason if request is not None else None
        ended = services.cancel(who.tenant, found.run, by=who.name, reason=reason)
        return run_view(ended, services.approvals)


def _register_reads(app: ApiGatewayResolver, services: Services, caller: Callable[[], Caller]) -> None:
    find = _finder(services, caller)

    @app.get("/v1/runs", tags=["runs"], summary="List runs, the newest first")
    def list_runs(
        session: Annotated[str | None, Query(pattern=SESSION_PATTERN)] = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 50,
        cursor: Annotated[str | None, Query(max_length=1000)] = None,
    ) -> RunPage:
        page = services.runs.page(caller().tenant, session=session, limit=limit, cursor=cursor)
        return RunPage(items=tuple(run_view(run, services.approvals) for run in page.items), cursor=page.cursor)

    @app.get("/v1/runs/<run>", tags=["runs"], summary="Read a run")
    def get_run(run: RunPath) -> RunView:
        return current_view(find(run), services)

    @app.get("/v1/runs/<run>/events", tags=["runs"], summary="Read what happened in a run")
    def get_events(
        run: RunPath,
        limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
        cursor: Annotated[str | None, Query(max_length=20)] = None,
    ) -> EventList:
        events = events_of(find(run), services.runs, services.ledger, services.approvals)
        first = place_of(cursor)
        end = first + limit
        return EventList(events=events[first:end], cursor=str(end) if end < len(events) else None)


def _register_trace(app: ApiGatewayResolver, services: Services, caller: Callable[[], Caller]) -> None:
    find = _finder(services, caller)

    @app.get("/v1/runs/<run>/trace", tags=["runs"], summary="Read a run's waterfall")
    def get_trace(run: RunPath) -> TraceView:
        found = find(run)
        try:
            history = whole_history(found, services.engine.history)
        except NotFound:
            history = []  # Its execution's name is known, but it waits for its session, or could not be started.
        spans = spans_of(
            found,
            history,
            services.runs.steps(found.tenant, found.run),
            services.ledger.of_run(found.tenant, found.run),
            services.runs.calls(found.tenant, found.run),
            graphs=services.graph_nodes.of_run(found.tenant, found.run),
            now=services.now(),
        )
        return TraceView(
            run_id=found.run,
            status=found.status,
            spans=tuple(SpanView.model_validate(span.model_dump()) for span in spans),
            transitions=transitions_of(history),
            source="history" if history else "records",
        )


def _finder(services: Services, caller: Callable[[], Caller]) -> Callable[[str], Run]:
    def find(run: str) -> Run:
        try:
            check_id("run", run)
        except InvalidInput as error:
            # Not an id of ours, so there is no such run.
            raise NotFound("there is no such run", field="run", fix=f"ids match {RUN_PATTERN}") from error
        return without_overdue(services.runs.get(caller().tenant, run), services.runs, services.now())

    return find
