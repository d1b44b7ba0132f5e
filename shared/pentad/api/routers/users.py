"""``/v1/users``: erasures, with their receipts."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from aws_lambda_powertools.event_handler.api_gateway import ApiGatewayResolver
from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import Field

from pentad.api.identity.caller import Caller
from pentad.api.routers.serve import serve
from pentad.api.views.view import View
from pentad.orchestration.erasure.ports import Erasure, ErasureStage, ErasureStatus
from pentad.orchestration.erasure.request import RequestErasure
from pentad.orchestration.erasure.stays import KeptDays, list_stays

UserPath = Annotated[str, Path(description="the user's id")]
ErasurePath = Annotated[str, Path(description="the receipt's id")]


class StayView(View):
    """A place that holds the user's id as it is after the erasure, too."""

    what: str
    until: str = Field(description="for how long; where it is for some days, with the date by which it is gone")


class ErasureView(View):
    """The receipt of an erasure: counts and places, never what was there."""

    erasure: str
    user_hash: str = Field(description="the first 32 digits of the SHA-256 of the user's id, as in the audit")
    status: ErasureStatus = Field(
        description="done: the last look everywhere found nothing; incomplete: it found what is in left; "
        "refused: a run is under way, and nothing was removed"
    )
    stage: ErasureStage = Field(description="survey, remove, or check: look everywhere")
    removed: dict[str, int] = Field(description="by kind")
    left: dict[str, int] = Field(description="by kind: what the last look found, as far as it has come")
    open_run: str | None = Field(description="the run for which it was refused")
    rounds: int = Field(description="how often it removed")
    asked_at: datetime
    updated_at: datetime
    checked_at: datetime | None = Field(description="when it was last looked everywhere")
    stays: tuple[StayView, ...] = Field(description="where the user's id stays as it is, whatever was removed")


def build_erasure_view(erasure: Erasure, kept: KeptDays) -> ErasureView:
    """Return the view of a receipt.

    Args:
        erasure: the receipt.
        kept: for how many days the stage keeps what nobody can change.
    """
    stays = list_stays(kept, erasure.updated_at)
    return ErasureView(
        erasure=erasure.erasure_id,
        user_hash=erasure.user_hash,
        status=erasure.status,
        stage=erasure.stage,
        removed=erasure.removed,
        left=erasure.left,
        open_run=erasure.open_run_id,
        rounds=erasure.round + 1,
        asked_at=erasure.asked_at,
        updated_at=erasure.updated_at,
        checked_at=erasure.checked_at,
        stays=tuple(StayView(what=one.what, until=one.until) for one in stays),
    )


@dataclass(frozen=True)
class UserRoutes:
    """Erases users.

    Attributes:
        erasures: takes requests.
        kept: for how many days the stage keeps what nobody can change.
    """

    erasures: RequestErasure
    kept: KeptDays

    def register(self, app: ApiGatewayResolver, caller: Callable[[], Caller]) -> None:
        """Add the routes."""

        @serve(app, summary="Erase a user", status_code=202)
        def erase_user(user: UserPath) -> ErasureView:
            """All that is kept of the user goes, but for amounts. A user with a run under way is 409.

            Asked again before it is at its end, it is the same erasure.
            """
            return build_erasure_view(self.erasures.request(caller().tenant_id, user), self.kept)

        @serve(app, summary="Read the receipt of an erasure")
        def get_erasure(user: UserPath, erasure: ErasurePath) -> ErasureView:
            return build_erasure_view(self.erasures.get(caller().tenant_id, user, erasure), self.kept)

        @serve(app, summary="Look again for what is left of an erased user", status_code=202)
        def verify_erasure(user: UserPath, erasure: ErasurePath) -> ErasureView:
            """Everything is looked at again and nothing is removed; the receipt tells what was found."""
            return build_erasure_view(self.erasures.verify(caller().tenant_id, user, erasure), self.kept)
