"""``/v1/runs`` and ``/v1/undo``."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import ApiGatewayResolver
from aws_lambda_powertools.event_handler.openapi.params import Body, Header, Path, Query

from pentad.api.found import FindRun
from pentad.api.identity.caller import Caller
from pentad.api.routers.door import deadline_of
from pentad.api.routers.serve import KEY_FORM, Cursor, serve
from pentad.api.views.approvals import HumanWaits
from pentad.api.views.cursors import collect_page, parse_cursor
from pentad.api.views.events import collect_events
from pentad.api.views.lifecycle import (
    CancelRequest,
    CurrentView,
    UndoneView,
    UndoRequest,
    UndoRunRequest,
    build_effect_views,
)
from pentad.api.views.views import (
    EventList,
    RunPage,
    RunView,
    SpanView,
    ToolCallView,
    TraceView,
    build_call_view,
    build_context_view,
    build_run_view,
)
from pentad.api.views.waiting import RunWaiter, is_settled, parse_wait_seconds
from pentad.domain.errors import NotFound
from pentad.domain.ids import SESSION_PATTERN
from pentad.domain.tracing import HEADER
from pentad.models.ledger.ports import Ledger
from pentad.orchestration.approvals.ports import ApprovalStore
from pentad.orchestration.lifecycle.cancel import CancelRun
from pentad.orchestration.lifecycle.start import RunRequest, StartRun
from pentad.orchestration.lifecycle.undo import Undo
from pentad.orchestration.runs.ports import RunStore, WorkflowEngine
from pentad.orchestration.trace.run_spans import build_spans, count_transitions, read_history
from pentad.orchestration.unwinding.effects import RunEffect
from pentad.orchestration.unwinding.unwind import UndoRun
from pentad.tools.graphs.ports import GraphNodeStore
from pentad.tools.offer.choose import with_loaded_tools

_UNDO_SECONDS = 3.0
"""Then no further undo is begun: one may take as long as the API waits for the tool runner."""
RunPath = Annotated[str, Path(description="the run's id")]


@dataclass(frozen=True)
class StartRoutes:
    """Starts runs, and waits for those whose caller prefers it.

    Attributes:
        start: starts runs.
        waiting: waits for a run's end.
        current_view: shows a run as it stands.
        now: the clock.
    """

    start: StartRun
    waiting: RunWaiter
    current_view: CurrentView
    now: Callable[[], datetime]

    def register(self, app: ApiGatewayResolver, caller: Callable[[], Caller]) -> None:
        """Add the route."""

        @serve(app, summary="Start a run", status_code=202)
        def start_run(
            request: Annotated[RunRequest, Body()],
            idempotency_key: Annotated[str | None, Header(alias="Idempotency-Key", json_schema_extra=KEY_FORM)] = None,
            prefer: Annotated[str | None, Header(alias="Prefer")] = None,
        ) -> Response[RunView]:
            """The same Idempotency-Key gives the same run. ``Prefer: wait=N`` waits up to 25 seconds for its end.

            ``traceparent`` (W3C Trace Context) puts the run into the caller's trace.
            """
            who = caller()
            asked = request.model_copy(update={"user_id": who.resolve_user(request.user_id)})
            run = self.start(
                who.tenant_id,
                asked,
                trigger="api",
                requester=who.to_actor(self.now()),
                idempotency_key=idempotency_key,
                traceparent=app.current_event.headers.get(HEADER),
            )
            seconds = parse_wait_seconds(prefer)
            headers = {"Location": f"/v1/runs/{run.run_id}"}
            if seconds is not None:
                headers["Preference-Applied"] = f"wait={seconds}"
                # API Gateway counts from when the request came: a cold start leaves less of its 30 s for the wait.
                now, left = time.time(), app.lambda_context.get_remaining_time_in_millis() / 1000
                end = deadline_of(app.current_event.raw_event, now, left)
                run = self.waiting(run, max(0.0, min(seconds, end - now)))
            view = self.current_view(run)
            return Response(
                status_code=HTTPStatus.OK if is_settled(view.status) else HTTPStatus.ACCEPTED,
                content_type="application/json",
                body=view,
                headers=dict(headers),
            )


@dataclass(frozen=True)
class RunRoutes:
    """Lists and shows runs.

    Attributes:
        runs: the store of runs.
        ledger: attempts of models.
        approvals: the store of approvals.
        find: finds the run of a path.
        current_view: shows a run as it stands.
    """

    runs: RunStore
    ledger: Ledger
    approvals: ApprovalStore
    find: FindRun
    current_view: CurrentView

    def register(self, app: ApiGatewayResolver, caller: Callable[[], Caller]) -> None:
        """Add the routes."""

        @serve(app, summary="List runs, the newest first")
        def list_runs(
            session: Annotated[str | None, Query(pattern=SESSION_PATTERN)] = None,
            limit: Annotated[int, Query(ge=1, le=100)] = 50,
            cursor: Cursor = None,
        ) -> RunPage:
            who = caller()
            page = collect_page(
                lambda count, place: self.runs.list_page(who.tenant_id, session_id=session, limit=count, cursor=place),
                lambda run: who.may_reach(run.user_id),
                limit=limit,
                cursor=cursor,
            )
            waits = self.current_view.waits
            return RunPage(items=tuple(build_run_view(run, waits) for run in page.items), cursor=page.cursor)

        @serve(app, summary="Read a run")
        def get_run(run: RunPath) -> RunView:
            return self.current_view(self.find(caller().tenant_id, run))

        @serve(app, summary="Read what happened in a run")
        def get_events(
            run: RunPath,
            limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
            cursor: Cursor = None,
        ) -> EventList:
            events = collect_events(self.find(caller().tenant_id, run), self.runs, self.ledger, self.approvals)
            first = parse_cursor(cursor)
            end = first + limit
            return EventList(events=events[first:end], cursor=str(end) if end < len(events) else None)


@dataclass(frozen=True)
class TraceRoutes:
    """Shows a run's waterfall.

    Attributes:
        runs: the store of runs.
        ledger: attempts of models.
        graph_nodes: what ran inside graphs.
        engine: has the histories of executions.
        find: finds the run of a path.
        now: the clock.
    """

    runs: RunStore
    ledger: Ledger
    graph_nodes: GraphNodeStore
    engine: WorkflowEngine
    find: FindRun
    now: Callable[[], datetime]

    def register(self, app: ApiGatewayResolver, caller: Callable[[], Caller]) -> None:
        """Add the route."""

        @serve(app, summary="Read a run's waterfall")
        def get_trace(run: RunPath) -> TraceView:
            found = self.find(caller().tenant_id, run)
            try:
                history = read_history(found, self.engine.get_history)
            except NotFound:
                history = []  # Its execution's name is known, but it waits for its session, or could not be started.
            calls = self.runs.list_calls(found.tenant_id, found.run_id)
            spans = build_spans(
                found,
                history,
                self.runs.list_steps(found.tenant_id, found.run_id),
                self.ledger.list_for_run(found.tenant_id, found.run_id),
                calls,
                graphs=self.graph_nodes.list_for_run(found.tenant_id, found.run_id),
                now=self.now(),
            )
            return TraceView(
                run_id=found.run_id,
                status=found.status,
                spans=tuple(SpanView.model_validate(span.model_dump()) for span in spans),
                transitions=count_transitions(history),
                source="history" if history else "records",
                context=build_context_view(with_loaded_tools(found, calls)),
            )


@dataclass(frozen=True)
class CancelRoutes:
    """Cancels runs, and undoes the effects of their tool calls.

    Attributes:
        cancel: cancels runs.
        undo: undoes tool calls.
        waits: tells what runs wait for.
        find: finds the run of a path.
        now: the clock.
    """

    cancel: CancelRun
    undo: Undo
    waits: HumanWaits
    find: FindRun
    now: Callable[[], datetime]

    def register(self, app: ApiGatewayResolver, caller: Callable[[], Caller]) -> None:
        """Add the routes."""

        @serve(app, summary="Cancel a run")
        def cancel_run(run: RunPath, request: Annotated[CancelRequest | None, Body()] = None) -> RunView:
            """Its session is free at once. A tool call that is running may end; what it did is in the run's events."""
            who = caller()
            found = self.find(who.tenant_id, run)
            reason = request.reason if request is not None else None
            ended = self.cancel(who.tenant_id, found.run_id, by=who.name, reason=reason)
            return build_run_view(ended, self.waits)

        @serve(app, summary="Undo the effect of a tool call")
        def undo(request: Annotated[UndoRequest, Body()]) -> ToolCallView:
            who = caller()
            undone = self.undo(who.tenant_id, request.undo_token, actor=who.to_actor(self.now()))
            return build_call_view(undone)


