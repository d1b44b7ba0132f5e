"""``/v1/runs/{id}/fork`` and ``/v1/runs/{id}/recording``."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import ApiGatewayResolver
from aws_lambda_powertools.event_handler.openapi.params import Body, Header, Path

from pentad.api.found import check_run_id
from pentad.api.identity.caller import Caller
from pentad.api.routers.serve import KEY_FORM, serve
from pentad.api.views.approvals import HumanWaits
from pentad.api.views.views import RunView, build_run_view
from pentad.domain.declarations.agents import Catalog
from pentad.memory.sessions.ports import SessionStore
from pentad.orchestration.approvals.ports import ApprovalStore
from pentad.orchestration.runs.ports import RunStore
from pentad.orchestration.timetravel.fork import ForkRun
from pentad.orchestration.timetravel.fork_request import ForkRequest
from pentad.orchestration.timetravel.recording import Recording, record

RunPath = Annotated[str, Path(description="the run's id")]


@dataclass(frozen=True)
class ForkRoutes:
    """Forks and records runs.

    Attributes:
        catalog: agents and tools.
        runs: the store of runs.
        sessions: the store of sessions.
        approvals: the store of approvals.
        fork: forks runs.
        now: the clock.
    """

    catalog: Catalog
    runs: RunStore
    sessions: SessionStore
    approvals: ApprovalStore
    fork: ForkRun
    now: Callable[[], datetime]

    def register(self, app: ApiGatewayResolver, caller: Callable[[], Caller]) -> None:
        """Add the routes."""

        @serve(app, summary="Go on from a turn of a run, in a new one", status_code=202)
        def fork_run(
            run: RunPath,
            request: Annotated[ForkRequest, Body()],
            idempotency_key: Annotated[str | None, Header(alias="Idempotency-Key", json_schema_extra=KEY_FORM)] = None,
        ) -> Response[RunView]:
            """The new run has a session of its own. The same Idempotency-Key gives the same run."""
            who = caller()
            forked = self.fork(
                who.tenant_id,
                check_run_id(run),
                request,
                requester=who.to_actor(self.now()),
                idempotency_key=idempotency_key,
            )
            return Response(
                status_code=HTTPStatus.ACCEPTED,
                content_type="application/json",
                body=build_run_view(forked, HumanWaits(self.runs, self.approvals, self.catalog)),
                headers={"Location": f"/v1/runs/{forked.run_id}"},
            )

        @serve(app, summary="Read a run's recording, to replay it offline")
        def get_recording(run: RunPath) -> Recording:
            """What went in and out of an ended run: words of users and tools, no credential and no user's id."""
            found = self.runs.get(caller().tenant_id, check_run_id(run))
            return record(found, self.catalog, self.runs, self.sessions, self.approvals, at=self.now())
