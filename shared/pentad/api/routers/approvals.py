"""``/v1/approvals``."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler.api_gateway import ApiGatewayResolver
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query
from pydantic import Field

from pentad.api.identity.caller import Caller
from pentad.api.routers.serve import Cursor, serve
from pentad.api.views.approvals import ApprovalPage, ApprovalView, build_approval_view
from pentad.api.views.cursors import collect_page
from pentad.domain.declarations.asking import GROUP_PATTERN
from pentad.domain.errors import InvalidInput
from pentad.domain.runs import Approval
from pentad.domain.values import FrozenValue
from pentad.orchestration.approvals.decide import Decide
from pentad.orchestration.approvals.decision_rules import REASON_CHARACTERS, TEXT_CHARACTERS, Verb
from pentad.orchestration.approvals.ports import ApprovalStore

ApprovalPath = Annotated[str, Path(description="the approval's id")]
Kind = Literal["calls", "answer", "question", "escalation"]


class DecisionRequest(FrozenValue):
    """The body of ``POST /v1/approvals/{approval}``."""

    decision: Verb
    reason: str | None = Field(default=None, max_length=REASON_CHARACTERS, description="told to the model on a reject")
    arguments_hash: str | None = Field(
        default=None, max_length=64, description="as the approval shows it: decides on exactly that, or not at all"
    )
    text: str | None = Field(
        default=None, max_length=TEXT_CHARACTERS, description="answer: the answer; edit: the whole new draft"
    )
    arguments: dict[Annotated[int, Field(ge=0, le=99)], dict[str, Any]] | None = Field(
        default=None,
        description="edit: whole new arguments by the call's index",
        json_schema_extra={"propertyNames": {"pattern": "^[0-9]{1,2}$"}},
    )
    group: str | None = Field(
        default=None, pattern=GROUP_PATTERN, description="escalate: who is asked instead; the next group where absent"
    )
    allow_tool_for_run: bool = Field(
        default=False,
        strict=True,
        description="approve, edit: the calls' tools need no approval for the rest of the run",
    )


_FOR: dict[str, tuple[str, ...]] = {
    "text": ("answer", "edit"),
    "arguments": ("edit",),
    "group": ("escalate",),
    "allow_tool_for_run": ("approve", "edit"),
}


def check_fields(request: DecisionRequest) -> None:
    """Return if every field belongs to the decision: one that is ignored would not do what its sender means.

    Raises:
        InvalidInput: one does not.
    """
    for name, verbs in _FOR.items():
        if getattr(request, name) not in (None, False) and request.decision not in verbs:
            raise InvalidInput(
                f"'{name}' cannot be used with the decision '{request.decision}'",
                field=name,
                fix=f"leave it out, or use it with {' or '.join(verbs)}",
            )


@dataclass(frozen=True)
class ApprovalRoutes:
    """Lists, shows and decides approvals.

    Attributes:
        approvals: the store of approvals.
        decide: takes decisions.
        now: the clock.
    """

    approvals: ApprovalStore
    decide: Decide
    now: Callable[[], datetime]

    def register(self, app: ApiGatewayResolver, caller: Callable[[], Caller]) -> None:
        """Add the routes."""
        self._register_reads(app, caller)

        @serve(app, summary="Decide an approval")
        def decide_approval(approval: ApprovalPath, request: Annotated[DecisionRequest, Body()]) -> ApprovalView:
            """The same decision again is the same answer; another one, or a late one, is a conflict.

            Approve, or edit (which approves what it makes), reject with a reason, answer a question, escalate to a
            group.
            """
            who = caller()
            self.approvals.get(who.tenant_id, approval)
            check_fields(request)
            decided = self.decide(
                who.tenant_id,
                approval,
                request.decision,
                by=who.name,
                groups=who.groups,
                actor=who.to_actor(self.now()),
                reason=request.reason,
                arguments_hash=request.arguments_hash,
                text=request.text,
                arguments=request.arguments,
                group=request.group,
                allow_tool_for_run=request.allow_tool_for_run,
            )
            return build_approval_view(decided)

    def _register_reads(self, app: ApiGatewayResolver, caller: Callable[[], Caller]) -> None:
        @serve(app, summary="List pending approvals, the oldest first")
        def list_approvals(
            group: Annotated[str | None, Query(pattern=GROUP_PATTERN, description="who is asked")] = None,
            kind: Annotated[Kind | None, Query(description="what is asked")] = None,
            limit: Annotated[int, Query(ge=1, le=100)] = 50,
            cursor: Cursor = None,
        ) -> ApprovalPage:
            who, now = caller(), self.now()

            def may_show(one: Approval) -> bool:
                # One that has just run out is about to be closed by its execution: nobody can decide it any more.
                asked = who.may_reach(one.user_id) or who.is_in(one.group)
                return asked and one.expires_at > now and _is_match(one, group, kind)

            page = collect_page(
                lambda count, place: self.approvals.list_pending(who.tenant_id, limit=count, cursor=place),
                may_show,
                limit=limit,
                cursor=cursor,
            )
            return ApprovalPage(items=tuple(build_approval_view(one) for one in page.items), cursor=page.cursor)

        @serve(app, summary="Read an approval")
        def get_approval(approval: ApprovalPath) -> ApprovalView:
            return build_approval_view(self.approvals.get(caller().tenant_id, approval))


def _is_match(approval: Approval, group: str | None, kind: str | None) -> bool:
    return group in (None, approval.group) and kind in (None, approval.kind)
