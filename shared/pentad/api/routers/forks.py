"""``/v1/runs/{id}/fork`` and ``/v1/runs/{id}/recording``."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import ApiGatewayResolver
from aws_lambda_powertools.event_handler.openapi.params import Body, Header, Path

from pentad.api.identity.caller import Caller
from pentad.api.services import Services
from pentad.api.views.views import RunView, run_view
from pentad.domain.errors import InvalidInput, NotFound
from pentad.domain.ids import RUN_PATTERN, check_id
from pentad.orchestration.timetravel.fork_request import ForkRequest
from pentad.orchestration.timetravel.recording import Recording, record

RunPath = Annotated[str, Path(description="the run's id")]


def register(app: ApiGatewayResolver, services: Services, caller: Callable[[], Caller]) -> None:
    """Add the routes."""

    @app.post("/v1/runs/<run>/fork", tags=["runs"], summary="Go on from a turn of a run, in a new one", status_code=202)
    def fork_run(
        run: RunPath,
        request: Annotated[ForkRequest, Body()],
        idempotency_key: Annotated[str | None, Header(alias="Idempotency-Key")] = None,
    ) -> Response[RunView]:
        """The new run has a session of its own. The same Idempotency-Key gives the same run."""
        who = caller()
        who.acts_for(services.runs.get(who.tenant, _checked(run)).user)
        forked = services.fork(who.tenant, run, request, idempotency_key=idempotency_key)
        return Response(
            status_code=HTTPStatus.ACCEPTED,
            content_type="application/json",
            body=run_view(forked, services.approvals),
            headers={"Location": f"/v1/runs/{forked.run}"},
        )

    @app.get("/v1/runs/<run>/recording", tags=["runs"], summary="Read a run's recording, to replay it offline")
    def get_recording(run: RunPath) -> Recording:
        """What went in and out of an ended run: words of users and tools, no credential and no user's id."""
        found = services.runs.get(caller().tenant, _checked(run))
        return record(found, services.catalog, services.runs, services.sessions, services.approvals, at=services.now())


def _checked(run: str) -> str:
    try:
        return check_id("run", run)
    except InvalidInput as error:
        # Not an id of ours, so there is no such run.
        raise NotFound("there is no such run", field="run", fix=f"ids match {RUN_PATTERN}") from error
