"""Anchors the audit: at intervals, the ends of all chains go into a bucket under Object Lock."""

from typing import Any, Literal

from pentad.domain.values import FrozenValue
from pentad.runtime.entrypoint import LambdaContext, entrypoint
from pentad.runtime.wiring.observability import anchor as wiring


class WriteNow(FrozenValue):
    """What the schedule sends."""

    op: Literal["anchor"]


@entrypoint("anchor", WriteNow)
def handler(event: WriteNow, context: LambdaContext) -> dict[str, Any]:
    """Write the anchors of now and return how many there are."""
    return {"anchors": wiring.make_anchors()()}
