"""``/v1/reviews``: finished or failed runs that a human should look at."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.api_gateway import ApiGatewayResolver
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query
from pydantic import Field

from pentad.api.identity.caller import Caller
from pentad.api.routers.serve import Cursor, serve
from pentad.api.views.cursors import collect_page
from pentad.api.views.view import View
from pentad.api.views.views import ToolCallView, build_call_view
from pentad.domain.declarations.agents import Catalog
from pentad.domain.runs import Actor, Assessment, Review, RunStatus
from pentad.domain.values import FrozenValue
from pentad.orchestration.reviews.ports import ReviewStore
from pentad.orchestration.runs.ports import RunStore

NOTE_CHARACTERS = 1000
ReviewPath = Annotated[str, Path(description="the review's id")]


class ReviewView(View):
    """A review; ``verdict`` is none while it is open."""

    review: str
    run_id: str
    step: int
    agent: str
    session: str
    cause: Literal["confidence", "loop", "limit", "failed", "escalated"]
    summary: str
    confidence: float | None
    created_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    closer: Actor | None = Field(description="who closed it, by which credential and from where")
    verdict: Literal["correct", "wrong"] | None
    note: str | None


class ReviewedStep(View):
    """What a review is about, of a run that a reviewer need not be able to read as a whole."""

    run_status: RunStatus
    answer: str | None = Field(description="the run's answer")
    calls: tuple[ToolCallView, ...] = Field(description="the step's tool calls")
    assessment: Assessment | None = Field(description="how sure the step was; none where it was not rated")


class ReviewDetails(ReviewView):
    """A review with what it is about."""

    reviewed: ReviewedStep


class ReviewPage(View):
    """Open reviews, the oldest first."""

    items: tuple[ReviewView, ...]
    cursor: str | None


class VerdictRequest(FrozenValue):
    """The body of ``POST /v1/reviews/{review}``."""

    verdict: Literal["correct", "wrong"] = Field(description="whether what was done was right")
    note: str | None = Field(default=None, max_length=NOTE_CHARACTERS)


def build_review_view(review: Review) -> ReviewView:
    """Return the view of a review."""
    return ReviewView(run_id=review.run_id, **review.model_dump(exclude={"tenant_id", "run_id"}))


@dataclass(frozen=True)
class ReviewRoutes:
    """Lists, shows and closes reviews.

    Attributes:
        catalog: says which group answers for an agent.
        reviews: the review list.
        runs: the store of runs.
        now: the clock.
    """

    catalog: Catalog
    reviews: ReviewStore
    runs: RunStore
    now: Callable[[], datetime]

    def register(self, app: ApiGatewayResolver, caller: Callable[[], Caller]) -> None:
        """Add the routes."""

        @serve(app, summary="List open reviews, the oldest first")
        def list_reviews(
            limit: Annotated[int, Query(ge=1, le=100)] = 50,
            cursor: Cursor = None,
        ) -> ReviewPage:
            who = caller()
            page = collect_page(
                lambda count, place: self.reviews.list_open(who.tenant_id, limit=count, cursor=place),
                lambda one: who.may_reach(one.user_id) or who.is_in(self.catalog.find_group(one.agent)),
                limit=limit,
                cursor=cursor,
            )
            return ReviewPage(items=tuple(build_review_view(review) for review in page.items), cursor=page.cursor)

        @serve(app, summary="Read a review")
        def get_review(review: ReviewPath) -> ReviewDetails:
            found = self.reviews.get(caller().tenant_id, review)
            return ReviewDetails(**build_review_view(found).model_dump(), reviewed=self._read_step(found))

        @serve(app, summary="Close a review with a verdict")
        def close_review(review: ReviewPath, request: Annotated[VerdictRequest, Body()]) -> ReviewView:
            """The same verdict again is the same answer; the other one is a conflict."""
            who = caller()
            at = self.now()
            group = self.catalog.find_group(self.reviews.get(who.tenant_id, review).agent)
            closed = self.reviews.close(
                who.tenant_id,
                review,
                by=who.name,
                actor=who.to_actor(at, group),
                verdict=request.verdict,
                note=request.note,
                at=at,
            )
            return build_review_view(closed)

    def _read_step(self, review: Review) -> ReviewedStep:
        where = (review.tenant_id, review.run_id, review.step)
        run = self.runs.get(review.tenant_id, review.run_id)
        step = self.runs.find_step(*where)
        return ReviewedStep(
            run_status=run.status,
            answer=run.answer,
            calls=tuple(build_call_view(call) for call in self.runs.list_calls(*where)),
            assessment=step.assessment if step is not None else None,
        )