@dataclass(frozen=True)
class UndoRoutes:
    """Undoes whole runs.

    Attributes:
        undo_run: undoes them.
        find: finds the run of a path.
        explain: says why a caller may not undo an effect: `AccessRules.explain_group`.
        now: the clock.
        timer: seconds that only go forward.
    """

    undo_run: UndoRun
    find: FindRun
    explain: Callable[[Caller, RunEffect], str | None]
    now: Callable[[], datetime]
    timer: Callable[[], float] = time.monotonic

    def register(self, app: ApiGatewayResolver, caller: Callable[[], Caller]) -> None:
        """Add the routes."""

        @serve(app, summary="List the effects of a run, the newest first")
        def plan_undo(run: RunPath) -> UndoneView:
            """What undoing the run would go through, with what can't be undone and why. Nothing is changed."""
            who = caller()
            found = self.find(who.tenant_id, run)
            effects = self.undo_run.plan(found, refuse=lambda effect: self.explain(who, effect))
            return UndoneView(run_id=found.run_id, effects=build_effect_views(effects))

        @serve(app, summary="Undo the effects of a run, the newest first")
        def undo_run(run: RunPath, request: Annotated[UndoRunRequest | None, Body()] = None) -> UndoneView:
            """With the effects of all runs below it. Where there was no time for all of them, send ``after`` again."""
            who, asked = caller(), request or UndoRunRequest()
            found, begun = self.find(who.tenant_id, run), self.timer()
            stretch = self.undo_run(
                found,
                actor=who.to_actor(self.now()),
                owner=str(app.lambda_context.aws_request_id),
                refuse=lambda effect: self.explain(who, effect),
                goes_on=lambda: self.timer() - begun < _UNDO_SECONDS,
                after=asked.after,
                stop=asked.stop,
            )
            return UndoneView(
                run_id=found.run_id,
                effects=build_effect_views(stretch.effects),
                after=stretch.after,
                stopped=stretch.stopped,
            )
