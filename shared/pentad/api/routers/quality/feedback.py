"""``/v1/runs/{run}/feedback``, ``/v1/feedback``, ``/v1/verdicts``: what people say of answers, and decide of turns."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.api_gateway import ApiGatewayResolver
from aws_lambda_powertools.event_handler.openapi.params import Body, Header, Path, Query
from pydantic import Field

from pentad.api.found import FindRun
from pentad.api.identity.caller import Caller
from pentad.api.routers.serve import KEY_FORM, Cursor, serve
from pentad.api.views.cursors import collect_page
from pentad.api.views.view import View
from pentad.domain.ids import AGENT_PATTERN
from pentad.observability.feedback.give import FeedbackRequest, GiveFeedback, check_giver
from pentad.observability.feedback.ports import EarlierFeedback, Feedback, FeedbackStore, Verdict
from pentad.orchestration.calibration.human_verdicts import HumanVerdict
from pentad.orchestration.calibration.ports import VerdictStore
from pentad.orchestration.runs.ports import RunStore

RunPath = Annotated[str, Path(description="the run's id")]


class FeedbackView(View):
    """What one person says of a run's answer, or of one of its citations."""

    feedback: str
    run_id: str
    agent: str
    session: str
    by: str = Field(description="who gave it: a user, or key:ID")
    user: str | None
    citation: str | None = Field(description="the citation's marker; none: it is of the answer")
    score: float | None
    correction: str | None
    comment: str | None
    verdict: Verdict | None = Field(description="what it says of the answer; none: neither")
    step: int | None = Field(description="the agent's turn that answered")
    confidence: float | None = Field(description="how sure the agent was of that turn, where it was rated")
    is_fork: bool
    given_at: datetime
    changed_at: datetime
    earlier: tuple[EarlierFeedback, ...] = Field(description="what the same person had said before, the newest first")


class FeedbackPage(View):
    """Feedback."""

    items: tuple[FeedbackView, ...]
    cursor: str | None


def build_feedback_view(feedback: Feedback) -> FeedbackView:
    """Return the view of feedback."""
    hidden = {"tenant_id", "run_id", "feedback_id", "run_user_id", "version"}
    fields = feedback.model_dump(exclude=hidden)
    return FeedbackView(feedback=feedback.feedback_id, run_id=feedback.run_id, verdict=feedback.verdict, **fields)


@dataclass(frozen=True)
class FeedbackRoutes:
    """Takes and lists feedback.

    Attributes:
        give: stores it.
        store: has it.
        runs: the store of runs.
        find: finds the run of a path.
    """

    give: GiveFeedback
    store: FeedbackStore
    runs: RunStore
    find: FindRun

    def register(self, app: ApiGatewayResolver, caller: Callable[[], Caller]) -> None:
        """Add the routes."""
        self._register_giving(app, caller)
        self._register_lists(app, caller)

    def _register_giving(self, app: ApiGatewayResolver, caller: Callable[[], Caller]) -> None:
        @serve(app, summary="Say how good a run's answer is, or one of its citations")
        def give_feedback(
            run: RunPath,
            request: Annotated[FeedbackRequest, Body()],
            idempotency_key: Annotated[str | None, Header(alias="Idempotency-Key", json_schema_extra=KEY_FORM)] = None,
        ) -> FeedbackView:
            """The newest words of one person on one thing count. The same Idempotency-Key changes nothing again."""
            who = caller()
            found = self.find(who.tenant_id, run)
            user_id = who.resolve_user(request.user_id)
            check_giver(found, request.user_id)
            steps = self.runs.list_steps(found.tenant_id, found.run_id)
            given = self.give(
                found,
                steps[-1] if steps else None,
                request.model_copy(update={"user_id": user_id}),
                by=user_id or who.name,
                idempotency_key=idempotency_key,
            )
            return build_feedback_view(given)

    def _register_lists(self, app: ApiGatewayResolver, caller: Callable[[], Caller]) -> None:
        @serve(app, summary="List what was said of a run")
        def list_run_feedback(run: RunPath) -> FeedbackPage:
            """A credential of one user sees what that user said."""
            who = caller()
            found = self.store.list_for_run(who.tenant_id, self.find(who.tenant_id, run).run_id)
            shown = (build_feedback_view(one) for one in found if who.may_reach(one.user_id))
            return FeedbackPage(items=tuple(shown), cursor=None)

        @serve(app, summary="List what was said of answers, the newest first")
        def list_feedback(
            agent: Annotated[str | None, Query(pattern=AGENT_PATTERN, description="of this agent only")] = None,
            verdict: Annotated[Verdict | None, Query(description="only this verdict")] = None,
            limit: Annotated[int, Query(ge=1, le=100)] = 50,
            cursor: Cursor = None,
        ) -> FeedbackPage:
            """A credential of one user sees what that user said."""
            who = caller()
            page = collect_page(
                lambda count, place: self.store.list_page(who.tenant_id, limit=count, cursor=place),
                lambda one: (
                    who.may_reach(one.user_id) and agent in (None, one.agent) and verdict in (None, one.verdict)
                ),
                limit=limit,
                cursor=cursor,
            )
            return FeedbackPage(items=tuple(build_feedback_view(one) for one in page.items), cursor=page.cursor)


class VerdictView(View):
    """What a human decided of a turn that the agent had rated."""

    source: Literal["review", "approval"]
    run_id: str
    step: int
    agent: str
    confidence: float = Field(description="how sure the agent was of the turn")
    verdict: Verdict = Field(description="correct: closed so, or approved as it was; wrong: also edited, rejected")
    at: datetime


class VerdictPage(View):
    """Verdicts, the newest first."""

    items: tuple[VerdictView, ...]
    cursor: str | None


@dataclass(frozen=True)
class VerdictRoutes:
    """Lists what humans decided of turns: the ground truth of confidence, beside feedback.

    Attributes:
        verdicts: has it.
    """

    verdicts: VerdictStore

    def register(self, app: ApiGatewayResolver, caller: Callable[[], Caller]) -> None:
        """Add the route."""

        @serve(app, summary="List verdicts of reviews and approvals on turns that were rated")
        def list_verdicts(
            agent: Annotated[str | None, Query(pattern=AGENT_PATTERN, description="of this agent only")] = None,
            limit: Annotated[int, Query(ge=1, le=100)] = 50,
            cursor: Cursor = None,
        ) -> VerdictPage:
            """None of them has words."""
            who = caller()
            page = collect_page(
                lambda count, place: self.verdicts.list_page(who.tenant_id, limit=count, cursor=place),
                lambda one: who.may_reach(one.user_id) and agent in (None, one.agent),
                limit=limit,
                cursor=cursor,
            )
            return VerdictPage(items=tuple(_build_verdict_view(one) for one in page.items), cursor=page.cursor)


def _build_verdict_view(one: HumanVerdict) -> VerdictView:
    verdict: Verdict = "correct" if one.correct else "wrong"
    fields = one.model_dump(include={"source", "step", "agent", "confidence", "at"})
    return VerdictView(run_id=one.run_id, verdict=verdict, **fields)
