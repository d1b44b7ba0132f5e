"""The wiring of assessments and reviews: a part of the bootstrap, apart for its length."""

from functools import cache
from typing import TYPE_CHECKING

from pentad.runtime import bootstrap
from pentad.runtime import settings as environment

if TYPE_CHECKING:
    from pentad.models.ports import ChatModel
    from pentad.orchestration.confidence.ports import Assessor
    from pentad.orchestration.reviews.ports import ReviewStore


@cache
def reviews(service: str) -> "ReviewStore":
    """Return the review list, counted by the function of this name."""
    from pentad.orchestration.reviews.adapters.reviews_dynamodb import DynamoReviews
    from pentad.orchestration.reviews.reviews import CountedReviews

    state = bootstrap.table(bootstrap.settings(environment.StateTable).state_table)
    return CountedReviews(DynamoReviews(state), bootstrap.telemetry(service))


def assessor(chat: "ChatModel") -> "Assessor":
    """Return what tells how sure a turn is, by asking these models."""
    from pentad.orchestration.confidence.assessor import Assess

    return Assess(chat, bootstrap.telemetry("gateway"))
