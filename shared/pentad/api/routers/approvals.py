"""``/v1/approvals``."""

from collections.abc import Callable
from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.api_gateway import ApiGatewayResolver
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from pentad.api.caller import Caller
from pentad.api.services import Services
from pentad.api.views import ApprovalPage, ApprovalView, approval_view
from pentad.orchestration.humans import REASON_CHARACTERS

ApprovalPath = Annotated[str, Path(description="the approval's id")]


class DecisionRequest(BaseModel):
    """The body of ``POST /v1/approvals/{approval}``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    decision: Literal["approve", "reject"]
    reason: str | None = Field(default=None, max_length=REASON_CHARACTERS, description="told to the model on a reject")
    arguments_hash: str | None = Field(
        default=None, max_length=64, description="as the approval shows it: decides on exactly that, or not at all"
    )


def register(app: ApiGatewayResolver, services: Services, caller: Callable[[], Caller]) -> None:
    """Add the routes."""

    @app.get("/v1/approvals", tags=["approvals"], summary="List pending approvals, the oldest first")
    def list_approvals(
        limit: Annotated[int, Query(ge=1, le=100)] = 50,
        cursor: Annotated[str | None, Query(max_length=1000)] = None,
    ) -> ApprovalPage:
        page = services.approvals.pending(caller().tenant, limit=limit, cursor=cursor)
        now = services.now()
        # One that has just run out is about to be closed by its execution: nobody can decide it any more.
        items = tuple(approval_view(approval) for approval in page.items if approval.expires_at > now)
        return ApprovalPage(items=items, cursor=page.cursor)

    @app.get("/v1/approvals/<approval>", tags=["approvals"], summary="Read an approval")
    def get_approval(approval: ApprovalPath) -> ApprovalView:
        return approval_view(services.approvals.get(caller().tenant, approval))

    @app.post("/v1/approvals/<approval>", tags=["approvals"], summary="Decide an approval")
    def decide_approval(approval: ApprovalPath, request: Annotated[DecisionRequest, Body()]) -> ApprovalView:
        """The same decision again is the same answer; another one, or a late one, is a conflict."""
        who = caller()
        decided = services.decide(
            who.tenant,
            approval,
            request.decision,
            by=who.name,
            reason=request.reason,
            arguments_hash=request.arguments_hash,
        )
        return approval_view(decided)
